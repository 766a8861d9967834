"""A local HTTP server for tests of upstreams: keeps what it was asked, and misbehaves on demand.

A vendor's server says in `answer` what it would answer; this one sends it, well or badly:

    class Vendor(FaultyServer):
        def answer(self, request: Request) -> Answer: ...

    with Vendor() as server:
        server.fail("download", status=503, times=2)
        ...  # server.url, server.requests

It listens twice, as vendors do: `url` is on 127.0.0.1, `store_url` on localhost, which is another origin.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PAGE = b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. `at_store` tells on which of the two origins."""

    at_store: bool
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send. `endpoint` is what faults and counts are told apart by."""

    endpoint: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Fault:
    """What to do wrong, `times` times; None for ever.

    `cut` stops the body after that many bytes; `drip_s` sends it byte by byte with that pause; `stream` gives a body
    without a length; `reset` ends the connection without an answer. A header set to None is left out.
    """

    endpoint: str
    times: int | None = None
    status: int | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    stream: Callable[[], Iterable[bytes]] | None = None
    cut: int | None = None
    drip_s: float | None = None
    reset: bool = False


class FaultyServer:
    """Two listeners and a list of planned faults."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.endpoints: list[str] = []
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._stopping = threading.Event()
        self._front = _Server(self, at_store=False)
        self._store = _Server(self, at_store=True)

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the service."""
        return f"http://127.0.0.1:{self._front.server_address[1]}"

    @property
    def store_origin(self) -> str:
        """Return those of the store: another host by name."""
        return f"http://localhost:{self._store.server_address[1]}"

    def answer(self, request: Request) -> Answer:
        """Return what the vendor would answer."""
        raise NotImplementedError

    def fail(self, endpoint: str, **fault: Any) -> None:
        """Plan a `Fault`; several on one endpoint are used up in order."""
        with self._lock:
            self._faults.append(Fault(endpoint, **fault))

    def mend(self) -> None:
        """Forget every fault that is still planned, and every request so far."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()
            self.endpoints.clear()

    def count(self, endpoint: str) -> int:
        """Return how many requests an endpoint has had."""
        return self.endpoints.count(endpoint)

    def __enter__(self) -> Self:
        for server in (self._front, self._store):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for server in (self._front, self._store):
            server.shutdown()
            server.server_close()

    def _taken(self, request: Request) -> tuple[Answer, Fault]:
        with self._lock:
            answer = self.answer(request)
            self.requests.append(request)
            self.endpoints.append(answer.endpoint)
            for fault in self._faults:
                if fault.endpoint == answer.endpoint:
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return answer, fault
        return answer, Fault("")


def unmodified(asked: Mapping[str, str], etag: str, last_modified: str) -> bool:
    """Tell whether to answer 304 (RFC 9110, 13.2.2): by the ETag if one was sent, else by the date."""
    if "If-None-Match" in asked:
        return etag.removeprefix("W/") in [tag.strip().removeprefix("W/") for tag in asked["If-None-Match"].split(",")]
    since = asked.get("If-Modified-Since")
    return since is not None and parsedate_to_datetime(last_modified) <= parsedate_to_datetime(since)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: FaultyServer, *, at_store: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self.at_store = at_store

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent; `FaultyServer.requests` is the log."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        request = Request(self.server.at_store, parts.path, query, dict(self.headers))
        answer, fault = self.server.owner._taken(request)
        if fault.reset:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = answer.body if fault.body is None else fault.body
        status = fault.status or answer.status
        headers: dict[str, str | None] = {**answer.headers, **fault.headers}
        if fault.stream is not None:
            headers["Connection"] = "close"
        elif status != 304:
            headers.setdefault("Content-Length", str(len(body)))
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if status != 304:
            with contextlib.suppress(OSError):
                self._send(body, fault)

    def _send(self, body: bytes, fault: Fault) -> None:
        if fault.stream is None and fault.cut is None and fault.drip_s is None:
            self.wfile.write(body)
            return
        self.close_connection = True
        if fault.stream is not None:
            for piece in fault.stream():
                self.wfile.write(piece)
        elif fault.drip_s is None:
            self.wfile.write(body[: fault.cut])
        else:
            for byte in body[: fault.cut]:
                if self.server.owner._stopping.wait(0):
                    return
                self.wfile.write(bytes((byte,)))
                time.sleep(fault.drip_s)
