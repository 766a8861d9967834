"""Reads a long list of networks or addresses as a table: the same verdict as row by row, at a fiftieth of the time.

The table does not judge. It proves of most lines that there is nothing to say about them: spelled perfectly, of the
right family, no wider than the floor, no special-purpose address. All others it gives back as rows, for the kind to
judge as it judges any row; so no finding is written twice in the code. A body whose lines are not sound text (CR,
invisible characters, wrong UTF-8, too long) is refused here altogether: it will not be published as it is.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from hubdata.grammar import network_columns as col
from hubdata.grammar.gather import MAX_PER_RULE, Some, some
from hubdata.grammar.intervals import merged
from hubdata.grammar.lines import MAX_LINE_BYTES, MAX_LINES, Repeated, Row, is_html, is_sound, judge_sound
from hubdata.grammar.nesting import Covered, Mergeable
from hubdata.grammar.network_bytes import HOST_HIGH, LF, U8, U32, Flags, Ints, Read, read_ipv4, read_ipv6
from hubdata.grammar.network_columns import Columns, Finds
from hubdata.grammar.network_rows import Wanted
from hubdata.grammar.networks import Network
from hubdata.grammar.registries import special_ranges
from hubdata.model.finding import Finding

BLOCK_BYTES = 1 << 17
"""Read at once, so that all arrays about it stay in the processor's cache; more than the longest line allowed."""

Int64 = npt.NDArray[np.int64]

_HASH = ord("#")
_NOWHERE = (1 << 64) - 1
_NONE: U32 = np.zeros(0, dtype=np.uint32)
_AT_ONCE = 4096

Told = TypeVar("Told", Repeated, Covered, Mergeable)


@dataclass(frozen=True, slots=True)
class Lines:
    """The numbers of some lines, and where in the body they start."""

    number: U32
    start: U32


@dataclass(frozen=True, slots=True)
class Table:
    """One body, read: where the rows are that somebody must look at, and columns of all other networks, ascending.

    `unended` is the number of a last line without line feed. `found`, `blank` and the hashes of all texts, `marks`, are
    filled while the suspects are read.
    """

    key: str
    data: bytes
    bare: bool
    clean: Mapping[int, Columns]
    rest: Lines
    unended: int | None
    found: Finds = field(default_factory=Finds)
    blank: "array[int]" = field(default_factory=lambda: array("I"))
    marks: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def entries(self) -> int:
        """Return the number of data rows."""
        return len(self.rest.number) + sum(map(len, self.clean.values()))

    def suspects(self) -> Iterator[Row]:
        """Yield the rows that may have a finding, by line; to be asked for once, and before `whole`."""
        done = len(self.marks)
        for number, start in _pairs(self.rest.number[done:], self.rest.start[done:]):
            row = Row(number, self._text(start))
            self.marks.append(hash(row.text))
            if row.text.isspace():
                self.blank.append(number)
            yield row

    def _text(self, start: int) -> str:
        return self.data[start : self.data.index(b"\n", start)].decode()

    def whole(self) -> "Whole":
        """Return all networks together, when the suspects were read, or as many as anybody wanted."""
        for _ in self.suspects():
            pass  # the rest is marked, and no more
        again, lines = self._repeats()
        repeated, told = [again], [lines]
        for these in self.clean.values():
            same = col.repeated(these)
            repeated.append(col.repeats(these, same, bare=self.bare))
            told.append(these.line[same])
        text = judge_sound(self.key, self.entries, self.unended, some(self.blank), _together(repeated))
        every = {version: _joined(these, self.found.columns(version)) for version, these in self.clean.items()}
        outer = {version: col.outermost(these) for version, these in every.items()}
        return Whole(text, every, outer, np.concatenate(told))

    def _repeats(self) -> tuple[Some[Repeated], U32]:
        """Return the suspects whose text stands there before, and the lines of all of them.

        Rows are compared by hash, and as text where that is equal: a set of all texts is ten times the body.
        """
        number, start = self.rest.number, self.rest.start
        marks = np.frombuffer(self.marks, dtype=np.int64) if self.marks else np.zeros(0, dtype=np.int64)
        later, before = array("I"), array("I")
        seen: dict[str, int] = {}
        reached = -1
        for at, head, place in _equal_neighbours(marks, np.argsort(marks, kind="stable")):
            if at - 1 != reached:  # the first two of one hash
                seen = {self._text(int(start[head])): head}
            reached = at
            first = seen.setdefault(self._text(int(start[place])), place)
            if first != place:
                later.append(place)
                before.append(first)
        told = (
            Repeated(int(number[place]), self._text(int(start[place])), int(number[first]))
            for place, first in nsmallest(MAX_PER_RULE + 1, zip(later, before, strict=True))
        )
        return Some(len(later), tuple(told)), number[np.array(later, dtype=np.uint32)]


def _equal_neighbours(marks: Int64, order: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield where in `order` a row is marked as the one before, and both rows."""
    for at in range(1, len(order), _AT_ONCE):
        part = order[at - 1 : at + _AT_ONCE]
        equal = np.flatnonzero(np.diff(marks[part]) == 0)
        yield from zip((equal + at).tolist(), part[equal].tolist(), part[equal + 1].tolist(), strict=True)


def _pairs(these: Ints | U32, others: Ints | U32) -> Iterator[tuple[int, int]]:
    """Yield two columns side by side, a few thousand at once: as Python's numbers they are ten times as large."""
    for at in range(0, len(these), _AT_ONCE):
        yield from zip(these[at : at + _AT_ONCE].tolist(), others[at : at + _AT_ONCE].tolist(), strict=True)


def _joined(these: Columns, more: Columns) -> Columns:
    """Return the ascending columns `these` with others of the same version."""
    return col.ascending(col.columns(these.version, [these, more])) if len(more) else these


@dataclass(frozen=True, slots=True)
class Whole:
    """All networks of a list together, and which are outermost; `told` are the lines of duplicates."""

    text: tuple[Finding, ...]
    every: Mapping[int, Columns]
    outer: Mapping[int, Flags]
    told: U32

    def coverage(self) -> tuple[int, int]:
        """Return how many IPv4 addresses and how many IPv6 /64s the networks touch."""
        return col.count(self.every[4].pick(self.outer[4])), col.count(self.every[6].pick(self.outer[6]))

    def covered(self) -> Some[Covered]:
        """Return the networks that lie within others."""
        return _together([col.covered(self.every[each], self.outer[each], self.told) for each in self.every])

    def mergeable(self, floors: Mapping[int, int]) -> Some[Mergeable]:
        """Return the networks that could take the place of several rows."""
        return _together([col.mergeable(self.every[each].pick(self.outer[each]), floors[each]) for each in self.every])

    def overlapping(self, named: Sequence[Network]) -> list[tuple[int, Network]]:
        """Return line and network of all rows that have an address of any `named` network, by line."""
        out: list[tuple[int, Network]] = []
        for these in self.every.values():
            hit = np.zeros(len(these), dtype=np.bool_)
            for each in named:
                hit |= col.overlapping(these, each)
            out += ((int(these.line[at]), these.network(int(at))) for at in np.flatnonzero(hit))
        return sorted(out, key=lambda each: each[0])


def read_table(key: str, data: bytes, wanted: Wanted) -> Table | None:
    """Return `data` as a table, or None when its lines are not sound and must be read one by one."""
    if is_html(data):
        return None
    ended = data if not data or data.endswith(b"\n") else data + b"\n"
    plain = {version: _Plain(version, wanted) for version in (4, 6)}
    clean: dict[int, list[Columns]] = {4: [], 6: []}
    suspects = [Lines(_NONE, _NONE)]
    start = lines = 0
    while start < len(ended):
        end = ended.rfind(b"\n", start, start + BLOCK_BYTES) + 1
        if not end:
            return None  # a line longer than a block
        block = np.frombuffer(ended, dtype=np.uint8, count=end - start, offset=start)
        stops = np.flatnonzero(block == LF)
        done = np.zeros(len(stops), dtype=np.bool_)
        for version, mark, read in ((4, b".", read_ipv4), (6, b":", read_ipv6)):
            if ended.find(mark, start, end) >= 0:
                part, good = plain[version].columns(read(block, bare=wanted.bare), lines + 1)
                clean[version].append(part)
                done |= good
        if not done.all():
            rest = _rest(block, stops, done)
            if rest is None or not is_sound(ended[start:end]):
                return None
            number, begins = rest
            suspects.append(Lines((number + (lines + 1)).astype(np.uint32), (begins + start).astype(np.uint32)))
        start, lines = end, lines + len(stops)
        if lines > MAX_LINES:
            return None
    columns = {version: col.ascending(col.columns(version, parts)) for version, parts in clean.items()}
    unended = lines if len(ended) > len(data) else None
    return Table(key, ended, wanted.bare, columns, _below(suspects), unended)


class _Plain:
    """Knows which networks of one version nobody has anything to say about."""

    def __init__(self, version: int, wanted: Wanted) -> None:
        shift, drop = (32, 0) if version == 4 else (0, 64)
        ranges = merged((low << shift >> drop, high << shift >> drop) for low, high in special_ranges(version))
        self._version = version
        self._refused = wanted.version not in (None, version)
        self._floor = wanted.floors[version]
        self._first = np.array([*(first for first, _ in ranges), _NOWHERE], dtype=np.uint64)
        self._last = np.array([last for _, last in ranges], dtype=np.uint64)

    def columns(self, read: Read, first_line: int) -> tuple[Columns, Flags]:
        """Return the good ones of `read`, the first of which stands in `first_line`, and which they are."""
        good = read.perfect & (read.prefix >= self._floor)
        good &= ~self._special(read)
        if self._refused:
            good[:] = False
        line = np.arange(first_line, first_line + len(good), dtype=np.uint32)
        every = Columns(self._version, read.high, read.low, read.prefix, line)
        return every if good.all() else every.pick(good), good

    def _special(self, read: Read) -> Flags:
        """Tell which reach into a special-purpose range; an IPv6 range counts with all of the /64s that it is in."""
        last = read.high | HOST_HIGH[read.prefix]
        reach: Flags = self._first[np.searchsorted(self._last, read.high)] <= last
        return reach


def _rest(block: U8, stops: Ints, done: Flags) -> tuple[Ints, Ints] | None:
    """Return which lines are data rows and not `done`, and where they start; None when any line is too long."""
    starts = np.concatenate([[0], stops[:-1] + 1])
    if (stops - starts).max() > MAX_LINE_BYTES:
        return None
    rows = np.flatnonzero(~done & (stops > starts) & (block[starts] != _HASH))
    return rows, starts[rows]


def _below(parts: Sequence[Lines]) -> Lines:
    return Lines(np.concatenate([part.number for part in parts]), np.concatenate([part.start for part in parts]))


def _together(parts: Sequence[Some[Told]]) -> Some[Told]:
    """Return what was found in several parts as one, by line."""
    first = sorted((each for part in parts for each in part.first), key=lambda each: each.line)
    return Some(sum(part.total for part in parts), tuple(first[: MAX_PER_RULE + 1]))
