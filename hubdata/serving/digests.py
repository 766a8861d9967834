"""Tell the SHA-256 of files that are served, each read once for as long as it stays as it is.

The manifest holds digests too, but not necessarily of the bytes at hand: a run replaces files before it swaps the
manifest, and somebody may copy a file in by hand. An ETag that does not belong to the bytes would make a client join
parts of two files, so it is made of the bytes themselves; where the manifest is right, it is the same digest. That
costs a first reader 60 ms for 100 MB, and the others nothing.
"""

import asyncio
import hashlib
import os
import time
from dataclasses import dataclass

from anyio import CapacityLimiter, to_thread

_CHUNK = 1 << 20
_AT_ONCE = 2
_MAX_REMEMBERED = 100_000
_FINE_TICK_NS = 50_000_000  # Linux stamps files with a clock that ticks every 1 to 10 ms
_COARSE_TICK_NS = 2_000_000_000  # whole seconds: a file system that keeps no finer times, at worst every other one


class Changing(Exception):
    """Somebody writes into the file while it is read: it is no file yet."""


@dataclass(frozen=True, slots=True)
class State:
    """What the system tells of an open file. As long as all of it is the same, so are the bytes."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, fd: int) -> "State":
        """Return the state that the file open as `fd` is in."""
        now = os.fstat(fd)
        return cls(now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)

    def same_bytes(self, other: "State") -> bool:
        """Tell whether nobody wrote into the file meanwhile. That its name went to another file is no matter."""
        return (self.size, self.modified_ns) == (other.size, other.modified_ns)

    def settled(self, now_ns: int) -> bool:
        """Tell whether a write after `now_ns` would show: within one tick of the clock it would not."""
        tick = _FINE_TICK_NS if self.changed_ns % 1_000_000_000 else _COARSE_TICK_NS
        return now_ns - self.changed_ns > tick


class Digests:
    """The digests of files by their state. Belongs to one event loop."""

    def __init__(self) -> None:
        self._known: dict[State, str] = {}
        self._asked: dict[State, asyncio.Task[str]] = {}
        self._limiter = CapacityLimiter(_AT_ONCE)

    async def sha256(self, fd: int, state: State) -> str:
        """Return the digest of the file open as `fd`, in hex. However many ask at once, it is read once.

        Raises Changing when it does not keep still, OSError when it cannot be read.
        """
        known = self._known.get(state)
        if known is not None:
            return known
        task = self._asked.get(state)
        if task is None:
            task = asyncio.create_task(self._read(os.dup(fd), state))
            self._asked[state] = task
            task.add_done_callback(lambda done: self._forget(state, done))
        return await asyncio.shield(task)  # whoever asked first may go away; the others still want to know

    def _forget(self, state: State, done: asyncio.Task[str]) -> None:
        self._asked.pop(state, None)
        if not done.cancelled():
            done.exception()  # all who asked may have gone: then nobody else takes note of it

    async def _read(self, fd: int, state: State) -> str:
        try:
            began_ns = time.time_ns()
            digest = await to_thread.run_sync(_sha256, fd, state, limiter=self._limiter)
        finally:
            os.close(fd)
        if state.settled(began_ns):
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[state] = digest
        return digest


def _sha256(fd: int, state: State) -> str:
    digest = hashlib.sha256()
    offset = 0
    while chunk := os.pread(fd, _CHUNK, offset):  # by offset: others read the same open file
        digest.update(chunk)
        offset += len(chunk)
    if offset != state.size or not State.of(fd).same_bytes(state):
        raise Changing
    return digest.hexdigest()
