"""Read from an upstream over HTTP, bounded in time and size, giving nothing away.

What the usual client leaves open is closed here. A total deadline ends even a server that drips one byte a second,
in the headers, the body or the TLS handshake. Redirects are followed by hand: no hop goes from HTTPS to HTTP, none
leads from the world into a private network, and credentials go to the configured origin alone. `.netrc` is not read.
The body comes as it was sent (identity encoding), counted against a cap. No error or log holds a query string,
because presigned URLs carry their signature there.
"""

import base64
import http.client
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from hubdata import __version__
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.guard import ConnectionGuard, hide_queries_in_logs
from hubdata.transfer.network_error import broken, is_network_error
from hubdata.transfer.reach import Reach
from hubdata.transfer.retry import RequestFailed, parse_retry_after, status_is_retryable
from hubdata.transfer.secrets import Secret
from hubdata.transfer.url import (
    hop_problem,
    host_problem,
    origin,
    proxies_for,
    proxy_problem,
    safe_url,
    spelled_reach,
)

if TYPE_CHECKING:
    import requests

_PIECE = 1 << 20
_ADVICE = {0: "check the configured url", 407: "check the user and password of the proxy (HTTPS_PROXY)"}
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user and password for the `Authorization` header."""

    user: str
    password: Secret

    def header(self) -> str:
        """Return the header's value, the secret in it."""
        pair = f"{self.user}:{self.password.reveal()}".encode()
        return "Basic " + base64.b64encode(pair).decode()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for a connection, and for the next bytes on it. The total is the caller's `Deadline`."""

    connect: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=30)


class Response:
    """A good answer whose body is still to be read, once."""

    def __init__(self, raw: "requests.Response", url: str, guard: ConnectionGuard, max_bytes: int) -> None:
        self.url = safe_url(url)
        self.headers: Mapping[str, str] = raw.headers
        self._raw = raw
        self._guard = guard
        self._max_bytes = max_bytes

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as sent, in pieces of at most 1 MiB.

        Raises RequestFailed when it is longer than allowed, ends before its announced length, or is not done in time.
        """
        announced = self._announced()
        count = 0
        try:
            for piece in self._raw.raw.stream(_PIECE, decode_content=False):
                count += len(piece)
                self._check(count)
                yield piece
        except RequestFailed:
            raise
        except Exception as err:
            if not is_network_error(err):
                raise
            self._guard.check(self.url)
            raise broken(self.url, err) from None
        self._guard.check(self.url)
        if announced is not None and count != announced:  # older versions of the library do not mind
            raise RequestFailed(
                f"{self.url}: the body ended after {count:,} of {announced:,} bytes",
                advice="the next run tries again",
                retryable=True,
            )

    def read(self) -> bytes:
        """Return the whole body; for small ones."""
        return b"".join(self.pieces())

    def _check(self, count: int) -> None:
        if count > self._max_bytes:
            raise self._too_long()
        self._guard.check(self.url)

    def _announced(self) -> int | None:
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", ""):
            raise RequestFailed(
                f"{self.url}: the body came encoded although identity was asked for",
                advice="a proxy between may be rewriting responses",
            )
        value = self.headers.get("Content-Length", "")
        if not (value.isascii() and value.isdigit()) or self.headers.get("Transfer-Encoding"):
            return None
        if len(value) > 18 or int(value) > self._max_bytes:
            raise self._too_long()
        return int(value)

    def _too_long(self) -> RequestFailed:
        return RequestFailed(
            f"{self.url}: the body is longer than the {self._max_bytes:,} bytes allowed",
            advice="if the upstream has grown for good, raise `max_bytes`",
        )


class HttpClient:
    """Reads from one upstream. Keeps its connections between requests; for one thread at a time.

    `base` is the origin that was configured: only it is sent credentials, and a redirect may lead to a network that
    is not public only if `base` itself lies in one of that kind. `environment` may name proxies as usual
    (`HTTPS_PROXY`, `NO_PROXY`) and `REQUESTS_CA_BUNDLE`.
    """

    def __init__(
        self,
        base: str,
        *,
        timeouts: Timeouts = Timeouts(),
        environment: Mapping[str, str] | None = None,
        proxy: Secret | None = None,
        max_hops: int = 5,
        public_only: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:

        hide_queries_in_logs()
        self._base = base
        self._timeouts = timeouts
        self._max_hops = max_hops
        self._public_only = public_only
        self._now = now
        self._environment = os.environ if environment is None else environment
        self._proxy = proxy
        self._guard = ConnectionGuard()
        self._session = self._guard.session()  # imports `requests`: 90 ms that a run without downloads does not pay

    def close(self) -> None:
        """Close every connection."""
        self._session.close()
        self._guard.drop()

    def __enter__(self) -> "HttpClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def get(
        self,
        url: str,
        *,
        deadline: Deadline,
        max_bytes: int,
        params: Mapping[str, str] | None = None,
        auth: BasicAuth | None = None,
    ) -> Iterator[Response]:
        """Give the response to a GET of `url`, redirects followed, for as long as the context lasts.

        Raises RequestFailed (see `retry.py` for which are retryable) when no 200 comes before `deadline`.
        """
        target = f"{url}?{urlencode(params)}" if params else url
        clean = False
        try:
            with self._guard.until(deadline):
                response, final = self._follow(target, deadline, auth)
                with response:
                    yield Response(response, final, self._guard, max_bytes)
                clean = final == target
        finally:
            if not clean:  # an unread body must not keep its connection open
                self._guard.drop()

    def _follow(self, url: str, deadline: Deadline, auth: BasicAuth | None) -> "tuple[requests.Response, str]":
        for hop in range(self._max_hops + 1):
            chosen = hop == 0 or origin(url) == origin(self._base)
            self._guard.admit_any(at_base=chosen and not self._public_only, first=hop == 0)
            response = self._send(url, deadline, auth if origin(url) == origin(self._base) else None)
            if response.status_code not in _REDIRECTS:
                if response.status_code == 200:
                    return response, url
                response.close()
                raise _bad_status(url, response, self._now())
            location = response.headers.get("Location", "")
            response.close()
            url = self._next(url, location)
        raise RequestFailed(
            f"{safe_url(self._base)}: more than {self._max_hops} redirects", advice="check the configured url"
        )

    def _send(self, url: str, deadline: Deadline, auth: BasicAuth | None) -> "requests.Response":
        headers = {
            "User-Agent": f"hubdata/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        if auth is not None:
            headers["Authorization"] = auth.header()
        verify = self._environment.get("REQUESTS_CA_BUNDLE") or self._environment.get("CURL_CA_BUNDLE") or True
        limits = (
            deadline.clip(self._timeouts.connect.total_seconds()),
            deadline.clip(self._timeouts.read.total_seconds()),
        )
        try:
            response = self._session.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=limits,
                proxies=self._proxies(url),
                verify=verify,
            )
        except Exception as err:
            if not is_network_error(err):
                raise
            self._guard.check(safe_url(url))
            # Not chained: the library's error quotes the whole URL, signature included.
            raise broken(safe_url(url), err) from None
        if deadline.expired:  # headers that were cut short pass for whole ones
            response.close()
            self._guard.check(safe_url(url))
        return response

    def _proxies(self, url: str) -> dict[str, str]:
        given = self._proxy
        found = proxies_for(url, self._environment) if given is None else {urlsplit(url).scheme: given.reveal()}
        for proxy in found.values():
            if problem := proxy_problem(proxy):
                raise RequestFailed(
                    f"{safe_url(url)}: the proxy cannot be used: {problem}",
                    advice="check HTTPS_PROXY, ALL_PROXY and NO_PROXY, and the proxy of a GeoIP.conf",
                )
        return found

    def _next(self, here: str, location: str) -> str:
        there, problem = here, None
        try:
            there = urljoin(here, location)
        except ValueError:
            problem = "it leads to a malformed URL"
        problem = problem or (hop_problem(here, there) if location else "it does not say where to")
        if problem is None:
            spelled = frozenset[Reach]() if self._public_only else spelled_reach(self._base)
            problem = host_problem(urlsplit(there).hostname or "", self._guard.base_reach | spelled)
        if problem:
            raise RequestFailed(
                f"{safe_url(here)}: a redirect is refused: {problem}",
                advice="check the configured url; if it is right, tell the vendor",
            )
        return there


def _bad_status(url: str, response: "requests.Response", now: datetime) -> RequestFailed:
    status = response.status_code
    reason = http.client.responses.get(status, "unknown status")
    return RequestFailed(
        f"{safe_url(url)}: the server answered {status} {reason}",
        advice=_ADVICE.get(status) or ("the next run tries again" if status_is_retryable(status) else _ADVICE[0]),
        retryable=status_is_retryable(status),
        status=status,
        retry_after=parse_retry_after(response.headers.get("Retry-After"), now),
    )
