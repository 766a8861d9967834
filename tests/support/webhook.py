"""A webhook's server: keeps what it was sent, and misbehaves on demand. It listens on 127.0.0.1 alone.

with Webhook() as hook:
    hook.conduct = Conduct(500)
    ...  # hook.url, hook.messages
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PATH = "/services/T0SENTINEL/B0SENTINEL/webhook-sentinel-24-chars"
"""As Slack has them: who knows it may write into the channel."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """How to answer. `drip` sends the body a piece each tenth of a second for ever; `silent` never answers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    announced: int | None = None
    drip: bool = False
    silent: bool = False


class Webhook:
    """The server. `conduct` is how it answers from now on."""

    def __init__(self) -> None:
        self.conduct = Conduct()
        self.heard: Callable[[], None] = lambda: None
        self._bodies: list[tuple[str, bytes, dict[str, str]]] = []
        self._closing = threading.Event()
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """Return what is configured: a secret."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    @property
    def elsewhere(self) -> str:
        """Return the same by another name, which is another host."""
        return f"http://localhost:{self._server.server_address[1]}/elsewhere"

    @property
    def requests(self) -> list[tuple[str, bytes, dict[str, str]]]:
        """Return path, body and headers of each request."""
        return list(self._bodies)

    @property
    def messages(self) -> list[Any]:
        """Return every body, as JSON."""
        return [json.loads(body) for _, body, _ in self._bodies]

    @property
    def news(self) -> list[list[tuple[str, str, str]]]:
        """Return of each message in hubdata's own form: job, targets and state of every change."""
        return [
            [(each["job"], ",".join(each["targets"]), each["state"]) for each in message["changes"]]
            for message in self.messages
        ]

    def forget(self) -> None:
        """Forget every request so far."""
        self._bodies.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: Webhook) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent; `Webhook.requests` is the log."""

    def do_POST(self) -> None:
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        owner._bodies.append((self.path, body, dict(self.headers)))
        owner.heard()
        conduct = owner.conduct
        self.close_connection = True
        if conduct.silent:
            owner._closing.wait(120)
            return
        self.send_response(conduct.status)
        for name, value in conduct.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(conduct.body) if conduct.announced is None else conduct.announced))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(conduct.body)
            self.wfile.flush()
            while conduct.drip and not owner._closing.wait(0.1):
                self.wfile.write(b" ")
                self.wfile.flush()

    do_GET = do_POST  # noqa: N815 - the name that the library looks for

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
        super().finish()
