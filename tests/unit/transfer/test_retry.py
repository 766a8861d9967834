"""Retrying: which failures, after which waits, and when no more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hubdata.errors import SourceError
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.retry import (
    Policy,
    RequestFailed,
    parse_retry_after,
    retrying,
    status_is_retryable,
    wait_before,
)

POLICY = Policy()
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Time:
    """Sleeps by turning its own clock, and remembers how long."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration.total_seconds())
        self.now_s += duration.total_seconds()


def run(time: Time, attempt: Callable[[], str], *, policy: Policy = POLICY, budget_s: float = 900) -> str:
    """Return what `attempt` gives in the end; the dice always fall in the middle."""
    deadline = Deadline.after(timedelta(seconds=budget_s), monotonic=time.monotonic)
    return retrying(attempt, policy=policy, deadline=deadline, sleep=time.sleep, random=lambda: 0.5)


def failing(*errors: SourceError) -> Callable[[], str]:
    """Return an attempt that raises each of `errors`, then succeeds."""
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def busy(retry_after_s: float | None = None, status: int = 503) -> RequestFailed:
    """Return a failure that passes."""
    asked = None if retry_after_s is None else timedelta(seconds=retry_after_s)
    return RequestFailed("busy", retryable=True, status=status, retry_after=asked, advice="wait")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(500, True), (502, True), (599, True), (408, True), (429, True)]
    + [(s, False) for s in (200, 304, 400, 401, 403, 404, 410, 451)],
)
def test_only_what_passes_by_itself_is_retried(status: int, expected: bool) -> None:
    """Server errors, 408 and 429 are; a bad request, key or right is not."""
    assert status_is_retryable(status) is expected


def test_waits_grow_by_half_up_to_a_minute() -> None:
    """With the dice in the middle: 0.5 s, then times 1.5, and never more than 60 s."""
    waits = [wait_before(Policy(), n, asked=None, random=lambda: 0.5).total_seconds() for n in (1, 2, 3, 40, 10**6)]
    assert waits == pytest.approx([0.5, 0.75, 1.125, 60, 60])


@pytest.mark.parametrize(("dice", "expected_s"), [(0.0, 0.25), (0.999999, 0.75)])
def test_waits_vary_by_half_either_way(dice: float, expected_s: float) -> None:
    """So that many machines that failed together do not come back together."""
    wait = wait_before(Policy(), 1, asked=None, random=lambda: dice)
    assert wait.total_seconds() == pytest.approx(expected_s, abs=1e-3)


def test_the_wait_the_server_asks_for_counts_more_than_ours() -> None:
    """Even beyond our own cap; but a shorter one does not make us hurry."""
    long = wait_before(Policy(), 1, asked=timedelta(seconds=120), random=lambda: 0.5)
    short = wait_before(Policy(), 1, asked=timedelta(0), random=lambda: 0.5)
    assert (long.total_seconds(), short.total_seconds()) == (120, 0.5)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Fri, 20 Nov 2026 12:01:30 GMT", 90),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("99999999999999999999", None),
        ("Fri, 99 Nov 2026 12:01:30 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, seconds: int | None) -> None:
    """What nobody can read is as if it were not there."""
    wait = parse_retry_after(value, NOON)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_a_passing_failure_is_outlived() -> None:
    """Two failures, two waits, then the result."""
    time = Time()
    assert run(time, failing(busy(), busy(retry_after_s=7))) == "done"
    assert time.slept == pytest.approx([0.5, 7])


def test_a_final_failure_is_raised_at_once_and_as_it_is() -> None:
    """No wait, no second request, the same error."""
    time, final = Time(), SourceError("bad key")
    with pytest.raises(SourceError) as caught:
        run(time, failing(final))
    assert caught.value is final
    assert time.slept == []


def test_the_last_attempt_says_that_it_was_the_last() -> None:
    """Status and advice of the last failure stay."""
    time = Time()
    with pytest.raises(RequestFailed, match=r"busy \(gave up after 2 attempts\)") as caught:
        run(time, failing(*[busy()] * 5), policy=Policy(attempts=2))
    assert (caught.value.status, caught.value.advice, caught.value.retryable) == (503, "wait", True)
    assert len(time.slept) == 1


def test_a_wait_that_would_outlast_the_budget_is_not_begun() -> None:
    """A server that asks for an hour gets no second request from a run of 15 minutes, and the run ends now."""
    time = Time()
    with pytest.raises(RequestFailed, match="the next would come in 3600 s, beyond the 900 s"):
        run(time, failing(busy(retry_after_s=3600, status=429)))
    assert time.slept == []


def test_all_waits_together_stay_within_the_budget() -> None:
    """However many attempts are allowed, and however long each fails."""
    time = Time()
    with pytest.raises(RequestFailed, match="gave up after attempt"):
        run(time, failing(*[busy()] * 1000), policy=Policy(attempts=1000), budget_s=100)
    assert 0 < sum(time.slept) < 100
