"""What a look at the surroundings found: one `Check` for each thing a run relies on, and what to mend.

A check is about the machine, the settings and the services, never about data: that is what findings are for.
"""

from dataclasses import dataclass
from enum import StrEnum

from hubdata.errors import Exit, worst


class Status(StrEnum):
    """How it stands. `warn` does not keep a run from ending well; `skipped` was not looked at, and `found` says why."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name in the catalogue, and of several such things the one that is meant.

    `code` is what a run would end with, if this is what it fails at.
    """

    name: str
    subject: str
    status: Status
    found: str
    advice: str = ""
    code: Exit = Exit.CONFIG


@dataclass(frozen=True, slots=True)
class Checkup:
    """Everything that was looked at, in the order of the catalogue."""

    checks: tuple[Check, ...]
    elapsed_s: float = 0.0

    @property
    def exit_code(self) -> Exit:
        """Return the worst code of what fails, in the contract's order; FINE when nothing does."""
        return worst([check.code for check in self.checks if check.status is Status.FAIL])

    def count(self, status: Status) -> int:
        """Return how many checks ended so."""
        return sum(check.status is status for check in self.checks)
