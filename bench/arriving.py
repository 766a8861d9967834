"""What arrives on a connection to the store for measurements: heads, and bodies that are digested as they come.

S3 digests while it receives, so that whoever has sent the last byte of a large body waits no longer than for a small
one. A store that began only then would add a second of its own to each gigabyte of every tool.
"""

import hashlib
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
        self._sums: dict[str, Any] = {}
        self._summed = 0

    def add(self, data: bytes) -> None:
        """Take what has just arrived."""
        self._held += data

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
            self._sum_up(length)
        if len(self._held) < length:
            return None
        if length <= LARGE:
            body = bytes(self._held[:length])
            del self._held[:length]
            return body
        rest = self._held[length:]
        del self._held[length:]
        large = Arrived(self._held)
        large.sums = {name: each.digest() for name, each in self._sums.items()}
        self._held, self._sums = rest, {}
        return large

    def _sum_up(self, length: int) -> None:
        if not self._sums:
            self._sums, self._summed = {name: hashlib.new(name) for name in ("md5", "sha256")}, 0
        with memoryview(self._held) as held, held[self._summed : length] as fresh:
            for each in self._sums.values():
                each.update(fresh)
            self._summed += len(fresh)
