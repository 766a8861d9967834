"""A counting HTTP proxy before one server: requests by method, bytes both ways, and latency on demand.

It reads just enough of each request to know where the next begins and passes everything on unchanged, so that any
client may be measured through it. As a process: `python -m tests.support.proxy URL [--latency MS] [--connect MS]`
says its own URL on the first line and, when its stdin is closed, the counts as JSON on the second.
"""

import argparse
import json
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_BUFFER = 1 << 16
_MAX_HEAD = 1 << 18


@dataclass
class Proxy:
    """The proxy before `upstream` (`http://host:port`). `latency_s` is added to each request, `connect_s` to each
    connection. `methods` counts LIST apart from GET.
    """

    upstream: str
    latency_s: float = 0.0
    connect_s: float = 0.0
    methods: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    received: int = 0
    connections: int = 0
    url: str = ""

    def __enter__(self) -> Self:
        url = urlsplit(self.upstream)
        self._address = (url.hostname or "127.0.0.1", url.port or 80)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)  # else it might accept by a number that is another listener's by then
        self._listener.close()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self.methods.clear()
            self.sent = self.received = self.connections = 0

    def counts(self) -> dict[str, Any]:
        """Return `requests` by method, bytes `sent` to and `received` from the server, and `connections`."""
        with self._lock:
            return {
                "requests": dict(self.methods),
                "sent": self.sent,
                "received": self.received,
                "connections": self.connections,
            }

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        time.sleep(self.connect_s)
        with suppress(OSError), client, socket.create_connection(self._address, 10) as server:
            server.settimeout(None)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            back.start()
            with suppress(OSError):
                _Requests(self, client, server).run()
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()
            with self._lock:
                self._open -= {client, server}

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while chunk := server.recv(_BUFFER):
                with self._lock:
                    self.received += len(chunk)
                client.sendall(chunk)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def note(self, head: bytes) -> None:
        """Count one request by its head."""
        method, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        url = urlsplit(target)
        query = parse_qs(url.query, keep_blank_values=True)
        listing = method == "GET" and (
            "list-type" in query or "prefix" in query or "max-keys" in query or url.path.count("/") == 1
        )
        with self._lock:
            self.methods["LIST" if listing else method] += 1


class _Requests:
    """One connection's requests, one after the other."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._held = b""

    def run(self) -> None:
        while (end := self._until(b"\r\n\r\n")) is not None:
            head = self._held[:end]
            self._proxy.note(head)
            time.sleep(self._proxy.latency_s)
            self._pass(end)
            headers = head.lower().split(b"\r\n")[1:]
            if any(h.startswith(b"transfer-encoding:") and b"chunked" in h for h in headers):
                self._chunks()
            else:
                length = next((int(h[15:]) for h in headers if h.startswith(b"content-length:")), 0)
                self._pass(length)

    def _chunks(self) -> None:
        while (end := self._until(b"\r\n")) is not None:
            size = int(self._held[:end].split(b";")[0], 16)
            self._pass(end)
            if not size:
                break
            self._pass(size + 2)
        while (end := self._until(b"\r\n")) is not None:  # trailers
            self._pass(end)
            if end == 2:
                return

    def _until(self, mark: bytes) -> int | None:
        """Return where the first `mark` ends in what is held, reading as needed; None when the client is done."""
        while (found := self._held.find(mark)) < 0:
            chunk = self._client.recv(_BUFFER)
            if not chunk or len(self._held) > _MAX_HEAD:
                return None
            self._held += chunk
        return found + len(mark)

    def _pass(self, count: int) -> None:
        """Pass `count` bytes on."""
        while count:
            if not self._held:
                self._held = self._client.recv(min(count, _BUFFER))
                if not self._held:
                    raise ConnectionError("the client left in the midst of a request")
            part, self._held = self._held[:count], self._held[count:]
            with self._proxy._lock:
                self._proxy.sent += len(part)
            self._server.sendall(part)
            count -= len(part)


def main() -> None:
    """Run until stdin is closed, then print the counts."""
    parser = argparse.ArgumentParser(description="a counting HTTP proxy")
    parser.add_argument("upstream")
    parser.add_argument("--latency", type=float, default=0.0, help="ms added to each request")
    parser.add_argument("--connect", type=float, default=0.0, help="ms added to each connection")
    wanted = parser.parse_args()
    with Proxy(wanted.upstream, wanted.latency / 1000, wanted.connect / 1000) as proxy:
        print(proxy.url, flush=True)
        sys.stdin.read()
        print(json.dumps(proxy.counts()), flush=True)


if __name__ == "__main__":
    main()
