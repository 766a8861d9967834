"""Cuts a body into pieces of whole lines, so that no file is ever in memory as rows, only a piece of it.

A row of one byte is fifty times as large as an object of Python; a file of such rows would fill the memory of a
small container. A piece is read, judged and forgotten; what must be known of the whole is kept as numbers.
"""

import mmap
from collections.abc import Iterator

Body = bytes | mmap.mmap
"""The bytes of one file. The same type as the port's, which lies above this layer."""

CHUNK_BYTES = 1 << 17
"""Read at once: more than the longest line an engine reads, and little enough for the processor's cache."""

_COUNTED_BYTES = 1 << 20


class Chunk:
    """Some whole lines of a body: `block`, which begins at the byte `start` with the line `number`."""

    __slots__ = ("block", "number", "start")

    def __init__(self, number: int, start: int, block: bytes) -> None:
        self.number = number
        self.start = start
        self.block = block

    def lines(self) -> list[bytes]:
        """Return each line, without its line feed."""
        lines = self.block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return lines

    def texts(self) -> list[str]:
        """Return each line as an engine reads it: one CR at its end is dropped; U+FFFD where it is not UTF-8."""
        texts = self.block.decode(errors="replace").split("\n")
        if not texts[-1]:
            texts.pop()
        return [text.removesuffix("\r") for text in texts] if b"\r" in self.block else texts

    def until(self, offset: int) -> "Chunk":
        """Return the lines that begin before a byte of the body where a line begins."""
        return Chunk(self.number, self.start, self.block[: offset - self.start])


def chunks(body: Body, size: int | None = None) -> Iterator[Chunk]:
    """Yield all of `body`, in pieces of at most `size` bytes (CHUNK_BYTES) where no line is longer than that."""
    size = size or CHUNK_BYTES
    start, number = 0, 1
    while start < len(body):
        end = len(body)
        if end - start > size:
            end = body.rfind(b"\n", start, start + size) + 1 or body.find(b"\n", start + size) + 1 or end
        block = body[start:end]
        yield Chunk(number, start, block)
        start, number = end, number + block.count(b"\n")


def line_feeds(body: Body, start: int = 0, end: int | None = None) -> int:
    """Return how many line feeds there are in a part of `body`."""
    end = len(body) if end is None else end
    if isinstance(body, bytes):
        return body.count(b"\n", start, end)
    return sum(body[at : min(at + _COUNTED_BYTES, end)].count(b"\n") for at in range(start, end, _COUNTED_BYTES))


def text_at(body: Body, start: int) -> str:
    """Return the line that begins at a byte of `body`, as an engine reads it."""
    end = body.find(b"\n", start)
    return body[start : end if end >= 0 else len(body)].decode(errors="replace").removesuffix("\r")


def long_lines(block: bytes, limit: int) -> Iterator[tuple[int, int]]:
    """Yield where in `block` a line of more than `limit` bytes begins, and how many it has; quick where none is."""
    start = 0
    while len(block) - start > limit:
        end = block.rfind(b"\n", start, start + limit + 1)
        if end < 0:
            end = block.find(b"\n", start + limit + 1)
            end = len(block) if end < 0 else end
            yield start, end - start
        start = end + 1
