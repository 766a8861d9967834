"""Compares all networks of a long list with each other: what they cover, which say nothing new, which could merge.

The answers are those of `nesting` and `networks.coverage`, on columns of numbers in place of objects: a million
networks in tenths of a second and 20 bytes each. Networks nest or are disjoint, so once they are sorted by first
address, the widest first, the running maximum of their last addresses tells which lie within another.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hubdata.grammar.gather import MAX_PER_RULE, Some
from hubdata.grammar.intervals import Intervals
from hubdata.grammar.nesting import Covered, Mergeable
from hubdata.grammar.network_bytes import HOST_HIGH, HOST_LOW, U8, U32, U64, Flags, Ints
from hubdata.grammar.network_finds import Finds
from hubdata.grammar.networks import Network
from hubdata.grammar.repeated import Repeated

_HALF = (1 << 64) - 1
_LINE_BITS = 26
"""In a sorting key, beside 32 bits of address and 6 of prefix length: room for 67 million lines."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Networks of one IP version. An IPv4 address is the upper 32 bits of `high`; `low` is then None."""

    version: int
    high: U64
    low: U64 | None
    prefix: U8
    line: U32

    def __len__(self) -> int:
        return len(self.line)

    def pick(self, which: Ints | Flags) -> "Columns":
        """Return the rows at some places, or those that are flagged."""
        low = None if self.low is None else self.low[which]
        return Columns(self.version, self.high[which], low, self.prefix[which], self.line[which])

    def network(self, at: int) -> Network:
        """Return one row's network."""
        high = int(self.high[at])
        first = high >> 32 if self.low is None else high << 64 | int(self.low[at])
        return Network(self.version, first, int(self.prefix[at]))


def found(finds: Finds, version: int) -> Columns:
    """Return all networks of one version that were read row by row, as `finds` holds them: it can take no more."""
    if not finds.line[version]:
        none = np.zeros(0, dtype=np.uint64)
        return Columns(version, none, None if version == 4 else none, none.astype(np.uint8), none.astype(np.uint32))
    return Columns(
        version,
        np.frombuffer(finds.high[version], dtype=np.uint64),
        None if version == 4 else np.frombuffer(finds.low, dtype=np.uint64),
        np.frombuffer(finds.prefix[version], dtype=np.uint8),
        np.frombuffer(finds.line[version], dtype=np.uint32),
    )


def ascending(version: int, parts: list[Columns]) -> Columns:
    """Return the rows of all `parts` by first address, the widest first, the same network by line.

    Takes the parts away: they weigh as much as what is made of them.
    """
    if version == 4:
        return _ascending4(parts)
    empty = np.zeros(0, dtype=np.uint64)
    high = np.concatenate([empty, *(part.high for part in parts)])
    low = np.concatenate([empty, *(part.low for part in parts if part.low is not None)])
    prefix = np.concatenate([np.zeros(0, dtype=np.uint8), *(part.prefix for part in parts)])
    line = np.concatenate([np.zeros(0, dtype=np.uint32), *(part.line for part in parts)])
    parts.clear()
    order = np.lexsort((line, prefix, low, high)).astype(np.uint32)
    high = high[order]
    low = low[order]
    return Columns(6, high, low, prefix[order], line[order])


def _ascending4(parts: list[Columns]) -> Columns:
    key = np.empty(sum(map(len, parts)), dtype=np.uint64)
    until = len(key)
    while parts:
        part = parts.pop()
        start = until - len(part)
        key[start:until] = part.high | part.prefix.astype(np.uint64) << np.uint64(_LINE_BITS) | part.line
        until = start
    key.sort()  # one column of numbers sorts in a tenth of the time that places of four take
    line = (key & np.uint64((1 << _LINE_BITS) - 1)).astype(np.uint32)
    prefix = (key >> np.uint64(_LINE_BITS)).astype(np.uint8) & np.uint8(63)
    key &= np.uint64(_HALF << 32 & _HALF)
    return Columns(4, key, None, prefix, line)


def repeated(these: Columns) -> Flags:
    """Tell which of the ascending rows have the network of the row before."""
    same = np.zeros(len(these), dtype=np.bool_)
    same[1:] = (these.high[1:] == these.high[:-1]) & (these.prefix[1:] == these.prefix[:-1])
    if these.low is not None:
        same[1:] &= these.low[1:] == these.low[:-1]
    return same


def outermost(these: Columns) -> Flags:
    """Tell which of the ascending rows lie in no other; of the same network the first line."""
    if len(these) and these.prefix.min() == these.prefix.max():
        return ~repeated(these)
    last = _last_ranks(these)
    outer = np.ones(len(these), dtype=np.bool_)
    outer[1:] = last[1:] > np.maximum.accumulate(last)[:-1]
    return outer


def _last_ranks(these: Columns) -> U64:
    """Return numbers in the order of the last addresses, the same number for the same one."""
    last = these.high | HOST_HIGH[these.prefix]
    if these.low is None or not len(these) or these.prefix.max() <= 64:
        return last
    ranks = _ranks(last)
    ranks <<= np.uint64(32)
    ranks |= _ranks(these.low | HOST_LOW[these.prefix])
    return ranks


def _ranks(values: U64) -> U64:
    """Return how many lesser ones there are of each value, equal ones counted once."""
    order = np.argsort(values)
    ascend = values[order]
    rank = np.zeros(len(values), dtype=np.uint32)
    np.cumsum(ascend[1:] != ascend[:-1], out=rank[1:])
    ascend[order] = rank
    return ascend


def count(outer: Columns) -> int:
    """Return how many IPv4 addresses, or how many IPv6 /64s, the outermost networks touch."""
    width = 32 if outer.low is None else 64
    total = sum(int(n) << (width - p) for p, n in enumerate(np.bincount(outer.prefix, minlength=1)) if p <= width)
    if outer.low is None:
        return total
    narrow = outer.high[outer.prefix > 64]
    return total + int(np.count_nonzero(narrow[1:] != narrow[:-1])) + bool(len(narrow))


def repeats(these: Columns, same: Flags, *, bare: bool) -> Some[Repeated]:
    """Return the rows that are spelled as an earlier one: `these` ascend, spelled canonically, `bare` or not."""
    head = np.maximum.accumulate(np.where(same, 0, np.arange(len(these))))
    first = first_lines(these.line, np.flatnonzero(same))
    told = [(at, str(these.network(at))) for at in first]
    return Some(
        int(np.count_nonzero(same)),
        tuple(
            Repeated(int(these.line[at]), text.partition("/")[0] if bare else text, int(these.line[head[at]]))
            for at, text in told
        ),
    )


def covered(these: Columns, outer: Flags, told: Flags) -> Some[Covered]:
    """Return the rows within others, by line; `told` flags the lines that need no second word."""
    inner = np.flatnonzero(~outer)
    inner = inner[~told[these.line[inner]]]
    around = np.maximum.accumulate(np.where(outer, np.arange(len(these)), 0))
    first = first_lines(these.line, inner)
    return Some(len(inner), tuple(_covered(these, at, int(around[at])) for at in first))


def _covered(these: Columns, at: int, by: int) -> Covered:
    return Covered(int(these.line[at]), these.network(at), int(these.line[by]), these.network(by))


def first_lines(line: U32, among: Ints) -> Iterator[int]:
    """Yield the places, of those `among`, that have the lowest lines: as many as are ever shown, by line."""
    lines = line[among]
    if len(lines) > MAX_PER_RULE + 1:
        among = among[np.argpartition(lines, MAX_PER_RULE)[: MAX_PER_RULE + 1]]
    return (int(at) for at in among[np.argsort(line[among])])


def mergeable(outer: Columns, floor: int) -> Some[Mergeable]:
    """Return the networks that could take the place of several outermost rows, none wider than `floor`."""
    these = outer.pick(_neighbours(outer))
    last, rows = these.line, np.ones(len(these), dtype=np.uint32)
    while (left := np.flatnonzero(_halves(these, floor))).size:
        right = left + 1
        line, prefix = these.line.copy(), these.prefix.copy()
        line[left], prefix[left] = np.minimum(line[left], line[right]), prefix[left] - 1
        last, rows = last.copy(), rows.copy()
        last[left], rows[left] = np.maximum(last[left], last[right]), rows[left] + rows[right]
        keep = np.ones(len(these), dtype=np.bool_)
        keep[right] = False
        these = Columns(these.version, these.high, these.low, prefix, line).pick(keep)
        last, rows = last[keep], rows[keep]
    merged = np.flatnonzero(rows > 1)
    first = first_lines(these.line, merged)
    told = (Mergeable(int(these.line[at]), int(last[at]), int(rows[at]), these.network(at)) for at in first)
    return Some(len(merged), tuple(told))


def _neighbours(outer: Columns) -> Flags:
    """Tell which of the outermost networks begin where another ends, or end where another begins."""
    meets = _meets(outer)
    near = np.zeros(len(outer), dtype=np.bool_)
    near[1:] = meets
    near[:-1] |= meets
    return near


def _meets(outer: Columns) -> Flags:
    """Tell which of the outermost networks, all but the last, end where the next one begins."""
    meets: Flags
    last_high = outer.high | HOST_HIGH[outer.prefix]
    if outer.low is None:
        meets = last_high[:-1] + np.uint64(1) == outer.high[1:]
    else:
        after = (outer.low | HOST_LOW[outer.prefix])[:-1] + np.uint64(1)
        meets = (after == outer.low[1:]) & (last_high[:-1] + (after == 0) == outer.high[1:])
    return meets


def intervals(outer: Columns) -> Intervals:
    """Return the addresses of the outermost networks: ascending intervals, of which none touches the next."""
    if not len(outer):
        return ()
    apart = ~_meets(outer)
    first, last = outer.pick(np.append(True, apart)), outer.pick(np.append(apart, True))
    last_high = last.high | HOST_HIGH[last.prefix]
    if first.low is None or last.low is None:
        return tuple(zip((first.high >> np.uint64(32)).tolist(), (last_high >> np.uint64(32)).tolist(), strict=True))
    last_low = last.low | HOST_LOW[last.prefix]
    return tuple(zip(_wide(first.high, first.low), _wide(last_high, last_low), strict=True))


def _wide(high: U64, low: U64) -> Iterator[int]:
    return (upper << 64 | lower for upper, lower in zip(high.tolist(), low.tolist(), strict=True))


def _halves(these: Columns, floor: int) -> Flags:
    """Tell which rows are, with the next, the two halves of a network no wider than `floor`."""
    prefix = these.prefix[:-1]
    bit_high = _BIT_HIGH[prefix]
    halves: Flags = (these.high[:-1] ^ these.high[1:]) == bit_high
    halves &= (prefix == these.prefix[1:]) & (prefix > floor)
    if these.low is not None:
        halves &= (these.low[:-1] ^ these.low[1:]) == _BIT_LOW[prefix]
    return halves


_BIT_HIGH: U64 = np.array([0, *(1 << 64 - p if p <= 64 else 0 for p in range(1, 129))], dtype=np.uint64)
_BIT_LOW: U64 = np.array([0, *(1 << 128 - p if p > 64 else 0 for p in range(1, 129))], dtype=np.uint64)
"""By prefix length, its last bit, in the upper and in the lower half."""


def overlapping(these: Columns, named: Network) -> Flags:
    """Tell which rows have an address of `named`, in any order."""
    if these.version != named.version:
        return np.zeros(len(these), dtype=np.bool_)
    last_high = these.high | HOST_HIGH[these.prefix]
    if these.low is None:
        return (these.high <= np.uint64(named.last << 32)) & (last_high >= np.uint64(named.first << 32))
    last_low = these.low | HOST_LOW[these.prefix]
    begins = _at_most(these.high, these.low, named.last)
    return begins & ~_below(last_high, last_low, named.first)


def _at_most(high: U64, low: U64, value: int) -> Flags:
    above, below = np.uint64(value >> 64), np.uint64(value & _HALF)
    flags: Flags = (high < above) | ((high == above) & (low <= below))
    return flags


def _below(high: U64, low: U64, value: int) -> Flags:
    above, below = np.uint64(value >> 64), np.uint64(value & _HALF)
    flags: Flags = (high < above) | ((high == above) & (low < below))
    return flags
