"""A terminal for a command: a real one of the kernel's, so wide as a test wants, and what came out of it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ESCAPE = "\x1b"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a terminal was sent, and how the command ended."""

    code: int
    text: str

    @property
    def lines(self) -> list[str]:
        """Return the lines as sent."""
        return self.text.replace("\r\n", "\n").splitlines()

    @property
    def escapes(self) -> int:
        """Return how many escape sequences there are."""
        return self.text.count(_ESCAPE)


def on_terminal(
    *arguments: str, cwd: Path, columns: int = 80, env: Mapping[str, str] | None = None, timeout_s: float = 120
) -> Shown:
    """Return what `hubdata ARGUMENTS` sent to a terminal that stdin, stdout and stderr are."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TERM": "xterm-256color", **(env or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "hubdata", *arguments],
        cwd=cwd,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    sent, until = bytearray(), time.monotonic() + timeout_s
    try:
        while time.monotonic() < until:
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # the last one has closed it
                break
            if not piece:
                break
            sent += piece
        return Shown(process.wait(max(1.0, until - time.monotonic())), sent.decode())
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)
