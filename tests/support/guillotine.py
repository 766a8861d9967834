"""A proxy that kills its client at the N-th request: before the server hears of it, or when the work is done but not
answered. It can also hold requests up, or refuse them.

It stands before several servers at once (a store and a CDN), passes one request at a time, and counts over all of
them, so a number means one boundary of a run. Whatever a dead client still had under way is not passed on.
"""

import contextlib
import http.client
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass
class Guillotine:
    """The proxy before `upstreams`; `urls` are its own, in the same order. `seen` is the log: method and path;
    `done` is another, of requests that were passed on, with their bodies, which `reset` leaves alone.

    `blade` is (N, "before" or "after"); the client is whoever `victim` was set to. `gate` is called with each request
    before anything else is done with it, outside of the queue: it may wait. A status it returns is the answer.
    """

    upstreams: tuple[str, ...]
    blade: tuple[int, str] = (0, "before")
    gate: Callable[[str, str], int | None] = lambda method, path: None
    seen: list[str] = field(default_factory=list)
    done: list[tuple[str, str, bytes]] = field(default_factory=list)
    fell: bool = False
    urls: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        self.queue = threading.Lock()
        self._pid = 0
        self._known = threading.Event()
        self._servers: list[ThreadingHTTPServer] = []
        for upstream in self.upstreams:
            handler = type("Handler", (_Handler,), {"guillotine": self, "upstream": urlsplit(upstream)})
            server = _Server(("127.0.0.1", 0), handler)
            self._servers.append(server)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.urls = tuple(f"http://127.0.0.1:{server.server_port}" for server in self._servers)
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def reset(self, number: int = 0, side: str = "before") -> None:
        """Count from nothing again, for a client yet to be named, who dies at request `number` (0: lives)."""
        self._known.clear()
        self.blade, self.fell = (number, side), False
        self.seen.clear()
        if not number:
            self.victim(0)

    def victim(self, pid: int) -> None:
        """Name the process to be killed; until then its requests wait."""
        self._pid = pid
        self._known.set()

    def fall(self) -> None:
        """Kill."""
        self.fell = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def admit(self, method: str, path: str) -> str | None:
        """Return what to do with a request: None to pass it on, "before" or "after"; called in the queue."""
        assert self._known.wait(60), "nobody said whom to kill"
        if self.fell:
            return "gone"
        self.seen.append(f"{method} {unquote(path.partition('?')[0])}")
        number, side = self.blade
        return side if len(self.seen) == number else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that are no more: that is the point."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    guillotine: Guillotine
    upstream: SplitResult

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refused = self.guillotine.gate(self.command, self.path)
        if refused is not None:
            self._answer(refused, [("Content-Type", "application/xml")], b"<Error><Code>SlowDown</Code></Error>")
            return
        with self.guillotine.queue:
            fate = self.guillotine.admit(self.command, self.path)
            if fate in ("before", "gone"):
                if fate == "before":
                    self.guillotine.fall()
                self.close_connection = True
                return
            answer = self._asked(body)
            self.guillotine.done.append((self.command, unquote(self.path.partition("?")[0]), body))
            if fate == "after":
                self.guillotine.fall()
                self.close_connection = True
                return
        self._answer(*answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        url = self.upstream
        with contextlib.closing(http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)) as server:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    server.putheader(name, value)
            server.endheaders(body or None)
            assert server.sock is not None
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = server.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        told = {name.lower(): value for name, value in headers}
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        if status not in (204, 304):
            length = told.get("content-length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
