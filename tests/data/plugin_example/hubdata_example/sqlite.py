"""The target `sqlite`: one database file that holds every object, for a device that has no bucket and no web root.

What a target must promise is what a database gives: a transaction looks at the planned ETag and writes, or neither.
"""

import hashlib
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from hubdata.errors import Conflict, TargetError
from hubdata.model.inventory import Stored
from hubdata.ports import Blob, Upload
from hubdata.transfer.digest import read_verified

_TABLE = "CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, body BLOB NOT NULL, etag TEXT NOT NULL)"


class SqliteTarget:
    """Objects in one table. The ETag is the MD5 of the bytes, as at every target."""

    key_prefix = ""
    concurrency = 1

    class Options(BaseModel):
        """`path` is the database file; it is made by the first write."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        path: Path

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._path = options.path
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def now(self) -> datetime:
        """Return this machine's time: all who write here are on it."""
        return datetime.now(UTC)

    def listing(self) -> Mapping[str, Stored]:
        """Return every object by key."""
        with self._connected("LIST") as database:
            rows = database.execute("SELECT key, length(body), etag FROM object ORDER BY key").fetchall()
        return {key: Stored(size, etag) for key, size, etag in rows}

    def read(self, key: str, *, max_bytes: int) -> Blob | None:
        """Return one object whole, or None. Raises TargetError beyond `max_bytes`."""
        with self._connected("GET") as database:
            row = database.execute("SELECT body, etag FROM object WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        body, etag = row
        if len(body) > max_bytes:
            advice = "somebody else wrote it: restore the last good version, or remove it"
            raise TargetError(f"{key}: expected at most {max_bytes} bytes, found {len(body)}", advice=advice)
        return Blob(body, Stored(len(body), etag))

    def stat(self, key: str) -> Stored | None:
        """Return size and ETag of one object, or None."""
        with self._connected("HEAD") as database:
            return self._held(database, key)

    def put(self, upload: Upload) -> Stored:
        """Store an artifact whose bytes still are those that were checked."""
        artifact = upload.artifact

        def error(message: str) -> TargetError:
            return TargetError(f"{artifact.key}: {message}", advice="nothing was stored: run again")

        body = read_verified(artifact.path, size=artifact.size, sha256=artifact.sha256, error=error)
        return self._stored(artifact.key, body, upload.planned_etag, same_is_done=True)

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None) -> Stored:
        """Store a small object of hubdata's own if its ETag is `if_etag` (None: if there is none)."""
        return self._stored(key, body, if_etag, same_is_done=False)

    def delete(self, key: str, *, if_etag: str | None = None) -> None:
        """Remove one object; fine when it is gone. Raises Conflict when its ETag is not `if_etag`, if given."""
        with self._connected("DELETE") as database:
            held = self._held(database, key)
            if held is not None and if_etag is not None and held.etag != if_etag:
                raise _conflict(key, if_etag)
            database.execute("DELETE FROM object WHERE key = ?", (key,))

    def requests(self) -> Mapping[str, int]:
        """Return how often the database was asked, by method."""
        with self._lock:
            return {method: self._counts[method] for method in ("LIST", "GET", "PUT", "HEAD", "DELETE")}

    def _stored(self, key: str, body: bytes, planned: str | None, *, same_is_done: bool) -> Stored:
        new = Stored(len(body), hashlib.md5(body, usedforsecurity=False).hexdigest())
        with self._connected("PUT") as database:
            held = self._held(database, key)
            if held == new and same_is_done:
                return new
            if (held.etag if held else None) != planned:
                raise _conflict(key, planned)
            database.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", (key, body, new.etag))
        return new

    def _held(self, database: sqlite3.Connection, key: str) -> Stored | None:
        row = database.execute("SELECT length(body), etag FROM object WHERE key = ?", (key,)).fetchone()
        return None if row is None else Stored(*row)

    @contextmanager
    def _connected(self, method: str) -> Iterator[sqlite3.Connection]:
        """Give a transaction that no other writer is in the middle of; it counts when the body ends well."""
        with self._lock:
            self._counts[method] += 1
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as database:
                database.execute(_TABLE)
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
        except (sqlite3.Error, OSError) as err:
            raise TargetError(
                f"{self._path}: {err}", advice="see whether the file is a database, and writable"
            ) from err


def _conflict(key: str, planned: str | None) -> Conflict:
    expected = "no object" if planned is None else f"ETag {planned}"
    message = f"{key}: expected {expected}, but somebody else wrote meanwhile"
    return Conflict(message, advice="run again: the next plan starts from what is there now", retryable=True)
