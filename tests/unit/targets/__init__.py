"""Targets: what only one sort of store can show."""
