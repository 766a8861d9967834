"""Where an answer begins and ends is beyond doubt, or it is no answer: whatever is sent, in pieces of any size."""

import pytest

from hubdata.transfer.wire_answer import MAX_HEAD_BYTES, Head, NoAnswer, NotWhole, read_body, read_head


class Pieces:
    """A line on which `sent` arrives, `size` bytes at a time."""

    def __init__(self, sent: bytes, size: int) -> None:
        self.left = sent
        self._size = size

    def receive(self) -> bytes:
        """Return the next piece."""
        piece, self.left = self.left[: self._size], self.left[self._size :]
        return piece

    def give_back(self, surplus: bytes) -> None:
        """Put it before what is to come."""
        self.left = surplus + self.left


def read(sent: bytes, size: int = 1 << 16, *, of_head: bool = False) -> tuple[Head, bytes, bytes]:
    """Return head, body and what is left on the line."""
    line = Pieces(sent, size)
    head = read_head(line)
    return head, read_body(line, head, of_head=of_head, max_bytes=100), line.left


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 16])
@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag:  "a" \r\n\r\nbody', b"body"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "a"\r\n\r\n', b""),
        (
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\netag: "a"\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\n\r\n',
            b"body",
        ),
        (b'HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\nETAG: "a"\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n', b"body"),
        (b'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n', b""),
    ],
)
def test_an_answer_is_read_to_its_end_and_no_further(sent: bytes, body: bytes, size: int) -> None:
    """What comes after it is left on the line, however the bytes arrive."""
    head, read_, left = read(sent + b"HTTP/1.1", size)
    assert (head.headers["etag"], read_, left) == ('"a"', body, b"HTTP/1.1")
    assert head.stays


def test_an_answer_to_head_has_no_body() -> None:
    """Its length is the object's."""
    head, body, left = read(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", of_head=True)
    assert (head.length, body, left) == (4, b"", b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    ],
)
def test_a_connection_that_will_be_closed_is_not_used_again(sent: bytes) -> None:
    """Whether the server says so, or is of those that always do."""
    head, body, _ = read(sent)
    assert (head.stays, body) == (False, b"body")


@pytest.mark.parametrize("size", [1, 1 << 16])
@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbod",
        b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: "ab',
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r",
        b"HTTP/1.1 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x4\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n" + b"x" * 96 + b"\r\n5\r\nxxxxx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nETag: a\r\nETag: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nETag: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nETag : a\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nETag: a\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnothing\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"<html></html>",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES + b"\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_or_has_no_end_is_no_answer(sent: bytes, size: int) -> None:
    """Truncated, with two lengths, folded, interim, of another protocol, or without end."""
    with pytest.raises(NotWhole):
        read(sent, size)


def test_silence_is_told_from_an_answer_that_broke_off() -> None:
    """Only when not a byte came may nothing have been done at all."""
    with pytest.raises(NoAnswer):
        read(b"")
    with pytest.raises(NotWhole) as caught:
        read(b"H")
    assert not isinstance(caught.value, NoAnswer)
