"""Upstreams, one a file: each gives all it holds now, its bytes in the spool."""
