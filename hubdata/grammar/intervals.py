"""Exact arithmetic on sets of addresses: unions and differences of closed intervals, and their fewest CIDR networks.

A list of networks can be cut and ordered in many ways and still let the same visitors in. As merged intervals two
lists are equal exactly when they cover the same addresses, and what one has more than the other is again intervals.
"""

from collections.abc import Iterable, Iterator

Interval = tuple[int, int]
"""First and last address, both included."""

Intervals = tuple[Interval, ...]
"""A set of addresses: ascending, disjoint, and never side by side; so equal sets are equal tuples."""


def merged(intervals: Iterable[Interval]) -> Intervals:
    """Return the union of `intervals`, which may overlap and come in any order."""
    out: list[Interval] = []
    start, end = -1, -2
    for first, last in sorted(intervals):
        if first > end + 1:
            if end >= start:
                out.append((start, end))
            start, end = first, last
        elif last > end:
            end = last
    if end >= start:
        out.append((start, end))
    return tuple(out)


def without(these: Intervals, others: Intervals) -> Intervals:
    """Return the addresses of `these` that are not among `others`."""
    out: list[Interval] = []
    at = 0
    for first, last in these:
        while at < len(others) and others[at][1] < first:
            at += 1
        start, ahead = first, at
        while ahead < len(others) and others[ahead][0] <= last:
            hole_first, hole_last = others[ahead]
            if start < hole_first:
                out.append((start, hole_first - 1))
            start = hole_last + 1
            ahead += 1
        at = max(at, ahead - 1)  # the last hole may reach into the next interval
        if start <= last:
            out.append((start, last))
    return tuple(out)


def count(intervals: Intervals) -> int:
    """Return how many addresses there are."""
    return sum(last - first + 1 for first, last in intervals)


def blocks(intervals: Intervals, bits: int) -> int:
    """Return how many aligned blocks of 2**`bits` addresses are touched: /64 networks, for IPv6 and 64."""
    return count(merged((first >> bits, last >> bits) for first, last in intervals))


def prefixes(intervals: Intervals, width: int) -> Iterator[tuple[int, int]]:
    """Yield the fewest networks that are exactly `intervals`, ascending, as first address and prefix length.

    `width` is the number of bits of an address.
    """
    for first, last in intervals:
        start = first
        while start <= last:
            aligned = (start & -start).bit_length() - 1 if start else width
            bits = min(aligned, (last - start + 1).bit_length() - 1)
            yield start, width - bits
            start += 1 << bits
