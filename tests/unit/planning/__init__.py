"""Tests of what is decided without IO."""
