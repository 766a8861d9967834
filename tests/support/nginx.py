"""A CDN's stand-in: Debian's nginx before a directory, an edge for each address family, each with faults of its own.

Both edges listen on one port, on 127.0.0.1 and on [::1], as the addresses of one host do. What an edge does wrong is
nginx's own configuration, so what comes over the wire is what a real server makes of it; a few faults no server would
have on purpose (a body that ends early, silence) are a socket behind it.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.ports import own_port

needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None,
    reason="NOT TESTED AGAINST A REAL WEB SERVER: nginx is absent; apt-get install nginx-light and run again",
)

FAMILIES = {"ipv4": "127.0.0.1", "ipv6": "[::1]"}

TYPES = """\
    types { application/json json; application/octet-stream mmdb bin; text/plain txt; }
    default_type "application/octet-stream";
    charset utf-8;
    charset_types text/plain;
    add_header Cache-Control "public, max-age=60, s-maxage=86400, stale-while-revalidate=60, stale-if-error=86400";
"""


@dataclass
class Edge:
    """What the edge of one family serves (`root`), and what it does besides (`extra`: directives of its server)."""

    root: Path
    extra: str = ""


@dataclass
class Cdn:
    """Both edges. Change one, then `reload`. `certificate` and `key` make it speak TLS; `extra` is for both."""

    home: Path
    port: int
    edges: dict[str, Edge]
    certificate: Path | None = None
    key: Path | None = None
    extra: str = ""
    process: subprocess.Popen[bytes] | None = None
    sockets: list[socket.socket] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the public base URL, whose host has both addresses everywhere."""
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    @property
    def log(self) -> list[str]:
        """Return what was asked: address, method, path, status, Accept-Encoding, User-Agent; a line each."""
        return (self.home / "access.log").read_text().splitlines()

    def configuration(self) -> str:
        """Return nginx's own configuration."""
        servers = "".join(self._server(family, edge) for family, edge in self.edges.items())
        user = "user root; " if os.geteuid() == 0 else ""
        return (
            f"{user}daemon off; worker_processes 1; pid {self.home}/nginx.pid; error_log {self.home}/error.log;\n"
            "events { worker_connections 64; }\n"
            "http {\n"
            f"{TYPES}    {self.extra}\n"
            "    log_format told '$server_addr $request_method $uri $status \"$http_accept_encoding\"';\n"
            f"    access_log {self.home}/access.log told;\n"
            + "".join(
                f"    {name}_temp_path {self.home}/{name};\n"
                for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            + f"{servers}}}\n"
        )

    def _server(self, family: str, edge: Edge) -> str:
        tls = f"ssl_certificate {self.certificate}; ssl_certificate_key {self.key};" if self.certificate else ""
        return (
            f"    server {{ listen {FAMILIES[family]}:{self.port}{' ssl' if tls else ''}; {tls}\n"
            f"        root {edge.root}; location /.hubdata/ {{ return 404; }}\n{edge.extra}\n    }}\n"
        )

    def reload(self) -> None:
        """Have nginx serve what the edges say now; returns when the new configuration answers."""
        stop(self)
        start(self)


def start(cdn: Cdn) -> None:
    """Start nginx and wait until it answers on each edge."""
    (cdn.home / "nginx.conf").write_text(cdn.configuration())
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert nginx is not None
    argv = [nginx, "-p", str(cdn.home), "-c", str(cdn.home / "nginx.conf"), "-e", str(cdn.home / "error.log")]
    with (cdn.home / "stderr").open("wb") as said:
        cdn.process = subprocess.Popen(argv, stderr=said)
    for family in cdn.edges:
        _await(FAMILIES[family].strip("[]"), cdn)


def stop(cdn: Cdn) -> None:
    """End nginx, and wait for its end."""
    if cdn.process is not None:
        cdn.process.terminate()
        cdn.process.wait(timeout=60)
        cdn.process = None


def _await(address: str, cdn: Cdn) -> None:
    assert cdn.process is not None
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((address, cdn.port), 1):
            return
        if cdn.process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"nginx does not answer: {(cdn.home / 'stderr').read_text()}")


@contextmanager
def cdn_before(root: Path, home: Path, *, certificate: Path | None = None, key: Path | None = None) -> Iterator[Cdn]:
    """Give a CDN whose edges both serve the directory `root`, for as long as the context lasts."""
    home.mkdir(parents=True)
    edges = {family: Edge(root) for family in FAMILIES}
    cdn = Cdn(home, own_port(), edges, certificate, key)
    try:
        start(cdn)
        yield cdn
    finally:
        stop(cdn)
        for each in list(cdn.sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # else a thread goes on waiting for it
        for thread in cdn.threads:
            thread.join(60)  # else it might accept by a number that is another listener's by then
        for each in cdn.sockets:
            each.close()


def rude_server(cdn: Cdn, answer: bytes) -> int:
    """Listen on a port of 127.0.0.1; whoever asks is sent `answer` and cut off, or nothing at all if that is empty."""
    listener = socket.create_server(("127.0.0.1", 0))
    cdn.sockets.append(listener)

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            if not answer:
                cdn.sockets.append(taken)
                continue
            with taken, suppress(OSError):
                taken.recv(65_536)
                taken.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True, name="rude")
    cdn.threads.append(thread)
    thread.start()
    return int(listener.getsockname()[1])
