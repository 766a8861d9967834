"""Decide whether the worker is ready: whether every job's last success is within its `max_age`, at every target.

A job without `max_age` is no obstacle. One with it is, as long as its success at a target is not known, or lies in a
future that no clock's error explains. A target that is fed by another waits by design, so it is not asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hubdata.worker.board import Standing, State
from hubdata.worker.schedule import SKEW


@dataclass(frozen=True, slots=True)
class JobReadiness:
    """One job: how old its last success is, and may be. `age` is None while no success is known everywhere."""

    job: str
    age: timedelta | None
    max_age: timedelta | None

    @property
    def ready(self) -> bool:
        """Tell whether the job is no obstacle."""
        return self.max_age is None or (self.age is not None and self.age <= self.max_age)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The worker: not ready while it ends, nor before it knows a job."""

    jobs: tuple[JobReadiness, ...]
    ending: bool = False

    @property
    def ready(self) -> bool:
        """Tell whether all is as fresh as it has to be."""
        return bool(self.jobs) and not self.ending and all(job.ready for job in self.jobs)


def readiness(state: State, now: datetime, fed: frozenset[str] = frozenset()) -> Readiness:
    """Return how ready a worker is whose board says `state`. `fed` are targets that another one feeds."""
    targets = tuple(name for name in state.targets if name not in fed) or state.targets
    jobs = tuple(JobReadiness(job.job, _age(job, targets, now), job.max_age) for job in state.jobs)
    return Readiness(jobs, state.ending)


def _age(job: Standing, targets: tuple[str, ...], now: datetime) -> timedelta | None:
    """Return how old the oldest of the last successes is."""
    known = [job.successes.get(name) for name in targets]
    if not known or any(at is None or at > now + SKEW for at in known):
        return None
    return max(timedelta(), now - min(at for at in known if at is not None))


def told(found: Readiness) -> dict[str, Any]:
    """Return what `/readyz` says: each job, its age and its limit in seconds."""
    return {
        "ready": found.ready,
        "ending": found.ending,
        "jobs": [
            {"job": job.job, "ready": job.ready, "age_s": _seconds(job.age), "max_age_s": _seconds(job.max_age)}
            for job in found.jobs
        ],
    }


def _seconds(time: timedelta | None) -> int | None:
    return None if time is None else int(time.total_seconds())
