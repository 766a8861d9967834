"""A directory as a conditional store: the embedded default, a closed network's mirror, or a web server's root.

Readers see whole files only: bytes are written beside, verified, synced to disk and renamed into place. The check of
the planned ETag and the rename happen under one lock file, so that of two racing processes one wins and the other
learns of it. A file whose bytes are right already is never touched: its modification time is what web servers tell
engines as Last-Modified.

The ETag is the MD5 of the bytes, as on S3. A directory that does not exist yet is empty; reading never creates it.

What was published before is kept below `.hubdata/versions/` (`transfer/tree_eras.py`), so that it can be gone back to.
"""

import errno
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from hubdata.errors import Conflict, TargetError
from hubdata.model.inventory import Past, Stored
from hubdata.model.key import PRIVATE, RESERVED, key_problem
from hubdata.model.manifest import KEY as MANIFEST
from hubdata.ports import Blob, Sink, Upload
from hubdata.tables import BaseModel, ConfigDict, Field
from hubdata.transfer.digest import VerifiedReader
from hubdata.transfer.tree import Tree
from hubdata.transfer.tree_eras import Era, Eras

LOCK_TIMEOUT_S = 60.0
"""How long a write waits for another process; the lock is held for one rename, so this is never reached in health."""

_CHUNK = 1 << 20
_SETTLED_NS = 2_000_000_000  # longer than any file system's clock ticks
_MAX_REMEMBERED = 100_000

_NO_SPACE = "free some space, then run again: nothing was left half-written"
_NO_RIGHT = "let the user that runs hubdata read and write there"
_ADVICE = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EROFS: "mount the file system writable, or choose another path",
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.ELOOP: "put the file itself where the symbolic link is: links are not followed",
    errno.ENOTDIR: "remove the file or link that stands where a directory must be",
    errno.EISDIR: "remove the directory that stands where a file must be",
    errno.ENAMETOOLONG: "publish it under a shorter key",
    errno.ETIMEDOUT: "find out which process holds that file, then run again",
}


class DirectoryTarget:
    """One directory tree."""

    class Options(BaseModel):
        """What `[targets.NAME]` may hold for `type = "directory"`. Past generations are kept as long as both allow."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        path: Path
        keep_generations: int = Field(default=20, ge=0, le=1000)
        keep_days: int = Field(default=30, ge=0, le=36500)

    def __init__(self, name: str, options: Options) -> None:
        self._name = name
        self._tree = Tree(options.path, private=PRIVATE.rstrip("/"), lock_timeout_s=LOCK_TIMEOUT_S)
        self._eras = Eras(self._tree, most=options.keep_generations, days=options.keep_days)
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._etags: dict[tuple[int, ...], str] = {}  # a file's state, as the system tells it -> its MD5

    @property
    def name(self) -> str:
        """Return the name the settings give this target."""
        return self._name

    @property
    def concurrency(self) -> int:
        """Return how many writes at once serve a disk best: enough that their syncs are made together."""
        return 8

    @property
    def key_prefix(self) -> str:
        """Return what stands before every key: nothing."""
        return ""

    def requests(self) -> Mapping[str, int]:
        """Return how many calls were made so far, named as the requests they would be on S3."""
        with self._counting:
            return {method: self._counts[method] for method in ("LIST", "GET", "PUT", "HEAD", "DELETE")}

    def now(self) -> datetime:
        """Return the file system's time, which is the file server's where there is one.

        Only a write tells it. Where nothing may be written, nothing is decided between writers either, and whoever only
        looks is told the machine's time.
        """
        with self._explained(""):
            try:
                with self._tree.draft() as draft:
                    return datetime.fromtimestamp(os.fstat(draft.file.fileno()).st_mtime, UTC)
            except OSError as err:
                if err.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                    raise
                return datetime.now(UTC)

    def listing(self) -> Mapping[str, Stored]:
        """Return every regular file by key, hashed. Links, devices and names that are not UTF-8 are no objects."""
        self._count("LIST")
        with self._explained(""):
            return {key: self._measured(file) for key, file in self._tree.walk()}

    def stat(self, key: str) -> Stored | None:
        """Return size and ETag of one file, or None."""
        self._count("HEAD")
        return self._stat(key)

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Blob | None:
        """Return one small file whole, as it is or was, or None. Raises TargetError beyond `max_bytes`."""
        self._count("GET")
        _check(key)
        with self._explained(key), self._version(key, version_id) as file:
            if file is None:
                return None
            body = file.read(max_bytes + 1)
            if len(body) > max_bytes:
                raise TargetError(
                    f"{self._place(key)}: expected at most {max_bytes} bytes, found {os.fstat(file.fileno()).st_size}",
                    advice="somebody else wrote it: restore the last good version, or remove it",
                )
        return Blob(body, Stored(len(body), _md5(body)))

    def put(self, upload: Upload) -> Stored:
        """Store an artifact's bytes, hashed again on their way, if the file is still `planned_etag`."""
        artifact = upload.artifact
        if (problem := key_problem(artifact.key)) is not None:
            raise TargetError(f"{artifact.key!r}: {problem}", advice="publish it under another key")

        def error(message: str) -> TargetError:
            return TargetError(f"{self._place(artifact.key)}: {message}", advice="nothing was stored: run again")

        def fill(file: BinaryIO) -> None:
            with VerifiedReader(artifact.path, size=artifact.size, sha256=artifact.sha256, error=error) as body:
                while chunk := body.read(_CHUNK):
                    file.write(chunk)

        wanted = Stored(artifact.size, artifact.md5)
        return self._replace(artifact.key, fill, wanted, upload.planned_etag, same_is_done=True)

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None) -> Stored:  # noqa: ARG002 - files have no headers
        """Store a small file of hubdata's own if its ETag is `if_etag` (None: if there is none)."""
        _check(key)

        def fill(file: BinaryIO) -> None:
            file.write(body)

        return self._replace(key, fill, Stored(len(body), _md5(body)), if_etag, same_is_done=False)

    def delete(self, key: str, *, if_etag: str | None = None) -> None:
        """Remove one file, and the directories it leaves empty. Raises Conflict when it is not `if_etag`, if given."""
        self._count("DELETE")
        if self._stat(key) is None:
            return
        with self._explained(key), self._tree.locked():
            held = self._stat(key)
            if held is None:
                return
            if if_etag is not None and held.etag != if_etag:
                raise self._conflict(key, if_etag)
            self._keep(key)
            self._tree.remove(key)

    def history(self, key: str) -> tuple[str, ...]:
        """Return the version ids of all states that are kept of one file, the newest first."""
        return tuple(state.version_id for state in self._past(lambda name: name == key) if not state.deleted)

    def retrieve(self, key: str, state: Stored, into: Sink) -> bool:
        """Write the bytes of that state of one file; False when it is not kept any more."""
        self._count("GET")
        _check(key)
        wanted = Stored(state.size, state.etag)
        with self._explained(key), self._where(key, lambda held: held == wanted) as file:
            if file is None:
                return False
            into.begin()
            while chunk := file.read(_CHUNK):
                into.write(chunk)
        return True

    def past(self, prefix: str) -> tuple[Past, ...]:
        """Return every state that is kept of files whose key begins so, by key, the newest first."""
        return self._past(lambda key: key.startswith(prefix))

    def forget(self, key: str, version_id: str) -> None:
        """Remove one state that is kept of a file; fine when it is gone."""
        self._count("DELETE")
        _check(key)
        era = Era.named(version_id)
        if era is not None:
            with self._explained(key), self._tree.locked():
                self._eras.forget(key, era)

    def _past(self, wanted: Callable[[str], bool]) -> tuple[Past, ...]:
        """Return the states of the `wanted` keys. One that is gone begins with a marker, as old as its last state."""
        self._count("LIST")
        found: dict[str, list[Past]] = {}
        with self._explained(""):
            for key, file in self._tree.walk():
                if wanted(key):
                    held = os.fstat(file.fileno())
                    found[key] = [Past(key, self._measured(file).etag, _written_at(held), True, held.st_size)]
            ended = datetime.now(UTC)
            eras = self._eras.all()
            after = {era: datetime.fromtimestamp(next_.began, UTC) for next_, era in pairwise(eras)}
            for key, era, file in self._eras.walk():
                if wanted(key):
                    held = os.fstat(file.fileno())
                    marker = Past(key, "", after.get(era, ended), True, deleted=True)
                    states = found.setdefault(key, [marker])
                    states.append(Past(key, era.name, _written_at(held), False, held.st_size))
        return tuple(state for key in sorted(found) for state in found[key])

    @contextmanager
    def _version(self, key: str, version_id: str | None) -> Iterator[BufferedReader | None]:
        """Give one state of a file, open for reading: that of an era, or the one with this ETag, whatever its era."""
        era = None if version_id is None else Era.named(version_id)
        if era is not None:
            with self._eras.opened(key, era) as file:
                yield file
            return
        if version_id is None:
            with self._tree.opened(key) as file:
                yield file
            return
        with self._where(key, lambda held: held.etag == version_id) as file:
            yield file

    @contextmanager
    def _where(self, key: str, wanted: Callable[[Stored], bool]) -> Iterator[BufferedReader | None]:
        """Give the newest state of a file that is `wanted`, be it what is there now, open for reading."""
        for era in (None, *self._eras.all()):
            with ExitStack() as stack:
                try:
                    opened = self._tree.opened(key) if era is None else self._eras.opened(key, era)
                    file = stack.enter_context(opened)
                except (NotADirectoryError, IsADirectoryError):  # by now, another file's name is above or below it
                    continue
                if file is not None and wanted(self._measured(file)):
                    file.seek(0)
                    yield file
                    return
        yield None

    def _keep(self, key: str) -> None:
        """Keep what is public before it goes; hubdata's own records have no past."""
        if key == MANIFEST or not (key in RESERVED or key.startswith(PRIVATE)):
            self._eras.keep(key)

    def _replace(
        self, key: str, fill: Callable[[BinaryIO], None], wanted: Stored, planned: str | None, *, same_is_done: bool
    ) -> Stored:
        """Write beside, then swap in under the lock if the file still is what was planned against."""
        self._count("PUT")

        def settled() -> bool:
            held = self._stat(key)
            if same_is_done and held == wanted:
                return True
            if (held.etag if held else None) != planned:
                raise self._conflict(key, planned)
            return False

        with self._explained(key):
            if settled():  # spares the bytes where the outcome is clear; decided again under the lock
                return wanted
            with self._tree.draft() as draft:
                fill(draft.file)
                draft.file.flush()
                os.fsync(draft.file.fileno())
                with self._tree.locked():
                    if not settled():
                        self._keep(key)
                        if key == MANIFEST:
                            self._eras.turn()
                        self._tree.adopt(draft, key)
        if key == MANIFEST:
            with suppress(OSError):  # what cannot be removed now is by the next publication
                self._eras.prune()
        return wanted

    def _stat(self, key: str) -> Stored | None:
        _check(key)
        with self._explained(key), self._tree.opened(key) as file:
            return None if file is None else self._measured(file)

    def _measured(self, file: BufferedReader) -> Stored:
        """Return size and MD5; a file that has not changed since the last time is not read again."""
        now = os.fstat(file.fileno())
        state = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
        etag = self._etags.get(state)
        if etag is None:
            etag = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            # Within one tick of the clock a file could change again and look the same: remember only older ones.
            if time.time_ns() - now.st_ctime_ns > _SETTLED_NS:
                if len(self._etags) >= _MAX_REMEMBERED:
                    self._etags.clear()
                self._etags[state] = etag
        return Stored(now.st_size, etag)

    def _place(self, key: str) -> Path:
        return self._tree.root / key

    def _conflict(self, key: str, planned_etag: str | None) -> Conflict:
        expected = "no file" if planned_etag is None else f"ETag {planned_etag}"
        message = f"{self._place(key)}: expected {expected}, but somebody else wrote meanwhile"
        return Conflict(message, advice="run again: the next plan starts from what is there now", retryable=True)

    def _count(self, method: str) -> None:
        with self._counting:
            self._counts[method] += 1

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            advice = _ADVICE.get(err.errno or 0, "mend the file system, then run again")
            busy = err.errno == errno.ETIMEDOUT
            raise TargetError(f"{self._place(key)}: {err.strerror or err}", advice=advice, retryable=busy) from err


def _check(key: str) -> None:
    """Raise TargetError unless `key` is safe as a path and none of the store's own machinery."""
    inner = key.removeprefix(PRIVATE)
    problem = None if inner in RESERVED else key_problem(inner)
    if problem is None and key.startswith(PRIVATE) and inner.partition("/")[0] in ("lock", "tmp", "versions"):
        problem = "the directory target needs that name itself"
    if problem is not None:
        raise TargetError(f"{key!r}: {problem}", advice="use another key")


def _written_at(held: os.stat_result) -> datetime:
    return datetime.fromtimestamp(held.st_mtime, UTC)


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
