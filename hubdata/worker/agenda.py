"""Decide which jobs are to be begun, one run of each at a time, and what whoever asks for one is told.

The agenda is told the time and what began and ended; it begins nothing. A moment that comes while the job still runs
is owed: the job runs once more when it has ended, so no day is lost to a long run, and none is doubled by several.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hubdata.model.job import Job
from hubdata.planning.cron import Cron
from hubdata.worker.schedule import Cause, Slot, next_slot

_CLOCK_WAS_WRONG = timedelta(days=1)
"""Time that goes back by less is lived through again without doubling a run; by more, what was planned is void."""


class Answer(StrEnum):
    """What became of asking for a run."""

    BEGUN = "begun"
    ALREADY_RUNNING = "already running"
    UNKNOWN = "unknown"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Due:
    """A job whose moment has come. `owed` tells that it still runs, and will run again after that."""

    job: str
    cause: Cause
    owed: bool = False


@dataclass(slots=True)
class _Entry:
    job: Job
    cron: Cron | None
    slot: Slot | None


class Agenda:
    """The jobs, when each runs next, and which of them run now. Not safe for threads by itself."""

    def __init__(self, lot: Callable[[], float] = random.random) -> None:
        self._lot = lot
        self._entries: dict[str, _Entry] = {}
        self._running: dict[str, Cause] = {}
        self._owed: dict[str, Cause] = {}
        self._seen: datetime | None = None

    def admit(self, jobs: Mapping[str, Job], now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Take `jobs` for all there are, and return which are new, and which are gone.

        One whose schedule is as before keeps its slot. A run of one that is gone goes on to its end.
        """
        new = tuple(name for name in jobs if name not in self._entries)
        gone = tuple(name for name in self._entries if name not in jobs)
        for name in gone:
            del self._entries[name]
            self._owed.pop(name, None)
        for name, job in jobs.items():
            before = self._entries.get(name)
            if before is not None and (before.job.schedule, before.job.jitter) == (job.schedule, job.jitter):
                before.job = job
                continue
            cron = None if job.schedule is None else Cron(job.schedule)
            self._entries[name] = _Entry(job, cron, self._slot(job, cron, now))
        return new, gone

    def due(self, now: datetime) -> tuple[Due, ...]:
        """Return what has come up to `now`, each job once however much of it was missed, and plan what comes next."""
        if self._seen is not None and now < self._seen - _CLOCK_WAS_WRONG:
            for entry in self._entries.values():
                entry.slot = self._slot(entry.job, entry.cron, now)
        self._seen = now
        found = []
        for name, entry in self._entries.items():
            if entry.slot is None or entry.slot.at > now:
                continue
            entry.slot = self._slot(entry.job, entry.cron, max(now, entry.slot.fire))
            if name in self._running:
                self._owed[name] = Cause.SCHEDULE
            found.append(Due(name, Cause.SCHEDULE, owed=name in self._running))
        return tuple(found)

    def begin(self, name: str, cause: Cause) -> Answer:
        """Take note that a run of this job begins, and return BEGUN; otherwise return why none may."""
        if name not in self._entries:
            return Answer.UNKNOWN
        if name in self._running:
            return Answer.ALREADY_RUNNING
        self._running[name] = cause
        return Answer.BEGUN

    def owe(self, name: str, cause: Cause) -> None:
        """Take note that the job, which runs now, is to be begun once more when it has ended.

        A run for the stages alone takes the place of no other.
        """
        if name in self._running and (cause is not Cause.SOAK or name not in self._owed):
            self._owed[name] = cause

    def ended(self, name: str) -> Cause | None:
        """Take note that the job's run has ended; return why it is to be begun again, None when nothing is owed."""
        self._running.pop(name, None)
        return self._owed.pop(name, None)

    def slot(self, name: str) -> Slot | None:
        """Return when a job runs next; None for one without a schedule."""
        entry = self._entries.get(name)
        return None if entry is None else entry.slot

    def cron(self, name: str) -> Cron | None:
        """Return a job's schedule."""
        entry = self._entries.get(name)
        return None if entry is None else entry.cron

    @property
    def running(self) -> Mapping[str, Cause]:
        """Return which jobs run now, and why."""
        return dict(self._running)

    @property
    def wakes_at(self) -> datetime | None:
        """Return when something is due next."""
        return min((entry.slot.at for entry in self._entries.values() if entry.slot is not None), default=None)

    def _slot(self, job: Job, cron: Cron | None, after: datetime) -> Slot | None:
        return None if cron is None else next_slot(cron, after, job.jitter, self._lot)
