"""A local file, published as it is: what somebody else's updater, licence or network brought here.

The file is hashed where it lies. If that is what is published, that is all; else it is copied into the spool, because
what is checked and uploaded must not change meanwhile, and a file that is mapped into memory must not shrink. A file
that does change while it is read is refused: whoever writes it should write beside it and rename.

When it was written says nothing about the age of what is in it, so only its kind can tell that it went back in time
(for databases, the build time).
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hubdata.errors import SourceError
from hubdata.model.key import key_problem
from hubdata.model.snapshot import Fetched, SourceFile
from hubdata.ports import Published, SourceContext
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator
from hubdata.transfer.hashed import Hashed
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import place_in

_PIECE = 1 << 20
_State = tuple[int, int]


class FileOptions(BaseModel):
    """What `[source]` with `type = "file"` may hold: where the file lies, and the key it is published under."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: Path
    key: str
    max_bytes: int = Field(default=1024**3, gt=0)

    @field_validator("key")
    @classmethod
    def _usable_key(cls, key: str) -> str:
        if problem := key_problem(key):
            raise ValueError(f"this cannot be a key: {problem}")
        return key


class FileSource:
    """The one file that a job names; links to it are followed, as the job file's author chose the path."""

    Options = FileOptions

    def __init__(self, options: FileOptions, context: SourceContext) -> None:
        self._options = options
        self._workspace = context.workspace
        self._force = context.force

    @classmethod
    def lacks(cls, options: FileOptions, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's
        """Return None: nothing is missing before a fetch."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return a copy of the file in the workspace, or its key in `kept` when these bytes are published already.

        With `force`, always the copy. Raises SourceError when it cannot be read, is too large, or changes meanwhile.
        """
        options = self._options
        try:
            with _opened(options.path) as file:
                before = _state(file)
                size = self._allowed(before)
                pieces = Hashed(_read(file, size), "sha256")
                for _ in pieces:
                    pass
                sha256 = pieces.hexdigest("sha256")
                source = {"type": "file", "sha256": sha256}
                if not self._force and source.items() <= published().get(options.key, {}).items():
                    return Fetched(sha256, (), kept=(options.key,))
                path = place_in(self._workspace, "file")
                copied = Hashed(self._again(file, size), "sha256")
                write_stream(path, copied, max_bytes=options.max_bytes, what=str(options.path))
                try:
                    self._unchanged(before, file, copied.hexdigest("sha256") == sha256)
                except SourceError:
                    path.unlink(missing_ok=True)
                    raise
        except OSError as err:
            raise self._unreadable(err) from err
        return Fetched(sha256, (SourceFile(options.key, path, size, source),))

    def _again(self, file: BinaryIO, size: int) -> Iterator[bytes]:
        """Yield the file from its start; its errors are the file's, not the spool's."""
        try:
            file.seek(0)
            yield from _read(file, size)
        except OSError as err:
            raise self._unreadable(err) from err

    def _allowed(self, state: _State) -> int:
        size = state[1]
        if size > self._options.max_bytes:
            raise SourceError(
                f"{self._options.path}: expected at most {self._options.max_bytes:,} bytes, found {size:,}",
                advice="see whether it is the right file; if so, raise `max_bytes` in the job",
            )
        if size == 0:
            raise SourceError(
                f"{self._options.path}: the file is empty", advice="see what writes it; it may be at it just now"
            )
        return size

    def _unchanged(self, before: _State, file: BinaryIO, same: bool) -> None:
        if not same or _state(file) != before:
            raise SourceError(
                f"{self._options.path}: the file changed while it was read",
                advice="the next run tries again. Whoever writes it should write beside it and rename",
                retryable=True,
            )

    def _unreadable(self, err: OSError) -> SourceError:
        return SourceError(
            f"file {self._options.path}: {err.strerror or type(err).__name__}",
            advice="check `path` (relative to the job file), and that hubdata may read it",
        )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Give a regular file, open for reading. A pipe must not hang the run, hence O_NONBLOCK."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "this is not a regular file")
        with os.fdopen(fd, "rb", buffering=0, closefd=False) as file:
            yield file
    finally:
        os.close(fd)


def _state(file: BinaryIO) -> _State:
    """Return what tells one state of an open file from another; a file renamed over it is another file."""
    status = os.fstat(file.fileno())
    return status.st_mtime_ns, status.st_size


def _read(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield up to `size` bytes: a file that grows meanwhile is noticed afterwards, not followed."""
    left = size
    while left and (piece := file.read(min(left, _PIECE))):
        left -= len(piece)
        yield piece
