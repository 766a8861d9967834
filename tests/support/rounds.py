"""A proxy that answers in rounds, so that a run tells by itself how many requests it sends one after another.

Every request is held until the whole process can do nothing more without an answer; then all that are held are let
through at once: a round. A request is in the round after the last one that it waited for, so the number of rounds is
the length of the longest chain, however fast or loaded the machine is. It is what a run waits for at a far store.

That a process can do nothing more is read from the system: every thread of it and of its children sleeps, nothing that
it sent is unread here, and all answers have gone out.
"""

import http.client
import re
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

_LOOK_S = 0.004
_LOOKS = 2
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


@dataclass
class Rounds:
    """The proxy before `upstream`. `rounds` are the requests of each round, sorted, as `METHOD what`."""

    upstream: str
    rounds: list[tuple[str, ...]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._held: list[tuple[str, threading.Event]] = []
        self._idle: set[Any] = set()
        self._busy = 0
        handler = type("Handler", (_Handler,), {"rounds": self, "upstream": urlsplit(self.upstream)})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def conduct(self, process: subprocess.Popen[Any], *, within_s: float = 120) -> list[tuple[str, ...]]:
        """Return the rounds that `process` needed until its end, which is here and now if it takes too long."""
        self.rounds = []
        looks, until = 0, time.monotonic() + within_s
        while process.poll() is None and time.monotonic() < until:
            looks = looks + 1 if self._quiet() and _asleep(process.pid) else 0
            if looks >= _LOOKS:
                self._let_go()
                looks = 0
            else:
                time.sleep(_LOOK_S)
        if process.poll() is None:
            process.kill()
        return self.rounds

    def _quiet(self) -> bool:
        """Tell whether requests are held, and nothing else is on its way here or back."""
        with self._lock:
            waiting = [*self._idle, self._server.socket]
            return bool(self._held) and not self._busy and not select.select(waiting, [], [], 0)[0]

    def _let_go(self) -> None:
        with self._lock:
            held, self._held = self._held, []
            self._busy += len(held)
            self.rounds.append(tuple(sorted(name for name, _ in held)))
        for _, event in held:
            event.set()

    # What a connection says of itself.

    def idles(self, connection: Any) -> None:
        """Note that nothing of a request was read from `connection` yet."""
        with self._lock:
            self._idle.add(connection)

    def reads(self, connection: Any) -> None:
        """Note that a request is being read: it is on its way."""
        with self._lock:
            self._idle.discard(connection)
            self._busy += 1

    def hold(self, name: str) -> None:
        """Return when the round of this request begins, which has been read."""
        event = threading.Event()
        with self._lock:
            self._busy -= 1
            self._held.append((name, event))
        event.wait()

    def over(self) -> None:
        """Note that what was read or let go is over."""
        with self._lock:
            self._busy -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def process_request(self, request: Any, client_address: Any) -> None:
        self.RequestHandlerClass.rounds.idles(request)  # type: ignore[attr-defined]
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that is gone is no trouble of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rounds: Rounds
    upstream: Any

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def handle_one_request(self) -> None:
        self.rounds.idles(self.connection)
        select.select([self.connection], [], [])
        self.rounds.reads(self.connection)
        try:
            super().handle_one_request()
        finally:
            self.rounds.over()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.rounds.hold(name_of(self.command, self.path))
        back = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            back.request(self.command, self.path, body, headers)
            answer = back.getresponse()
            told = answer.read()
        finally:
            back.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        size = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(told))
        self.send_header("Content-Length", size or "0")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else told)
        self.wfile.flush()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815 - as the library names them


def name_of(method: str, target: str) -> str:
    """Return a request in words: `LIST`, `PUT data`, `PUT manifest.json`, `INVALIDATE`; a run's id is `RUN`."""
    url = urlsplit(target)
    if "/distribution/" in url.path:
        return "INVALIDATE" if method == "POST" else f"{method} invalidation"
    if "list-type" in parse_qs(url.query, keep_blank_values=True):
        return "LIST"
    key = unquote(url.path).strip("/").partition("/")[2]
    own = key.startswith(".hubdata/") or "/" not in key
    return f"{method} {_RUN_ID.sub('RUN', key) if own else 'data'}"


def _asleep(root: int) -> bool:
    """Tell whether every thread of process `root`, and of all below it, sleeps or is over."""
    try:
        for thread in Path(f"/proc/{root}/task").iterdir():
            if (thread / "stat").read_text().rpartition(")")[2].split()[0] not in "SZ":
                return False
            if not all(_asleep(int(child)) for child in (thread / "children").read_text().split()):
                return False
    except OSError:  # it ended while it was looked at
        return False
    return True


def diagram(rounds: Sequence[tuple[str, ...]]) -> str:
    """Return the rounds as lines, each with what goes side by side in it; equal requests are counted."""
    lines = []
    for number, each in enumerate(rounds, 1):
        counted = {name: each.count(name) for name in each}
        told = ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counted.items())
        lines.append(f"{number:>2}  {told}")
    return "\n".join(lines)
