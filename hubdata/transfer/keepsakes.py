"""Large files that are public already, kept beside the spool under their SHA-256, to be downloaded no more.

What changed in a database is told by comparing it with the published one, every day; that one is as large again, and
was in this machine's hands when it was published. Whatever is handed out has been digested anew, so a file that was
damaged or exchanged is as good as none. Nothing here is ever needed: what cannot be kept is downloaded when it is
asked for, and no run fails for it. Nor does an old release stay: licences ask that its copies go when a new one is out.
"""

import hashlib
import mmap
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path

KEPT = "databases"
"""Their directory, in the spool."""

MAX_FILES = 8
MAX_BYTES = 1 << 30
"""Two editions and their next releases take a fifth of it."""

MAX_AGE_S = 28 * 86400
"""How long a file stays that nobody asks for."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = ".part"
_GRACE_S = 3600  # a half-written file this young may belong to a process that is still at it


class Keepsakes:
    """One directory of kept files. Several processes may share it: each file appears whole or not at all."""

    def __init__(self, directory: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> None:
        self._directory = directory
        self._max_files = max_files
        self._max_bytes = max_bytes

    def find(self, sha256: str) -> bytes | mmap.mmap | None:
        """Return the bytes whose digest is `sha256`, mapped, or None when they are not here."""
        if not _DIGEST.fullmatch(sha256):
            return None
        path = self._directory / sha256
        try:
            with path.open("rb") as file:
                body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if hashlib.sha256(body).hexdigest() == sha256:
                os.utime(path)  # the least recently used go first
                return body
            body.close()
            path.unlink(missing_ok=True)
        except (OSError, ValueError):  # an empty file cannot be mapped
            pass
        return None

    def keep_file(self, path: Path, sha256: str) -> None:
        """Keep the file at `path`, which need not last; of one in the spool a second name is enough."""

        def fill(part: Path) -> None:
            if path.is_relative_to(self._directory.parent):
                part.hardlink_to(path)
            else:  # somebody else's file: it may be written to, and its times are not ours to change
                shutil.copyfile(path, part)

        self._keep(sha256, fill)

    def keep(self, body: bytes, sha256: str) -> None:
        """Keep `body`."""
        self._keep(sha256, lambda part: _written(part, body))

    def forget(self, sha256: str) -> None:
        """Remove the bytes of that digest, if they are here."""
        if _DIGEST.fullmatch(sha256):
            with suppress(OSError):
                (self._directory / sha256).unlink(missing_ok=True)

    def forget_all_but(self, wanted: Set[str]) -> None:
        """Remove everything whose digest is not `wanted`, and what killed processes left half-written."""
        with suppress(OSError):
            self._tidy()
            for path in self._directory.iterdir():
                if path.suffix != _PART and path.name not in wanted:
                    path.unlink(missing_ok=True)

    def _keep(self, sha256: str, fill: Callable[[Path], None]) -> None:
        if not _DIGEST.fullmatch(sha256):
            return
        part = self._directory / f".{secrets.token_hex(8)}{_PART}"
        with suppress(OSError):
            try:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                fill(part)
                part.replace(self._directory / sha256)  # two names of one file stay two: then the part goes below
            finally:
                part.unlink(missing_ok=True)
            os.utime(self._directory / sha256)
            self._tidy()

    def _tidy(self) -> None:
        """Remove what is over the bounds, the longest unused first, and what killed processes left half-written."""
        found, now = [], time.time()
        for path in self._directory.iterdir():
            with suppress(OSError):
                state = path.lstat()
                if _DIGEST.fullmatch(path.name):
                    found.append((state.st_mtime, state.st_size, path))
                elif path.suffix == _PART and state.st_mtime < now - _GRACE_S:
                    path.unlink(missing_ok=True)
        total = 0
        for number, (used_at, size, path) in enumerate(sorted(found, reverse=True)):
            total += size
            if number >= self._max_files or total > self._max_bytes or used_at < now - MAX_AGE_S:
                path.unlink(missing_ok=True)


def _written(path: Path, body: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(body)
