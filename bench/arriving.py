"""What arrives on a connection to the store for measurements: heads, and bodies that are digested as they come.

S3 digests while it receives, so that whoever has sent the last byte of a large body waits no longer than for a small
one. A store that began only then would add a second of its own to each gigabyte of every tool.
Nor does S3 digest on the processors that the tool runs on: each digest of a large body has a thread, and costs least.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

LARGE = 1 << 20


class Arrived(bytes):
    """A large body, with the digests that were made of it as it arrived."""

    sums: dict[str, bytes]


def digest(name: str, body: bytes) -> bytes:
    """Return a digest of a body."""
    return body.sums[name] if isinstance(body, Arrived) else hashlib.new(name, body).digest()


class Arriving:
    """What has arrived on one connection and was not taken yet."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._large: _Large | None = None

    def add(self, data: bytes) -> None:
        """Take what has just arrived."""
        left = 0 if self._large is None else self._large.left
        if self._large is not None and left:
            self._large.add(data[:left])
        self._held += data[left:]

    def head(self) -> bytes | None:
        """Return the next lines up to an empty one, once they are there."""
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._held[:end])
        del self._held[: end + 4]
        return head

    def body(self, length: int) -> bytes | None:
        """Return the next `length` bytes, once they are there. Must be asked again whenever more has arrived."""
        if length > LARGE:
            if self._large is None:
                self._large = _Large(length)
                held, self._held = bytes(self._held), bytearray()
                self.add(held)
            if self._large.left:
                return None
            large, self._large = self._large, None
            return large.whole()
        if len(self._held) < length:
            return None
        body = bytes(self._held[:length])
        del self._held[:length]
        return body


class _Large:
    """A large body on its way; `left` bytes of it are not there yet."""

    def __init__(self, length: int) -> None:
        self.left = length
        self._pieces: list[bytes] = []
        self._sums: dict[str, Any] = {name: hashlib.new(name) for name in ("md5", "sha256")}
        self._threads = [ThreadPoolExecutor(1) for _ in self._sums]

    def add(self, piece: bytes) -> None:
        """Take the next piece of it."""
        self.left -= len(piece)
        self._pieces.append(piece)
        for thread, each in zip(self._threads, self._sums.values(), strict=True):
            thread.submit(each.update, piece)

    def whole(self) -> Arrived:
        """Return all of it, once it is digested."""
        body = Arrived(b"".join(self._pieces))
        for thread in self._threads:
            thread.shutdown()
        body.sums = {name: each.digest() for name, each in self._sums.items()}
        return body
