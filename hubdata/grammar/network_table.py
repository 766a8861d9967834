"""Reads a long list of networks or addresses as a table: the same verdict as row by row, at a fiftieth of the time.

The table does not judge. It proves of most lines that there is nothing to say about them: spelled perfectly, of the
right family, no wider than the floor, no special-purpose address. All others it gives back as rows, for the kind to
judge as it judges any row; so no finding is written twice in the code. A body whose lines are not sound text (CR,
invisible characters, wrong UTF-8, too long) is refused here altogether: it will not be published as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import TypeVar

import numpy as np

from hubdata.grammar import network_columns as col
from hubdata.grammar.chunks import CHUNK_BYTES, Body, Chunk, chunks, line_feeds, long_lines
from hubdata.grammar.gather import MAX_PER_RULE, Some, Tally
from hubdata.grammar.intervals import Intervals, merged
from hubdata.grammar.lines import (
    ENGINE_LINE_BYTES,
    MAX_LINE_BYTES,
    MAX_LINES,
    Row,
    is_html,
    is_sound,
    judge_sound,
    read_rows,
)
from hubdata.grammar.nesting import Covered, Mergeable
from hubdata.grammar.network_bytes import HOST_HIGH, U8, Flags, Ints, Read, read_ipv4, read_ipv6
from hubdata.grammar.network_columns import Columns
from hubdata.grammar.network_finds import Finds
from hubdata.grammar.network_rows import Wanted
from hubdata.grammar.networks import Network
from hubdata.grammar.registries import special_ranges
from hubdata.grammar.repeated import Numbered, Repeated
from hubdata.grammar.repeats import Repeats, data_rows, line_starts
from hubdata.model.finding import Finding

BLOCK_BYTES = CHUNK_BYTES
"""Read at once, so that all arrays about it stay in the processor's cache; more than the longest line allowed."""

_NOWHERE = (1 << 64) - 1

Told = TypeVar("Told", Repeated, Covered, Mergeable)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the body in which somebody must look at some rows: its first line, its bytes, a bit for each line."""

    number: int
    start: int
    end: int
    rows: U8


@dataclass(frozen=True, slots=True)
class Table:
    """One body, read: where the rows are that somebody must look at, and columns of all other networks, ascending.

    `unended` is the number of a last line without line feed. When the text is not `sound`, the reader of rows judges
    it. `found` is filled while the suspects are read.
    """

    key: str
    body: Body
    bare: bool
    clean: Mapping[int, Columns]
    rest: Sequence[Part]
    entries: int
    lines: int
    unended: int | None
    sound: bool
    found: Finds = field(default_factory=Finds)

    def suspects(self) -> Iterator[Row]:
        """Yield the rows that may have a finding, by line."""
        for rows in self._suspects():
            yield from map(Row._make, rows)

    def _suspects(self) -> Iterator[Numbered]:
        for part in self.rest:
            numbers, texts, _ = self._rows(part)
            yield zip(numbers.tolist(), texts, strict=True)

    def _rows(self, part: Part) -> tuple[Ints, list[str], Ints]:
        """Return lines and texts of the suspects of one piece, and where they begin in the body."""
        chunk = Chunk(part.number, part.start, self.body[part.start : part.end])
        starts, _ = line_starts(np.frombuffer(chunk.block, dtype=np.uint8))
        at = np.flatnonzero(np.unpackbits(part.rows, count=len(starts)))
        texts = chunk.texts()
        return at + part.number, [texts[place] for place in at.tolist()], starts[at] + part.start

    def whole(self) -> "Whole":
        """Return all networks together, when the suspects were read, or as many as anybody wanted."""
        repeats = Repeats(self.body, self.lines, every_line=True)
        text = self._text(repeats) if self.sound else read_rows(self.key, self.body, repeats=repeats)[1]
        every = {version: _joined(these, col.found(self.found, version)) for version, these in self.clean.items()}
        outer = {version: col.outermost(these) for version, these in every.items()}
        return Whole(text, every, outer, repeats.flags)

    def _text(self, repeats: Repeats) -> tuple[Finding, ...]:
        """Return what is wrong with a text whose lines are sound, and have `repeats` know which of them repeat others.

        A row that was read as columns is spelled canonically, and so can only repeat another of that sort.
        """
        blank = Tally[int]()
        for part in self.rest:
            numbers, texts, starts = self._rows(part)
            blank.take(number for number, text in zip(numbers.tolist(), texts, strict=True) if text.isspace())
            repeats.take(texts, starts, numbers)
        repeated = [repeats.repeated(self._suspects)]
        for these in self.clean.values():
            same = col.repeated(these)
            repeated.append(col.repeats(these, same, bare=self.bare))
            repeats.flags[these.line[same]] = True
        return judge_sound(self.key, self.entries, self.unended, blank.some(), _together(repeated))


def _joined(these: Columns, more: Columns) -> Columns:
    """Return the ascending columns `these` with others of the same version."""
    return col.ascending(these.version, [these, more]) if len(more) else these


@dataclass(frozen=True, slots=True)
class Whole:
    """All networks of a list together, and which are outermost; `told` flags the lines of duplicates."""

    text: tuple[Finding, ...]
    every: Mapping[int, Columns]
    outer: Mapping[int, Flags]
    told: Flags

    def coverage(self) -> tuple[int, int]:
        """Return how many IPv4 addresses and how many IPv6 /64s the networks touch."""
        return col.count(self.every[4].pick(self.outer[4])), col.count(self.every[6].pick(self.outer[6]))

    def intervals(self, version: int) -> Intervals:
        """Return the addresses of one version that the networks hold."""
        return col.intervals(self.every[version].pick(self.outer[version]))

    def covered(self) -> Some[Covered]:
        """Return the networks that lie within others."""
        return _together([col.covered(self.every[each], self.outer[each], self.told) for each in self.every])

    def mergeable(self, floors: Mapping[int, int]) -> Some[Mergeable]:
        """Return the networks that could take the place of several rows."""
        return _together([col.mergeable(self.every[each].pick(self.outer[each]), floors[each]) for each in self.every])

    def overlapping(self, named: Sequence[Network]) -> Iterator[tuple[int, Network]]:
        """Yield line and network of all rows that have an address of any `named` network, by line."""
        return merge(*(_hits(these, named) for these in self.every.values()), key=lambda each: each[0])


def _hits(these: Columns, named: Sequence[Network]) -> Iterator[tuple[int, Network]]:
    hit = np.zeros(len(these), dtype=np.bool_)
    for each in named:
        hit |= col.overlapping(these, each)
    hits = np.flatnonzero(hit)
    for at in hits[np.argsort(these.line[hits])]:
        yield int(these.line[at]), these.network(int(at))


def read_table(key: str, body: Body, wanted: Wanted) -> Table | None:
    """Return `body` as a table, or None when nothing of it is worth reading: a page of HTML, or too many lines."""
    if is_html(body):
        return None
    plain = {version: _Plain(version, wanted) for version in (4, 6)}
    clean: dict[int, list[Columns]] = {4: [], 6: []}
    rest: list[Part] = []
    lines = entries = 0
    end, sound = len(body), True
    for chunk in chunks(body, BLOCK_BYTES):
        for at, size in long_lines(chunk.block, MAX_LINE_BYTES):
            sound = False
            if size >= ENGINE_LINE_BYTES:
                end = min(end, chunk.start + at)
        if chunk.number + line_feeds(chunk.block) - 1 > MAX_LINES:
            return None
        if chunk.start >= end:
            continue
        readable = chunk.until(end)
        block, starts, stops = _block(readable.block)
        done = np.zeros(len(stops), dtype=np.bool_)
        for version, mark, read in ((4, b".", read_ipv4), (6, b":", read_ipv6)):
            if mark in readable.block:
                part, good = plain[version].columns(read(block, bare=wanted.bare), chunk.number)
                clean[version].append(part)
                done |= good
        lines += len(stops)
        entries += int(np.count_nonzero(done))
        if not done.all():
            sound = sound and is_sound(readable.block)
            rows = data_rows(block, starts, stops) & ~done
            if rows.any():
                entries += int(np.count_nonzero(rows))
                rest.append(Part(chunk.number, chunk.start, chunk.start + len(readable.block), np.packbits(rows)))
    columns = {version: col.ascending(version, parts) for version, parts in clean.items()}
    unended = lines if body[-1:] not in (b"", b"\n") else None
    return Table(key, body, wanted.bare, columns, rest, entries, lines, unended, sound)


def _block(data: bytes) -> tuple[U8, Ints, Ints]:
    """Return whole lines, each ended by a line feed, as numbers; and where each begins and ends."""
    block = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", dtype=np.uint8)
    return block, *line_starts(block)


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


def _together(parts: Sequence[Some[Told]]) -> Some[Told]:
    """Return what was found in several parts as one, by line."""
    first = sorted((each for part in parts for each in part.first), key=lambda each: each.line)
    return Some(sum(part.total for part in parts), tuple(first[: MAX_PER_RULE + 1]))
