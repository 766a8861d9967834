"""Run one child process within bounds: a total deadline, capped output, and nothing left alive behind it.

No shell ever sees an argument, the environment is exactly what the caller gives, and the child leads a session of its
own: it has no terminal to ask questions on, and its whole process group can be killed. How the child ended is a value,
because a missing program, a deadline and a bad exit code each deserve another message, which only the caller can write.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO

from hubdata.values import frozen

_CHUNK = 1 << 16
_STDERR_KEPT = 4096  # bytes: the last lines say why a program gave up
_WATCH_EVERY_S = 0.05

_alive: set[int] = set()
"""Process groups of the children that run now."""


class Ending(StrEnum):
    """How a child came to its end."""

    EXITED = "exited"
    MISSING = "missing"
    """There is no such program on the given PATH, or it may not be executed."""
    TIMED_OUT = "timed out"
    OVERFLOWED = "overflowed"
    """It wrote more to stdout than the caller wanted to keep."""
    STOPPED = "stopped"
    """The caller's watch asked for it."""


@frozen
class Result:
    """What became of a child. `code` is negative when a signal ended it; `stderr` is the tail of its messages."""

    ending: Ending
    code: int
    stdout: bytes
    stderr: str

    @property
    def ok(self) -> bool:
        """Tell that the child ran to its end and was content."""
        return self.ending is Ending.EXITED and self.code == 0


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: timedelta,
    cwd: Path | None = None,
    stdin: bytes = b"",
    max_stdout: int = 1 << 20,
    consume: Callable[[bytes], None] | None = None,
    watch: Callable[[], bool] | None = None,
    merge: bool = False,
) -> Result:
    """Return how `argv` ended and what it wrote.

    `consume` receives stdout as it comes; without it up to `max_stdout` bytes are kept. `watch` is asked about twenty
    times a second whether to stop. Whatever `consume` or `watch` raise ends the child and reaches the caller. With
    `merge` what it writes to stderr is part of stdout, in the order in which it was written.
    `env` is the child's whole environment; its PATH finds the program.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as err:
        return Result(Ending.MISSING, 127, b"", str(err))
    _alive.add(child.pid)
    pump = _Pump(child, stdin, max_stdout, consume)
    try:
        ending = pump.until(time.monotonic() + timeout.total_seconds(), watch)
    finally:
        # Also after a normal end: a grandchild must not outlive the call.
        _alive.discard(child.pid)
        _kill(child.pid)
        child.wait()
        pump.close()
    return Result(ending, child.returncode, bytes(pump.kept), pump.stderr.decode("utf-8", "replace"))


def end_all() -> None:
    """Kill every child of every thread, with all that it started: for a process that is about to end itself."""
    for group in tuple(_alive):
        _kill(group)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class _Pump:
    """Moves bytes between one child and its caller; a single thread serves all three pipes."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        stdin: bytes,
        max_stdout: int,
        consume: Callable[[bytes], None] | None,
    ) -> None:
        self.child = child
        self.to_write = memoryview(stdin)
        self.max_stdout = max_stdout
        self.consume = consume
        self.kept = bytearray()
        self.stderr = bytearray()
        self.selector = selectors.DefaultSelector()
        for pipe, events in ((child.stdout, selectors.EVENT_READ), (child.stderr, selectors.EVENT_READ)):
            if pipe is not None:
                self.selector.register(pipe, events)
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            self.selector.register(child.stdin, selectors.EVENT_WRITE)

    def until(self, deadline: float, watch: Callable[[], bool] | None) -> Ending:
        """Return when the child has ended, or must be ended. `deadline` is on the monotonic clock."""
        next_watch = time.monotonic()
        while self.selector.get_map():
            now = time.monotonic()
            if now >= deadline:
                return Ending.TIMED_OUT
            if watch is not None and now >= next_watch:
                if watch():
                    return Ending.STOPPED
                next_watch = now + _WATCH_EVERY_S
            wait = deadline - now if watch is None else min(deadline - now, _WATCH_EVERY_S)
            for key, _ in self.selector.select(wait):
                if not self._serve(key.fileobj):  # type: ignore[arg-type]
                    return Ending.OVERFLOWED
        try:
            self.child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Ending.TIMED_OUT
        return Ending.EXITED

    def close(self) -> None:
        """Let go of every pipe."""
        self.selector.close()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _serve(self, pipe: IO[bytes]) -> bool:
        if pipe is self.child.stdin:
            self._feed(pipe)
            return True
        chunk = os.read(pipe.fileno(), _CHUNK)
        if not chunk:
            self.selector.unregister(pipe)
        elif pipe is self.child.stderr:
            self.stderr += chunk
            del self.stderr[:-_STDERR_KEPT]
        elif self.consume is not None:
            self.consume(chunk)
        else:
            self.kept += chunk
            return len(self.kept) <= self.max_stdout
        return True

    def _feed(self, pipe: IO[bytes]) -> None:
        try:
            written = os.write(pipe.fileno(), self.to_write[:_CHUNK])
        except BlockingIOError:
            return
        except BrokenPipeError:
            written = len(self.to_write)  # the child does not want more; its exit code says whether that is bad
        self.to_write = self.to_write[written:]
        if not self.to_write:
            self.selector.unregister(pipe)
            pipe.close()
