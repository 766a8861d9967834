"""Gather who helps to judge, before anything else of a run is even loaded: a helper takes as long to load as the run.

Helpers are of use where much is to be judged. That is known when all files are; but a checkout that nothing is
remembered of mostly has them, and if it has not, those who have begun to load are sent home.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from hubdata.config.settings import Settings
from hubdata.running.crew import Crew
from hubdata.running.dividing import helpers
from hubdata.transfer.cores import cores
from hubdata.transfer.verdict_file import NAME


@contextmanager
def gathered(settings: Settings, *, force: bool) -> Iterator[Crew | None]:
    """Give who helps a run to judge, None where nobody may; with `force` nothing remembered is of use to the run."""
    most = helpers(settings.processes, cores()) if settings.remember else 0
    if most < 1:
        yield None
        return
    crew = Crew(most)
    try:
        if settings.checkouts and (force or not (settings.spool / "memory-verdicts" / NAME).exists()):
            crew.begin()
        yield crew
    finally:
        crew.close()
