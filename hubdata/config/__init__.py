"""Settings and job files: read, layered, checked, and turned into plain values."""
