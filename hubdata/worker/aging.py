"""Decide which jobs have grown too old, each time the worker wakes, and tell people once: `[notify]`'s `stale`.

A job's age at a target is that of its last success there, against its `max_age`. While it runs nobody judges it: the
end of the run does. A target that is fed by another waits by design and is not judged, as at `/readyz`.

Whether another worker has succeeded meanwhile is looked up before anything is told. Telling takes as long as a webhook
does, so a thread of its own does it, and the loop goes on.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubdata import reaching
from hubdata.config.settings import Settings
from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.notifying.sightings import stale
from hubdata.notifying.telling import Teller
from hubdata.ports import Clock, Reporter, Target
from hubdata.publishing import successes
from hubdata.transfer import ending
from hubdata.worker.board import State
from hubdata.worker.soaking import stages_of

AGAIN = timedelta(minutes=5)
"""After which people are told once more, where they could not be."""


@dataclass(frozen=True, slots=True)
class Old:
    """A job that is too old at a target. `since` is its last success, None where none is known."""

    job: str
    target: str
    since: datetime | None
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class Newer:
    """What another worker has done meanwhile: a success of a job at a target."""

    job: str
    target: str
    at: datetime


class Ages:
    """Which jobs are too old, and which of them people know of. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._admitted: dict[str, datetime] = {}
        self._known: dict[tuple[str, str], datetime | None] = {}
        self._not_before: dict[tuple[str, str], datetime] = {}

    def admit(self, jobs: Iterable[str], now: datetime) -> None:
        """Judge these jobs from now on: it is known when they succeeded last."""
        for job in jobs:
            self._admitted.setdefault(job, now)

    def too_old(self, state: State, targets: Iterable[str], now: datetime) -> tuple[Old, ...]:
        """Return which jobs are too old at which of `targets`, and people are to be told; each only now and then."""
        names, found = tuple(targets), []
        for job in state.jobs:
            admitted = self._admitted.get(job.job)
            if job.max_age is None or admitted is None or job.running_since is not None:
                continue
            for target in names:
                place, since = (job.job, target), job.successes.get(target)
                fresh = now - (since or admitted) <= job.max_age
                known = place in self._known and self._known[place] == since
                if fresh or known or now < self._not_before.get(place, now):
                    continue
                self._not_before[place] = now + AGAIN
                found.append(Old(job.job, target, since, job.max_age))
        return tuple(found)

    def known(self, old: Iterable[Old]) -> None:
        """Take note that people know of these, until the jobs succeed."""
        for each in old:
            self._known[each.job, each.target] = each.since


@dataclass(frozen=True, slots=True)
class Told:
    """What became of telling: people `know` of these jobs; others have succeeded elsewhere."""

    known: tuple[Old, ...]
    newer: tuple[Newer, ...]


class Aging:
    """Tells people of jobs that are too old. `answer` is called with what became of it, from another thread."""

    def __init__(self, clock: Clock, reporter: Reporter, answer: Callable[[Told], None]) -> None:
        self.ages = Ages()
        self._clock, self._reporter, self._answer = clock, reporter, answer
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Tell whether people are being told right now."""
        return self._thread is not None and self._thread.is_alive()

    def look(self, state: State, settings: Settings) -> None:
        """Look which jobs are too old, and begin to tell people."""
        if settings.notify is None or self.busy or ending.begun():
            return
        fed = stages_of(settings)
        targets = [name for name in state.targets if name not in fed] or state.targets
        old = self.ages.too_old(state, targets, self._clock.now())
        if old:
            self._thread = threading.Thread(target=self._tell, args=(old, settings), name="aging", daemon=True)
            self._thread.start()

    def heard(self, told: Told) -> None:
        """Take note of what became of telling."""
        self.ages.known(told.known)

    def _tell(self, old: tuple[Old, ...], settings: Settings) -> None:
        try:
            self._answer(self._told(old, settings))
        except HubdataError as err:  # a target cannot even be built, so its next run says so, too
            self._reporter.emit(Event("notify.failed", {"error": str(err)}))

    def _told(self, old: tuple[Old, ...], settings: Settings) -> Told:
        now = self._clock.now()
        targets = {name: reaching.build_target(settings, name) for name in {each.target for each in old}}
        newer = tuple(found for each in old if (found := _newer(each, targets[each.target])) is not None)
        passed = {(each.job, each.target) for each in newer if now - each.at <= _age(old, each)}
        left = tuple(each for each in old if (each.job, each.target) not in passed)
        sure = not left
        if left and settings.notify is not None:
            for each in left:
                self._reporter.emit(Event("job.stale", {"job": each.job, "target": each.target}))
            seen = [stale(each.job, each.target, each.since, now, each.max_age) for each in left]
            sure = Teller(settings.notify, settings.spool, self._reporter).tell(seen, targets.values(), now)
        return Told(left if sure else (), newer)


def _age(old: tuple[Old, ...], newer: Newer) -> timedelta:
    return next(each.max_age for each in old if (each.job, each.target) == (newer.job, newer.target))


def _newer(old: Old, target: Target) -> Newer | None:
    """Return a later success than the worker knows of. A target that cannot be asked knows of none."""
    try:
        kept = successes.last(target, old.job)
    except HubdataError:
        return None
    if kept is None or (old.since is not None and kept.ended_at <= old.since):
        return None
    return Newer(old.job, old.target, kept.ended_at)
