"""How jobs stand at one target now, and what exit code says so: what `hubdata status` prints in either form."""

from dataclasses import dataclass

from hubdata.errors import Exit, worst
from hubdata.model.run import Problem
from hubdata.report.page.given import Given
from hubdata.report.page.records import Sort
from hubdata.report.page.status import Freshness, Status, assess

_CODES = {Sort.REFUSED: Exit.REFUSED, Sort.HELD: Exit.HELD}


@dataclass(frozen=True, slots=True)
class Standing:
    """One target: what was found there, or the problem that kept us from finding out."""

    target: str
    given: Given | None = None
    problem: Problem | None = None

    @property
    def exit_code(self) -> Exit:
        """Return SOURCE when a job is stale or no success of it is known, besides what its newest run ended with."""
        codes = [] if self.problem is None else [self.problem.exit_code]
        if self.given is not None:
            codes += codes_of(assess(self.given))
        return worst(codes)


def codes_of(status: Status) -> list[Exit]:
    """Return the code of each thing that is not as it should be."""
    late = status.of(Freshness.STALE) + status.of(Freshness.NEVER)
    troubles = (_CODES.get(each.sort) or each.exit_code or Exit.SOURCE for each in status.troubles)
    return [Exit.SOURCE] * bool(late) + list(troubles)
