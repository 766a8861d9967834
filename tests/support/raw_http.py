"""A server of raw sockets that answers by a script, and the HTTP client that asks it with a secret in hand."""

import contextlib
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from datetime import timedelta

import pytest

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Timeouts
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret

MIB = 1 << 20
SENTINEL = "sentinel-5e12"
AUTH = BasicAuth("user", Secret(SENTINEL))
QUICK = Timeouts(timedelta(seconds=5), timedelta(seconds=0.5))
Script = Callable[[socket.socket, bytes], None]


class RawServer:
    """Answers each connection by a script that is given the socket and the request's head."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, silent: bool = False) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._tls = tls
        self._silent = silent
        self.once = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> "RawServer":
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._thread.join(60)
        self._listener.close()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                plain, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            threading.Thread(target=self._answer, args=(plain,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError):
            plain.settimeout(60)
            if self._silent:
                self.stopping.wait(60)
                return
            sock = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            with sock:
                while head := _head(sock):
                    self.heads.append(head)
                    self.script(sock, head)
                    if self.once:
                        return


def _head(sock: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = sock.recv(4096)
        if not piece:
            return b""
        head += piece
    return head


def answer(body: bytes, status: str = "200 OK", **headers: str) -> Script:
    """Return a script that sends one whole response; `_` in header names becomes `-`."""
    given = {"Content-Length": str(len(body)), **{n.replace("_", "-"): v for n, v in headers.items()}}
    lines = "".join(f"{n}: {v}\r\n" for n, v in given.items() if v)

    def script(sock: socket.socket, head: bytes) -> None:
        sock.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)

    return script


def redirect(where: str, status: str = "302 Found") -> Script:
    """Return a script that sends the client elsewhere."""
    return answer(b"", status, Location=where)


def drip(sock: socket.socket, head: bytes) -> None:
    """Send a byte now and then, without an end."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(400):
        sock.sendall(b"x")
        time.sleep(0.05)


def read(
    url: str,
    *,
    base: str = "",
    budget_s: float = 20,
    max_bytes: int = MIB,
    timeouts: Timeouts = QUICK,
    environment: dict[str, str] | None = None,
) -> bytes:
    """Return the body of `url`."""
    deadline = Deadline.after(timedelta(seconds=budget_s))
    with (
        HttpClient(base or url, timeouts=timeouts, environment=environment or {}) as client,
        client.get(url, deadline=deadline, max_bytes=max_bytes, auth=AUTH) as response,
    ):
        return response.read()


def refused(url: str, **options: object) -> RequestFailed:
    """Return the error of a read that must fail, having proven that it quotes no secret."""
    with pytest.raises(RequestFailed) as caught:
        read(url, **options)  # type: ignore[arg-type]
    told = "".join(traceback.format_exception(caught.value)) + caught.value.advice
    assert SENTINEL not in told
    assert "Authorization" not in told
    assert caught.value.advice
    return caught.value
