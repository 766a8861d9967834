"""Holds a list to the least number of entries its job allows: a shrunken list must never replace a whole one."""

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Limits


def too_few(key: str, entries: int, limits: Limits) -> tuple[Finding, ...]:
    """Return the finding that `key` has fewer than `limits.min_entries` entries, or nothing."""
    least = limits.min_entries
    if least is None or entries >= least:
        return ()
    return (
        Finding(
            key,
            None,
            "limits.min-entries",
            Severity.ERROR,
            f"expected at least {least:,} entries, found {entries:,}",
            "look whether the upstream lost some; if it is meant, lower min_entries in the job file",
        ),
    )
