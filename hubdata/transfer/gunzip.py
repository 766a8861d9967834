"""Unpack a gzip stream as its bytes arrive: in constant memory, within bounds, and only if it is whole.

An upstream that serves `.gz` gives us nothing else to check the transfer by than the CRC and the length at the end of
the stream, so nothing is believed before they came. What an honest vendor does not make is refused: more bytes than
allowed (counted before and after), a second member, anything behind the end.

Format: RFC 1952. It allows several members in a row and says nothing of padding; vendors write one, and end there.
"""

import zlib
from collections.abc import Iterable, Iterator

from hubdata.errors import SourceError

_PIECE = 512 * 1024
"""Large enough that other threads get on meanwhile: zlib needs the interpreter only between two pieces."""
_MEMBER = b"\x1f\x8b"
_MAX_GROWTH = (
    100  # the databases of all vendors unpack to two or three times their size, gzip makes a thousand possible
)
_FREE_GROWTH = 64 << 20


def gunzipped(packed: Iterable[bytes], *, max_packed_bytes: int, max_bytes: int) -> Iterator[bytes]:
    """Yield what `packed` unpacks to, in pieces of at most 512 KiB.

    Raises SourceError when it is not exactly one whole gzip member or larger than allowed; retryable when cut off.
    """
    left = max_bytes
    for piece in decompressed(counted(packed, max_packed_bytes)):
        left -= len(piece)
        if left < 0:
            raise refused(f"it unpacks to more than the {max_bytes:,} bytes allowed")
        yield piece


def counted(packed: Iterable[bytes], max_packed_bytes: int) -> Iterator[bytes]:
    """Yield `packed` as it is. Raises SourceError beyond `max_packed_bytes`."""
    count = 0
    for piece in packed:
        count += len(piece)
        if count > max_packed_bytes:
            raise refused(f"it has more than the {max_packed_bytes:,} bytes allowed packed")
        yield piece


def decompressed(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what `packed` unpacks to in pieces of at most 512 KiB, so that a small input cannot fill memory or disk.

    Raises SourceError when it is not one whole member with the right CRC and length, or grows as no database does.
    """
    unzip = zlib.decompressobj(wbits=31)
    begun = False
    growth_left = _FREE_GROWTH
    for arrived in packed:
        piece = arrived
        while piece:
            if unzip.eof:
                raise refused(_behind_the_end(piece))
            try:
                out = unzip.decompress(piece, _PIECE)
            except zlib.error:
                raise refused(_no_gzip(b"" if begun else piece)) from None
            begun = True
            rest = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
            growth_left += _MAX_GROWTH * (len(piece) - len(rest))  # what has arrived and is not read counts for nothing
            growth_left -= len(out)
            if growth_left < 0:
                raise refused(f"it unpacks to more than {_MAX_GROWTH} times its size")
            if out:
                yield out
            piece = rest
    if not unzip.eof:
        raise cut_off()


def refused(why: str) -> SourceError:
    """Return the error for a download that will not be used, whatever comes next."""
    return SourceError(
        f"the downloaded archive is refused: {why}",
        advice="the published copy stays; if the next run sees the same, tell the vendor",
    )


def cut_off() -> SourceError:
    """Return the error for a stream that ended before its end."""
    return SourceError(
        "the downloaded archive ends too early",
        advice="the published copy stays; the next run tries again",
        retryable=True,
    )


def _no_gzip(start: bytes) -> str:
    page = ": it looks like a page of HTML or XML" if start.lstrip()[:1] == b"<" else ""
    return f"it is not gzip, or it is damaged{page}"


def _behind_the_end(rest: bytes) -> str:
    member = ": a second member" if rest.startswith(_MEMBER) else ""
    return f"data follows the end of the gzip stream{member}"
