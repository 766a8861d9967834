"""Gather who helps to judge, before anything else is even loaded: a helper takes as long to load as a run.

Helpers are of use where much is to be judged, and that is known only when all files are. So they begin at once where
it is likely, a whole checkout of which nothing is remembered; if there is little, they are sent home again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubdata.config.settings import Settings
from hubdata.running.crew import Crew
from hubdata.running.dividing import helpers
from hubdata.transfer.cores import cores
from hubdata.transfer.verdict_file import NAME


@contextmanager
def gathered(settings: Settings, *, soon: bool) -> Iterator[Crew | None]:
    """Give who helps to judge, None where nobody may; one begins at once if there is `soon` much to be judged."""
    most = helpers(settings.processes, cores())
    if most < 1:
        yield None
        return
    crew = Crew(most)
    try:
        if soon:
            crew.begin()
        yield crew
    finally:
        crew.close()


def expects_much(settings: Settings, *, force: bool) -> bool:
    """Tell whether a run is likely to judge much: a checkout, and no verdict remembered, or none that is to be used."""
    return bool(settings.checkouts) and (force or not settings.remember or not _remembers(settings.spool))


def _remembers(spool: Path) -> bool:
    try:
        return (spool / "memory-verdicts" / NAME).exists()
    except OSError:  # a spool that cannot be used: whoever makes it says so, and there is nothing to be judged
        return True
