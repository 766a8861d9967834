"""A counting proxy that makes a store far away: so much time is added to each request, and to each connection.

It adds the whole delay before a request's head goes on; bodies and answers pass at full speed, as on a wide line. It
runs on one event loop in a process of its own, holds nothing back but what it must, and counts requests by method and
bytes each way. `bench.instruments` measures that it is never what a tool waits for besides the delay itself.
"""

import argparse
import asyncio
from collections import Counter
from dataclasses import dataclass, field
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.child import Child, serve

CHUNK = 1 << 18


@dataclass(slots=True)
class Counts:
    """What has passed. LIST is counted apart from GET."""

    methods: Counter[str] = field(default_factory=Counter)
    up: int = 0
    down: int = 0
    connections: int = 0


def method_of(head: bytes) -> str:
    """Return how a request is counted, by its first line."""
    method, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    url = urlsplit(target)
    lists = parse_qs(url.query, keep_blank_values=True).keys() & {"list-type", "prefix", "max-keys", "delimiter"}
    return "LIST" if method == "GET" and (lists or url.path.count("/") == 1) else method


class Framer:
    """Finds where requests begin in a stream of bytes that comes in pieces.

    `feed` returns pieces in order, each with whether it is the head of a request.
    """

    def __init__(self) -> None:
        self._held = b""
        self._left = 0
        self._chunked = False

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        """Return what can be passed on now."""
        pieces = []
        self._held += data
        while self._held:
            if self._left:
                piece, self._held = self._held[: self._left], self._held[self._left :]
                self._left -= len(piece)
                pieces.append((piece, False))
                continue
            mark = b"\r\n" if self._chunked else b"\r\n\r\n"
            end = self._held.find(mark) + len(mark)
            if end < len(mark):
                break
            head, self._held = self._held[:end], self._held[end:]
            pieces.append((head, not self._chunked))
            if self._chunked:
                self._left = int(head.split(b";")[0], 16) + 2  # the chunk and its line end; of the last, only that
                self._chunked = self._left > 2
            else:
                self._left, self._chunked = _body(head)
        return pieces


def _body(head: bytes) -> tuple[int, bool]:
    """Return a request's length, and whether it comes in chunks instead."""
    lines = head.lower().split(b"\r\n")[1:]
    if any(line.startswith(b"transfer-encoding:") and b"chunked" in line for line in lines):
        return 0, True
    return next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0), False


class _Side(asyncio.Protocol):
    """One end of a relayed connection; what comes in here goes out at `other`."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whichever end leaves, and however, the other is told
        if self.other and self.other.transport:
            self.other.transport.close()


class Upstream(_Side):
    """The store's end."""

    def __init__(self, counts: Counts, client: "Client") -> None:
        super().__init__()
        self._counts = counts
        self.other = client

    def data_received(self, data: bytes) -> None:
        self._counts.down += len(data)
        if self.other and self.other.transport:
            self.other.transport.write(data)


class Client(_Side):
    """The tool's end: each request waits here for its delay."""

    def __init__(self, counts: Counts, address: tuple[str, int], request_s: float, connect_s: float) -> None:
        super().__init__()
        self._counts, self._address = counts, address
        self._request_s, self._connect_s = request_s, connect_s
        self._framer = Framer()
        self._waiting: list[tuple[bytes, bool]] = []
        self._open = False
        self._due = 0.0
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._counts.connections += 1
        self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        if self._connect_s:
            await asyncio.sleep(self._connect_s)
        await self._loop.create_connection(self._upstream, *self._address)
        self._open = True
        self._pass()

    def _upstream(self) -> Upstream:
        upstream = Upstream(self._counts, self)
        self.other = upstream
        return upstream

    def data_received(self, data: bytes) -> None:
        self._counts.up += len(data)
        for piece, head in self._framer.feed(data):
            if head:
                self._counts.methods[method_of(piece)] += 1
            self._waiting.append((piece, head))
        if self._open and not self._due:
            self._pass()

    def _pass(self) -> None:
        """Pass on what may go; a head only when its time has come."""
        assert self.other is not None
        out = self.other.transport
        while self._waiting and out:
            piece, head = self._waiting[0]
            if head and self._request_s:
                if not self._due:
                    self._due = self._loop.time() + self._request_s
                    self._loop.call_at(self._due, self._pass)
                    return
                if self._loop.time() + 0.0005 < self._due:
                    return
                self._due = 0.0
            out.write(piece)
            del self._waiting[0]


class Slow(Child):
    """The proxy as a process, before `upstream`; delays in ms. `url` is where tools find it."""

    def __init__(self, upstream: str, request_ms: float = 0, connect_ms: float = 0) -> None:
        super().__init__("bench.slow", upstream, "--request", str(request_ms), "--connect", str(connect_ms))

    def counts(self) -> dict[str, Any]:
        """Return and forget what has passed: `requests` by method, bytes `up` and `down`, `connections`, `cpu_s`."""
        return self.ask(do="counts")


def main() -> None:
    """Relay until the standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow")
    parser.add_argument("upstream")
    parser.add_argument("--request", type=float, default=0.0, help="ms added to each request")
    parser.add_argument("--connect", type=float, default=0.0, help="ms added to each connection")
    wanted = parser.parse_args()
    url = urlsplit(wanted.upstream)
    address = (url.hostname or "127.0.0.1", url.port or 80)
    counts = Counts()

    def told(_: dict[str, Any]) -> dict[str, Any]:
        said = {
            "requests": dict(sorted(counts.methods.items())),
            "up": counts.up,
            "down": counts.down,
            "connections": counts.connections,
            "cpu_s": process_time(),
        }
        counts.methods.clear()
        counts.up = counts.down = counts.connections = 0
        return said

    serve(lambda: Client(counts, address, wanted.request / 1000, wanted.connect / 1000), told)


if __name__ == "__main__":
    main()
