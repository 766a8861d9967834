"""CDNs: what only one of them can show."""
