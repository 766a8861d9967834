"""Gzip streams as vendors make them, and as nobody should: whole, bounded, or refused."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest

from hubdata.errors import SourceError
from hubdata.transfer.gunzip import gunzipped

MIB = 1 << 20
BODY = bytes(range(256)) * 1000
PACKED = gzip.compress(BODY, mtime=0)


def unpacked(packed: bytes, *, piece: int = 1000, max_packed_bytes: int = MIB, max_bytes: int = MIB) -> bytes:
    """Return what arrives of `packed`, sent in pieces."""
    pieces = (packed[at : at + piece] for at in range(0, len(packed), piece))
    return b"".join(gunzipped(pieces, max_packed_bytes=max_packed_bytes, max_bytes=max_bytes))


@pytest.mark.parametrize("piece", [1, 7, 1000, MIB])
def test_a_whole_stream_comes_out_as_it_was(piece: int) -> None:
    """However the network cuts it."""
    assert unpacked(PACKED, piece=piece) == BODY
    assert unpacked(gzip.compress(b""), piece=piece) == b""


@pytest.mark.parametrize("kept", [0, 1, 10, len(PACKED) // 2, len(PACKED) - 8, len(PACKED) - 1])
def test_a_stream_that_ends_early_may_be_tried_again(kept: int) -> None:
    """Also when only the trailer is missing: without it nobody knows whether the bytes are right."""
    with pytest.raises(SourceError, match="ends too early") as caught:
        unpacked(PACKED[:kept])
    assert caught.value.retryable


@pytest.mark.parametrize("at", [-8, -4, len(PACKED) // 2])
def test_a_damaged_stream_is_refused(at: int) -> None:
    """The CRC, the length and the deflated data are all looked at."""
    damaged = bytearray(PACKED)
    damaged[at] ^= 0x55
    with pytest.raises(SourceError, match="not gzip, or it is damaged") as caught:
        unpacked(bytes(damaged))
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("behind", "what"),
    [(PACKED, "gzip stream: a second member"), (b"\0" * 512, "data follows"), (b"x", "data follows")],
    ids=["member", "padding", "garbage"],
)
@pytest.mark.parametrize("piece", [len(PACKED), MIB])
def test_nothing_may_follow_the_end(behind: bytes, what: str, piece: int) -> None:
    """Some readers go on with what follows and others do not, so two of them would see two files."""
    with pytest.raises(SourceError, match=what):
        unpacked(PACKED + behind, piece=piece)


def test_a_page_in_its_place_is_named() -> None:
    """A captive portal answers with 200 and HTML."""
    with pytest.raises(SourceError, match="it is not gzip, or it is damaged: it looks like a page of HTML"):
        unpacked(b"  <!DOCTYPE html><html>sign in</html>")
    with pytest.raises(SourceError, match=r"damaged$"):
        unpacked(b"MZ\x90 something else")


def test_sizes_are_bounded_before_and_after() -> None:
    """A byte over either limit is one too many; the limits themselves are allowed."""
    assert unpacked(PACKED, max_packed_bytes=len(PACKED), max_bytes=len(BODY)) == BODY
    with pytest.raises(SourceError, match="bytes allowed packed"):
        unpacked(PACKED, max_packed_bytes=len(PACKED) - 1)
    with pytest.raises(SourceError, match="unpacks to more than"):
        unpacked(PACKED, max_bytes=len(BODY) - 1)


def _bomb(size: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(size // MIB):
        yield packer.compress(bytes(MIB))
    yield packer.flush()


def test_a_bomb_of_512_mb_is_stopped_in_little_memory() -> None:
    """It ends at the limit, and what it takes is a few pieces, not the file."""
    pieces = list(_bomb(512 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="unpacks to more than"):
            for _ in gunzipped(pieces, max_packed_bytes=512 * MIB, max_bytes=40 * MIB):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * MIB


@pytest.mark.parametrize("arriving", [list, lambda pieces: [b"".join(pieces)]], ids=["bit by bit", "at once"])
def test_a_bomb_within_the_cap_is_stopped_by_how_it_grows(
    arriving: Callable[[Iterable[bytes]], Iterable[bytes]],
) -> None:
    """A thousandfold is no database: what would be 512 MB ends at an eighth of that, long before a cap of 1 GB."""
    sizes: list[int] = []
    pieces = gunzipped(arriving(_bomb(512 * MIB)), max_packed_bytes=1 << 30, max_bytes=1 << 30)
    with pytest.raises(SourceError, match="more than 100 times its size") as caught:
        sizes.extend(map(len, pieces))
    assert not caught.value.retryable
    assert 60 * MIB < sum(sizes) < 80 * MIB
