"""Bound how often something happens: some at once, then so many a second. And how many bytes lie here at once."""

from collections.abc import Callable
from types import TracebackType
from typing import Self


class Bucket:
    """A token bucket of `burst`, filled by `per_s` a second of `monotonic`. For one thread."""

    def __init__(self, burst: int, per_s: float, monotonic: Callable[[], float]) -> None:
        self._burst, self._per_s, self._monotonic = burst, per_s, monotonic
        self._left, self._at = float(burst), monotonic()

    def take(self) -> float:
        """Take one and return 0; when there is none, return in how many seconds there will be."""
        now = self._monotonic()
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._per_s


class Store:
    """Room for `most` bytes that all bodies under way share. For one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def share(self) -> "Share":
        """Return an empty share; what it takes is given back when its context ends."""
        return Share(self)

    def take(self, size: int) -> bool:
        """Take `size` bytes of room, and tell whether there was so much."""
        if self.held + size > self._most:
            return False
        self.held += size
        return True


class Share:
    """What one body takes of a store."""

    def __init__(self, store: Store) -> None:
        self._store, self._held = store, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._store.held -= self._held
        self._held = 0

    def take(self, size: int) -> bool:
        """Take `size` bytes more, and tell whether there was room."""
        if not self._store.take(size):
            return False
        self._held += size
        return True
