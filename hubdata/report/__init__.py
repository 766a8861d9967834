"""Outputs, one a file: the same run result for a person, a program or a CI service."""
