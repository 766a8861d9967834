"""Kinds, one a file: each checks a file as the engine will load it."""
