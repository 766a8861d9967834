"""Whole-process measurements beside the tools in use today. Run: `python -m bench`."""
