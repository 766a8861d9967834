"""Manifests, answers and a public copy in memory, for tests of verifications."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from hubdata.model.event import Event
from hubdata.model.manifest import KEY, Entry, Manifest
from hubdata.model.verification import Family
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.one_family import Answer, FamilyClient, NoAnswer
from hubdata.verifying.words import About

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CHANGED = "2026-11-22T11:00:00Z"
URL = "https://hub-data.test"
BODY = b"8.8.8.0/24\n"
CACHE = "public, max-age=300"
TEXT = "text/plain; charset=utf-8"


def entry(body: bytes = BODY, *, changed_at: str = CHANGED, kind: str = "cidr", content_type: str = TEXT) -> Entry:
    """Return the manifest's line for a file."""
    return Entry(
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        kind=kind,
        job="lists",
        etag="e",
        version_id=None,
        changed_at=changed_at,
        content_type=content_type,
        cache_control=CACHE,
        source={"type": "git"},
    )


def manifest(generation: int = 2, **files: bytes) -> Manifest:
    """Return a manifest whose files were all changed last."""
    return Manifest(generation, CHANGED, f"run-{generation}", {key: entry(body) for key, body in files.items()})


def http_date(moment: datetime) -> str:
    """Return a date as headers have it."""
    return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


GOOD = {
    "date": http_date(NOW),
    "last-modified": http_date(NOW - timedelta(minutes=59)),
    "etag": '"abc"',
    "content-type": TEXT,
    "cache-control": CACHE,
}


def answer(
    body: bytes = BODY, *, status: int = 200, packed: bool = False, keep: bool = False, **headers: str
) -> Answer:
    """Return a good answer with `body`. In header names `_` stands for `-`; an empty header is left out."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {**GOOD, "content-length": str(len(body)), **named}
    sent = gzip.compress(body) if packed else body
    return Answer(
        url=f"{URL}/a.txt",
        status=status,
        headers={name: value for name, value in told.items() if value},
        address="192.0.2.1",
        received_at=NOW,
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        sent_bytes=len(sent),
        encoding="gzip" if packed else named.get("content-encoding", ""),
        body=body if keep else None,
    )


def head(**headers: str) -> Answer:
    """Return a good answer to HEAD."""
    told = answer(BODY, status=200, packed=False, keep=False, **headers)
    return replace(told, size=0, sha256=hashlib.sha256().hexdigest(), sent_bytes=0)


ABOUT = About(Family.IPV6, "a.txt", f"{URL}/a.txt")


@dataclass
class Copy:
    """What one family is given: bytes by key, and what is said instead of them (`faults`), a status or no answer."""

    files: dict[str, bytes]
    modified: dict[str, datetime] = field(default_factory=dict)
    faults: dict[str, NoAnswer | int] = field(default_factory=dict)

    def answer(self, key: str, *, keep: bool) -> Answer:
        """Return what comes for a key."""
        fault = self.faults.get(key)
        if isinstance(fault, NoAnswer):
            raise fault
        if key not in self.files:
            return answer(b"", status=404)
        kind = "application/json" if key == KEY else TEXT
        when = http_date(self.modified.get(key, NOW - timedelta(minutes=59)))
        return answer(self.files[key], status=fault or 200, keep=keep, content_type=kind, last_modified=when)


class World:
    """A public copy for each family, a clock that goes on when somebody sleeps, and what happens meanwhile."""

    def __init__(self, copies: Mapping[Family, Copy]) -> None:
        self.copies = copies
        self.time = 0.0
        self.asked: list[tuple[str, str, str]] = []
        self.events: list[Event] = []
        self.stopped: list[Family] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.on_request: Callable[[str, str], None] = lambda method, key: None

    def now(self) -> datetime:
        """Return the present."""
        return NOW

    def monotonic(self) -> float:
        """Return seconds."""
        return self.time

    def sleep(self, duration: timedelta) -> None:
        """Let time pass, and happen what was to happen by then."""
        self.time += duration.total_seconds()
        for due in [each for each in self.later if each[0] <= self.time]:
            self.later.remove(due)
            due[1]()

    def emit(self, event: Event) -> None:
        """Take note."""
        self.events.append(event)

    def connect(self, family: Family) -> FamilyClient:
        """Return a reader of one family."""
        return cast("FamilyClient", _Reader(self, family))


class _Reader:
    """Stands in for a client: reads a copy in memory."""

    def __init__(self, world: World, family: Family) -> None:
        self._world = world
        self._family = family
        self.requests = 0
        self.sent_bytes = 0
        self.address = "192.0.2.1"

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def stop(self) -> None:
        self._world.stopped.append(self._family)

    def _asked(self, method: str, url: str) -> str:
        key = url.removeprefix(f"{URL}/")
        self.requests += 1
        self._world.asked.append((self._family.value, method, key))
        self._world.on_request(method, key)
        return key

    def get(self, url: str, *, deadline: Deadline, max_bytes: int, gzip: bool, keep: bool = False) -> Answer:
        key = self._asked("GZIP" if gzip else "GET", url)
        return self._world.copies[self._family].answer(key, keep=keep)

    def head(self, url: str, *, deadline: Deadline) -> Answer:
        key = self._asked("HEAD", url)
        return self._world.copies[self._family].answer(key, keep=False)
