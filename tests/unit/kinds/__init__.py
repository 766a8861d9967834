"""Kinds: each rule with the least file that breaks it, and the real files."""
