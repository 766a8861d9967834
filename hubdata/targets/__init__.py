"""Stores, one a file: each can be listed and written conditionally."""
