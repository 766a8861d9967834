"""Read and write a bucket over plain connections when everything is simple, and decline whatever is not.

botocore needs 0.2 s of CPU to be imported and built, and 1.5 ms for each request (docs/adr/0007, docs/adr/0028). So
where credentials lie in the environment and no profile, proxy or configuration file has a say (`aws_simply.py`,
`s3_simple.py`), requests are signed here, and sent over connections that stay open (`wire.py`).

`Declined` means "ask botocore": for any error, redirect, refusal or answer that is not plainly good. Every request may
be repeated: reads as they are, writes because they name the state that they were planned against. Whoever repeats a
write must know that an earlier one may have reached the store (`Declined.sent`, `Answer.sends`). Retries, regions and
every error message stay botocore's. What takes too long, or is refused in a way that the next request would be, is
not tried again; of passing trouble (500, 503, a broken line) some is borne.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote, urlsplit

from hubdata import __version__
from hubdata.transfer.aws_simply import credentials_where_simple, wire_to
from hubdata.transfer.s3_listing import Page, Row, read_page
from hubdata.transfer.s3_simple import Place, simple_place
from hubdata.transfer.s3_whole import whole_etag
from hubdata.transfer.sigv4 import EMPTY, Credentials, Scope, Unsigned, signed
from hubdata.transfer.store_clock import StoreClock
from hubdata.transfer.turns import COMPUTING
from hubdata.transfer.wire import Body, Broken, Reply, Sending
from hubdata.values import frozen

CONNECTIONS = 64
MAX_LISTING_BYTES = 16 << 20
"""Far beyond a page of 1,000 keys, each of 1,024 bytes at most."""
MAX_ERROR_BYTES = 64 << 10
MAX_PAGES = 20_000
_PUT_S = 0.0006
_TROUBLES = 8
"""So often may passing trouble be met before no more is tried."""

_WORDS = {
    "ETag": "etag",
    "VersionId": "x-amz-version-id",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
}
_HEADERS = {
    "ContentType": "content-type",
    "CacheControl": "cache-control",
    "ContentMD5": "content-md5",
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
}
_METADATA = "x-amz-meta-"
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_NAME = re.compile(r"[a-z0-9-]+")
_UNSIGNED = {"user-agent": f"hubdata/{__version__}", "accept-encoding": "identity"}
_PASSING = frozenset({409, 429, 500, 502, 503, 504})
_BUSY = frozenset({429, 503})
_WAIT = _BUSY | {409}
_TELLING = frozenset({400, 501})


@frozen
class Answer:
    """A store's plain answer. `body` is whole; `code` is S3's word for a refusal, 404 and `NoSuchKey` for one.

    `sends`: how often the request was sent until it was answered; more than once, and a write may have met itself.
    """

    status: int
    body: bytes
    answer: Mapping[str, Any]
    """What the headers say, by botocore's names."""
    code: str = ""
    sends: int = 1


@frozen
class Declined:
    """botocore is to be asked; after a while if `wait`. `sent`: the request may have reached the store."""

    sent: bool
    wait: bool = False


class QuickBucket:
    """One bucket, reached in the simplest way. `QuickBucket.where_simple` tells whether that will do."""

    def __init__(
        self, place: Place, credentials: Credentials, headers: Mapping[str, str], *, clock: StoreClock | None = None
    ) -> None:
        self._clock = clock
        self._url = urlsplit(place.url)
        self._scope = Scope("s3", place.region)
        self._credentials = credentials
        self._headers = {"host": self._url.netloc, **headers}
        self._wire = wire_to(self._url, place.authorities, most=CONNECTIONS)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._patience = _TROUBLES

    @classmethod
    def where_simple(
        cls,
        bucket: str,
        region: str | None,
        endpoint_url: str | None,
        *,
        path_style: bool,
        owner: str | None,
        environment: Mapping[str, str],
        clock: StoreClock | None = None,
    ) -> Self | None:
        """Return the bucket, or None where botocore's knowledge of profiles, proxies or partitions is wanted."""
        credentials = credentials_where_simple(environment)
        place = simple_place(bucket, region, endpoint_url, path_style=path_style, environment=environment)
        if credentials is None or place is None:
            return None
        return cls(place, credentials, {"x-amz-expected-bucket-owner": owner} if owner else {}, clock=clock)

    @property
    def given_up(self) -> bool:
        """Tell whether nothing more is tried here."""
        return self._patience <= 0

    @property
    def fastest_s(self) -> float | None:
        """Return the shortest time that an answer took so far; None before the first."""
        return self._wire.fastest_s

    def requests(self) -> Mapping[str, int]:
        """Return how many requests were sent so far by method, LIST apart from GET."""
        with self._lock:
            return dict(self._counts)

    def reach(self, connections: int) -> None:
        """Begin to have so many connections at hand."""
        self._wire.reach(connections)

    def close(self) -> None:
        """Close the connections that are idle."""
        self._wire.close()

    def pages(self, prefix: str) -> Iterator[tuple[Row, ...] | Declined]:
        """Yield every object below `prefix`, up to 1,000 at a time; Declined, at last, when there is no knowing."""
        token, seen = "", 0
        while True:
            page = self._page(prefix, token)
            seen += 1
            if isinstance(page, Declined):
                yield page
                return
            yield page.rows
            if not page.token:
                return
            if page.token == token or seen >= MAX_PAGES:
                yield self._declined(Declined(sent=True), lasting=True)
                return
            token = page.token

    def get(self, key: str, *, max_bytes: int) -> Answer | None:
        """Return one object of at most `max_bytes`, status 404 when there is none, or None."""
        answer = self._ask("GET", key, max_bytes=max_bytes)
        return answer if isinstance(answer, Answer) and _is(answer, 200, "NoSuchKey") else None

    def head(self, key: str) -> Answer | None:
        """Return what the store says of an object, status 404 when there is none, or None."""
        answer = self._ask("HEAD", key)
        return answer if isinstance(answer, Answer) and answer.status in (200, 404) else None

    def put(
        self, key: str, body: bytes | Body, *, sha256: str, said: Mapping[str, Any], trial: bool = False
    ) -> Answer | Declined:
        """Store `body`, whose SHA-256 in hex is known, with what is `said` of it in botocore's words.

        The answer is a success or a refusal for its condition; with `trial` any refusal that tells what the store can
        do. Raises what the body raises.
        """
        headers = _headers(said)
        if headers is None:
            return Declined(sent=False)
        return self._ask("PUT", key, body, payload=sha256, headers=headers, trial=trial)

    def delete(self, key: str, said: Mapping[str, Any], *, trial: bool = False) -> Answer | Declined:
        """Remove an object under the condition that is `said`. The answer is as to `put`."""
        headers = _headers(said)
        return Declined(sent=False) if headers is None else self._ask("DELETE", key, headers=headers, trial=trial)

    def _page(self, prefix: str, token: str) -> Page | Declined:
        query = {"list-type": "2", "max-keys": "1000", "prefix": prefix}
        if token:
            query["continuation-token"] = token
        answer = self._ask("LIST", "", query=query, max_bytes=MAX_LISTING_BYTES)
        if isinstance(answer, Declined):
            return answer
        with COMPUTING:
            page = read_page(answer.body) if answer.status == 200 else None
        return self._declined(Declined(sent=True), lasting=True) if page is None else page

    def _ask(
        self,
        method: str,
        key: str,
        body: bytes | Body = b"",
        *,
        query: Mapping[str, str] | None = None,
        payload: str = EMPTY,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ERROR_BYTES,
        trial: bool = False,
    ) -> Answer | Declined:
        if self.given_up:
            return Declined(sent=False)
        path = self._url.path + "/" + quote(key, safe="/~") if key else self._url.path or "/"
        words = "&".join([f"{name}={quote(value, safe='~')}" for name, value in sorted((query or {}).items())])
        verb = "GET" if method == "LIST" else method
        unsigned = Unsigned(verb, path, words, {**self._headers, **(headers or {})}, payload)
        whole = signed(unsigned, self._credentials, self._scope, now=datetime.now(UTC))
        try:
            sending = Sending(verb, f"{path}?{words}" if words else path, whole | _UNSIGNED, body)
            reply = self._wire.exchange(sending, max_bytes=max(max_bytes, MAX_ERROR_BYTES))
        except Broken as err:
            self._count(method, err.sends)
            return self._declined(Declined(sent=err.sends > 0), lasting=err.late or not err.sends)
        except BaseException:  # of a body that fails as it is sent
            self._count(method, 1)
            raise
        self._count(method, reply.sends)
        if self._clock is not None:
            self._clock.hear(reply.headers.get("date"))
        return self._judged(method, reply, max_bytes, trial=trial)

    def _judged(self, method: str, reply: Reply, max_bytes: int, *, trial: bool) -> Answer | Declined:
        """Return the answer if it is one that S3 gives to such a request, and says all that it must."""
        code = _CODE.search(reply.body) if reply.status >= 400 else None
        answer = Answer(reply.status, reply.body, _said(reply), code[1].decode() if code else "", reply.sends)
        telling = trial and answer.code and reply.status in _TELLING
        fits = reply.status != 200 or len(reply.body) <= max_bytes
        if telling or (fits and _plain(method, answer, reply.headers)):
            return answer
        if reply.status in _BUSY:
            self._wire.ease()
        passing = reply.status in _PASSING or reply.status in (200, 204)
        return self._declined(Declined(sent=True, wait=reply.status in _WAIT), lasting=not passing)

    def _declined(self, declined: Declined, *, lasting: bool) -> Declined:
        with self._lock:
            self._patience -= _TROUBLES if lasting else 1
        if self.given_up:
            self._wire.close()  # also what was begun ahead: a server may wait for its request before it hears another's
        return declined

    def _count(self, method: str, sends: int) -> None:
        with self._lock:
            self._counts[method] += sends


def at_once(fastest_s: float) -> int:
    """Return how many writes at once a store serves best whose fastest answer took so long: 8 to 64.

    A put costs about 0.6 ms of CPU in all, so more than fit into one answer's time only wait for each other.
    """
    return max(8, min(CONNECTIONS, round(fastest_s / _PUT_S)))


def _is(answer: Answer, status: int, code: str) -> bool:
    return answer.status == status or (answer.status == 404 and answer.code == code)


def _plain(method: str, answer: Answer, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer is of a kind that S3 gives to `method`, with all that it must say."""
    status, code = answer.status, answer.code
    if method == "LIST":
        return status == 200
    if method == "DELETE":
        return (status in (200, 204) and not answer.body) or _refused(status, code)
    if method == "PUT":
        return (status == 200 and not answer.body and whole_etag(headers.get("etag"))) or _refused(status, code)
    if status == 200:
        return whole_etag(headers.get("etag")) and "ContentLength" in answer.answer
    return status == 404 and (method == "HEAD" or code == "NoSuchKey")


def _refused(status: int, code: str) -> bool:
    """Tell whether a write was refused for its condition, and nothing else."""
    return (status, code) in ((412, "PreconditionFailed"), (404, "NoSuchKey"))


def _said(reply: Reply) -> dict[str, Any]:
    """Return what headers say of an object, by botocore's names."""
    said: dict[str, Any] = {word: reply.headers[name] for word, name in _WORDS.items() if name in reply.headers}
    metadata = {
        name.removeprefix(_METADATA): text for name, text in reply.headers.items() if name.startswith(_METADATA)
    }
    if metadata:
        said["Metadata"] = metadata
    length = reply.headers.get("content-length")
    said["ContentLength"] = int(length) if length is not None else len(reply.body)
    return said


def _headers(said: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the headers that botocore's words stand for; None where one needs botocore's care."""
    headers: dict[str, str] = {}
    for word, value in said.items():
        if word == "Metadata":
            headers |= {f"{_METADATA}{name.lower()}": text for name, text in value.items()}
        elif word in _HEADERS:
            headers[_HEADERS[word]] = value
        else:
            return None
    plain = all(_NAME.fullmatch(name) and _PLAIN.fullmatch(value) for name, value in headers.items())
    return headers if plain else None
