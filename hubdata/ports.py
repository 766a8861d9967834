"""The seams: what the pipeline asks of sources, kinds, targets, CDNs, the clock and the reporter.

An adapter implements one of these and nothing else; it imports the model, `transfer` and its own library. Adapters
are built by `app.py` alone, found through `plugins.py`, and judged by the suites in `tests/contracts/`.

Every adapter class has a nested `Options`, a pydantic model with `extra="forbid"`, that says what its table in
`hubdata.toml` or a job file may hold.
"""

import mmap
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hubdata.model.event import Event
from hubdata.model.finding import Finding
from hubdata.model.inventory import Past, Stored
from hubdata.model.job import Canary, Limits
from hubdata.model.receipt import Invalidation
from hubdata.model.references import References
from hubdata.model.snapshot import Artifact, Fetched, Provenance, Stats
from hubdata.model.tariff import Tariff
from hubdata.values import frozen

Body = bytes | mmap.mmap
"""The bytes of one file: in memory when small, mapped when large. Never written to."""

Published = Callable[[], Mapping[str, Provenance]]
"""Asks what is public everywhere already: key to provenance. Waits for the targets, so call it only when needed.

Keys below `.hubdata/` are no files: they tell of what one target alone holds, which is not to be kept but followed."""


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever go on, whoever sets the time."""
        ...

    def sleep(self, duration: timedelta) -> None:
        """Return after `duration`."""
        ...


class Reporter(Protocol):
    """Whoever watches a run."""

    def emit(self, event: Event) -> None:
        """Take note of `event`; never raises and never blocks for long. Called from several threads."""
        ...


@frozen
class SourceContext:
    """What a run gives every source it builds, besides the source's own options.

    `workspace` is a private directory of the spool for this source alone; `environment` holds credentials; `force`
    means that nothing is kept: fetch even what upstream says is unchanged. `memory` is a directory for what must
    outlive the run, shared by all sources of the type: it may not exist yet, and is None where nothing is remembered.
    """

    workspace: Path
    environment: Mapping[str, str]
    clock: Clock
    force: bool = False
    memory: Path | None = None


class Source(Protocol):
    """One upstream. Built as `Class(options, context)`."""

    @classmethod
    def lacks(cls, options: Any, environment: Mapping[str, str]) -> str | None:
        """Return what the environment must still provide (credentials) before a fetch can work, None if nothing."""
        ...

    def fetch(self, published: Published) -> Fetched:
        """Return what the upstream holds now, its bytes in the spool.

        Raises SourceError when the upstream cannot be read, or is not what the job describes.
        """
        ...


@frozen
class Demands:
    """What a file is held to besides its kind's own rules. `checked_at` is aware UTC."""

    limits: Limits
    checked_at: datetime
    canaries: tuple[Canary, ...] = ()


@frozen
class Verdict:
    """What a kind says of one file: everything it found, what it counted, and what it shares with its group."""

    findings: tuple[Finding, ...] = ()
    stats: Stats = Stats()
    references: References | None = None


class Kind(Protocol):
    """One claim about a file's content, checked as an engine will load it."""

    @property
    def content_type(self) -> str:
        """Return the Content-Type to publish with, where the job names none."""
        ...

    @property
    def max_bytes(self) -> int:
        """Return the size over which a file is refused unread, where the job names none."""
        ...

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding of one pass over `body`. Never raises, whatever the bytes.

        `artifact` has no digests yet: they may be computed meanwhile.
        """
        ...


class Lasting(Protocol):
    """What a kind says of itself besides, if its verdicts may be remembered from run to run; by default none are.

    It does so in its own class (`lasting = True`, nothing inherited counts), and promises that a verdict follows from
    the artifact's key, the bytes, the options, limits and canaries, and from the code of hubdata or of its own package
    alone: not from the time, the environment, another file, or another library's version. What a run shows such a
    kind is made so that it cannot see where a file came from, nor when it is judged.
    """

    @property
    def lasting(self) -> bool:
        """Return True."""
        ...


@frozen
class Blob:
    """One small object, whole."""

    body: bytes
    stored: Stored


@frozen
class Upload:
    """An artifact's bytes on their way to a key, with the headers they are served with.

    `metadata` goes with the object where the store keeps such a thing, by name, in ASCII.
    """

    artifact: Artifact
    planned_etag: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Target(Protocol):
    """A store that can be written conditionally. Keys are as in the manifest; any prefix is the adapter's own.

    Every write is atomic for readers: they see the old bytes or the new ones. Methods may be called from several
    threads. All raise TargetError when the store cannot be reached or refuses.
    """

    @property
    def name(self) -> str:
        """Return the name the settings give this target."""
        ...

    @property
    def key_prefix(self) -> str:
        """Return what stands before every key in the store: empty, or a path that ends in a slash."""
        ...

    @property
    def concurrency(self) -> int:
        """Return how many writes at once serve this store best."""
        ...

    def now(self) -> datetime:
        """Return the store's own time, aware UTC: what machines with different clocks agree on."""
        ...

    def listing(self) -> Mapping[str, Stored]:
        """Return every object by key, private ones included."""
        ...

    def read(self, key: str, *, max_bytes: int) -> Blob | None:
        """Return a small object, or None when there is none. Raises TargetError beyond `max_bytes`."""
        ...

    def stat(self, key: str) -> Stored | None:
        """Return what the store holds under `key`, or None."""
        ...

    def put(self, upload: Upload) -> Stored:
        """Store an artifact, if the store still holds what the plan was made against.

        The bytes are digested once more on their way; other bytes than the artifact's are never stored.
        Raises Conflict when the object is no longer `planned_etag` (None: must not exist).
        """
        ...

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None) -> Stored:
        """Store a small object of hubdata's own if its ETag is `if_etag` (None: if there is none).

        Raises Conflict otherwise.
        """
        ...

    def delete(self, key: str, *, if_etag: str | None = None) -> None:
        """Remove an object; fine when it is gone already. Raises Conflict when its ETag is not `if_etag`, if given."""
        ...

    def requests(self) -> Mapping[str, int]:
        """Return how many requests were made so far, by `LIST`, `GET`, `PUT`, `HEAD`, `DELETE`."""
        ...


@runtime_checkable
class Reachable(Protocol):
    """What a target can do besides, if it is asked over connections that take time to make."""

    def reach(self, connections: int) -> None:
        """Begin to have so many connections at hand, and return at once; what goes wrong is told by what is asked."""
        ...


@runtime_checkable
class Variable(Protocol):
    """What a target can do besides, if stores of its sort differ in what they enforce."""

    def probe(self) -> None:
        """Find out what this store enforces, before a run's first write. Raises TargetError when it cannot."""
        ...

    def without(self) -> tuple[str, ...]:
        """Return what runs at this store do without, as far as it was probed: a line each, for a person."""
        ...


class Sink(Protocol):
    """Where the bytes of one file go, piece by piece. Raises errors of our own tree alone."""

    def begin(self) -> None:
        """Forget what was written so far: the bytes come from the start."""
        ...

    def write(self, piece: bytes) -> None:
        """Take the next piece."""
        ...


@runtime_checkable
class Archive(Protocol):
    """What a target can do besides, if its store keeps the past of every object."""

    def history(self, key: str) -> tuple[str, ...]:
        """Return the version ids of all states that are kept of one object, the newest first."""
        ...

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Blob | None:
        """Return a small object as it is, or was in that version; None when there is none."""
        ...

    def retrieve(self, key: str, state: Stored, into: Sink) -> bool:
        """Write the bytes that an object had in `state`, as they come; False when the store has them no more.

        Where `state` names no version, its ETag and size do. The caller compares what it gets with what it wants.
        """
        ...


@runtime_checkable
class Attic(Protocol):
    """What a target can do besides, if its store lets go of the past on demand."""

    def past(self, prefix: str) -> tuple[Past, ...]:
        """Return every state that is kept of all objects whose key begins with `prefix`, by key, the newest first."""
        ...

    def forget(self, key: str, version_id: str) -> None:
        """Remove one state of an object for good; fine when it is gone. The caller sees to it that nobody reads it."""
        ...


class Cdn(Protocol):
    """A cache before a target."""

    def warm(self) -> None:
        """Get ready to be asked, in a thread that has nothing better to do; called when something will be told."""
        ...

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the URL paths (or URLs, as this CDN wants them) under which `keys` are served, in the same order."""
        ...

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:
        """Ask the CDN to forget `paths`; the same `reference` and paths again is the same request, not a second.

        Raises CdnError when it did not accept.
        """
        ...

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return when the CDN has finished. Raises CdnError after `timeout`."""
        ...


@runtime_checkable
class Priced(Protocol):
    """What a CDN can do besides, if it charges by the path and one path may stand for many objects."""

    @property
    def tariff(self) -> Tariff:
        """Return what paths cost here, and how many are taken at once."""
        ...

    def wildcards(self, directories: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path that stands for everything below each directory (a key that ends in a slash)."""
        ...

    def tag(self, job: str) -> str:
        """Return the tag that objects of `job` are to carry; empty where the CDN reads none. Never raises.

        It may ask the CDN, once, so call it only when something will be put or told.
        """
        ...

    def tagged(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path that stands for everything that carries each tag."""
        ...
