"""Findings: only an error refuses."""

import pytest

from hubdata.model.finding import Finding, Severity, refuses


@pytest.mark.parametrize(("severity", "refused"), [("error", True), ("warning", False), ("info", False)])
def test_only_an_error_refuses(severity: str, refused: bool) -> None:
    """Warnings and information never keep a file back, an error among them always does."""
    found = Finding("a", None, "rule", Severity(severity), "", "")
    mild = Finding("a", None, "rule", Severity.INFO, "", "")

    assert refuses((mild, found, mild)) is refused
    assert not refuses(())
