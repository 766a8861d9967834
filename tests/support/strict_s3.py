"""An S3 double over real HTTP that is as strict as S3 where moto is not, and fails on demand.

It compares every body with its length and checksums, refuses aws-chunked trailers as older stores do, enforces
If-Match and If-None-Match, keeps a log of requests and plays scripted faults. Path-style only; signatures are not
verified. `S3_BUCKET` is the one bucket. With `versioned` it keeps every state and its time, which is the test's to set.
"""

import base64
import hashlib
import itertools
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.support.strict_multipart import Uploads, crc32, kept_of

S3_BUCKET = "strict"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    key: str
    headers: dict[str, str]
    size: int


@dataclass(frozen=True)
class Fault:
    """What happens to the next request of `method`, instead of or after the right thing.

    With `key` it waits for a request for that key. With `status` it is refused with `code`. `drop` does the work, then
    closes the connection without an answer; `reset` closes it before any work; `cut` promises the whole body and sends
    half of it; `head` sends that many bytes of the headers alone. `before` runs first.
    """

    method: str
    status: int = 0
    code: str = ""
    extra: str = ""
    drop: bool = False
    reset: bool = False
    cut: bool = False
    head: int = 0
    before: Callable[[], None] | None = None
    key: str = ""


@dataclass
class Object:
    """What is stored under a key."""

    body: bytes
    headers: dict[str, str]
    version_id: str = ""
    modified: datetime = datetime.min.replace(tzinfo=UTC)
    deleted: bool = False

    known_as: str = ""

    @property
    def etag(self) -> str:
        """Return the MD5 of the bytes, or what the parts came to."""
        return self.known_as or hashlib.md5(self.body).hexdigest()


@dataclass
class StrictS3:
    """The server. `objects` may be changed by the test; `seen` is the log; `faults` are used up in order.

    `arriving` hears the number of each request as it comes, and may make the bucket `gone` or have requests refused
    `always`. With `max_skew`, a request signed at a time that far from the store's `now` is refused, as S3 does.
    What it `lacks` (creates, replaces, deletes, checksums) it passes over in silence, as lesser stores do; an ETag in a
    condition that is written `unlike` ("quoted" or "bare") what it wants, it takes for another.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    etag_of: Callable[[Object], str] = field(default=lambda stored: stored.etag)
    answer_headers: dict[str, str] = field(default_factory=dict)
    versioned: bool = False
    versions_a_page: int = 1000
    versions: dict[str, list[Object]] = field(default_factory=dict)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    arriving: Callable[[int], None] = field(default=lambda number: None)
    always: Fault | None = None
    gone: bool = False
    max_skew: timedelta | None = None
    lacks: frozenset[str] = frozenset()
    unlike: str = ""
    uploads: Uploads = field(default_factory=Uploads)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"store": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def fault(self, method: str, key: str) -> Fault | None:
        """Return and use up the next fault for `method` on `key`."""
        with self.lock:
            for index, fault in enumerate(self.faults):
                if fault.method == method and fault.key in ("", key):
                    del self.faults[index]
                    return fault
        return None

    def count(self, method: str) -> int:
        """Return how many requests of `method` arrived; LIST is apart from GET."""
        return sum(one.method == method for one in self.seen)

    def keep(self, key: str, state: Object) -> None:
        """Make `state` the current one; without `versioned`, what was before is gone."""
        if state.deleted:
            self.objects.pop(key, None)
        else:
            self.objects[key] = state
        if self.versioned:
            state.modified, state.version_id = self.now(), f"v{next(_NUMBERS)}"
            self.versions.setdefault(key, []).append(state)

    def forget(self, key: str, version_id: str) -> None:
        """Remove one state for good; the newest that is left is then what readers get."""
        left = [state for state in self.versions.get(key, ()) if state.version_id != version_id]
        self.versions[key] = left
        self.objects.pop(key, None)
        if left and not left[-1].deleted:
            self.objects[key] = left[-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: StrictS3

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the store's time, for the Date header."""
        return super().date_time_string(self.store.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve("LIST" if "list-type=2" in self.path or "?versions" in self.path else "GET")

    def do_HEAD(self) -> None:
        self._serve("HEAD")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.store.lock:
            self.store.seen.append(Seen(method, key, headers, len(body)))
            number = len(self.store.seen)
        self.store.arriving(number)
        fault = self.store.always or self._skewed(headers) or self.store.fault(method, key)
        if fault and fault.before:
            fault.before()
        if fault and fault.reset:
            self.close_connection = True
            return
        if fault and fault.status:
            self._refuse(fault.status, fault.code, fault.extra)
            return
        self._dropping, self._cutting = bool(fault and fault.drop), bool(fault and fault.cut)
        self._only = fault.head if fault else 0
        if bucket != S3_BUCKET or self.store.gone:
            self._refuse(404, "NoSuchBucket")
            return
        with self.store.lock:
            status, code, answer, extra = self._done(
                method, key, body, headers, parse_qs(url.query, keep_blank_values=True)
            )
        if code:
            self._refuse(status, code)
        else:
            self._answer(status, answer, extra)

    def _skewed(self, headers: dict[str, str]) -> Fault | None:
        if self.store.max_skew is None:
            return None
        signed_at = datetime.strptime(headers.get("x-amz-date", "19700101T000000Z"), "%Y%m%dT%H%M%S%z")
        far = abs(signed_at - self.store.now()) > self.store.max_skew
        return Fault("*", 403, "RequestTimeTooSkewed") if far else None

    def _done(
        self, method: str, key: str, body: bytes, headers: dict[str, str], query: dict[str, list[str]]
    ) -> tuple[int, str, bytes, dict[str, str]]:
        objects = self.store.objects
        held = objects.get(key)
        if "versionId" in query:
            return self._past(method, key, query["versionId"][0])
        if method == "LIST":
            return (
                200,
                "",
                self._versions(query) if "versions" in query else self._page(query),
                {"Content-Type": "application/xml"},
            )
        if method in ("GET", "HEAD"):
            if held is None:
                return 404, "NoSuchKey", b"", {}
            return 200, "", held.body, self._told(held) | held.headers
        if "uploads" in query or "uploadId" in query:
            return self._in_parts(method, key, body, headers, query)
        lacks = self.store.lacks
        problem = _wrong(body, headers, checksums="checksums" not in lacks) if method == "PUT" else ""
        if problem:
            return (411 if problem == "MissingContentLength" else 400), problem, b"", {}
        refused = self._refused(method, held, headers)
        if refused:
            return *refused, b"", {}
        if method == "DELETE":
            if held or self.store.versioned:
                self.store.keep(key, Object(b"", {}, deleted=True))
            return 204, "", b"", {}
        state = Object(body, kept_of(headers))
        self.store.keep(key, state)
        return 200, "", b"", self._told(state)

    def _refused(self, method: str, held: Object | None, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return how a request is refused whose condition is not met."""
        lacks, wanted = self.store.lacks, headers.get("if-match", "")
        if ("deletes" if method == "DELETE" else "replaces") in lacks:
            wanted = ""
        if wanted and held is None:
            return 404, "NoSuchKey"
        if wanted and held:
            unlike = self.store.unlike == ("quoted" if wanted.startswith('"') else "bare")
            if unlike or self.store.etag_of(held) != wanted.strip('"'):
                return 412, "PreconditionFailed"
        if headers.get("if-none-match") == "*" and held and "creates" not in lacks:
            return 412, "PreconditionFailed"
        return None

    def _in_parts(
        self, method: str, key: str, body: bytes, headers: dict[str, str], query: dict[str, list[str]]
    ) -> tuple[int, str, bytes, dict[str, str]]:
        uploads, number = self.store.uploads, query.get("uploadId", [""])[0]
        if method == "PUT":
            problem = _wrong(body, headers, checksums=True)
            if problem:
                return 400, problem, b"", {}
        if method == "POST" and number:
            refused = self._refused(method, self.store.objects.get(key), headers)
            if refused:
                return *refused, b"", {}
        status, code, answer, told = uploads.answer(method, key, body, headers, query)
        if method == "POST" and number and not code:
            done = uploads.done.pop(number)
            state = Object(done.body, done.headers, known_as=done.etag)
            self.store.keep(key, state)
            told |= self._told(state)
        return status, code, answer, told

    def _past(self, method: str, key: str, version_id: str) -> tuple[int, str, bytes, dict[str, str]]:
        if method == "DELETE":
            self.store.forget(key, version_id)
            return 204, "", b"", {}
        found = next((s for s in self.store.versions.get(key, ()) if s.version_id == version_id), None)
        if found is None or found.deleted:
            return 404, "NoSuchVersion", b"", {}
        return 200, "", found.body, self._told(found) | found.headers

    def _versions(self, query: dict[str, list[str]]) -> bytes:
        """List every state of every key, the newest of each first, `versions_a_page` at once."""
        prefix, size = query.get("prefix", [""])[0], self.store.versions_a_page
        rows = [
            (key, state, state is states[-1])
            for key, states in sorted(self.store.versions.items())
            if key.startswith(prefix)
            for state in reversed(states)
        ]
        marker = (query.get("key-marker", [""])[0], query.get("version-id-marker", [""])[0])
        names = [(key, state.version_id) for key, state, _ in rows]
        first = names.index(marker) + 1 if marker in names else 0
        page, more = rows[first : first + size], len(rows) > first + size
        items = "".join(_row(key, state, latest=latest, etag=self.store.etag_of(state)) for key, state, latest in page)
        last = page[-1] if more else None
        token = (
            f"<NextKeyMarker>{escape(quote(last[0]))}</NextKeyMarker>"
            f"<NextVersionIdMarker>{last[1].version_id}</NextVersionIdMarker>"
            if last
            else ""
        )
        head = f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
        return f"<ListVersionsResult>{head}{token}{items}</ListVersionsResult>".encode()

    def _told(self, held: Object) -> dict[str, str]:
        version = {"x-amz-version-id": held.version_id} if held.version_id else {}
        return {"ETag": f'"{self.store.etag_of(held)}"', **version, **self.store.answer_headers}

    def _page(self, query: dict[str, list[str]]) -> bytes:
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", [""])[0]
        size = min(int(query.get("max-keys", ["1000"])[0]), 1000)
        keys = sorted(k for k in self.store.objects if k.startswith(prefix) and k > after)
        page, more = keys[:size], len(keys) > size
        encoded = query.get("encoding-type") == ["url"]
        items = "".join(
            f"<Contents><Key>{escape(quote(k) if encoded else k)}</Key>"
            f"<ETag>&quot;{self.store.etag_of(self.store.objects[k])}&quot;</ETag>"
            f"<Size>{len(self.store.objects[k].body)}</Size></Contents>"
            for k in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult>{'<EncodingType>url</EncodingType>' if encoded else ''}"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{items}</ListBucketResult>"
        ).encode()

    def _refuse(self, status: int, code: str, extra: str = "") -> None:
        words = f"<Error><Code>{code}</Code><Message>scripted or strict</Message>{extra}</Error>"
        self._answer(status, words.encode(), {"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if getattr(self, "_dropping", False):
            self.close_connection = True
            return
        if only := getattr(self, "_only", 0):
            self.wfile.write(f"HTTP/1.1 {status} OK\r\nDate: now\r\nETag: {headers.get('ETag')}\r\n".encode()[:only])
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-amz-request-id", uuid.uuid4().hex)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            cutting = getattr(self, "_cutting", False)
            self.wfile.write(body[: len(body) // 2] if cutting else body)
            self.close_connection = self.close_connection or cutting


def _row(key: str, state: Object, *, latest: bool, etag: str) -> str:
    name = "DeleteMarker" if state.deleted else "Version"
    content = "" if state.deleted else f"<ETag>&quot;{etag}&quot;</ETag><Size>{len(state.body)}</Size>"
    return (
        f"<{name}><Key>{escape(quote(key))}</Key><VersionId>{state.version_id}</VersionId>"
        f"<IsLatest>{str(latest).lower()}</IsLatest>"
        f"<LastModified>{state.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>{content}</{name}>"
    )


def _wrong(body: bytes, headers: dict[str, str], *, checksums: bool) -> str:
    """Return the code of the first thing that is wrong with an upload, or nothing."""
    if "content-length" not in headers or "aws-chunked" in headers.get("content-encoding", ""):
        return "MissingContentLength"
    if "x-amz-trailer" in headers or headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return "NotImplemented"
    if len(body) != int(headers["content-length"]):
        return "IncompleteBody"
    if "x-amz-acl" in headers:
        return "AccessControlListNotSupported"
    sha256 = hashlib.sha256(body)
    if checksums and headers.get("x-amz-checksum-sha256", _text(sha256.digest())) != _text(sha256.digest()):
        return "BadDigest"
    if checksums and headers.get("x-amz-checksum-crc32", crc32(body)) != crc32(body):
        return "BadDigest"
    if headers.get("content-md5", _text(hashlib.md5(body).digest())) != _text(hashlib.md5(body).digest()):
        return "BadDigest"
    signed = headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    return "" if signed in ("UNSIGNED-PAYLOAD", sha256.hexdigest()) else "XAmzContentSHA256Mismatch"


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
