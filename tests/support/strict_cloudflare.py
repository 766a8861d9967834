"""A Cloudflare double over real HTTP: the purge of one zone, as strict as the real one.

The token is checked, a request holds at most 30 URLs, all of them absolute and in the zone. Errors are told as
Cloudflare tells them. It can be busy, broken, slow to end, or answer with no JSON at all.
"""

import json
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ZONE = "0123456789abcdef0123456789abcdef"
TOKEN = "sentinel-cloudflare-token"
HOST = "https://hub-data.example.net/"
MAX_URLS = 30


@dataclass(frozen=True)
class Trouble:
    """An answer that is no success: used once. `echo` repeats the token it was sent, as no server should.

    `drip_s` is the pause before each byte of the body.
    """

    status: int
    code: int = 10_000
    message: str = "strict"
    retry_after: str = ""
    raw: bytes | None = None
    location: str = ""
    echo: bool = False
    hang_up: bool = False
    drip_s: float = 0.0


@dataclass
class StrictCloudflare:
    """The server. `troubles` are used up by requests, in order; `purges` are the URLs of each that was accepted."""

    purges: list[tuple[str, ...]] = field(default_factory=list)
    troubles: deque[Trouble] = field(default_factory=deque)
    asked: int = 0
    elsewhere: int = 0
    url: str = ""

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"zone": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/client/v4"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    @property
    def purged(self) -> list[str]:
        """Return every URL that was purged, in order."""
        return [url for purge in self.purges for url in purge]

    def purge(self, path: str, authorization: str, document: Any) -> Trouble | None:
        """Return why a purge is refused; None when it is done."""
        self.asked += 1
        if self.troubles:
            return self.troubles.popleft()
        if not authorization.startswith("Bearer ") or len(authorization.split(" ")) != 2:
            return Trouble(400, 6_003, "Invalid request headers")
        if authorization != f"Bearer {TOKEN}":
            return Trouble(401, 10_000, "Authentication error")
        if path != f"/client/v4/zones/{ZONE}/purge_cache":
            return Trouble(404, 7_003, "Could not route to the zone, perhaps your object identifier is invalid?")
        urls = document.get("files") if isinstance(document, dict) and len(document) == 1 else None
        if not isinstance(urls, list) or not urls or len(urls) > MAX_URLS:
            return Trouble(400, 1_094, "You may only purge up to 30 URLs in one API call")
        if not all(isinstance(url, str) and url.startswith(HOST) and url.isascii() and " " not in url for url in urls):
            return Trouble(400, 1_012, "Request must contain URLs of this zone")
        self.purges.append(tuple(urls))
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    zone: StrictCloudflare

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self.zone.elsewhere += 1
        self._answer(200, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization") or ""
        trouble = self.zone.purge(self.path, authorization, json.loads(body))
        if trouble is None:
            done = {"success": True, "errors": [], "messages": [], "result": {"id": ZONE}}
            self._answer(200, json.dumps(done).encode())
        elif trouble.hang_up:
            self.close_connection = True
        else:
            self._refuse(trouble, authorization)

    def _refuse(self, trouble: Trouble, authorization: str) -> None:
        message = f"{trouble.message} {authorization}" if trouble.echo else trouble.message
        told = {"success": False, "errors": [{"code": trouble.code, "message": message}], "result": None}
        body = json.dumps(told).encode() if trouble.raw is None else trouble.raw
        headers = {"Retry-After": trouble.retry_after, "Location": trouble.location}
        self._answer(trouble.status, body, headers, drip_s=trouble.drip_s)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, drip_s: float = 0.0) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # the client has gone away: that is what a dripping answer is for
            for start in range(0, len(body), 1 if drip_s else len(body) or 1):
                self.wfile.write(body[start : start + (1 if drip_s else len(body))])
                self.wfile.flush()
                time.sleep(drip_s)
