"""What an audit of a hub found: the findings, and the list of what a maintainer would do about them."""

from dataclasses import dataclass

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity, refuses


@dataclass(frozen=True, slots=True)
class Action:
    """One line of the list: which item (or published directory), which file, what is wrong by rule, what to do."""

    severity: Severity
    item: str
    line: int | None
    file: str
    rule: str
    do: str


@dataclass(frozen=True, slots=True)
class AuditResult:
    """A whole audit. Findings about items have the item's path as key; those about orphans, the published key.

    `base` is where the hub lies in the repository that a report is about, as in a validation.
    """

    hub: str
    against: str
    items: int
    entries: int
    published: int
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    elapsed_s: float = 0.0
    notices: tuple[str, ...] = ()
    base: str = ""

    @property
    def exit_code(self) -> Exit:
        """Return REFUSED when anything is broken, else FINE: warnings and notes break nothing."""
        return Exit.REFUSED if refuses(self.findings) else Exit.FINE
