"""Decide when a job runs: at its next moment, or at once because one was missed.

Nothing here looks at a clock. A moment that was missed, by minutes or by months, is made up for once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hubdata.model.job import Job
from hubdata.model.success import Success
from hubdata.planning.cron import Cron

SKEW = timedelta(minutes=5)
"""By how much another worker's clock may be ahead: a success later than that is nobody's."""


class Cause(StrEnum):
    """Why a run was begun."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    START = "start"
    SIGNAL = "signal"
    SOAK = "soak"
    REQUEST = "request"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Slot:
    """A job's next run: the moment that its schedule names, and the one at which it is begun."""

    fire: datetime
    at: datetime


def next_slot(cron: Cron, after: datetime, jitter: timedelta, lot: Callable[[], float]) -> Slot | None:
    """Return the first slot whose moment is later than `after`. `lot` gives a share from 0 to 1 of the jitter."""
    fire = cron.after(after)
    return None if fire is None else Slot(fire, fire + jitter * lot())


def at_start(job: Job, cron: Cron | None, last: Iterable[Success | None], now: datetime) -> Cause | None:
    """Return why a job runs as soon as its worker has started, None when it waits for its schedule.

    `last` are its last successes, one for each of its targets; None where there is none, or nobody could tell.
    """
    if job.run_on_start:
        return Cause.START
    if cron is not None and any(missed(cron, success, now) for success in last):
        return Cause.CATCH_UP
    return None


def missed(cron: Cron, last: Success | None, now: datetime) -> bool:
    """Tell whether a moment of the schedule has gone by since the run that succeeded last was begun."""
    if last is None or last.started_at > now + SKEW:
        return True
    fire = cron.after(last.started_at)
    return fire is not None and fire <= now
