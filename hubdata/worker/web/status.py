"""Gather what the page tells: the jobs and their last runs from the worker's board, all else from the target itself.

The page that lies beside the data knows of runs that published; this one also knows of those that came to nothing. Of
the past it tells what that page remembers, one GET; where no page is published, it reads past generations and records
of runs itself, and only after a run has ended or another generation is in force.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from hubdata.asking.remembering import run_of
from hubdata.model.manifest import Manifest
from hubdata.ports import Target
from hubdata.publishing import records
from hubdata.publishing.paging import MEMORY
from hubdata.publishing.recall import generations
from hubdata.publishing.survey import read_manifest
from hubdata.report.page import Given, JobNote
from hubdata.report.page.memory import Memory
from hubdata.worker.board import LastRun, Standing, State

PAST = 30
RUNS = 40
"""How many generations and records are read: what the page has room for."""

_MAX_BYTES = 4 << 20


class Gatherer:
    """Gathers for one target, that `build` makes when it is first needed. For one thread at a time."""

    def __init__(
        self, build: Callable[[], Target], state: Callable[[], State], now: Callable[[], datetime], links: str = ""
    ) -> None:
        self._build, self._state, self._now, self._links = build, state, now, links
        self._target: Target | None = None
        self._known: tuple[object, tuple[Manifest, ...], Memory] = (None, (), Memory())

    def __call__(self) -> Given:
        """Return what is to be told now. Raises TargetError while the target cannot be read."""
        if self._target is None:
            self._target = self._build()
        target, state = self._target, self._state()
        ran = _last_runs(state.jobs)
        manifest, etag = read_manifest(target)
        past, memory = self._remembered(target, (etag, ran[-1].ended_at if ran else None))
        for each in ran:
            if each.result is not None:
                memory = memory.told(each.result, target.name, each.ended_at)
        notes = tuple(_note(job, target.name) for job in state.jobs)
        growth = memory.growth(manifest) if memory.generations else None
        return Given(manifest, self._now(), past, memory.runs, notes, self._links, growth=growth)

    def _remembered(self, target: Target, as_of: object) -> tuple[tuple[Manifest, ...], Memory]:
        """Return older manifests and what is remembered besides: one of both has nothing in it."""
        blob = target.read(MEMORY, max_bytes=_MAX_BYTES)
        memory = Memory.from_bytes(blob.body if blob is not None else None)
        if memory.generations:
            return (), memory
        if as_of != self._known[0]:
            past = generations(target, most=PAST)[1:]
            runs = tuple(run_of(run_id, body) for run_id, body in records.newest(target, RUNS).items())
            self._known = (as_of, past, Memory(runs=runs))
        return self._known[1:]


def _last_runs(jobs: Iterable[Standing]) -> list[LastRun]:
    """Return the last run of each job, the newest last."""
    return sorted((job.last_run for job in jobs if job.last_run is not None), key=lambda run: run.ended_at)


def _note(job: Standing, target: str) -> JobNote:
    return JobNote(job.job, job.description, job.schedule, job.max_age, job.successes.get(target))
