"""Prove the search tree: no path comes back to where it was, and none is longer than an address has bits.

The tree is walked from the root one bit at a time, all nodes of a level at once. In a plain tree every node is reached
once, so one walk proves it. Databases share one subtree on purpose: ::ffff:0:0/96, 2002::/16 and 2001::/32 lead to the
root of IPv4. That node is held back until the longest known path to it, ::/96, has arrived. Any other sharing goes the
long way: a node is entered when all nodes that lead to it were, so its level is the longest path to it (Kahn's
order), and nodes that are never entered lie on, or behind, a cycle.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubdata.mmdb.fields import Ints
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
    """What the walk found. `reached` tells of each node whether a path leads there; None means: to every one."""

    problems: tuple[Problem, ...]
    reached: NDArray[np.bool_] | None
    reached_count: int


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
        reached[0] = True
        nodes = np.zeros(1, np.int64)
        total, waiting, sharers = 1, False, 0
        for depth in range(1, self._bits + 1):
            nodes = self._below(nodes)
            if held >= 0 and (waiting or depth <= IPV4_DEPTH):
                rest = nodes[nodes != held]
                waiting = waiting or rest.size != nodes.size
                sharers += nodes.size - rest.size
                nodes = rest
                if depth == IPV4_DEPTH:
                    nodes, waiting = np.append(rest, held), False
            if sharers > _MOST_SHARERS or reached[nodes].any():
                return None
            if nodes.size == 0 and not waiting:
                return self._plain(reached, total)
            if nodes.size and depth == self._bits:
                return self._result(reached, self._too_deep(int(nodes.min())))
            total += nodes.size
            if total > self._count:  # two lead to one at the same level
                return None
            reached[nodes] = True
        return None

    def _plain(self, reached: NDArray[np.bool_], total: int) -> Tree | None:
        result = self._result(reached)
        return result if result.reached_count == total else None

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
