"""Decide whether one more download may be made, from what is remembered of those before. No disk, no clock.

A vendor that allows thirty downloads a day counts the failed ones, too, and a worker that is restarted in a loop makes
a download each time unless it remembers. Four things are held to, over any 24 hours:

- no more than `per_day` downloads, of which a sixth is left to people who force one;
- none before the time that the server named when it answered "too many";
- what did not end well twice is tried again later and later, so that a store that is down for an hour does not eat
  the day's downloads. People who force one need not wait for this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

DAY = timedelta(days=1)
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=4)
REFUSED_WAIT = timedelta(hours=1)
"""How long to ask for nothing after a 429 that names no time."""

_TRIES = 2
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tries:
    """Downloads of one thing that were begun and did not end well: how many in a row, and when the last began."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What one account did lately. Times are aware UTC; `refused_until` is what a 429 asked for."""

    downloads: tuple[datetime, ...] = ()
    refused_until: datetime | None = None
    tries: Mapping[str, Tries] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is remembered."""
        return not self.downloads and self.refused_until is None and not self.tries


@dataclass(frozen=True, slots=True)
class Wait:
    """No download before `until`, and why. `forcible` tells that a person may force one sooner."""

    until: datetime
    why: str
    forcible: bool = False


def reserve(per_day: int) -> int:
    """Return how many of a day's downloads are left to people."""
    return per_day // 6


def recent(past: Past, now: datetime) -> Past:
    """Return what of `past` still counts. Times that lie ahead come from a clock that was wrong, and do not."""
    begin, end = now - DAY, now + _SKEW
    refused = past.refused_until
    return Past(
        tuple(sorted(at for at in past.downloads if begin < at <= end)),
        refused if refused is not None and now < refused <= now + DAY + _SKEW else None,
        {what: tries for what, tries in past.tries.items() if begin < tries.last <= end},
    )


def wait_for(past: Past, what: str, now: datetime, *, per_day: int, forced: bool) -> Wait | None:
    """Return how long `what` must wait, None when it may be downloaded now. `past` is recent."""
    if past.refused_until is not None and now < past.refused_until:
        return Wait(past.refused_until, "the server answered 429, too many downloads, and is asked for none until then")
    allowed = per_day if forced else per_day - reserve(per_day)
    if len(past.downloads) >= allowed:
        kept = "" if forced else f" and {reserve(per_day)} more are kept for people who force one"
        why = f"{len(past.downloads)} downloads were made within 24 hours{kept} (`daily_downloads` = {per_day})"
        return Wait(past.downloads[-allowed] + DAY, why, forcible=len(past.downloads) < per_day)
    tries = past.tries.get(what)
    if tries is not None and tries.count >= _TRIES and not forced:
        until = tries.last + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries.count - _TRIES, 20))
        if now < until:
            return Wait(until, f"{tries.count} downloads of this release in a row did not end well", forcible=True)
    return None


def with_begun(past: Past, what: str, now: datetime) -> Past:
    """Return `past` with one more download of `what`, which counts as failed until it has ended well."""
    before = past.tries.get(what)
    tries = Tries(before.count + 1 if before else 1, now)
    return replace(past, downloads=(*past.downloads, now), tries={**past.tries, what: tries})


def with_success(past: Past, what: str) -> Past:
    """Return `past` after a download of `what` ended well."""
    return replace(past, tries={name: tries for name, tries in past.tries.items() if name != what})


def with_refusal(past: Past, now: datetime, asked: timedelta | None) -> Past:
    """Return `past` after the server answered 429 and `asked` to wait. Nobody is believed for more than a day."""
    until = now + min(DAY, REFUSED_WAIT if asked is None else asked)
    return replace(past, refused_until=max(until, past.refused_until or until))
