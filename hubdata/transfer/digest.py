"""Digests of files, and readers that never hand out a whole file unless it is the one that was checked.

A file is validated first and uploaded later. Between the two its bytes could change on disk: by another process, or
by a failing one. Whoever uploads therefore reads through `VerifiedReader` or `read_verified`, so that the bytes
published are the bytes checked.
"""

import hashlib
import io
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hubdata.model.snapshot import Digests

SMALL_BYTES = 8 << 20
"""Files up to this size are best read whole: `read_verified`."""

_CHUNK = 1 << 20


def digests(body: bytes | mmap.mmap, known: Digests | None = None) -> Digests:
    """Return the digests of `body`, in one pass over it.

    `known` are digests of what it may be: if its SHA-256 is theirs, so is its MD5, which takes twice as long.
    """
    if known is not None and hashlib.sha256(body).hexdigest() == known.sha256:
        return known
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    if len(body) <= _CHUNK:
        sha256.update(body)
        md5.update(body)
        return Digests(sha256.hexdigest(), md5.hexdigest())
    with memoryview(body) as whole:
        # Chunks stay in the processor's cache for the second digest.
        for start in range(0, len(whole), _CHUNK):
            with whole[start : start + _CHUNK] as chunk:
                sha256.update(chunk)
                md5.update(chunk)
    return Digests(sha256.hexdigest(), md5.hexdigest())


def multipart_etag(path: Path, part_size: int) -> str:
    """Return the ETag that S3 gives a file uploaded in parts of `part_size` bytes: MD5 of the parts' MD5s, `-`, parts.

    Raises OSError when the file cannot be read. Observed behaviour of S3, not a documented promise (facts: ETag).
    """
    parts: list[bytes] = []
    with path.open("rb") as file:
        while True:
            part, left = hashlib.md5(usedforsecurity=False), part_size
            while left and (chunk := file.read(min(left, _CHUNK))):
                part.update(chunk)
                left -= len(chunk)
            if left == part_size and parts:
                break
            parts.append(part.digest())
            if left:
                break
    return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"


def read_verified(path: Path, *, size: int, sha256: str, error: Callable[[str], Exception]) -> bytes:
    """Return the bytes of `path` if they still are the `size` bytes with this SHA-256.

    Raises what `error` makes of a message otherwise, also when the file cannot be read. For files up to SMALL_BYTES.
    """
    try:
        with path.open("rb") as file:
            body = file.read(size + 1)
    except OSError as err:
        raise error(f"the checked file cannot be read any more: {err.strerror or err}") from err
    if len(body) != size or hashlib.sha256(body).hexdigest() != sha256:
        raise error(_changed(sha256))
    return body


class VerifiedReader(io.BufferedIOBase):
    """A binary file whose last bytes are handed out only when all of them have the expected SHA-256.

    The digest is computed as the file is read from its start. A reader that sends what it reads, with the size
    announced beforehand, can therefore never complete a request with other bytes: the last read raises instead.

    `seek(0)` begins anew, as HTTP clients do to retry; each pass is checked on its own, and after one that failed there
    is no other. `seek` to the end tells the size. Reading on from anywhere else than where the last read stopped raises
    io.UnsupportedOperation: those bytes could not be vouched for. `sha256` is the digest that all of it must have.

    `error` makes the exception from a message. `failure` keeps it, for callers whose HTTP library wraps exceptions.
    """

    def __init__(self, path: Path, *, size: int, sha256: str, error: Callable[[str], Exception]) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.sha256 = sha256
        self._size = size
        self._error = error
        self._position = 0
        self._hashed = 0
        self._digest = hashlib.sha256()
        if size == 0 and self._digest.hexdigest() != sha256:
            raise self._failed(_changed(sha256))  # an empty body may be sent without a single read
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as err:
            raise self._failed(f"the checked file cannot be read any more: {err.strerror or err}") from err

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset that the next read starts at."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Return the new offset; 0 begins a new pass."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        position = base + offset
        if position < 0:
            raise ValueError(f"negative offset {position}")
        if position == 0:
            if self.failure is not None:
                raise self.failure
            self._file.seek(0)
            self._hashed = 0
            self._digest = hashlib.sha256()
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all that are left by default; b"" at the end.

        Raises what `error` makes when the file is not the one that was checked.
        """
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        if self._position != self._hashed:
            raise io.UnsupportedOperation("a verified file is read from its start, in order")
        chunk = self._read_exactly(wanted)
        self._digest.update(chunk)
        self._position += wanted
        self._hashed = self._position
        if self._position == self._size and self._digest.hexdigest() != self.sha256:
            raise self._failed(_changed(self.sha256))
        return chunk

    def read1(self, size: int = -1, /) -> bytes:
        """Return the same as `read`."""
        return self.read(size)

    def readinto(self, buffer: Any, /) -> int:
        """Return how many bytes were put into `buffer`."""
        with memoryview(buffer).cast("B") as view:
            chunk = self.read(len(view))
            view[: len(chunk)] = chunk
            return len(chunk)

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()

    def _read_exactly(self, wanted: int) -> bytes:
        chunks: list[bytes] = []
        try:
            while wanted:
                chunk = self._file.read(wanted)
                if not chunk:
                    raise self._failed(_changed(self.sha256))
                chunks.append(chunk)
                wanted -= len(chunk)
        except OSError as err:
            raise self._failed(f"the checked file cannot be read any more: {err.strerror or err}") from err
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _failed(self, message: str) -> Exception:
        self.failure = self._error(message)
        return self.failure


def _changed(sha256: str) -> str:
    return f"the file changed on disk after it was checked (expected SHA-256 {sha256})"
