"""Outputs: what each promises its readers."""
