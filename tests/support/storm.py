"""A proxy in bad weather: some of the requests that pass through it are refused, reset, cut or lose their answer.

It stands before one HTTP server and understands whole requests and answers, so that a fault hits just where it is
meant to: before the work, amid it, or after it. What happens to a request depends only on the seed, the request's
method and path and how often it was made, so a seed tells the same story whatever order threads run in, and with
`names` for the parts of a path that are others each time, whatever they are called.
"""

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Blow(StrEnum):
    """What may happen to a request. All but the last two keep it from the server, or from having any effect."""

    UNAVAILABLE = "503 ServiceUnavailable"
    SLOW_DOWN = "503 SlowDown"
    ERROR = "500 InternalError"
    RESET = "the connection is reset before the request arrives"
    TORN = "the request breaks off amid its body"
    CUT = "the answer breaks off in the middle"
    LOST = "the work is done, but the answer is lost"


@dataclass
class Storm:
    """The proxy before `upstream`. A share of `rate` of all requests is hit. `blows` is what happened so far."""

    upstream: str
    seed: int = 0
    rate: float = 0.3
    blows: list[tuple[str, str, Blow]] = field(default_factory=list)
    passed: int = 0
    url: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"storm": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def calm(self) -> None:
        """Let everything through from now on."""
        self.rate = 0.0

    def fate(self, method: str, path: str) -> Blow | None:
        """Return what happens to this request; None lets it through."""
        for name, alias in self.names.items():
            path = path.replace(name, alias)
        request = f"{method} {path}"
        with self._lock:
            self._asked[request] += 1
            luck = random.Random(f"{self.seed} {self._asked[request]} {request}")
            blow = luck.choice(list(Blow)) if luck.random() < self.rate else None
            if blow is None:
                self.passed += 1
            else:
                self.blows.append((method, path, blow))
        return blow


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients and servers that hang up: that is the point."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storm: Storm

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._weather()

    def do_HEAD(self) -> None:
        self._weather()

    def do_PUT(self) -> None:
        self._weather()

    def do_POST(self) -> None:
        self._weather()

    def do_DELETE(self) -> None:
        self._weather()

    def _weather(self) -> None:
        blow = self.storm.fate(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match blow:
            case Blow.UNAVAILABLE | Blow.SLOW_DOWN | Blow.ERROR:
                self._refuse(*blow.split(" "))
            case Blow.RESET:
                self._reset()
            case Blow.TORN:
                self._tear(body)
                self._reset()
            case Blow.LOST:
                self._asked(body)
                self._reset()
            case Blow.CUT | None:
                self._answer(*self._asked(body), cut=blow is Blow.CUT)

    def _headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.headers.items() if name.lower() not in ("connection", "expect")]

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        url = urlsplit(self.storm.upstream)
        with closing(http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)) as server:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers():
                server.putheader(name, value)
            server.endheaders(body or None)
            answer = server.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _tear(self, body: bytes) -> None:
        """Send the server the head and half of the body, then hang up."""
        url = urlsplit(self.storm.upstream)
        head = "".join(f"{name}: {value}\r\n" for name, value in self._headers())
        with suppress(OSError), socket.create_connection((url.hostname or "", url.port or 80), 10) as server:
            server.sendall(f"{self.command} {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body[: len(body) // 2])
            if not body:
                return
            server.shutdown(socket.SHUT_WR)
            server.recv(1 << 16)  # until it has noticed

    def _refuse(self, status: str, code: str) -> None:
        words = f"<Error><Code>{code}</Code><Message>Please reduce your request rate.</Message></Error>".encode()
        self._answer(int(status), [("Content-Type", "application/xml"), ("Content-Length", str(len(words)))], words)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False) -> None:
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}"]
        lines += [
            f"{name}: {value}"
            for name, value in headers
            if name.lower() not in ("connection", "transfer-encoding", "content-length")
        ]
        told = {name.lower(): value for name, value in headers}
        if status not in (204, 304):
            lines.append(f"Content-Length: {told.get('content-length', '0') if self.command == 'HEAD' else len(body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        whole = head if self.command == "HEAD" else head + body
        if cut:
            # An answer without a body is cut amid its headers.
            whole = whole[: len(head) // 2 if len(whole) == len(head) else len(head) + len(body) // 2]
            self.close_connection = True
        self.wfile.write(whole)

    def _reset(self) -> None:
        """End the connection as a crashed middlebox does: by RST."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
