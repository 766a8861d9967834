"""Signatures that minisign reads and makes: their formats, the keys, and what a manifest's signature must say.

Formats are pure; `cryptography` is imported where a signature is made or checked, and nowhere else.
"""
