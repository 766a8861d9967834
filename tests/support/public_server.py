"""`hubdata serve` as a process of its own, or the same server with limits so short that a test can wait for them.

`python -m tests.support.public_server DIR key=value...` runs the latter.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_ROOT = Path(__file__).parents[2]
_STARTS_IN_S = 60


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, its header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class PublicServer:
    """A server of `directory`, running while the context lasts. `urls` are those it printed.

    With `limits` it is the short one; else the real command, with `flags`. `within` is a command that runs the rest
    of its line.
    """

    directory: Path
    flags: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    within: Sequence[str] = ()
    urls: tuple[str, ...] = ()
    pid: int = 0

    def __enter__(self) -> Self:
        short = [f"{name}={value}" for name, value in self.limits.items()]
        what = ["tests.support.public_server", str(self.directory), *short]
        if not self.limits:
            what = ["hubdata", "serve", str(self.directory), "--port", "0", *self.flags]
        self._err = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [*self.within, sys.executable, "-m", *what],
            cwd=_ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._err,
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        one_only = bool(self.limits) or "--host" in self.flags
        lines = [self._process.stdout.readline().decode().strip() for _ in range(1 if one_only else 2)]
        if not all(lines):
            said = self.stderr
            self.__exit__(None, None, None)
            raise AssertionError(f"it did not start: {said}")
        self.urls = tuple(lines)
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._err.close()

    @property
    def port(self) -> int:
        """Return the port of both families."""
        return urlsplit(self.urls[0]).port or 0

    @property
    def stderr(self) -> str:
        """Return what the server said so far."""
        self._err.seek(0)
        return self._err.read().decode()

    @property
    def resident_kb(self) -> int:
        """Return the resident memory now."""
        return self._status("VmRSS")

    @property
    def open_files(self) -> int:
        """Return how many files and sockets it has open."""
        return len(open_files(self.pid))

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name))

    def end(self, number: int = signal.SIGTERM, timeout: float = 30) -> int:
        """Return the exit code after a signal."""
        self._process.send_signal(number)
        return self._process.wait(timeout)

    def ask(self, path: str, method: str = "GET", host: str = "127.0.0.1", **headers: str) -> Got:
        """Return the answer to one request; underscores in header names are dashes."""
        connection = http.client.HTTPConnection(host, self.port, timeout=30)
        with contextlib.closing(connection):
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        """Return a raw connection; with a small buffer its client is slow to take anything."""
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(30)
        plain.connect(("127.0.0.1", self.port))
        return plain

    def established(self) -> int:
        """Return how many sockets of the server are connected to somebody, as the system counts."""
        port = f":{self.port:04X}"
        rows = [
            line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()
        ]
        return sum(row[1].endswith(port) and row[3] == "01" for row in rows[1:] if len(row) > 3)


def open_files(pid: int | str = "self") -> set[str]:
    """Return the numbers of the files and sockets that a process has open."""
    return {path.name for path in Path(f"/proc/{pid}/fd").iterdir()}


def until_closed(plain: socket.socket) -> bytes:
    """Return all that still comes, until the other side has ended the connection in whatever way."""
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := plain.recv(1 << 16):
            received += piece
    return bytes(received)


def main() -> None:
    """Serve on a free loopback port with the limits of the command line."""
    from hubdata.report.log import LogReporter, log_to
    from hubdata.serving.app import PublicCopy
    from hubdata.serving.connections import Limits
    from hubdata.serving.listening import listen, url_of
    from hubdata.serving.published import Published
    from hubdata.serving.server import serve

    directory, *pairs = sys.argv[1:]
    known = {name: float(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    whole = {
        name: int(value) for name, value in known.items() if not name.endswith("_s") or name in ("idle_s", "grace_s")
    }
    log_to(sys.stderr, 1)
    reporter = LogReporter()
    listeners = listen(["127.0.0.1"], 0)
    limits = Limits(**{**known, **whole})  # type: ignore[arg-type]  # names and types as they are in Limits
    app = PublicCopy(Published(Path(directory), reporter), reporter, reporter)
    serve(app, listeners, limits, lambda: print(url_of(listeners[0]), flush=True))


if __name__ == "__main__":
    main()
