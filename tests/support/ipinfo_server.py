"""A local server that speaks IPinfo's download protocol, and misbehaves on demand.

As at the vendor: `/data/NAME.mmdb/checksums` is JSON with three digests; `/data/NAME.mmdb` redirects to a signed URL on
another host, and is counted. The token comes in the query, as Basic user or as Bearer; a wrong one gets 403, none 401.
The store refuses what is not signed, and whoever brings it a token. Endpoints that can fail: `checksums`, `download`
(the redirect) and `object`.
"""

import base64
import hashlib
import json
from collections.abc import Callable

from tests.support.faulty_server import Answer, FaultyServer, Request

SIGNATURE = "sentinel-ipinfo-signature"
DAILY_DOWNLOADS = 3
LAST_MODIFIED = "Fri, 20 Nov 2026 17:00:00 GMT"


class IpinfoServer(FaultyServer):
    """The vendor's host and its content network."""

    def __init__(self, databases: dict[str, bytes], *, token: str = "sentinel-ipinfo-token") -> None:
        super().__init__()
        self.token = token
        self.databases = databases
        self.last_modified: str | None = LAST_MODIFIED
        self.downloads_left = DAILY_DOWNLOADS
        self.after_download: Callable[[], None] = lambda: None
        self._lies: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Return the base URL, for the option `url`."""
        return f"{self.origin}/data"

    def announce(self, name: str, sha256: str) -> None:
        """Have the checksums lie about a database."""
        self._lies[name] = sha256

    def answer(self, request: Request) -> Answer:
        """Return what the vendor would."""
        if request.at_store:
            return self._object(request)
        parts = request.path.removeprefix("/data/").split("/")
        name = parts[0].removesuffix(".mmdb")
        endpoint = "checksums" if parts[1:] == ["checksums"] else "download"
        refusal = self._refusal(request)
        if refusal:
            return _problem(endpoint, refusal, "invalid token")
        if name not in self.databases:
            return _problem(endpoint, 404, "not found")
        if endpoint == "checksums":
            return self._checksums(name)
        self.downloads_left -= 1
        if self.downloads_left < 0:
            return _problem(endpoint, 429, "too many downloads")
        where = f"{self.store_origin}/artifacts/v1/{name}.mmdb?X-Amz-Expires=60&X-Amz-Signature={SIGNATURE}"
        return Answer(endpoint, 302, {"Location": where})

    def _refusal(self, request: Request) -> int:
        basic = base64.b64encode(f"{self.token}:".encode()).decode()
        given = request.headers.get("Authorization") or request.query.get("token")
        if given is None:
            return 401
        return 0 if given in (self.token, f"Bearer {self.token}", f"Basic {basic}") else 403

    def _checksums(self, name: str) -> Answer:
        body = self.databases[name]
        sums = {algorithm: hashlib.new(algorithm, body).hexdigest() for algorithm in ("md5", "sha1", "sha256")}
        sums["sha256"] = self._lies.get(name, sums["sha256"])
        return Answer("checksums", 200, {"Content-Type": "application/json"}, json.dumps({"checksums": sums}).encode())

    def _object(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2].removesuffix(".mmdb")
        if "Authorization" in request.headers or "token" in request.query:
            return Answer("object", 400, {}, b"only one auth mechanism allowed")
        if request.query.get("X-Amz-Signature") != SIGNATURE or name not in self.databases:
            return Answer("object", 403, {}, b"SignatureDoesNotMatch")
        headers = {"Content-Type": "application/octet-stream"}
        if self.last_modified is not None:
            headers["Last-Modified"] = self.last_modified
        body = self.databases[name]
        self.after_download()
        return Answer("object", 200, headers, body)


def _problem(endpoint: str, status: int, what: str) -> Answer:
    body = json.dumps({"status": status, "error": {"title": what}}).encode()
    return Answer(endpoint, status, {"Content-Type": "application/json"}, body)
