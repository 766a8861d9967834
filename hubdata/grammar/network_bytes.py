"""Reads networks straight from the bytes of many lines at once, those that are spelled perfectly and no others.

A line is read here only when there is nothing to say about its spelling: it is canonical (RFC 5952), has a prefix
length where one belongs, and no bit is set beyond it. Every other line, good or bad, is left to the reader of single
rows, which knows what to tell. So a doubt costs time and never a finding.

numpy works on whole arrays of bytes, at about 10 ns a byte less than a loop; it takes 60 ms to import, so only long
lists come here. IPv4 addresses lie in the upper 32 of the 64 bits of `high`, so that prefixes mean the same in both.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

LF, DOT, SLASH, COLON = b"\n./:"

HOST_HIGH: U64 = np.array([(1 << max(64 - p, 0)) - 1 for p in range(129)], dtype=np.uint64)
"""By prefix length, the bits of the upper half that lie beyond it."""

HOST_LOW: U64 = np.array([(1 << min(128 - p, 64)) - 1 for p in range(129)], dtype=np.uint64)
"""By prefix length, the bits of the lower half that lie beyond it."""

_LEAST_DECIMAL = np.array([999, 0, 10, 100, 999], dtype=np.uint16)
_LEAST_HEX = np.array([0x10000, 0, 0x10, 0x100, 0x1000, 0x10000], dtype=np.uint32)
"""By the number of digits, the least value without a leading zero; more than any where the number is wrong."""

_HEX = np.full(256, 99, dtype=np.uint8)
_HEX[np.frombuffer(b"0123456789abcdef", dtype=np.uint8)] = np.arange(16)


@dataclass(frozen=True, slots=True)
class Read:
    """One element a line; where `perfect` is false the rest means nothing. `low` is None for IPv4."""

    perfect: Flags
    high: U64
    low: U64 | None
    prefix: U8


def read_ipv4(block: U8, *, bare: bool) -> Read:
    """Return the IPv4 networks of `block`, whole lines each ended by a line feed; addresses alone when `bare`."""
    digits = block - np.uint8(48)  # wraps: all but digits are then above 9
    stops = np.flatnonzero(digits > 9)
    kinds = block[stops]
    ends = np.flatnonzero(kinds == LF)
    lengths = np.minimum(np.diff(stops, prepend=-1) - 1, 4)
    values = digits[stops - 1].astype(np.uint16)
    values += digits.take(stops - 2, mode="clip") * (lengths > 1) * np.uint16(10)
    values += digits.take(stops - 3, mode="clip") * (lengths > 2) * np.uint16(100)
    sound = (values <= 255) & (values >= _LEAST_DECIMAL[lengths])
    fields = 4 if bare else 5
    perfect = (np.diff(ends, prepend=-1) == fields) & sound[ends]
    high = np.zeros(len(ends), dtype=np.uint64)
    for field, kind in enumerate((DOT, DOT, DOT, LF if bare else SLASH)):
        at = np.maximum(ends - (fields - 1 - field), 0)
        perfect &= (kinds[at] == kind) & sound[at]
        high |= values[at].astype(np.uint64) << np.uint64(56 - 8 * field)
    if bare:
        return Read(perfect, high, None, np.full(len(ends), 32, dtype=np.uint8))
    perfect &= values[ends] <= 32
    prefix = np.minimum(values[ends], 32).astype(np.uint8)
    perfect &= (high & HOST_HIGH[prefix]) == 0
    return Read(perfect, high, None, prefix)


@dataclass(frozen=True, slots=True)
class _Fields:
    """What stands between the bytes that are no hex digits, and which byte ends it; 0 to 5 digits, 5 meaning more."""

    kind: U8
    digits: Ints
    value: U32
    sound: Flags


def read_ipv6(block: U8, *, bare: bool) -> Read:
    """Return the IPv6 networks of `block`, whole lines each ended by a line feed; addresses alone when `bare`.

    What begins with `::` or embeds dotted IPv4 is left to the reader of single rows: no visitor has such an address.
    """
    fields = _fields(block)
    ends = np.flatnonzero(fields.kind == LF)
    total = np.diff(ends, prepend=-1)
    if bare:
        groups, perfect = _groups(fields, total, total)
        prefix = np.full(len(ends), 128, dtype=np.uint8)
    else:
        groups, perfect = _groups(fields, total, total - 1)
        decimal, prefix = _prefix(fields.value[ends])
        perfect &= decimal & fields.sound[ends] & (fields.kind[ends - 1] == SLASH)
    halves = groups.astype(">u2").view(">u8").astype(np.uint64)
    high, low = halves[:, 0], halves[:, 1]
    perfect &= ((high & HOST_HIGH[prefix]) == 0) & ((low & HOST_LOW[prefix]) == 0)
    return Read(perfect, high, low, prefix)


def _fields(block: U8) -> _Fields:
    digits = _HEX[block]
    stops = np.flatnonzero(digits > 15)
    lengths = np.minimum(np.diff(stops, prepend=-1) - 1, 5)
    values = digits[stops - 1].astype(np.uint32)
    for place in range(2, 5):
        values += (digits.take(stops - place, mode="clip") * (lengths >= place)).astype(np.uint32) << np.uint32(
            4 * (place - 1)
        )
    return _Fields(block[stops], lengths, values, values >= _LEAST_HEX[lengths])


def _prefix(values: U32) -> tuple[Flags, U8]:
    """Return which prefix lengths are decimal and at most 128, and all of them; `values` were read as hex."""
    ones, tens, hundreds = values & 15, (values >> 4) & 15, values >> 8
    decimal = ones + 10 * tens + 100 * hundreds
    good = (ones <= 9) & (tens <= 9) & (decimal <= 128)
    return good, np.where(good, decimal, 128).astype(np.uint8)


def _groups(fields: _Fields, total: Ints, own: Ints) -> tuple[npt.NDArray[np.uint16], Flags]:
    """Return the eight groups of every line, and in which lines they stand as RFC 5952 wants them.

    A line has `total` fields, `own` of them are the address's: empty ones where `::` is, one inside or two at the end.
    """
    lines = len(total)
    line = np.repeat(np.arange(lines), total)
    place = np.arange(len(line)) - np.repeat(np.cumsum(total) - total, total)
    address = place < own[line]
    colon = place < own[line] - 1  # must follow
    blank = fields.digits == 0
    empty = np.flatnonzero(address & blank)
    empties = np.bincount(line[empty], minlength=lines)
    gap = np.full(lines, 99)
    gap[line[empty[::-1]]] = place[empty[::-1]]  # the first one is written last
    wrong = (colon & (fields.kind != COLON)) | (address & ~fields.sound & ~blank)
    placed = np.bincount(line[wrong], minlength=lines) == 0
    inside = (empties == 1) & (gap > 0) & (gap < own - 1) & (own <= 7)
    last = line[empty[place[empty] == own[line[empty]] - 1]]
    at_end = (empties == 2) & (gap > 0) & (gap == own - 2) & (own <= 8) & (np.bincount(last, minlength=lines) == 1)
    placed &= ((empties == 0) & (own == 8)) | inside | at_end
    groups = np.zeros((lines, 8), dtype=np.uint16)
    full = np.flatnonzero(address & ~blank & placed[line])
    behind = place[full] > gap[line[full]]
    groups[line[full], place[full] + np.where(behind, 8 - own[line[full]], 0)] = fields.value[full]
    placed &= _compressed(groups, gap, np.where(empties == 0, 0, 8 - (own - empties)))
    return groups, placed


def _compressed(groups: npt.NDArray[np.uint16], gap: Ints, width: Ints) -> Flags:
    """Tell where `::` stands for the first of the longest runs of zero groups: `width` of them, after `gap` groups."""
    longest = np.zeros(len(groups), dtype=np.intp)
    start = np.zeros(len(groups), dtype=np.intp)
    run = np.zeros(len(groups), dtype=np.intp)
    for at in range(8):
        run = np.where(groups[:, at] == 0, run + 1, 0)
        longer = run > longest
        longest[longer] = run[longer]
        start[longer] = at + 1 - run[longer]
    needed = longest >= 2
    good: Flags = np.where(needed, (start == gap) & (longest == width), width == 0)
    return good
