"""Tests of hubdata.config."""
