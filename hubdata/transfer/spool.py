"""The spool: a private directory for one run, gone when the run is over however it ends.

Downloads are staged here, checked here, and uploaded from here. Only this run's user may look inside, so nobody can
exchange a file between check and upload. A run that is killed cannot clean up; the next one does it, and knows the dead
by a lock that the kernel releases with its process (a process id alone may belong to somebody else by now).
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from hubdata.errors import ConfigError, SourceError

_RUN = re.compile(r"run-[0-9]+-[0-9a-f]{16}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_GRACE_S = 60  # a directory this young may belong to a run that has not locked it yet


class Spool:
    """A run's private directory. Use `Spool.create`, as a context manager."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, root: Path) -> Self:
        """Return a new spool below `root`, which is made if need be; leftovers of dead runs are removed first.

        Raises ConfigError when nothing can be written there, or when another user owns `root`.
        """
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _own(root)
            _bury_the_dead(root)
            path = root / f"run-{os.getpid()}-{secrets.token_hex(8)}"
            path.mkdir(mode=0o700)
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as err:
            raise spool_error(err, root) from err
        with contextlib.suppress(OSError):  # no locks on this file system: then leftovers stay, nothing else
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, lock)

    def directory(self, name: str) -> Path:
        """Return a new private directory in the spool, called `name` with a number when there is one already."""
        return self._new(name, lambda path: path.mkdir(mode=0o700))

    def file(self, name: str) -> Path:
        """Return the path of a new, empty, private file in the spool; `name` is numbered as in `directory`."""
        return self._new(name, lambda path: path.touch(mode=0o600, exist_ok=False))

    def memory(self, name: str) -> Path:
        """Return the directory beside the runs' own for what `name` keeps from run to run; made when first used."""
        return self.path.parent / f"memory-{name}"

    def close(self) -> None:
        """Remove the spool and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _new(self, name: str, make: Callable[[Path], None]) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for the spool: {name!r}")
        number = 0
        while True:
            path = self.path / (f"{number}-{name}" if number else name)
            try:
                make(path)
            except FileExistsError:
                number += 1
            except OSError as err:
                raise spool_error(err, self.path) from err
            else:
                return path


def write_stream(path: Path, chunks: Iterable[bytes], *, max_bytes: int, what: str) -> int:
    """Return how many bytes were written to `path`, which appears whole or not at all.

    `what` names the upstream object in messages. Raises SourceError beyond `max_bytes`, ConfigError when the spool
    cannot take it; whatever `chunks` raises passes through. No fsync: a spool never outlives its run.
    """
    part = path.with_name(f".{path.name}.part")
    size = 0
    try:
        with part.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > max_bytes:
                    raise SourceError(
                        f"{what}: expected at most {max_bytes} bytes, found more",
                        advice="see whether upstream really grew that much; if so, raise max_bytes in the job",
                    )
                file.write(chunk)
        part.replace(path)
    except OSError as err:
        raise spool_error(err, path.parent) from err
    finally:
        part.unlink(missing_ok=True)
    return size


def spool_error(err: OSError, path: Path) -> ConfigError:
    """Return the error that says why the spool at `path` cannot be used, and what to do."""
    reason = err.strerror or str(err)
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "free some space, or set `spool` to a directory on a larger disk"
    elif err.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        advice = "set `spool` (HUBDATA_SPOOL) to a directory that hubdata's user may write to"
    else:
        advice = "set `spool` (HUBDATA_SPOOL) to a directory that can be written to"
    return ConfigError(f"the spool {path} cannot be used: {reason}", advice=advice)


def _own(root: Path) -> None:
    """Refuse a root that somebody else could exchange under us. Root's own is fine: container volumes are."""
    owner = root.stat().st_uid
    if owner not in (os.geteuid(), 0):
        raise ConfigError(
            f"the spool {root} belongs to another user (id {owner}), who could exchange files after they are checked",
            advice="set `spool` (HUBDATA_SPOOL) to a directory of hubdata's own user",
        )


def _bury_the_dead(root: Path) -> None:
    """Remove what killed runs of this user left behind; a run that still holds its lock is alive."""
    youngest = time.time() - _GRACE_S
    for path in root.iterdir():
        if not _RUN.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            held = path.lstat()
            if held.st_uid != os.geteuid() or held.st_mtime > youngest:
                continue
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
