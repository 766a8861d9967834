"""What `hubdata validate` found out: file by file, with no target and no plan.

A validation is a run that stops after the kinds have spoken; it needs neither network nor store.
"""

from dataclasses import dataclass

from hubdata.errors import Exit
from hubdata.model.finding import Finding, refuses
from hubdata.model.snapshot import Stats


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file as its kind judged it. `kind` is empty where no rule claimed the file."""

    key: str
    kind: str
    stats: Stats = Stats()
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        """Tell whether any finding keeps the file from being published."""
        return refuses(self.findings)


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """All files of one validation, by key. `findings` are those of no single checked file (a missing one, say).

    `base` is where the keys lie, seen from the repository that a report is about: `data/`, or nothing at its root.
    """

    files: tuple[CheckedFile, ...]
    findings: tuple[Finding, ...] = ()
    elapsed_s: float = 0.0
    notices: tuple[str, ...] = ()
    base: str = ""

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Return every finding: the files' own first, then the others."""
        return tuple(f for file in self.files for f in file.findings) + self.findings

    @property
    def exit_code(self) -> Exit:
        """Return REFUSED when any finding refuses its file, else FINE."""
        return Exit.REFUSED if refuses(self.all_findings) else Exit.FINE
