"""What is wrong with a file, said once: where, by which rule, how bad, and how to mend it."""

from collections.abc import Iterable
from enum import StrEnum

from hubdata.values import frozen


class Severity(StrEnum):
    """How bad a finding is. An error would crash, disable or open up an engine: the file is refused."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@frozen
class Finding:
    """One thing found in one file: `line` and `column` from 1, `offset` in bytes from 0; None where they mean nothing.

    `waived` is empty, or tells who accepted this finding until when; a waived error counts as a warning.
    """

    key: str
    line: int | None
    rule: str
    severity: Severity
    message: str
    advice: str
    column: int | None = None
    waived: str = ""
    offset: int | None = None


HOLDING = frozenset(
    {
        "limits.emptied",
        "limits.max-change",
        "limits.max-country-change",
        "limits.max-deletes",
        "limits.older-build",
        "limits.rewound",
        "limits.withdrawn",
    }
)
"""Rules about a change, not about a file: they hold it until its plan is approved, and no waiver is for them."""

ITEM_FAILED = "source.item-failed"
"""One file of a source could not be had, while others could: the upstream's failure, not the data's.

Nobody has seen the file, so no waiver is for it."""


def refuses(findings: Iterable[Finding]) -> bool:
    """Tell whether any of `findings` keeps its file from being published."""
    return any(f.severity is Severity.ERROR for f in findings)
