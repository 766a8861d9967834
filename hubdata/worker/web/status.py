"""Gather what the page tells: the jobs from the worker's board, all else from the target itself.

Past generations and records of runs never change, so they are read again only after a run has ended or another
generation is in force: in between, a look costs one GET.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from hubdata.asking.remembering import run_of
from hubdata.model.history import Run
from hubdata.model.manifest import Manifest
from hubdata.ports import Target
from hubdata.publishing import records
from hubdata.publishing.recall import generations
from hubdata.publishing.survey import read_manifest
from hubdata.report.page import Given, JobNote
from hubdata.worker.board import Standing, State

PAST = 30
RUNS = 40
"""How many generations and records are read: what the page has room for."""


class Gatherer:
    """Gathers for one target, that `build` makes when it is first needed. For one thread at a time."""

    def __init__(
        self, build: Callable[[], Target], state: Callable[[], State], now: Callable[[], datetime], links: str = ""
    ) -> None:
        self._build, self._state, self._now, self._links = build, state, now, links
        self._target: Target | None = None
        self._known: tuple[object, tuple[Manifest, ...], tuple[Run, ...]] = (None, (), ())

    def __call__(self) -> Given:
        """Return what is to be told now. Raises TargetError while the target cannot be read."""
        if self._target is None:
            self._target = self._build()
        state = self._state()
        manifest, etag = read_manifest(self._target)
        as_of = (etag, _last_end(state.jobs))
        if as_of != self._known[0]:
            past = tuple(each for each in generations(self._target, most=PAST) if each != manifest)
            runs = tuple(run_of(run_id, body) for run_id, body in records.newest(self._target, RUNS).items())
            self._known = (as_of, past, runs)
        _, past, runs = self._known
        return Given(manifest, self._now(), past, runs, tuple(map(_note, state.jobs)), self._links)


def _last_end(jobs: Iterable[Standing]) -> datetime | None:
    return max((job.last_run.ended_at for job in jobs if job.last_run is not None), default=None)


def _note(job: Standing) -> JobNote:
    return JobNote(job.job, job.description, job.schedule, job.max_age, job.last_success)
