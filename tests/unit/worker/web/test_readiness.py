"""Whether the worker is ready: the age of each job's last success, at every target, against its limit."""

from datetime import timedelta

import pytest

from hubdata.worker.board import Standing, State
from hubdata.worker.web.readiness import readiness, told
from tests.support.worker_surface import NOW

DAY = timedelta(days=1)


def state(*jobs: Standing, ending: bool = False) -> State:
    """Return a board with two targets."""
    return State(NOW - DAY, jobs, ("aws", "mirror"), ending=ending)


def job(aws: timedelta | None, mirror: timedelta | None, max_age: timedelta | None = DAY) -> Standing:
    """Return a job whose last successes are so old."""
    ages = {"aws": aws, "mirror": mirror}
    return Standing("daily", max_age=max_age, successes={t: NOW - age for t, age in ages.items() if age is not None})


@pytest.mark.parametrize(
    ("standing", "ready", "age_s"),
    [
        (job(timedelta(hours=1), timedelta(hours=2)), True, 7200),
        (job(DAY, DAY), True, 86_400),
        (job(timedelta(hours=1), DAY + timedelta(seconds=1)), False, 86_401),
        (job(timedelta(hours=1), None), False, None),
        (job(None, None), False, None),
        (job(timedelta(0), -timedelta(minutes=2)), True, 0),
        (job(timedelta(0), -timedelta(hours=2)), False, None),
        (job(None, None, max_age=None), True, None),
        (job(DAY * 500, DAY, max_age=None), True, 43_200_000),
    ],
    ids=["fresh", "just", "stale at one", "unknown at one", "unknown", "skewed", "future", "no limit", "old, no limit"],
)
def test_the_oldest_of_the_last_successes_counts(standing: Standing, *, ready: bool, age_s: int | None) -> None:
    """One target that is behind, or of which nobody knows, is one too many; without a limit nothing is."""
    found = told(readiness(state(standing), NOW))
    limit = None if standing.max_age is None else 86_400
    assert found["ready"] is ready
    assert found["jobs"] == [{"job": "daily", "ready": ready, "age_s": age_s, "max_age_s": limit}]


def test_a_target_that_another_one_feeds_is_not_asked() -> None:
    """It waits by design, for days where it has to."""
    waiting = job(timedelta(hours=1), None)
    assert readiness(state(waiting), NOW, frozenset({"mirror"})).ready
    assert not readiness(state(waiting), NOW, frozenset({"aws"})).ready


def test_one_job_that_is_late_is_enough_and_each_is_named() -> None:
    """The others are told of too, with what they may be judged by."""
    late = Standing("hourly", max_age=timedelta(hours=1), successes={"aws": NOW - DAY, "mirror": NOW})
    found = told(readiness(state(job(timedelta(0), timedelta(0)), late), NOW))
    assert found["ready"] is False
    assert [(each["job"], each["ready"]) for each in found["jobs"]] == [("daily", True), ("hourly", False)]


def test_a_worker_that_ends_or_knows_no_job_yet_is_not_ready() -> None:
    """However fresh all is."""
    fresh = job(timedelta(0), timedelta(0))
    assert readiness(state(fresh), NOW).ready
    assert not readiness(state(fresh, ending=True), NOW).ready
    assert not readiness(state(), NOW).ready
