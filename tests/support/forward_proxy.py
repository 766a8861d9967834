"""Proxies that a client goes out through: HTTP with CONNECT, and SOCKS5, both with a user and password if wanted.

    with SocksProxy(names={"updates.example": ("127.0.0.1", 8080)}, login=("me", "secret")) as proxy:
        ...  # socks5h://me:secret@127.0.0.1:{proxy.port}

`names` is the proxy's own DNS: hosts that only it knows, and the port to use in place of the one asked for (0: that
one). `asked` lists what clients wanted, as they said it: a name or an address. Formats: RFC 9110 9.3.6 (CONNECT), RFC
1928 and RFC 1929 (SOCKS5).
"""

import base64
import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_LIMIT = 1 << 16
Address = tuple[str, int]


class ForwardProxy:
    """What both have in common: a listener, threads, names, and the relay."""

    def __init__(
        self,
        *,
        names: Mapping[str, Address] | None = None,
        login: tuple[str, str] | None = None,
        drip_s: float = 0.0,
        noise: bytes = b"",
        family: socket.AddressFamily = socket.AF_INET,
    ) -> None:
        self.asked: list[Address] = []
        self.logins: list[tuple[str, str]] = []
        self.heads: list[bytes] = []
        self.names = dict(names or {})
        self.login = login
        self.drip_s = drip_s
        self.noise = noise
        self.stopping = threading.Event()
        here = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._listener = socket.create_server((here, 0), family=family)
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.stopping.set()
        self._thread.join(60)
        self._listener.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._take, args=(client,), daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            client.settimeout(60)
            if self.noise:
                client.sendall(self.noise)
                return
            self.serve(client)

    def serve(self, client: socket.socket) -> None:
        """Speak the protocol with one client."""
        raise NotImplementedError

    def say(self, client: socket.socket, answer: bytes) -> None:
        """Send an answer, byte by byte if this proxy drips."""
        if not self.drip_s:
            client.sendall(answer)
            return
        for byte in answer:
            if self.stopping.wait(self.drip_s):
                return
            client.sendall(bytes((byte,)))

    def reach(self, host: str, port: int) -> socket.socket:
        """Return a connection to where this proxy believes the host to be. Raises OSError."""
        self.asked.append((host, port))
        there, instead = self.names.get(host, (host, port))
        return socket.create_connection((there, instead or port), timeout=60)

    def relay(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes on, both ways, until one side ends."""
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join(60)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_LIMIT):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _exactly(sock: socket.socket, size: int) -> bytes:
    body = b""
    while len(body) < size:
        piece = sock.recv(size - len(body))
        if not piece:
            raise EOFError
        body += piece
    return body


class HttpProxy(ForwardProxy):
    """Absolute URLs for `http`, CONNECT for `https`; 407 without the right Proxy-Authorization."""

    def serve(self, client: socket.socket) -> None:
        """Take one request."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _exactly(client, 1)
        self.heads.append(head)
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        given = headers.get("proxy-authorization", "").removeprefix("Basic ")
        user, _, password = base64.b64decode(given).decode().partition(":")
        if given:
            self.logins.append((user, password))
        if self.login is not None and (user, password) != self.login:
            self.say(client, b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, version = first.split()
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        try:
            server = self.reach(url.hostname or "", url.port or 80)
        except OSError:
            self.say(client, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with server:
            if method == "CONNECT":
                slow = b"X-Slow: " + b"x" * 255 + b"\r\n" if self.drip_s else b""
                self.say(client, b"HTTP/1.1 200 Connection established\r\n" + slow + b"\r\n")
            else:
                path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
                kept = [line for line in lines if not line.lower().startswith("proxy-")]
                server.sendall("\r\n".join([f"{method} {path} {version}", *kept]).encode())
            self.relay(client, server)


class SocksProxy(ForwardProxy):
    """SOCKS5: names and addresses, CONNECT only."""

    def serve(self, client: socket.socket) -> None:
        """Negotiate, connect, relay."""
        version, count = _exactly(client, 2)
        methods = _exactly(client, count)
        wanted = 2 if self.login is not None else 0
        if version != 5 or wanted not in methods:
            self.say(client, b"\x05\xff")
            time.sleep(0.05)
            return
        self.say(client, bytes((5, wanted)))
        if self.login is not None and not self._admit(client):
            return
        _, command, _, kind = _exactly(client, 4)
        host = self._host(client, kind)
        port = int.from_bytes(_exactly(client, 2), "big")
        if command != 1:
            self.say(client, b"\x05\x07\x00\x01" + bytes(6))
            return
        try:
            server = self.reach(host, port)
        except OSError:
            self.say(client, b"\x05\x04\x00\x01" + bytes(6))
            return
        with server:
            bound = b"\x03\xff" + b"x" * 255 if self.drip_s else b"\x01" + bytes(4)
            self.say(client, b"\x05\x00\x00" + bound + bytes(2))
            self.relay(client, server)

    def _admit(self, client: socket.socket) -> bool:
        _exactly(client, 1)
        user = _exactly(client, _exactly(client, 1)[0]).decode()
        password = _exactly(client, _exactly(client, 1)[0]).decode()
        self.logins.append((user, password))
        right = (user, password) == self.login
        self.say(client, b"\x01\x00" if right else b"\x01\x01")
        return right

    @staticmethod
    def _host(client: socket.socket, kind: int) -> str:
        if kind == 3:
            return _exactly(client, _exactly(client, 1)[0]).decode()
        return str(ipaddress.ip_address(_exactly(client, 4 if kind == 1 else 16)))
