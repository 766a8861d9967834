"""What people have been told of each job at one target: `.hubdata/notified.json`, so that nobody is told twice.

It lies in the target because what it tells of does: the next run, on whichever machine, goes on from there. It holds
troubles alone, so a target at which all is well and was well has none. Each way of telling (`webhook`, `command`) has
a memory of its own: where one has failed, it alone is tried again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubdata.model.key import PRIVATE
from hubdata.model.notify import Trouble

SCHEMA = 1
NAME = "notified.json"
KEY = f"{PRIVATE}{NAME}"

MOST_JOBS = 2000
"""Jobs that are remembered; of more, those noted first are forgotten, and would be told of anew."""

MAX_BYTES = 4 << 20
_FORM = "%Y-%m-%dT%H:%M:%SZ"

OF_THE_TARGET = (Trouble.FAILED, Trouble.STALE)
"""Troubles that are known of while the target cannot be asked."""

Told = Mapping[Trouble, str]
"""The troubles that were told, each with its condition's mark."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One job: since when it has not been well, when this was noted, and what each way has told of it.

    Both are aware UTC. `since` is None where it is well, but not every way could tell that yet. One that is not `whole`
    was noted while the target could not be asked: it tells of failures and age alone.
    """

    since: datetime | None
    noted_at: datetime
    told: Mapping[str, Told] = field(default_factory=dict)
    whole: bool = True

    def over(self, before: "Entry | None") -> "Entry":
        """Return what is known of a job of which `before` was noted elsewhere."""
        if before is None or before.noted_at > self.noted_at:
            return before or self
        if self.whole:
            return self
        ways = {*before.told, *self.told}
        told = {way: {**_files(before.told.get(way, {})), **self.told.get(way, {})} for way in ways}
        return Entry(before.since or self.since, self.noted_at, told)


def _files(told: Told) -> Told:
    return {trouble: mark for trouble, mark in told.items() if trouble not in OF_THE_TARGET}


@dataclass(frozen=True, slots=True)
class Record:
    """All jobs of one target that are in trouble, or were when people last heard of them."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the canonical JSON, of what was noted last where there is too much."""
        kept = sorted(self.entries.items(), key=lambda item: item[1].noted_at, reverse=True)[:MOST_JOBS]
        jobs = {
            name: {
                "since": None if entry.since is None else _stamp(entry.since),
                "noted_at": _stamp(entry.noted_at),
                "told": {way: dict(sorted(told.items())) for way, told in sorted(entry.told.items()) if told},
                **({} if entry.whole else {"whole": False}),
            }
            for name, entry in sorted(kept)
        }
        return (json.dumps({"schema": SCHEMA, "jobs": jobs}, indent=1) + "\n").encode()

    @staticmethod
    def from_bytes(body: bytes) -> "Record":
        """Return the record that `body` is; an empty one where it is something else: then all is told once more."""
        try:
            data = json.loads(body)
            return Record({str(name): _entry(entry) for name, entry in data["jobs"].items()})
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return Record()


def _entry(data: Any) -> Entry:
    told = {
        str(way): {Trouble(word): str(mark) for word, mark in troubles.items() if word in tuple(Trouble)}
        for way, troubles in data["told"].items()
    }
    since = None if data["since"] is None else _time(data["since"])
    return Entry(since, _time(data["noted_at"]), told, data.get("whole", True) is True)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_FORM)


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
