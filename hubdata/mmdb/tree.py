"""Prove the search tree: no path comes back to where it was, and none is longer than an address has bits.

The tree is walked from the root one bit at a time, all nodes of a level at once. In a plain tree every node is reached
once, so one walk proves it. Databases share one subtree on purpose: ::ffff:0:0/96, 2002::/16 and 2001::/32 lead to the
root of IPv4. That node is held back until the longest known path to it, ::/96, has arrived. Any other sharing goes the
long way: a node is entered when all nodes that lead to it were, so its level is the longest path to it (Kahn's
order), and nodes that are never entered lie on, or behind, a cycle.

Who walks a plain tree sees every record once, so what the database covers is counted on the way (`extent`).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubdata.mmdb.extent import Extent
from hubdata.mmdb.fields import Flags, Ints
from hubdata.mmdb.malformed import Problem
from hubdata.mmdb.metadata import Metadata

Records = NDArray[np.uint32]

IPV4_DEPTH = 96
_CHUNK = 1 << 17
_MOST_SHARERS = 16
_MOST_VISITS = 64
"""How often, on average, the nodes of a tree may be visited by one who goes down every path."""

_SAYS_SHARED = "databases may share the root of IPv4: from ::ffff:0:0/96, from 2002::/16"
_SAYS_LEVEL = "each level of the tree corresponds to a single bit of the address"


@dataclass(frozen=True, slots=True)
class Tree:
    """What the walk found. `reached` tells of each node whether a path leads there; None means: to every one.

    `extent` is what the records above the number of nodes cover, as far as it was counted on the way.
    """

    problems: tuple[Problem, ...]
    reached: NDArray[np.bool_] | None
    reached_count: int
    extent: Extent | None = None


class _Shared(Exception):
    """A node is reached twice: the quick walk is not enough."""


def prove_tree(left: Records, right: Records, metadata: Metadata) -> Tree:
    """Return what is wrong with the tree whose nodes have these records."""
    bits = 128 if metadata.ip_version == 6 else 32
    walk = _Walk(left, right, bits, metadata.record_size // 4)
    return walk.quickly(_ipv4_root(left) if bits == 128 else -1) or walk.thoroughly()


def _ipv4_root(left: Records) -> int:
    """Return the node that ::/96 leads to, or -1 when the path ends earlier."""
    node = 0
    for _ in range(IPV4_DEPTH):
        node = int(left[node])
        if node >= left.size:
            return -1
    return node


class _Descent:
    """One way down, and what was counted on it: `networks` with a record, and their `space` in networks of one length.

    Of several networks that lie in one of that length, this one counts, once.
    """

    def __init__(self, start: int, bits: int, unit: int) -> None:
        self.start = start
        self.bits = bits
        self.nodes = 0
        self.too_deep = -1
        self.networks = 0
        self.space = 0
        self._unit = unit
        self._owners: Ints | None = None  # below the unit: in which one each node lies
        self._owned: Flags = np.zeros(0, bool)

    def below(self, left: Records, right: Records, nodes: Ints, depth: int) -> Ints:
        """Return the nodes that `nodes` lead to, at `depth`, and count the networks they lead to."""
        if depth == self._unit + 1:
            self._owners, self._owned = np.arange(nodes.size), np.zeros(nodes.size, bool)
        values = np.concatenate((left[nodes], right[nodes]))
        known = values > left.size
        found = int(np.count_nonzero(known))
        self.networks += found
        inner = values < left.size
        if self._owners is None:
            self.space += found << self._unit - depth
        else:
            owners = np.concatenate((self._owners, self._owners))
            fresh = np.unique(owners[known])
            self.space += int(np.count_nonzero(~self._owned[fresh]))
            self._owned[fresh] = True
            self._owners = owners[inner]
        return values[inner].astype(np.int64)

    def without(self, left_out: Flags, nodes: Ints) -> Ints:
        """Return `nodes` but those that are `left_out`."""
        rest = np.flatnonzero(~left_out)
        if self._owners is not None:
            self._owners = self._owners[rest]
        return nodes[rest]


class _Walk:
    def __init__(self, left: Records, right: Records, bits: int, node_bytes: int) -> None:
        self._left = left
        self._right = right
        self._bits = bits
        self._node_bytes = node_bytes
        self._count = left.size

    def _below(self, nodes: Ints) -> Ints:
        """Return the nodes that `nodes` lead to; a node that two lead to comes twice."""
        found = np.concatenate((self._left[nodes], self._right[nodes]))
        return found[found < self._count].astype(np.int64)

    def _result(self, reached: NDArray[np.bool_], *problems: Problem) -> Tree:
        count = int(np.count_nonzero(reached))
        return Tree(problems, None if count == self._count else reached, count)

    def _too_deep(self, node: int) -> Problem:
        message = f"node {node:,} is reached after {self._bits} bits, where the address ends"
        return Problem(node * self._node_bytes, "tree-deep", message, _SAYS_LEVEL)

    def quickly(self, held: int) -> Tree | None:
        """Return what is found when no node but `held` is shared; None when that is not so."""
        reached = np.zeros(self._count, bool)
        four = None
        try:
            whole = self._descend(_Descent(0, self._bits, min(self._bits, 64)), reached, held)
            if held >= 0:
                four = self._descend(_Descent(held, 32, 32), reached, -1)
        except _Shared:
            return None
        deep = [each.too_deep for each in (whole, four) if each is not None and each.too_deep >= 0]
        if deep:
            return self._result(reached, self._too_deep(min(deep)))
        result = self._result(reached)
        if result.reached_count != whole.nodes + (four.nodes if four else 0):
            return None
        return replace(result, extent=self._extent(whole, four))

    def _extent(self, whole: "_Descent", four: "_Descent | None") -> Extent | None:
        if four is not None:
            return Extent(whole.networks + four.networks, four.space, whole.space)
        return Extent(whole.networks, whole.space, 0) if self._bits == 32 else None  # else one record is all of IPv4

    def _descend(self, descent: "_Descent", reached: Flags, held: int) -> "_Descent":
        """Go down from where `descent` starts, to note in `reached` and in it what is met; `held` is not entered."""
        sharers = 0
        nodes = np.array([descent.start])
        for depth in range(descent.bits + 1):
            if depth:
                nodes = descent.below(self._left, self._right, nodes, depth)
                again = nodes == held if held >= 0 else None
                if again is not None and again.any():
                    sharers += int(np.count_nonzero(again))
                    if depth > IPV4_DEPTH or sharers > _MOST_SHARERS:
                        raise _Shared
                    nodes = descent.without(again, nodes)
            if nodes.size == 0:
                break
            descent.nodes += nodes.size
            if reached[nodes].any() or descent.nodes > self._count:  # more: two lead to one at the same level
                raise _Shared
            if depth == descent.bits:
                descent.too_deep = int(nodes.min())
                break
            reached[nodes] = True
        return descent

    def thoroughly(self) -> Tree:
        """Return what is found when any node may be shared."""
        reached, far = self._reachable()
        if far >= 0:
            return self._result(reached, self._too_deep(far))
        waiting = self._parents(reached)
        entered = np.zeros(self._count, bool)
        paths = np.zeros(self._count, np.float32)
        paths[0] = 1
        nodes = np.zeros(1 if waiting[0] == 0 else 0, np.int64)
        for _ in range(self._bits):
            entered[nodes] = True
            for side in (self._left, self._right):
                inside = nodes[side[nodes] < self._count]
                with np.errstate(over="ignore"):  # infinitely many are too many as well
                    np.add.at(paths, side[inside], paths[inside])
            nodes, times = np.unique(self._below(nodes), return_counts=True)
            waiting[nodes] -= times.astype(np.int32)
            nodes = nodes[waiting[nodes] == 0]
            if nodes.size == 0:
                break
        if nodes.size:
            return self._result(reached, self._too_deep(int(nodes[0])))
        left_over = np.flatnonzero(reached & ~entered)
        if left_over.size:
            return self._result(reached, self._cycle(left_over))
        visits = float(paths.sum(dtype=np.float64))
        if visits > _MOST_VISITS * self._count + (1 << 16):
            message = f"{visits:.3g} paths lead through {self._count:,} nodes: reading all networks may never end"
            first = int(np.flatnonzero(paths > 1)[0])
            return self._result(reached, Problem(first * self._node_bytes, "tree-many", message, _SAYS_SHARED))
        return self._result(reached)

    def _parents(self, reached: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return how many records of reached nodes lead to each node."""
        count = np.zeros(self._count, np.int32)
        for first in range(0, self._count, _CHUNK):
            part = slice(first, first + _CHUNK)
            for side in (self._left, self._right):
                below = side[part][reached[part]]
                np.add.at(count, below[below < self._count].astype(np.int64), 1)
        return count

    def _reachable(self) -> tuple[NDArray[np.bool_], int]:
        """Return which nodes paths from the root lead to, and one that is too far away for any (else -1)."""
        reached = np.zeros(self._count, bool)
        nodes = np.zeros(1, np.int64)
        for _ in range(self._bits):
            reached[nodes] = True
            nodes = self._below(nodes)
            nodes = np.unique(nodes[~reached[nodes]])
            if nodes.size == 0:
                return reached, -1
        return reached, int(nodes[0])

    def _cycle(self, left_over: Ints) -> Problem:
        """Return the problem with a node that lies on a cycle: every one left over has a parent left over."""
        parent = np.zeros(self._count, np.uint32)
        among = np.zeros(self._count, bool)
        among[left_over] = True
        for side in (self._left, self._right):
            below = side[left_over]
            inside = np.flatnonzero(below < self._count)
            inside = inside[among[below[inside]]]
            parent[below[inside]] = left_over[inside]
        node = int(left_over[0])
        for _ in range(left_over.size):
            node = int(parent[node])
        message = f"node {node:,} can be reached from itself, so a look-up may never end"
        return Problem(node * self._node_bytes, "tree-cycle", message, _SAYS_LEVEL)
