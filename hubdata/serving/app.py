"""The ASGI application: a request in, a public file out, or a short word on why not.

Starlette gives requests and responses, and ends a stream when its client has gone. Its StaticFiles and FileResponse are
not used: they look a file up, stat it and open it in three steps by name, so that a run that replaces the file between
them would send the new bytes under the old length and validators; their ETag is made of time and size; and they follow
no rule about names that begin with a dot. What conditions and ranges mean is decided in `answers`.
"""

import errno
import logging
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from hubdata.model.event import Event
from hubdata.ports import Reporter
from hubdata.serving.answers import Answer, Asked, Facts, answer
from hubdata.serving.digests import Changing, Digests
from hubdata.serving.paths import key_of
from hubdata.serving.published import OpenFile, Published, Unpublished

PIECE = 64 << 10
"""How much of a file is read, and handed to a connection, at once."""

_ALWAYS = {"X-Content-Type-Options": "nosniff"}
_METHODS = ("GET", "HEAD")


class PublicCopy:
    """Serves what is public in `published`. `access` hears of every request, if anybody wants to."""

    def __init__(self, published: Published, reporter: Reporter, access: Reporter | None = None) -> None:
        self._published = published
        self._reporter = reporter
        self._access = access
        self._digests = Digests()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        watch = _Watch(send)
        try:
            await self._answer(scope, receive, watch.send)
        except Exception:
            # The server answers 500 and is silent: this is where its operator learns of it.
            logging.getLogger(__name__).exception("serve.failed path=%s", _path(scope))
            raise
        finally:
            if self._access is not None:
                self._access.emit(Event("serve.request", watch.told(scope)))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            await _word(405, {"Allow": ", ".join(_METHODS)}, headers)(scope, receive, send)
            return
        key = key_of(scope["raw_path"])
        try:
            file = await to_thread.run_sync(self._published.open, key) if key is not None else None
        except Unpublished:
            await _word(503, {"Retry-After": "10"}, headers, "nothing is published here yet")(scope, receive, send)
            return
        except OSError as err:
            await self._trouble(key or "", err, headers)(scope, receive, send)
            return
        if key is None or file is None:
            await _word(404, {}, headers)(scope, receive, send)
            return
        try:
            await (await self._response(key, file, _asked(scope["method"], headers), headers))(scope, receive, send)
        except _CutShort as err:
            # The head is out: all that is left to do is to end the connection before its promised length.
            self._tell(key, err.reason)
        finally:
            file.close()

    async def _response(self, key: str, file: OpenFile, asked: Asked, headers: Headers) -> Response:
        try:
            digest = await self._digests.sha256(file.fd, file.state)
        except Changing:
            return _word(503, {"Retry-After": "1"}, headers, "this file is being written")
        except OSError as err:
            return self._trouble(key, err, headers)
        state = file.state
        modified_at = state.modified_ns // 1_000_000_000
        facts = Facts(state.size, modified_at, f'"{digest}"', file.content_type, file.cache_control)
        said = answer(asked, facts, int(time.time()))
        return await _body(file, said, {**_ALWAYS, **said.headers, **_closing(headers)}, head=asked.method == "HEAD")

    def _trouble(self, key: str, err: OSError, headers: Headers) -> Response:
        """Return the answer for a file that is there but cannot be had, having told the operator."""
        self._tell(key, err.strerror or str(err))
        if err.errno in (errno.EACCES, errno.EPERM):
            return _word(403, {}, headers)
        return _word(503, {"Retry-After": "10"}, headers)

    def _tell(self, key: str, reason: str) -> None:
        self._reporter.emit(Event("serve.unreadable", {"key": key, "reason": reason}))


class _CutShort(Exception):
    """A file could not be read to its end after its head was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Watch:
    """Notes what is sent, for the access log."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._began = time.perf_counter()
        self._status = 0
        self._bytes = 0

    async def send(self, message: Message) -> None:
        self._status = message.get("status", self._status)
        self._bytes += len(message.get("body", b""))
        await self._send(message)

    def told(self, scope: Scope) -> Mapping[str, str | int | float]:
        """Return the fields of one line. The query stays out: it may hold what nobody should read in a log."""
        return {
            "client": (scope.get("client") or ("unknown",))[0],
            "method": scope["method"],
            "path": _path(scope),
            "status": self._status,
            "bytes": self._bytes,
            "ms": round((time.perf_counter() - self._began) * 1000),
        }


def _path(scope: Scope) -> str:
    raw: bytes = scope["raw_path"]
    return raw.decode("ascii", "backslashreplace")


async def _body(file: OpenFile, said: Answer, headers: Mapping[str, str], *, head: bool) -> Response:
    if head or said.length == 0:
        return Response(None, said.status, headers)
    if said.length <= PIECE:
        try:
            return Response(await to_thread.run_sync(file.read, said.start, said.length), said.status, headers)
        except OSError:
            return _word(503, {"Retry-After": "1"}, Headers())
    return StreamingResponse(_pieces(file, said.start, said.length), said.status, headers)


async def _pieces(file: OpenFile, start: int, length: int) -> AsyncIterator[bytes]:
    end = start + length
    while start < end:
        try:
            piece = await to_thread.run_sync(file.read, start, min(PIECE, end - start))
        except OSError as err:
            raise _CutShort(err.strerror or str(err)) from err
        yield piece
        start += len(piece)


def _asked(method: str, headers: Headers) -> Asked:
    def value(name: str) -> str | None:
        return ", ".join(headers.getlist(name)) or None

    return Asked(
        method,
        if_match=value("if-match"),
        if_none_match=value("if-none-match"),
        if_modified_since=value("if-modified-since"),
        if_unmodified_since=value("if-unmodified-since"),
        range=value("range"),
        if_range=value("if-range"),
    )


def _closing(headers: Headers) -> dict[str, str]:
    """Return what ends the connection when a request brings a body: nobody here reads it."""
    brings_one = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return {"Connection": "close"} if brings_one else {}


def _word(status: int, more: dict[str, str], headers: Headers, words: str = "") -> Response:
    """Return a short answer without a file. It may be kept for seconds only: what is missing may come any moment."""
    kept = "public, max-age=10" if status == HTTPStatus.NOT_FOUND else "no-store"
    said = _ALWAYS | {"Cache-Control": kept} | more | _closing(headers)
    text = (words or HTTPStatus(status).phrase.lower()) + "\n"
    return Response(text, status, said, media_type="text/plain")
