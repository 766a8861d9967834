"""What outlives a run: a private directory of the spool, small records in it that are whole or absent, and a lock.

A run's own directory goes when the run ends. What the next run must know (how many downloads were made today, which
release lies here already) is kept beside it. Nobody else may look inside or exchange anything; two runs at once take
turns by a lock that the kernel releases with its process. Whatever is found is judged before it is used: the memory
may be gone at any time (a fresh container has none), or damaged, and then it is as if there had been none.
"""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hubdata.errors import SourceError

MAX_RECORD_BYTES = 1 << 20
_PATIENCE_S = 10.0
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_ADVICE = "set `spool` (HUBDATA_SPOOL) to a directory that hubdata's user may write to and that is kept between runs"


def private_directory(path: Path) -> Path:
    """Return `path`, made if need be, having seen that it is a directory of this user's, and closed it to others.

    Raises SourceError when it is not, or cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as err:
        raise memory_error(err, path) from err
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SourceError(
            f"{path} is not a directory of hubdata's own user, so nothing in it can be believed",
            advice="remove it; the next run makes a new one",
        )
    if found.st_mode & 0o077:
        with contextlib.suppress(OSError):  # file systems without modes say so of every directory
            path.chmod(0o700)
    return path


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory's lock while the context lasts, which must be short.

    Raises SourceError when another run holds it for ten seconds: it hangs. File systems without locks are used
    without.
    """
    try:
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as err:
        raise memory_error(err, directory) from err
    try:
        _wait_for(lock, directory)
        yield
    finally:
        os.close(lock)


def _wait_for(lock: int, directory: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise SourceError(
                    f"{directory}: another run has held its lock for {_PATIENCE_S:.0f} s",
                    advice="see which hubdata process hangs, and end it",
                    retryable=True,
                ) from None
            time.sleep(0.01)
        except OSError as err:
            if err.errno in _NO_LOCKS:
                return
            raise memory_error(err, directory) from err
        else:
            return


def read_record(path: Path) -> Any:
    """Return the JSON value in `path`; None when there is none, or nothing that can be understood."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(handle, "rb") as file:  # noqa: PTH123 - the handle was opened without following links
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                return None
            body = file.read(MAX_RECORD_BYTES + 1)
            return json.loads(body) if len(body) <= MAX_RECORD_BYTES else None
        except (OSError, ValueError, RecursionError):
            return None


def write_record(path: Path, value: Any) -> None:
    """Put a JSON value into `path`, whole or not at all, even if the power fails. Raises SourceError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with part.open("x") as file:
            json.dump(value, file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as err:
        raise memory_error(err, path.parent) from err
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def memory_error(err: OSError, path: Path) -> SourceError:
    """Return the error that says why `path` cannot keep anything."""
    return SourceError(f"{path} cannot be used to remember downloads: {err.strerror or err}", advice=_ADVICE)
