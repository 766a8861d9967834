"""Every network of a database that has a record, one by one: what the faster ways to count are held to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubdata.mmdb.layout import Layout
from hubdata.mmdb.malformed import Malformed
from hubdata.mmdb.networks import SAYS_DEPTH, SAYS_STEPS, STEPS_PER_NODE, Tree

_SPARE_STEPS = 4096


@dataclass(frozen=True, slots=True)
class Four:
    """IPv4 networks: first address, prefix length, and where each record begins, in bytes from `data_start`.

    The order is that of prefix lengths, and of addresses within one length.
    """

    first: NDArray[np.uint32]
    length: NDArray[np.uint8]
    offset: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Six:
    """IPv6 networks: the upper and lower 64 bits of the first address; all else as in `Four`."""

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    length: NDArray[np.uint8]
    offset: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Networks:
    """All networks that have a record, none of them twice."""

    four: Four
    six: Six

    def __len__(self) -> int:
        return len(self.four.length) + len(self.six.length)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much has a record: IPv4 addresses, IPv6 /64 networks touched, networks, and distinct records."""

    ipv4_addresses: int
    ipv6_64s: int
    networks: int
    records: int


def networks(layout: Layout) -> Networks:
    """Return every network of the database that has a record. Raises Malformed when the tree cannot be walked."""
    tree = Tree.of(layout)
    fours = [(bits[0] << np.uint64(32 - depth), depth, values) for depth, bits, values in leaves(tree, 4)]
    sixes = [(*_left_aligned(bits, depth), depth, values) for depth, bits, values in leaves(tree, 6)]
    four = Four(
        first=_joined([first.astype(np.uint32) for first, _, _ in fours], np.uint32),
        length=_lengths([(depth, len(values)) for _, depth, values in fours]),
        offset=tree.offsets(_joined([values for _, _, values in fours], np.uint32)),
    )
    six = Six(
        high=_joined([high for high, _, _, _ in sixes], np.uint64),
        low=_joined([low for _, low, _, _ in sixes], np.uint64),
        length=_lengths([(depth, len(values)) for _, _, depth, values in sixes]),
        offset=tree.offsets(_joined([values for _, _, _, values in sixes], np.uint32)),
    )
    return Networks(four, six)


def coverage(found: Networks) -> Coverage:
    """Return how much address space `found` is."""
    short = found.six.length <= 64
    deep = np.unique(found.six.high[~short])  # several networks may lie in one /64
    both = np.concatenate([found.four.offset, found.six.offset])
    return Coverage(
        ipv4_addresses=_space(found.four.length, 32),
        ipv6_64s=_space(found.six.length[short], 64) + len(deep),
        networks=len(found),
        records=len(np.unique(both)),
    )


def leaves(tree: Tree, version: int) -> Iterator[tuple[int, list[NDArray[np.uint64]], NDArray[np.uint32]]]:
    """Yield depth by depth the networks with a record: their bits so far, right-aligned, and the record's value.

    The bits are one array, and a second one with the bits beyond 64 where there are more. Raises Malformed when
    paths are longer than addresses, or the steps too many.
    """
    count = len(tree.left)
    if version == 6 and tree.layout.metadata.ip_version == 4:
        return
    values = np.array([tree.four if version == 4 else 0], dtype=np.uint32)
    bits = [np.zeros(1, dtype=np.uint64)]
    steps = STEPS_PER_NODE * count + _SPARE_STEPS
    for depth in range((32 if version == 4 else 128) + 1):
        if version == 6 and depth and tree.four < count:
            values, bits = _without(values, bits, tree.four)
        known = values > count
        yield depth, [part[known] for part in bits], values[known]
        inner = values < count
        nodes = values[inner]
        steps -= len(nodes)
        if not len(nodes):
            return
        if steps < 0:
            raise Malformed(0, "tree-shared", "parts of the tree are entered from too many places", SAYS_STEPS)
        values = _paired(tree.left[nodes], tree.right[nodes])
        bits = _longer([part[inner] for part in bits], depth)
    raise Malformed(0, "tree-depth", f"a path is longer than an IPv{version} address", SAYS_DEPTH)


def _without(
    values: NDArray[np.uint32], bits: list[NDArray[np.uint64]], four: int
) -> tuple[NDArray[np.uint32], list[NDArray[np.uint64]]]:
    """Return a level without IPv4, be it at its place or at an alias."""
    kept = values != four
    return (values, bits) if kept.all() else (values[kept], [part[kept] for part in bits])


def _paired(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the children of a level in the order of their addresses."""
    both = np.empty(2 * len(left), dtype=left.dtype)
    both[0::2], both[1::2] = left, right
    return both


def _longer(bits: list[NDArray[np.uint64]], depth: int) -> list[NDArray[np.uint64]]:
    """Return the bits of both children of every node; a second word begins with the 65th bit."""
    if depth == 64:
        bits = [*bits, np.zeros(len(bits[0]), dtype=np.uint64)]
    doubled = [np.repeat(part, 2) for part in bits]
    doubled[-1] <<= np.uint64(1)
    doubled[-1][1::2] |= np.uint64(1)
    return doubled


def _left_aligned(bits: list[NDArray[np.uint64]], depth: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    high = bits[0] << np.uint64(64 - depth) if 0 < depth <= 64 else bits[0]
    if len(bits) == 1:
        return high, np.zeros(len(high), dtype=np.uint64)
    return high, bits[1] << np.uint64(128 - depth)


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def _lengths(runs: list[tuple[int, int]]) -> NDArray[np.uint8]:
    depths = np.array([depth for depth, _ in runs], dtype=np.uint8)
    return np.repeat(depths, np.array([count for _, count in runs], dtype=np.int64))


def _space(lengths: NDArray[np.uint8], unit: int) -> int:
    """Return how many networks of length `unit` those of `lengths` are."""
    return sum(int(count) << (unit - length) for length, count in enumerate(np.bincount(lengths)) if count)
