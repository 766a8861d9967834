"""Read one HTTP/1.1 answer, strictly: where it begins and ends is beyond doubt, or it is not whole.

An answer that could be read in two ways (two lengths, a length and chunks, folded headers, an interim answer that
nobody asked for) is refused: on a connection that is used again, a wrong guess would take the rest for the answer to
the next request. Heads and bodies are bounded. (RFC 9112, 6 and 7.)
"""

import io
import re
from collections.abc import Mapping
from typing import Protocol

from hubdata.values import frozen

MAX_HEAD_BYTES = 64 << 10

_STATUS = re.compile(r"HTTP/1\.([01]) ([2-5]\d\d)(?: [^\r\n]*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_MAX_LINE = 4096  # of a chunk's size
_MAX_TRAILERS = 32


class NotWhole(Exception):
    """What came is no whole answer, or not only one."""


class NoAnswer(NotWhole):
    """Not a single byte came."""


class Line(Protocol):
    """What is read from."""

    def receive(self) -> bytes:
        """Return what has arrived; nothing at the end."""
        ...

    def give_back(self, surplus: bytes) -> None:
        """Take back what was received and not needed."""
        ...


@frozen
class Head:
    """What comes before a body. `length` None: in chunks. `stays`: the connection may be used again."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    stays: bool


def read_head(line: Line) -> Head:
    """Return status and headers. Raises NoAnswer when there is none, NotWhole, and OSError as the line does."""
    try:
        held = line.receive()
    except ConnectionError as err:
        raise NoAnswer("closed before an answer") from err
    if not held:
        raise NoAnswer("closed before an answer")
    while (end := held.find(b"\r\n\r\n")) < 0:
        if len(held) > MAX_HEAD_BYTES:
            raise NotWhole("headers without end")
        more = line.receive()
        if not more:
            raise NotWhole("closed amid the headers")
        held += more
    if end > MAX_HEAD_BYTES:
        raise NotWhole("headers too long")
    head = _head(held[:end].decode("latin-1"))
    if surplus := held[end + 4 :]:
        line.give_back(surplus)
    return head


def read_body(line: Line, head: Head, *, of_head: bool, max_bytes: int) -> bytes:
    """Return the body, of at most `max_bytes`; none in an answer to HEAD. Raises NotWhole, and OSError."""
    if of_head or head.status in (204, 304):
        return b""
    if head.length is None:
        return _chunks(line, max_bytes)
    if head.length > max_bytes:
        raise NotWhole("too long")
    return _exactly(line, head.length)


def _head(text: str) -> Head:
    first, *lines = text.split("\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise NotWhole("no final status")
    headers: dict[str, str] = {}
    for one in lines:
        name, colon, value = one.partition(":")
        if not colon or _NAME.fullmatch(name) is None or "\r" in value or "\n" in value or "\0" in value:
            raise NotWhole("headers that are none")
        name, value = name.lower(), value.strip(" \t")
        if name in headers:
            if name in ("content-length", "transfer-encoding", "etag"):
                raise NotWhole(f"{name} twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    code, kept = int(status[2]), headers.get("connection", "").lower()
    return Head(code, headers, _length(code, headers), status[1] == "1" and "close" not in kept)


def _length(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the length of a body; None where it comes in chunks."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise NotWhole("an unknown coding")
        return None
    if status in (204, 304) and length is None:
        return 0
    if length is None or not (length.isascii() and length.isdecimal()) or len(length) > 18:
        raise NotWhole("no length")
    return int(length)


def _exactly(line: Line, count: int) -> bytes:
    if not count:
        return b""
    piece = line.receive()
    if len(piece) == count:
        return piece
    whole = io.BytesIO()  # hands its bytes out without another copy
    while True:
        if not piece:
            raise NotWhole("closed amid the body")
        if len(piece) > count:
            line.give_back(piece[count:])
            piece = piece[:count]
        whole.write(piece)
        count -= len(piece)
        if not count:
            return whole.getvalue()
        piece = line.receive()


def _chunks(line: Line, max_bytes: int) -> bytes:
    whole = io.BytesIO()
    while True:
        size = _SIZE.fullmatch(_line(line))
        if size is None:
            raise NotWhole("a chunk without a size")
        count = int(size[1], 16)
        if whole.tell() + count > max_bytes:
            raise NotWhole("too long")
        if not count:
            break
        whole.write(_exactly(line, count))
        if _exactly(line, 2) != b"\r\n":
            raise NotWhole("a chunk without an end")
    for _ in range(_MAX_TRAILERS):
        if not _line(line):
            return whole.getvalue()
    raise NotWhole("trailers without end")


def _line(line: Line) -> bytes:
    """Return what comes up to the next end of a line, without it."""
    held = b""
    while (end := held.find(b"\r\n")) < 0:
        piece = line.receive()
        if not piece or len(held) > _MAX_LINE:
            raise NotWhole("a line without end")
        held += piece
    if surplus := held[end + 2 :]:
        line.give_back(surplus)
    return held[:end]
