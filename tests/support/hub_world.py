"""The real items of the hub, the real data that they name, and one server on this machine for every host they name.

What a publisher has at `https://HOST/PATH` is here at `ORIGIN/HOST/PATH`, and the items name it there.
"""

import base64
import hashlib
import json
import re
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.command import Ended
from tests.support.faulty_server import Answer, FaultyServer, Request
from tests.support.real import HUB_ITEMS, SEC_LISTS, lasting
from tests.support.small_world import SETTINGS, SmallWorld

ROOT = Path(__file__).parents[2]
HUB_DATA = "hub-data.crowdsec.net"
ARVAN_URL, ARVAN_COPY = "www.arvancloud.ir/en/ips.txt", "whitelists/cdn_providers/arvancloud_ips.txt"
_URL = re.compile(r"https://((?:hub-data\.crowdsec\.net|www\.arvancloud\.ir)/\S+)")


class HubServer(FaultyServer):
    """Everything that the hub's items name, with an ETag; 304 for whoever has it. `files` are by path."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        for path in named():
            key = path.removeprefix(f"{HUB_DATA}/")
            self.files[f"/{path}"] = (SEC_LISTS / (ARVAN_COPY if path == ARVAN_URL else key)).read_bytes()

    def answer(self, request: Request) -> Answer:
        """Return the file, 304 or 404."""
        body = self.files.get(request.path)
        if body is None:
            return Answer(request.path, 404, {"Content-Type": "text/html"}, b"<html>no</html>")
        headers = {"Content-Type": "text/plain", "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        same = request.headers.get("If-None-Match") == headers["ETag"]
        return Answer(request.path, 304, headers) if same else Answer(request.path, 200, headers, body)

    @property
    def base(self) -> str:
        """Return where the hub's own data is."""
        return f"{self.origin}/{HUB_DATA}"


def named() -> list[str]:
    """Return host and path of every address that the real items name and that there is data for."""
    found = {url for path in HUB_ITEMS.rglob("*.yaml") for url in _URL.findall(path.read_text())}
    return sorted(url for url in found if url == ARVAN_URL or (SEC_LISTS / url.removeprefix(f"{HUB_DATA}/")).is_file())


def put_items(place: Path, origin: str) -> None:
    """Copy the real items to `place`, each address as it is on this machine."""
    shutil.copytree(HUB_ITEMS, place)
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for path in place.rglob("*.yaml"):
        path.write_text(_URL.sub(rf"{origin}/\1", path.read_text()))


EXAMPLE = ROOT / "docs" / "examples" / "jobs" / "hub-mirror.toml"


def job(base: str, more: str = "") -> str:
    """Return the example job, its upstream on this machine, with `more` in its source."""
    origin = base.removesuffix(f"/{HUB_DATA}")
    text = lasting(EXAMPLE.read_text())
    assert f'"https://{HUB_DATA}"' in text
    text = text.replace(f'"https://{HUB_DATA}"', f'"{base}"\n{more}')
    return text.replace('match = "www.', f'match = "{origin.partition("://")[2]}/www.')


@dataclass(frozen=True, slots=True)
class HubWorld:
    """A job `mirror` of the real items, and the directory `mirror` that it publishes to."""

    world: SmallWorld
    server: HubServer

    @classmethod
    def create(cls, root: Path, server: HubServer, more: str = "") -> "HubWorld":
        """Return a new world below `root`."""
        found = cls(SmallWorld(root, None), server)  # type: ignore[arg-type]
        put_items(root / "hub", server.origin)
        found.world.write("hubdata.toml", SETTINGS)
        found.write_job(more)
        return found

    def write_job(self, more: str = "") -> None:
        """Write the job anew, with more in its source."""
        self.world.write("jobs/mirror.toml", job(self.server.base, more))

    def sync(self, *flags: str) -> Ended:
        """Run it."""
        return self.world.run("sync", "--once", "--format", "json", *flags)


def index_of(hub: Path) -> bytes:
    """Return what a hub's own tools make of its items: the index that engines of the 1.4 series read."""
    index: dict[str, dict[str, object]] = {"parsers": {}, "postoverflows": {}, "scenarios": {}, "collections": {}}
    for path in sorted(hub.rglob("*.yaml")):
        body, place = path.read_bytes(), path.relative_to(hub)
        item = {
            "path": place.as_posix(),
            "version": "0.1",
            "versions": {"0.1": {"digest": hashlib.sha256(body).hexdigest(), "deprecated": False}},
            "author": place.parent.name,
            "content": base64.b64encode(body).decode(),
        }
        stage = {"stage": place.parts[1]} if place.parts[0] == "postoverflows" else {}
        index[place.parts[0]][f"{place.parent.name}/{place.stem}"] = {**item, **stage}
    return json.dumps(index, indent=1).encode()


@contextmanager
def hub_on_the_web(root: Path, address: str, context: ssl.SSLContext) -> Iterator[list[str]]:
    """Serve a hub's directory as `/master/` over TLS at an IPv6 address; give the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            place = root / self.path.removeprefix("/master/")
            body = place.read_bytes() if self.path.startswith("/master/") and place.is_file() else None
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    with Server((address, 443), Handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()
