"""Read a public copy as a reader of one address family does, and say what came: the status, the headers, a digest.

Nothing is kept but small bodies. What is asked for is bounded in time and size. A redirect is followed only within the
same scheme, host and port, a few times: where else it leads is what the caller wants to know, not a place to go. No
proxy is used, because through one nobody can tell which family was spoken.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from hubdata import __version__
from hubdata.errors import HubdataError, SourceError
from hubdata.model.verification import Family, Pin
from hubdata.transfer.addresses import Dialer, Missing, Resolve, Unreached, addresses_of_system
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.guard import ConnectionGuard, hide_queries_in_logs
from hubdata.transfer.gunzip import decompressed
from hubdata.transfer.network_error import broken, causes_of, is_network_error
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.url import hop_problem, origin, safe_url

if TYPE_CHECKING:
    import requests

MAX_HOPS = 5
_PIECE = 64 * 1024
_CONNECT_S = 10.0
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_SLOWEST_BYTES_S = 50_000
"""A body that comes more slowly is no use to an engine, which gives up after 120 s."""


class Trouble(Enum):
    """Why a reader got no answer."""

    NO_ADDRESS = "no-address"
    DNS = "dns"
    NO_ROUTE = "no-route"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    SILENT = "silent"
    TRUNCATED = "truncated"
    REDIRECT = "redirect"
    REDIRECT_LOOP = "redirect-loop"


_OF_MISSING = {
    Missing.ADDRESS: Trouble.NO_ADDRESS,
    Missing.ANSWER: Trouble.DNS,
    Missing.ROUTE: Trouble.NO_ROUTE,
    Missing.RIGHT: Trouble.FORBIDDEN,
    Missing.CONNECTION: Trouble.UNREACHABLE,
}


class NoAnswer(HubdataError):
    """A reader of this family gets nothing, for the reason in `trouble`."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its body read to the end unless it was `too_long`.

    `headers` have names in lower case. `size` and `sha256` are of the content, unpacked where it was sent as gzip;
    `fault` says why it could not be unpacked. `sent_bytes` went over the wire. `body` is the content where it was
    asked for. `received_at` is this machine's time when the headers came.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    address: str
    received_at: datetime
    size: int = 0
    sha256: str = ""
    sent_bytes: int = 0
    encoding: str = ""
    fault: str = ""
    too_long: bool = False
    body: bytes | None = None


class FamilyClient:
    """Reads one origin over one family; for one thread at a time. Counts `requests` and `sent_bytes`.

    `silence` is how long the other side may say nothing. `environment` may name `REQUESTS_CA_BUNDLE`.
    """

    def __init__(
        self,
        base: str,
        family: Family,
        *,
        pins: Iterable[Pin] = (),
        silence: timedelta = timedelta(seconds=15),
        environment: Mapping[str, str] | None = None,
        resolve: Resolve = addresses_of_system,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        hide_queries_in_logs()
        self._base = base
        self._silence = silence
        self._environment = os.environ if environment is None else environment
        self._now = now
        self._until = Deadline.after(silence)
        self._dialer = Dialer(family, pins=pins, resolve=resolve, deadline=lambda: self._until)
        self._guard = ConnectionGuard(self._dialer.dial)
        self._session = self._guard.session()
        self._stopped = False
        self.requests = 0
        self.sent_bytes = 0

    @property
    def address(self) -> str:
        """Return the address that answered last."""
        return self._dialer.connected_to

    def stop(self) -> None:
        """Cut every connection, from any thread: what is being asked gets no answer, and nothing more is asked."""
        self._stopped = True
        self._guard.drop()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()
        self._guard.drop()

    def __enter__(self) -> "FamilyClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def head(self, url: str, *, deadline: Deadline) -> Answer:
        """Return the answer to a HEAD of `url`. Raises NoAnswer."""
        return self._asked("HEAD", url, deadline, 0, accept="identity", keep=False)

    def get(self, url: str, *, deadline: Deadline, max_bytes: int, gzip: bool, keep: bool = False) -> Answer:
        """Return the answer to a GET of `url`: with `gzip` as engines ask, else for the plain bytes. Raises NoAnswer.

        Reading stops beyond `max_bytes`. `keep` keeps the body.
        """
        return self._asked("GET", url, deadline, max_bytes, accept="gzip" if gzip else "identity", keep=keep)

    def _asked(self, method: str, url: str, deadline: Deadline, max_bytes: int, *, accept: str, keep: bool) -> Answer:
        if deadline.expired:
            raise NoAnswer(Trouble.SILENT, "no time was left to ask")
        for attempt in (1, 2):
            try:
                return self._followed(method, url, deadline, max_bytes, accept=accept, keep=keep)
            except NoAnswer as err:  # a kept connection may have been closed meanwhile; a second time it is no chance
                if err.trouble is not Trouble.TRUNCATED or attempt == 2 or self._stopped:
                    raise
                self._guard.drop()
        raise AssertionError

    def _followed(
        self, method: str, url: str, deadline: Deadline, max_bytes: int, *, accept: str, keep: bool
    ) -> Answer:
        limit_s = 2 * self._silence.total_seconds() + max_bytes / _SLOWEST_BYTES_S
        self._until = Deadline.after(timedelta(seconds=deadline.clip(limit_s)))
        clean = False
        try:
            with self._guard.until(self._until):
                response, at = self._through(method, url, accept)
                with response:
                    answer = self._read(response, at, max_bytes, keep=keep)
                clean = not answer.too_long
                return answer
        except RequestFailed as err:
            raise NoAnswer(Trouble.SILENT, _without_url(str(err))) from err
        finally:
            if not clean:
                self._guard.drop()

    def _through(self, method: str, url: str, accept: str) -> "tuple[requests.Response, str]":
        """Return the first answer that is no redirect, and its URL."""
        seen = [url]
        while True:
            if self._stopped:
                raise NoAnswer(Trouble.SILENT, "nobody waited for it")
            response = self._send(method, seen[-1], accept)
            location = response.headers.get("Location", "")
            if response.status_code not in _REDIRECTS or not location:
                return response, seen[-1]
            response.close()
            there = _hop(seen[-1], location)
            if there in seen or len(seen) > MAX_HOPS:
                raise NoAnswer(
                    Trouble.REDIRECT_LOOP,
                    f"redirects without end ({len(seen)} so far, the last one to {safe_url(there)})",
                )
            seen.append(there)

    def _send(self, method: str, url: str, accept: str) -> "requests.Response":
        headers = {"User-Agent": f"hubdata/{__version__}", "Accept": "*/*", "Accept-Encoding": accept}
        verify = self._environment.get("REQUESTS_CA_BUNDLE") or self._environment.get("CURL_CA_BUNDLE") or True
        limits = (self._until.clip(_CONNECT_S), self._until.clip(self._silence.total_seconds()))
        self.requests += 1
        try:
            response = self._session.request(
                method, url, headers=headers, stream=True, allow_redirects=False, timeout=limits, verify=verify
            )
        except Exception as err:
            if not is_network_error(err):
                raise
            self._guard.check(safe_url(url))
            raise _no_answer(err) from None
        if self._until.expired:  # headers that were cut short pass for whole ones
            response.close()
            self._guard.check(safe_url(url))
        return response

    def _read(self, response: "requests.Response", url: str, max_bytes: int, *, keep: bool) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        encoding = headers.get("content-encoding", "").strip().lower()
        received_at, sent = self._now(), _Counted(response, self._guard, url)
        digest, kept, size, fault = hashlib.sha256(), bytearray(), 0, ""
        content: Iterable[bytes] = sent if encoding != "gzip" or sent.empty else decompressed(sent)
        try:
            for piece in content:
                size += len(piece)
                if size > max_bytes:
                    break
                digest.update(piece)
                if keep:
                    kept += piece
        except SourceError as err:
            if isinstance(err, RequestFailed):
                raise
            fault = "a gzip stream that ends too early" if err.retryable else "no gzip, or more than gzip"
        finally:
            self.sent_bytes += sent.count
        return Answer(
            url=url,
            status=response.status_code,
            headers=headers,
            address=self.address,
            received_at=received_at,
            size=size,
            sha256=digest.hexdigest(),
            sent_bytes=sent.count,
            encoding="" if encoding == "identity" else encoding,
            fault=fault,
            too_long=size > max_bytes,
            body=bytes(kept) if keep and size <= max_bytes else None,
        )


class _Counted:
    """The body as it was sent, counted. Raises NoAnswer when it breaks off, RequestFailed when time is up."""

    def __init__(self, response: "requests.Response", guard: ConnectionGuard, url: str) -> None:
        self._response = response
        self._guard = guard
        self._url = safe_url(url)
        length = response.headers.get("Content-Length", "")
        plain = length.isascii() and length.isdigit() and len(length) < 19
        self._announced = int(length) if plain and not response.headers.get("Transfer-Encoding") else None
        self.empty = response.request.method == "HEAD" or self._announced == 0
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        if self.empty:
            return
        try:
            for piece in self._response.raw.stream(_PIECE, decode_content=False):
                self.count += len(piece)
                yield piece
                self._guard.check(self._url)
        except (RequestFailed, GeneratorExit):
            raise
        except Exception as err:
            if not is_network_error(err):
                raise
            self._guard.check(self._url)
            raise self._cut(_no_answer(err)) from None
        self._guard.check(self._url)
        if self._announced is not None and self.count != self._announced:
            raise self._cut(NoAnswer(Trouble.TRUNCATED, ""))

    def _cut(self, err: NoAnswer) -> NoAnswer:
        if err.trouble is not Trouble.TRUNCATED:
            return err
        of = "" if self._announced is None else f" of {self._announced:,}"
        return NoAnswer(Trouble.TRUNCATED, f"a body that ends after {self.count:,}{of} bytes")


def _hop(here: str, location: str) -> str:
    """Return where a redirect leads. Raises NoAnswer when that is not the same scheme, host and port."""
    try:
        there = urljoin(here, location)
        problem = hop_problem(here, there)
        elsewhere = problem is None and origin(there) != origin(here)
    except ValueError:
        there, problem, elsewhere = "", "it leads to a malformed URL", False
    if problem or elsewhere:
        where = f"it leads to {safe_url(there)}" if elsewhere else problem
        raise NoAnswer(Trouble.REDIRECT, f"a redirect: {where}")
    return there


def _no_answer(err: Exception) -> NoAnswer:
    """Say in whose words the library's error is to be told; its own quote the URL."""
    import ssl

    import requests
    import urllib3

    causes = tuple(causes_of(err))
    for cause in causes:
        if isinstance(cause, Unreached):
            return NoAnswer(_OF_MISSING[cause.why], str(cause))
    said = _without_url(str(broken("", err)))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        told = said if any(isinstance(c, ssl.SSLCertVerificationError) for c in causes) else "the TLS handshake failed"
        return NoAnswer(Trouble.TLS, told)
    if any(isinstance(c, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError) for c in causes):
        return NoAnswer(Trouble.SILENT, said)
    return NoAnswer(Trouble.TRUNCATED, said)


def _without_url(message: str) -> str:
    """Return what our own error says behind the URL."""
    return message.rpartition(": ")[2] or message
