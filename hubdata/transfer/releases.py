"""Downloaded releases that stay, so that a run which could not publish costs no second download.

A copy is kept under what it is of (an edition) and the digest by which its upstream announces it; the SHA-256 of its
bytes is in its name, and is computed anew before the copy is used. One that is not what it was is removed. The latest
of each name is kept, for 30 days at most (the licence asks for no longer), a bounded number and size in all.

Keeping is a convenience: where the disk is full or does not link files, nothing is kept, and no run fails for it.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.model.snapshot import Digests
from hubdata.transfer.memory import private_directory

MAX_COPIES = 50
MAX_BYTES = 4 << 30
MAX_AGE = timedelta(days=30)

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_COPY = re.compile(r"(?P<name>.+)~(?P<digest>[0-9A-Za-z]{1,128})~(?P<sha256>[0-9a-f]{64})")
_PART = re.compile(r"\.[0-9a-f]{12}\.part")


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy that was put where it is wanted. `md5` and `sha256` were computed from its bytes just now."""

    size: int
    md5: str
    sha256: str


class Releases:
    """The copies in one directory; none are kept where there is no `directory`."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def take(self, name: str, digest: str, into: Path) -> Kept | None:
        """Put the kept copy of a release at `into` and return what it is; None when there is no good one."""
        for path in self._copies(name, digest):
            match = _COPY.fullmatch(path.name)
            try:
                _link(path, into)
                found = _digests(into)
                if match is not None and found.sha256 == match["sha256"]:
                    return Kept(into.stat().st_size, found.md5, found.sha256)
                path.unlink(missing_ok=True)
            except OSError:
                pass
            with contextlib.suppress(OSError):
                into.unlink(missing_ok=True)
        return None

    def keep(self, name: str, digest: str, path: Path, sha256: str, now: datetime) -> None:
        """Keep a copy of the release in `path`, instead of all others of that `name`."""
        if self._directory is None or not _WORD.fullmatch(name):
            return
        final = f"{name}~{digest}~{sha256}"
        with contextlib.suppress(OSError, SourceError):
            directory = private_directory(self._directory)
            part = directory / f".{secrets.token_hex(6)}.part"
            try:
                _link(path, part)
                part.replace(directory / final)
            finally:
                part.unlink(missing_ok=True)
            self._prune(directory, name, final, now)

    @contextlib.contextmanager
    def turn(self, name: str, *, at_most_s: float) -> Iterator[None]:
        """Wait until no other run is at `name`, so that its copy serves both; but no longer than `at_most_s`."""
        lock = -1
        with contextlib.suppress(OSError, SourceError):
            if self._directory is not None and _WORD.fullmatch(name):
                path = private_directory(self._directory) / f".{name}.lock"
                lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _wait_for(lock, time.monotonic() + at_most_s)
            yield
        finally:
            if lock >= 0:
                os.close(lock)

    def _copies(self, name: str, digest: str) -> Iterator[Path]:
        if self._directory is None:
            return
        with contextlib.suppress(OSError):
            for path in sorted(self._directory.iterdir()):
                match, found = _COPY.fullmatch(path.name), path.lstat()
                ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
                if match and ours and (match["name"], match["digest"]) == (name, digest):
                    yield path

    @staticmethod
    def _prune(directory: Path, name: str, final: str, now: datetime) -> None:
        oldest = (now - MAX_AGE).timestamp()
        stay: list[tuple[float, int, Path]] = []
        for path in directory.iterdir():
            match, found = _COPY.fullmatch(path.name), path.lstat()
            replaced = match is not None and match["name"] == name and path.name != final
            forgotten = _PART.fullmatch(path.name) is not None and found.st_mtime < now.timestamp() - 3600
            if replaced or forgotten or (match is not None and found.st_mtime < oldest):
                path.unlink(missing_ok=True)
            elif match is not None:
                stay.append((found.st_mtime, found.st_size, path))
        total = 0
        for count, (_, size, path) in enumerate(sorted(stay, reverse=True), 1):
            total += size
            if count > MAX_COPIES or total > MAX_BYTES:
                path.unlink(missing_ok=True)


def _wait_for(lock: int, until: float) -> None:
    while lock >= 0:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return
            time.sleep(0.05)
        except OSError:
            return  # no locks on this file system
        else:
            return


def _link(path: Path, into: Path) -> None:
    """Give the file a second name: no byte is copied, and removing either leaves the other. Else copy it."""
    into.unlink(missing_ok=True)
    try:
        os.link(path, into, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, into, follow_symlinks=False)


def _digests(path: Path) -> Digests:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            md5.update(piece)
            sha256.update(piece)
    return Digests(sha256.hexdigest(), md5.hexdigest())
