"""A bucket in memory that keeps every version and honours every condition, as S3 does.

ETags are the MD5 of the bytes, or of the parts' MD5s for objects seeded as multipart uploads.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from hubdata.errors import Conflict, TargetError
from hubdata.model.inventory import Stored
from hubdata.model.key import RESERVED
from hubdata.ports import Blob, Sink, Upload
from tests.simulator.clock import SettableClock
from tests.simulator.wire import Call, Wire


@dataclass(frozen=True, slots=True)
class Version:
    """One state of one key. `body` is None where the key was deleted."""

    body: bytes | None
    etag: str = ""
    id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class MemoryTarget:
    """Implements `hubdata.ports.Target`; `versions` is the whole past of every key, oldest first."""

    def __init__(
        self, wire: Wire, name: str = "memory", *, concurrency: int = 1, clock: SettableClock | None = None
    ) -> None:
        self._clock = clock or SettableClock()
        self.versions: dict[str, list[Version]] = {}
        self._wire = wire
        self._name = name
        self._concurrency = concurrency
        self._requests: Counter[str] = Counter()
        self._last_id = 0

    @property
    def name(self) -> str:
        """Return the target's name."""
        return self._name

    @property
    def key_prefix(self) -> str:
        """Return an empty prefix."""
        return ""

    @property
    def concurrency(self) -> int:
        """Return the number of writes at once; 1 unless told, so that calls come in one order."""
        return self._concurrency

    # What a test does behind the run's back: it does not cross the wire.

    def seed(self, key: str, body: bytes, *, part_size: int | None = None) -> None:
        """Put an object there as another tool would, in parts of `part_size` bytes if given."""
        self._append(key, body, _multipart_etag(body, part_size) if part_size else _md5(body), {})

    def lose(self, key: str) -> None:
        """Delete an object as a careless person would."""
        self.versions[key].append(Version(None))

    def body(self, key: str) -> bytes | None:
        """Return the bytes that a reader gets now."""
        version = self._current(key)
        return version.body if version else None

    def public(self) -> dict[str, bytes]:
        """Return every data object by key: not hubdata's own."""
        return {
            key: version.body
            for key in sorted(self.versions)
            if not key.startswith(".hubdata/") and key not in RESERVED
            if (version := self._current(key)) is not None and version.body is not None
        }

    def writes(self, key: str) -> int:
        """Return how many times `key` was written, by anyone."""
        return sum(1 for version in self.versions.get(key, ()) if version.body is not None)

    # The port.

    def now(self) -> datetime:
        """Return the world's time."""
        return self._clock.now()

    def listing(self) -> Mapping[str, Stored]:
        """Return every object by key; counts one LIST for each 1,000."""
        with self._call("LIST"):
            found = {key: _stored(v) for key in self.versions if (v := self._current(key)) is not None}
            self._requests["LIST"] += max(0, (len(found) - 1) // 1000)
            return found

    def history(self, key: str) -> tuple[str, ...]:
        """Return the ids of all versions of one object that hold bytes, the newest first."""
        with self._call("LIST", key):
            return tuple(version.id for version in reversed(self.versions.get(key, ())) if version.body is not None)

    def retrieve(self, key: str, state: Stored, into: Sink) -> bool:
        """Write the bytes of one version; False when it is gone."""
        with self._call("GET", key):
            version = self._version(key, state.version_id)
            if version is None or version.body is None:
                return False
            into.begin()
            into.write(version.body)
            return True

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Blob | None:
        """Return one object as it is, or was in that version; None. Raises TargetError beyond `max_bytes`."""
        with self._call("GET", key):
            version = self._current(key) if version_id is None else self._version(key, version_id)
            if version is None or version.body is None:
                return None
            if len(version.body) > max_bytes:
                raise TargetError(f"{self._name}: {key} has {len(version.body)} bytes, more than {max_bytes}")
            return Blob(version.body, _stored(version))

    def stat(self, key: str) -> Stored | None:
        """Return what is there, or None."""
        with self._call("HEAD", key):
            version = self._current(key)
            return None if version is None else _stored(version)

    def put(self, upload: Upload) -> Stored:
        """Store an artifact under its condition; other bytes than were checked are refused."""
        artifact = upload.artifact
        body = artifact.path.read_bytes()
        if len(body) != artifact.size or hashlib.sha256(body).hexdigest() != artifact.sha256:
            raise TargetError(f"{self._name}: {artifact.key} changed on disk after it was checked")
        headers = {"content_type": artifact.content_type, "cache_control": artifact.cache_control, **upload.metadata}
        return self._write(artifact.key, body, headers, upload.planned_etag)

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None) -> Stored:
        """Store a small object under its condition."""
        return self._write(key, body, {"content_type": content_type, "cache_control": cache_control}, if_etag)

    def delete(self, key: str, *, if_etag: str | None = None) -> None:
        """Remove an object under its condition; fine when it is gone."""
        with self._call("DELETE", key) as call:
            version = self._current(key)
            if version is None:
                return
            if if_etag is not None and version.etag != if_etag:
                raise _conflict(self._name, key)
            self.versions[key].append(Version(None))
            self._wire.record(call)

    def requests(self) -> Mapping[str, int]:
        """Return the requests so far by method."""
        return {method: self._requests[method] for method in ("LIST", "GET", "PUT", "HEAD", "DELETE")}

    def _write(self, key: str, body: bytes, headers: Mapping[str, str], if_etag: str | None) -> Stored:
        with self._call("PUT", key) as call:
            version = self._current(key)
            if (version.etag if version else None) != if_etag:
                raise _conflict(self._name, key)
            written = self._append(key, body, _md5(body), headers)
            self._wire.record(call)
            return _stored(written)

    def _append(self, key: str, body: bytes, etag: str, headers: Mapping[str, str]) -> Version:
        self._last_id += 1
        version = Version(body, etag, f"v{self._last_id}", headers)
        self.versions.setdefault(key, []).append(version)
        return version

    def _version(self, key: str, version_id: str | None) -> Version | None:
        return next((version for version in self.versions.get(key, ()) if version.id == version_id), None)

    def _current(self, key: str) -> Version | None:
        past = self.versions.get(key)
        return past[-1] if past and past[-1].body is not None else None

    @contextmanager
    def _call(self, method: str, key: str = "") -> Iterator[Call]:
        call = Call(self._name, method, key)
        with self._wire.crossing(call):
            self._requests[method] += 1
            yield call


def _stored(version: Version) -> Stored:
    return Stored(len(version.body or b""), version.etag, version.id)


def _conflict(name: str, key: str) -> Conflict:
    return Conflict(f"{name}: {key} is not what was expected", advice="run again", retryable=True)


def _md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


def _multipart_etag(body: bytes, part_size: int) -> str:
    parts = [hashlib.md5(body[at : at + part_size]).digest() for at in range(0, len(body), part_size)]
    return f"{_md5(b''.join(parts))}-{len(parts)}"
