"""A local server that speaks MaxMind's update protocol, and misbehaves on demand.

Two hosts, as with the vendor: the service on `127.0.0.1` asks for Basic auth and redirects downloads to a store on
`localhost`, which serves presigned URLs and answers 400 to any request that brings an `Authorization` header.

    with MaxmindServer({"GeoLite2-City": path}) as server:
        server.fail("download", status=503, times=2)
        ...  # server.url, server.account, server.key, server.requests

Endpoints that can fail: `metadata`, `download` (the redirect), `object` (the presigned URL) and `digest` (the `.sha256`
of a permalink). A `download` without a date is a permalink's; both kinds share the day's quota. As a process:

    python -m tests.support.maxmind_server --database GeoLite2-City=PATH --port 0

prints one JSON line with url, account and key, and serves until it is ended.
"""

import argparse
import base64
import contextlib
import gzip
import hashlib
import io
import json
import shutil
import signal
import socket
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

LAST_MODIFIED = "Fri, 20 Nov 2026 14:05:00 GMT"
SIGNATURE = "sentinel-presigned-signature"
DAILY_DOWNLOADS = 30


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. `endpoint` is metadata, download, object, digest or other."""

    endpoint: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(slots=True)
class Fault:
    """What to do wrong, `times` times; None for ever. `edition` None means any.

    `cut` stops the body after that many bytes; `drip_s` sends it byte by byte with that pause; `drip_headers` begins
    so already in the headers; `reset` ends the connection without an answer.
    """

    endpoint: str
    times: int | None = None
    edition: str | None = None
    status: int | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    stream: Callable[[], Iterable[bytes]] | None = None
    cut: int | None = None
    drip_s: float | None = None
    drip_headers: bool = False
    reset: bool = False


@dataclass(frozen=True, slots=True)
class _Release:
    path: Path
    archive: Path
    date: str
    md5: str
    sha256: str

    def name(self, edition: str) -> str:
        """Return the archive's name, as the vendor's Content-Disposition has it."""
        return f"{edition}_{self.date.replace('-', '')}.tar.gz"


class MaxmindServer:
    """The update service and its object store, on two ports of this machine."""

    def __init__(
        self,
        databases: Mapping[str, Path],
        *,
        account: str = "123456",
        key: str = "sentinel-license-key",
        date: str = "2026-11-20",
        port: int = 0,
        level: int = 1,
    ) -> None:
        """Serve `databases` by edition, each packed at gzip's `level`: 1 is the quickest to make."""
        self.account = account
        self.key = key
        self.requests: list[Request] = []
        self.downloads_left = DAILY_DOWNLOADS
        self._level = level
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._announced_md5: dict[str, str] = {}
        self._releases: dict[str, _Release] = {}
        self._scratch = tempfile.TemporaryDirectory(prefix="maxmind-server-")
        self._stopping = threading.Event()
        self._front = _listen(self, _Service, port)
        self._store = _listen(self, _Store, 0)
        for edition, path in databases.items():
            self.publish(edition, path, date=date)

    @property
    def url(self) -> str:
        """Return the base URL, for the option `url`."""
        return f"http://127.0.0.1:{self._front.server_address[1]}"

    @property
    def store_url(self) -> str:
        """Return the base URL of the object store: another host by name."""
        return f"http://localhost:{self._store.server_address[1]}"

    def publish(self, edition: str, path: Path, *, date: str) -> None:
        """Make `path` the current release of `edition`."""
        md5 = hashlib.md5(usedforsecurity=False)
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                md5.update(piece)
        archive = Path(self._scratch.name) / f"{edition}-{date}-{md5.hexdigest()}.tar.gz"
        if not archive.exists():
            write_archive(archive, edition, path, date, level=self._level)
        with self._lock:
            sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
            self._releases[edition] = _Release(path, archive, date, md5.hexdigest(), sha256)

    def announce_md5(self, edition: str, md5: str) -> None:
        """Have the metadata lie about the MD5 of `edition`."""
        self._announced_md5[edition] = md5

    def fail(self, endpoint: str, **fault: Any) -> None:
        """Plan a `Fault`; several on one endpoint are used up in order."""
        with self._lock:
            self._faults.append(Fault(endpoint, **fault))

    def count(self, endpoint: str) -> int:
        """Return how many requests an endpoint has had."""
        return sum(r.endpoint == endpoint for r in self.requests)

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
        self._scratch.cleanup()

    def _take_fault(self, endpoint: str, edition: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.endpoint == endpoint and fault.edition in (None, edition):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
        return None


def write_archive(archive: Path, edition: str, database: Path, date: str, *, level: int = 1) -> None:
    """Write the `.tar.gz` that the vendor would make of a database: a directory with texts and the file."""
    top = f"{edition}_{date.replace('-', '')}"
    with (
        gzip.GzipFile(archive, "wb", compresslevel=level, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as tar,
    ):
        folder = tarfile.TarInfo(top)
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for name in ("COPYRIGHT.txt", "LICENSE.txt"):
            text = f"{name} of {edition}\n".encode()
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        member = tarfile.TarInfo(f"{top}/{edition}.mmdb")
        member.size = database.stat().st_size
        with database.open("rb") as file:
            tar.addfile(member, file)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: MaxmindServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


def _listen(owner: MaxmindServer, handler: type[BaseHTTPRequestHandler], port: int) -> _Server:
    server = _Server(("127.0.0.1", port), handler)
    server.owner = owner
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent; `MaxmindServer.requests` is the log."""

    def note(self, endpoint: str) -> tuple[MaxmindServer, dict[str, str]]:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        owner = self.server.owner
        owner.requests.append(Request(endpoint, self.headers.get("Host", ""), parts.path, query, dict(self.headers)))
        return owner, query

    def reply(self, status: int, headers: Mapping[str, str], body: bytes | Path, fault: Fault | None) -> None:
        fault = fault or Fault("")
        if fault.reset:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if fault.body is not None:
            body = fault.body
        size = len(body) if isinstance(body, bytes) else body.stat().st_size
        own: dict[str, str | None] = {"Content-Length": str(size), **headers, **fault.headers}
        if fault.stream is not None:
            own |= {"Content-Length": None, "Connection": "close"}
        if fault.drip_headers:
            self.drip_headers(fault)
            return
        self.send_response(fault.status or status)
        for name, value in own.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.send_body(body, fault)

    def send_body(self, body: bytes | Path, fault: Fault) -> None:
        if fault.stream is not None:
            self.close_connection = True
            for piece in fault.stream():
                self.wfile.write(piece)
        elif fault.cut is not None or fault.drip_s is not None:
            self.close_connection = True
            whole = body if isinstance(body, bytes) else body.read_bytes()
            part = whole[: fault.cut]
            if fault.drip_s is None:
                self.wfile.write(part)
            else:
                self.drip(part, fault.drip_s)
        elif isinstance(body, bytes):
            self.wfile.write(body)
        else:
            with body.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

    def drip_headers(self, fault: Fault) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            self.drip(b"x" * 60_000, fault.drip_s or 0.05)

    def drip(self, body: bytes, pause_s: float) -> None:
        for byte in body:
            if self.server.owner._stopping.is_set():
                return
            self.wfile.write(bytes((byte,)))
            time.sleep(pause_s)


class _Service(_Handler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts == ["geoip", "updates", "metadata"]:
            self.metadata()
        elif len(parts) == 4 and parts[:2] == ["geoip", "databases"] and parts[3] == "download":
            if parse_qs(urlsplit(self.path).query).get("suffix") == ["tar.gz.sha256"]:
                self.digest(parts[2])
            else:
                self.download(parts[2])
        else:
            self.note("other")
            self.problem(404, "NOT_FOUND")

    def metadata(self) -> None:
        owner, query = self.note("metadata")
        edition = query.get("edition_id", "")
        fault = owner._take_fault("metadata", edition)
        release = owner._releases.get(edition)
        if not self.authorized():
            return self.problem(401, "AUTHORIZATION_INVALID")
        if release is None:
            return self.problem(400, "EDITION_UNKNOWN", fault)
        md5 = owner._announced_md5.get(edition, release.md5)
        body = json.dumps({"databases": [{"date": release.date, "edition_id": edition, "md5": md5}]}).encode()
        return self.reply(200, {"Content-Type": "application/json"}, body, fault)

    def download(self, edition: str) -> None:
        owner, query = self.note("download")
        fault = owner._take_fault("download", edition)
        release = owner._releases.get(edition)
        if not self.authorized():
            return self.problem(401, "AUTHORIZATION_INVALID")
        today = None if release is None else release.date.replace("-", "")
        if release is None or query.get("suffix") != "tar.gz" or query.get("date", today) != today:
            return self.problem(404, "DATABASE_NOT_FOUND", fault)
        with owner._lock:
            owner.downloads_left -= 1
            exhausted = owner.downloads_left < 0
        if exhausted:
            return self.problem(429, "LIMIT_EXCEEDED")
        where = f"{owner.store_url}/mm-prod/{edition}.tar.gz?X-Amz-Signature={SIGNATURE}&X-Amz-Expires=60"
        return self.reply(302, {"Location": where}, b"", fault)

    def digest(self, edition: str) -> None:
        owner, _ = self.note("digest")
        fault = owner._take_fault("digest", edition)
        release = owner._releases.get(edition)
        if not self.authorized():
            return self.problem(401, "AUTHORIZATION_INVALID")
        if release is None:
            return self.problem(404, "DATABASE_NOT_FOUND", fault)
        name = release.name(edition)
        headers = {
            "Content-Type": "text/plain",
            "Content-Disposition": f"attachment; filename={name}.sha256",
            "Last-Modified": LAST_MODIFIED,
        }
        return self.reply(200, headers, f"{release.sha256}  {name}\n".encode(), fault)

    def authorized(self) -> bool:
        owner = self.server.owner
        expected = base64.b64encode(f"{owner.account}:{owner.key}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def problem(self, status: int, code: str, fault: Fault | None = None) -> None:
        body = json.dumps({"code": code, "error": code.lower()}).encode()
        self.reply(status, {"Content-Type": "application/json"}, body, fault)


class _Store(_Handler):
    def do_GET(self) -> None:
        owner, query = self.note("object")
        edition = urlsplit(self.path).path.rpartition("/")[2].removesuffix(".tar.gz")
        fault = owner._take_fault("object", edition)
        release = owner._releases.get(edition)
        if "Authorization" in self.headers:
            return self.reply(400, {}, b"only one auth mechanism allowed", None)
        if release is None or query.get("X-Amz-Signature") != SIGNATURE:
            return self.reply(403, {}, b"SignatureDoesNotMatch", None)
        headers = {
            "Content-Type": "application/gzip",
            "Content-Disposition": f"attachment; filename={release.name(edition)}",
            "Last-Modified": LAST_MODIFIED,
        }
        return self.reply(200, headers, release.archive, fault)


def main() -> None:
    """Serve until ended, having printed where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", action="append", default=[], metavar="EDITION=PATH", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--account", default="123456")
    parser.add_argument("--key", default="sentinel-license-key")
    parser.add_argument("--date", default="2026-11-20")
    parser.add_argument("--level", type=int, default=1, help="gzip's, for the archive")
    given = parser.parse_args()
    databases = {edition: Path(path) for edition, _, path in (pair.partition("=") for pair in given.database)}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it has unpacked goes with it
    given_so = {"account": given.account, "key": given.key, "date": given.date, "port": given.port}
    server = MaxmindServer(databases, **given_so, level=given.level)
    with server, contextlib.suppress(KeyboardInterrupt):
        print(json.dumps({"url": server.url, "account": server.account, "key": server.key}), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
