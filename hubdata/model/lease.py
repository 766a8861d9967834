"""Leases: which run may write at a target now, and until when. `.hubdata/lease.json`.

A lease is released by writing an end that has come, never by deleting it: so its fence only grows, and stores that
delete without a condition can hold one too. All times are the store's own.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hubdata.values import frozen

SCHEMA = 1
KEY = ".hubdata/lease.json"

SLACK = timedelta(seconds=2)
"""By how much stores' whole-second clocks may differ from answer to answer: a lease is over only this much later."""


@frozen
class Terms:
    """How leases are held: for how long each time, and how long another holder is waited for."""

    holds: timedelta = timedelta(seconds=60)
    waits: timedelta = timedelta(minutes=5)


@frozen
class GivenBack:
    """What lies there once a lease was given back: its ETag, where that is an MD5, and its number.

    Whoever sees this ETag in a listing knows the lease without reading it. None and 0: there never was one.
    """

    etag: str | None
    fence: int


@frozen
class Lease:
    """One lease as written. `holder` is for people; `process` names the holding process to others on its machine."""

    fence: int
    run_id: str
    holder: str
    process: str
    acquired_at: datetime
    expires_at: datetime

    @property
    def given_back(self) -> bool:
        """Tell whether its holder ended it, having done all that it wanted."""
        return self.expires_at <= self.acquired_at

    def ended(self) -> "Lease":
        """Return the same, given back: the same bytes whenever that happens, however often it is renewed before."""
        return replace(self, expires_at=self.acquired_at)

    def once_given_back(self) -> GivenBack:
        """Return by what others will know that it was given back."""
        md5 = hashlib.md5(self.ended().to_bytes(), usedforsecurity=False)
        return GivenBack(md5.hexdigest(), self.fence)

    def is_over(self, now: datetime) -> bool:
        """Tell whether anybody may take it at the store's time `now`."""
        return self.given_back or now > self.expires_at + SLACK

    def to_bytes(self) -> bytes:
        """Return the canonical JSON."""
        body = {
            "schema": SCHEMA,
            "fence": self.fence,
            "run_id": self.run_id,
            "holder": self.holder,
            "process": self.process,
            "acquired_at": _stamp(self.acquired_at),
            "expires_at": _stamp(self.expires_at),
        }
        return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()

    @staticmethod
    def from_bytes(body: bytes) -> "Lease | None":
        """Return the lease that `body` holds; None when it is none: then nobody holds it, and it may be overwritten."""
        try:
            data = json.loads(body)
            return Lease(
                fence=int(data["fence"]),
                run_id=str(data["run_id"]),
                holder=str(data["holder"]),
                process=str(data["process"]),
                acquired_at=_time(data["acquired_at"]),
                expires_at=_time(data["expires_at"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
