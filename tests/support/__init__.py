"""Servers, repositories and databases that the tests share."""
