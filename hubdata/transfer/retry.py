"""Decide which failed requests are worth making again, how long to wait before, and when to give up.

A server error, a time-out and "too many requests" pass; a bad request, a bad key and a missing right do not, and
asking again only burns the quota. What the server says in `Retry-After` counts more than our own arithmetic, but
nothing outlives the deadline: a wait that would end after it is not begun.

The rules and figures are those of MaxMind's own updater (facts: >=500, 408, 429; 0.5 s x 1.5, +-50 %, at most 60 s).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from hubdata.errors import SourceError
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http_date import http_moment

T = TypeVar("T")

_SECONDS = re.compile(r"[0-9]{1,9}")


class RequestFailed(SourceError):
    """One request failed. `status` is None when no answer came; `retry_after` is what the server asked for."""

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        retryable: bool = False,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message, advice=advice, retryable=retryable)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Policy:
    """How often to try, and the waits between. `spread` is the part by which a wait varies either way."""

    attempts: int = 6
    first_wait: timedelta = timedelta(seconds=0.5)
    factor: float = 1.5
    spread: float = 0.5
    longest_wait: timedelta = timedelta(seconds=60)


def status_is_retryable(status: int) -> bool:
    """Tell whether a response with this status may become a good one without anybody changing anything."""
    return status >= 500 or status in (408, 429)


def wait_before(policy: Policy, failures: int, *, asked: timedelta | None, random: Callable[[], float]) -> timedelta:
    """Return how long to wait after the `failures`-th failure in a row (from 1); never less than the server `asked`.

    `random` gives a number in [0, 1).
    """
    longest = policy.longest_wait.total_seconds()
    # A wait grows beyond any cap long before the power overflows a float.
    steady = min(longest, policy.first_wait.total_seconds() * policy.factor ** min(failures - 1, 100))
    own = timedelta(seconds=min(longest, steady * (1 - policy.spread + 2 * policy.spread * random())))
    return own if asked is None else max(own, asked)


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return the wait that a `Retry-After` header asks for, in seconds or as a date (RFC 9110, 10.2.3).

    None when there is no header or nobody can tell what it means.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    moment = http_moment(text)
    return None if moment is None else max(timedelta(0), moment - now)


def retrying(
    attempt: Callable[[], T],
    *,
    policy: Policy,
    deadline: Deadline,
    sleep: Callable[[timedelta], None],
    random: Callable[[], float],
) -> T:
    """Return what `attempt` returns, making it again while its error is retryable, tries and time are left.

    Raises the last SourceError, with a word on why there was no further attempt.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except SourceError as err:
            failures += 1
            if not err.retryable or policy.attempts <= 1:
                raise
            asked = err.retry_after if isinstance(err, RequestFailed) else None
            wait = wait_before(policy, failures, asked=asked, random=random)
            why = _why_stop(policy, failures, wait, deadline)
            if why:
                raise _given_up(err, why) from None
        sleep(wait)


def _why_stop(policy: Policy, failures: int, wait: timedelta, deadline: Deadline) -> str:
    if failures >= policy.attempts:
        return f"gave up after {failures} attempts"
    if not deadline.allows(wait):
        return (
            f"gave up after attempt {failures}: the next would come in {wait.total_seconds():.0f} s, "
            f"beyond the {deadline.budget.total_seconds():.0f} s allowed in all"
        )
    return ""


def _given_up(err: SourceError, why: str) -> RequestFailed:
    status = err.status if isinstance(err, RequestFailed) else None
    asked = err.retry_after if isinstance(err, RequestFailed) else None
    return RequestFailed(f"{err} ({why})", advice=err.advice, retryable=True, status=status, retry_after=asked)
