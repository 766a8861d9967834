"""Finds the rows of a long list that stand there already, exactly, in eight bytes a row.

A set of all texts is ten to fifty times the list. Here each row is one number: some bits of its hash, and below them
the place where it begins, so that sorted numbers bring rows of equal hash together in the order of the list. Those are
read again and compared as texts: a hash that two texts share costs time, and is never taken for a repetition. What
repeats within one piece of the list is found there, so of rows of one or two bytes few numbers are kept at all.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import nsmallest
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from hubdata.grammar.chunks import Body, Chunk, chunks, text_at
from hubdata.grammar.gather import MAX_PER_RULE, Some
from hubdata.grammar.repeated import Numbered, Repeated, repeated_in

_LF, _CR, _HASH = b"\n\r#"
_AT_ONCE = 1 << 14

Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]


def line_starts(block: U8) -> tuple[Ints, Ints]:
    """Return where each line of `block` begins, and where it ends: at its line feed, or with the block."""
    stops = np.flatnonzero(block == _LF)
    if len(block) and block[-1] != _LF:
        stops = np.append(stops, len(block))
    starts = np.zeros(len(stops), dtype=np.intp)
    starts[1:] = stops[:-1] + 1
    return starts, stops


def data_rows(block: U8, starts: Ints, stops: Ints) -> Flags:
    """Tell which lines of `block` are data rows: not empty, a CR at the end apart, and no comments."""
    if not len(block):
        return np.zeros(0, dtype=np.bool_)
    first = block[starts]
    rows: Flags = (stops > starts) & (first != _HASH)
    rows &= (first != _CR) | (stops > starts + 1)
    return rows


class Repeats:
    """Takes all rows of `body` piece by piece, then tells which of them stand there before.

    With `every_line` it also flags all lines that repeat another, for which it keeps a byte a line more.
    """

    def __init__(self, body: Body, lines: int, *, every_line: bool = False) -> None:
        self._body = body
        self._low = np.uint64((1 << len(body).bit_length()) - 1)
        self._keys: Keys = np.empty(lines + 1, dtype=np.uint64)  # the system gives memory only for what is written
        self._kept = 0
        self._within = 0
        self.flags: Flags = np.zeros(lines + 2 if every_line else 0, dtype=np.bool_)

    def take_chunk(self, chunk: Chunk, rows: list[str]) -> None:
        """Take all data rows of the next piece."""
        block = np.frombuffer(chunk.block, dtype=np.uint8)
        starts, stops = line_starts(block)
        at = np.flatnonzero(data_rows(block, starts, stops))
        self.take(rows, chunk.start + starts[at], chunk.number + at)

    def take(self, rows: list[str], starts: Ints, numbers: Ints) -> None:
        """Take the rows of the next piece, where in the body each begins, and the number of its line."""
        if len(set(rows)) < len(rows):
            first = dict(zip(reversed(rows), range(len(rows) - 1, -1, -1), strict=True))
            self._within += len(rows) - len(first)
            places = np.fromiter(first.values(), dtype=np.intp, count=len(first))
            if len(self.flags):
                again = np.ones(len(rows), dtype=np.bool_)
                again[places] = False
                self.flags[numbers[again]] = True
            rows, starts = list(first), starts[places]
        marks = np.fromiter(map(hash, rows), dtype=np.int64, count=len(rows)).view(np.uint64)
        until = self._kept + len(rows)
        self._keys[self._kept : until] = marks & ~self._low | starts.astype(np.uint64)
        self._kept = until

    def repeated(self, pieces: Callable[[], Iterable[Numbered]]) -> Some[Repeated]:
        """Return the rows that stand there before, when all were taken; `pieces` gives them again, with their lines."""
        keys = self._keys[: self._kept]
        keys.sort()
        count = 0
        later = array("Q")

        def counted() -> Iterator[tuple[int, int]]:
            nonlocal count
            for place, first in self._pairs(keys):
                count += 1
                if len(self.flags):
                    later.append(place)
                yield place, first

        told = nsmallest(MAX_PER_RULE + 1, counted())
        self._keys = np.zeros(0, dtype=np.uint64)
        if len(self.flags) and count:
            self._flag(later)
        if not count + self._within:
            return Some(0, ())
        before = self._lines_of(told)
        rows = chain.from_iterable(repeated_in(piece, before) for piece in pieces())
        return Some(count + self._within, tuple(islice(rows, MAX_PER_RULE + 1)))

    def _pairs(self, keys: Keys) -> Iterator[tuple[int, int]]:
        """Yield where rows begin that were taken from an earlier piece already, and where their first begins."""
        seen: dict[str, int] = {}
        reached = -1
        for at, head, place in self._equal_neighbours(keys):
            if at - 1 != reached:  # the first two of one hash
                seen = {text_at(self._body, head): head}
            reached = at
            first = seen.setdefault(text_at(self._body, place), place)
            if first != place:
                yield place, first

    def _equal_neighbours(self, keys: Keys) -> Iterator[tuple[int, int, int]]:
        """Yield where a key has the hash of the one before, and where both rows begin."""
        for at in range(1, len(keys), _AT_ONCE):
            part = keys[at - 1 : at + _AT_ONCE]
            equal = np.flatnonzero((part[1:] ^ part[:-1]) <= self._low)
            heads, places = part[equal] & self._low, part[equal + 1] & self._low
            yield from zip((equal + at).tolist(), heads.tolist(), places.tolist(), strict=True)

    def _flag(self, later: "array[int]") -> None:
        starts = np.frombuffer(later, dtype=np.uint64)
        starts.sort()
        for numbers in self._numbers(starts):
            self.flags[numbers] = True

    def _lines_of(self, told: list[tuple[int, int]]) -> Mapping[int, int]:
        """Return the lines of some rows with the lines of their first ones."""
        starts = np.unique(np.array(told, dtype=np.uint64))
        numbers = chain.from_iterable(part.tolist() for part in self._numbers(starts))
        line = dict(zip(starts.tolist(), numbers, strict=True))
        return {line[place]: line[first] for place, first in told}

    def _numbers(self, starts: Keys) -> Iterator[Ints]:
        """Yield the numbers of the lines that begin at `starts`, which ascend."""
        done = 0
        for chunk in chunks(self._body):
            if done == len(starts):
                return
            until = int(np.searchsorted(starts, np.uint64(chunk.start + len(chunk.block))))
            if until > done:
                stops = np.flatnonzero(np.frombuffer(chunk.block, dtype=np.uint8) == _LF)
                yield chunk.number + np.searchsorted(
                    stops, (starts[done:until] - np.uint64(chunk.start)).astype(np.intp)
                )
                done = until
