"""Finds the networks of a list that say nothing new: those inside another one, and halves that are one network.

Networks nest or are disjoint. Sorted by first address, the widest first, each one that is not within the last
outermost network is the next outermost. Of the same network in several rows the first row counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from hubdata.grammar.gather import Some, some
from hubdata.grammar.lines import Row
from hubdata.grammar.networks import BITS, Network
from hubdata.values import frozen

Found = tuple[Row, Network]
"""A row, and the network that an engine reads in it."""


@frozen
class Covered:
    """The `network` of one line lies in that of another, or is the same spelled otherwise."""

    line: int
    network: Network
    by_line: int
    by: Network


class Mergeable(NamedTuple):
    """The networks of `rows` rows, the first in `line`, the last in `last_line`, are together all of `network`.

    A plain tuple: each row is one before it is found that hardly any can be merged.
    """

    line: int
    last_line: int
    rows: int
    network: Network


def covered(found: Iterable[Found]) -> Some[Covered]:
    """Return the networks covered by others, by line; a row that stands there already is told elsewhere."""
    outer: Found | None = None
    out = []
    texts: set[str] = set()
    before: Network | None = None
    for row, network in _ascending(found):
        if network != before:
            before, texts = network, set()
        if row.text in texts:
            continue
        texts.add(row.text)
        if outer is not None and _within(network, outer[1]):
            out.append(Covered(row.number, network, outer[0].number, outer[1]))
        else:
            outer = row, network
    return some(sorted(out, key=lambda each: each.line))


def mergeable(found: Iterable[Found], floors: Mapping[int, int]) -> Some[Mergeable]:
    """Return the networks that could take the place of several rows, by first line; none wider than `floors`."""
    done: list[Mergeable] = []
    for row, network in _outermost(found):
        done.append(Mergeable(row.number, row.number, 1, network))
        while len(done) > 1 and _halves(done[-2].network, done[-1].network, floors):
            right, left = done.pop(), done.pop()
            whole = Network(left.network.version, left.network.first, left.network.prefix - 1)
            first, last = min(left.line, right.line), max(left.last_line, right.last_line)
            done.append(Mergeable(first, last, left.rows + right.rows, whole))
    return some(sorted((each for each in done if each.rows > 1), key=lambda each: each.line))


def _ascending(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda each: (each[1].version, each[1].first, each[1].prefix, each[0].number))


def _outermost(found: Iterable[Found]) -> Iterator[Found]:
    outer: Network | None = None
    for row, network in _ascending(found):
        if outer is None or not _within(network, outer):
            outer = network
            yield row, network


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.first <= outer.last  # sorted: it begins no earlier


def _halves(left: Network, right: Network, floors: Mapping[int, int]) -> bool:
    if left.version != right.version or left.prefix != right.prefix or left.prefix <= floors[left.version]:
        return False
    return left.first ^ right.first == 1 << (BITS[left.version] - left.prefix)
