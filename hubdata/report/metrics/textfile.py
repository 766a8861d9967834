"""Keep what runs tell in a file that node_exporter reads, whole at every moment.

What the file tells from before is read back: counters go on, and jobs that took no part keep what they had. Runs that
end at once wait for each other, by a lock on the directory, so that nothing has to lie there but the file.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubdata.errors import TargetError
from hubdata.report.metrics.series import Told

MAX_BYTES = 4 * 1024 * 1024
"""A file that is larger is none of ours."""

_WAITS_S = 5.0


def update(path: Path, change: Callable[[Told], Told]) -> str:
    """Replace what the file tells by what `change` makes of it; return what was wrong with the old one, if anything.

    The file can be read by everybody. Raises TargetError when it cannot be written.
    """
    from hubdata.report.metrics.exposition import exposed

    try:
        with _locked(path.parent):
            before, remark = _before(path)
            _write(path, exposed(change(before)))
    except OSError as err:
        raise TargetError(
            f"metrics: {path} cannot be written: {err.strerror or err}",
            advice="let the user that runs hubdata write into its directory",
        ) from err
    return remark


def _before(path: Path) -> tuple[Told, str]:
    """Return what the file tells now; one that cannot be understood tells nothing, and that is remarked."""
    from hubdata.report.metrics.exposition import read_back

    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return {}, ""
    foreign = f"metrics: {path} held no metrics of hubdata and was begun anew"
    if len(body) > MAX_BYTES:
        return {}, f"{foreign}: it is too large"
    try:
        told = read_back(body.decode())
    except ValueError as err:
        return {}, f"{foreign}: {err}"
    return told, "" if told or not body else f"{foreign}: it tells of something else"


def _write(path: Path, body: bytes) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # the reader takes *.prom only
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(fd, "wb") as file:
            file.write(body)
            os.fchmod(file.fileno(), 0o644)  # whatever the umask is: the reader is another user
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Give the lock. Raises TimeoutError when others have it for longer than writing takes."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + _WAITS_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(f"its directory has been locked for {_WAITS_S:g} s") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(fd)
