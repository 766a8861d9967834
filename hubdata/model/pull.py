"""What `hubdata pull` did to a checkout: what it wrote and what that means, what it left alone, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from hubdata.errors import Exit
from hubdata.model.comparison import Comparison, FileDifference
from hubdata.model.finding import Finding
from hubdata.model.plan import Plan
from hubdata.model.run import Problem


@dataclass(frozen=True, slots=True)
class PullResult:
    """One job, pulled into one checkout. `changes` is how the new files differ from the checkout's, held ones too.

    `written` are the keys that were put there; `held` is the plan of what broke a limit and was not. `unknown_plans`
    are ids that were to be approved, and that no plan of this run has. `source` is the source's type and revision.
    """

    job: str
    into: str
    source: Mapping[str, str]
    changes: Comparison
    written: tuple[str, ...] = ()
    held: Plan | None = None
    findings: tuple[Finding, ...] = ()
    problem: Problem | None = None
    exit_code: Exit = Exit.FINE
    elapsed_s: float = 0.0
    unknown_plans: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[FileDifference, ...]:
        """Return how the files that were written differ from what was there."""
        return tuple(file for file in self.changes.files if file.key in self.written)

    @property
    def held_files(self) -> tuple[FileDifference, ...]:
        """Return the same of those that are held."""
        held = {change.key for change in self.held.changes} if self.held is not None else set()
        return tuple(file for file in self.changes.files if file.key in held)
