"""Bound what one record can make a reader decode: pointers let a small file unfold into billions of values.

A value weighs 32, and a text or byte string of 29 bytes and more its length besides; what a pointer leads to counts
each time. No record may weigh more than 2 MiB: so none has more than 65,536 values or 2 MiB of payload, the limits of
the reference reader, and real records weigh a hundredth of that. None may be more than 512 levels deep, a pointer
being a level, as in all readers.

Containers that pointers lead to are weighed once each, those first that lead to no other; what is then left over lies
on a cycle. Records are mostly proven by one multiplication: the heaviest record, and the most pointers that one has,
each to the heaviest container. Only where that is too much is each record weighed for itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubdata.mmdb.fields import (
    ARRAY,
    BYTES,
    EXTENDED,
    LENGTH,
    MAP,
    OWES,
    POINTER,
    STRING,
    Bytes,
    Flags,
    Headers,
    Ints,
    as_memory,
    not_zero,
    one_field,
    read_headers,
)
from hubdata.mmdb.fields import targets as pointed_at
from hubdata.mmdb.malformed import Problem
from hubdata.mmdb.walk import KIND_BITS, LONG, TARGET

MAX_WEIGHT = 2 << 20
MAX_DEPTH = 512
VALUE = 32
_BLOCK = 1 << 15
_SLICE = 1 << 20

SAYS_WEIGHT = "no limit but 16,843,036 values for one map; readers decode at most 65,536 values and 2 MiB a record"
SAYS_DEPTH = "no limit; readers follow at most 512 levels"
_SAYS_CYCLE = "pointers exist to share data; one that leads back into itself has no value"

WEIGHT = np.full(256, VALUE, np.int64)
"""What a field weighs, by control byte; see `weights_of` for those that the control byte does not tell."""


def weights_of(headers: Headers) -> Ints:
    """Return what fields of these headers weigh."""
    texts = ((headers.kind == STRING) | (headers.kind == BYTES)) & (headers.size >= 29)
    return np.where(texts, headers.size, 0) + VALUE


@dataclass(frozen=True, slots=True)
class Containers:
    """Containers that pointers lead to, ascending, with what each weighs and how many levels it has below it."""

    at: Ints
    weight: Ints
    depth: Ints
    problems: tuple[Problem, ...]


def weigh_containers(data: Bytes, begins: Bytes, offset: int) -> Containers:
    """Return all containers with TARGET set in `begins`; `offset` is the data section's place in the file."""
    at = _pointed(data, begins)
    walk = _Walk(data, begins, at)
    problem = walk.run()
    if problem is None:
        levels = walk.containers + walk.points
        weight, depth, problem = _add_up(walk, levels)
        if problem is None and (depth > MAX_DEPTH).any():  # containers side by side are no levels: look closer
            for index in np.flatnonzero(levels > 64):
                levels[index] = levels_below(data, int(at[index])) + walk.points[index]
            weight, depth, problem = _add_up(walk, levels)
    if problem is not None:
        none = np.zeros(0, np.int64)
        place, slug, message, says = problem
        return Containers(none, none, none, (Problem(offset + place, slug, message, says),))
    return Containers(at, weight, depth, ())


def _pointed(data: Bytes, begins: Bytes) -> Ints:
    """Return where the maps and arrays lie that pointers lead to."""
    found = [np.zeros(0, np.int64)]
    for first in range(0, begins.size, _SLICE):
        at = not_zero(begins[first : first + _SLICE] & np.uint8(TARGET)) + first
        kinds = data[at] >> 5
        found.append(at[(kinds == MAP) | ((kinds == 0) & (data[at + 1] == ARRAY - 7))])
    return np.concatenate(found)


_Place = tuple[int, str, str, str]


class _Walk:
    """Visits the fields of all containers at once; notes which pointers lead from one to another."""

    def __init__(self, data: Bytes, begins: Bytes, at: Ints) -> None:
        self._data = data
        self._begins = begins
        self.at = at
        self.weight = np.zeros(at.size, np.int64)
        self.containers = np.zeros(at.size, np.int64)
        self.points = np.zeros(at.size, np.int8)
        """1 where a pointer leads to anything but a container: that is one more level."""
        self._edges: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
        self._visits_left = 2 * begins.size + (1 << 20)
        self._edges_left = begins.size // 8 + (1 << 16)

    def run(self) -> _Place | None:
        """Return why the walk was given up, or None when it was not."""
        later = []
        for first in range(0, self.at.size, _BLOCK):
            who = np.arange(first, min(first + _BLOCK, self.at.size))
            later.append(self._together(who, self.at[who], np.ones(who.size, np.int64), few=64))
        if later:  # the long ones of all blocks, so that no step is made for a few
            who, at, owed = (np.concatenate(parts) for parts in zip(*later, strict=True))
            self._together(who, at, owed, few=0)
        if min(self._visits_left, self._edges_left) < 0:
            message = "containers that hold and point to one another are too many to be weighed"
            return int(self.at[0]), "pointer-many", message, SAYS_WEIGHT
        return None

    def edges(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the pointers from container to container, as indices of both."""
        none = (np.zeros(0, np.int32), np.zeros(0, np.int32))
        source, target = zip(none, *self._edges, strict=True)
        return np.concatenate(source), np.concatenate(target)

    def _together(self, who: Ints, at: Ints, owed: Ints, few: int) -> tuple[Ints, Ints, Ints]:
        """Step until `few` are left; return those."""
        while at.size > few and min(self._visits_left, self._edges_left) >= 0:
            self._visits_left -= at.size
            control = self._data[at]
            length, owes, weight = LENGTH[control], OWES[control], np.full(at.size, VALUE, np.int64)
            closer = np.flatnonzero(length == 0)
            if closer.size:
                headers = read_headers(self._data, at[closer])
                length[closer] = headers.head + headers.payload()
                owes[closer] = headers.children() - 1
                weight[closer] = weights_of(headers)
            pointers = np.flatnonzero(control >> 5 == POINTER)
            if pointers.size:
                weight[pointers] += self._follow(who[pointers], at[pointers], control[pointers])
            self.weight[who] += weight
            self.containers[who] += (owes >= 0) | (control >> 5 == MAP)
            at = at + length
            owed = owed + owes
            goes_on = (owed > 0) & (self.weight[who] <= MAX_WEIGHT)
            who, at, owed = who[goes_on], at[goes_on], owed[goes_on]
        return who, at, owed

    def _follow(self, who: Ints, at: Ints, control: Bytes) -> Ints:
        """Note the pointers to containers; return what the others lead to weighs, beyond a value."""
        to = pointed_at(self._data, at, control)
        codes = self._begins[to]
        weight = np.zeros(at.size, np.int64)
        long = np.flatnonzero((codes & LONG) != 0)
        if long.size:
            weight[long] = weights_of(read_headers(self._data, to[long])) - VALUE
        containers = is_container(self._data, to, codes)
        self.points[who[~containers]] = 1
        linked = np.flatnonzero(containers)
        if linked.size:
            self._edges_left -= linked.size
            self._edges.append((who[linked].astype(np.int32), np.searchsorted(self.at, to[linked]).astype(np.int32)))
        return weight


def is_container(data: Bytes, to: Ints, codes: Bytes) -> Flags:
    """Tell which of `to`, with these codes of `begins`, are maps or arrays."""
    kinds = codes & KIND_BITS
    found: Flags = kinds == MAP
    extended = np.flatnonzero(kinds == EXTENDED)
    found[extended] = data[to[extended] + 1] == ARRAY - 7
    return found


def _add_up(walk: _Walk, levels: Ints) -> tuple[Ints, Ints, _Place | None]:
    """Return the weight and the depth of each container with all that it points to."""
    weight, depth = walk.weight.copy(), levels.copy()
    source, target = walk.edges()
    order = np.argsort(target, kind="stable").astype(np.int32)
    firsts = np.searchsorted(target[order], np.arange(weight.size + 1))
    waiting = np.bincount(source, minlength=weight.size)
    ready = np.flatnonzero(waiting == 0)
    left = weight.size
    while ready.size:
        left -= ready.size
        counts = firsts[ready + 1] - firsts[ready]
        steps = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        edges = order[np.repeat(firsts[ready], counts) + steps]
        owners, found = source[edges], target[edges]
        np.add.at(weight, owners, weight[found])
        np.minimum(weight, MAX_WEIGHT + 1, out=weight, where=weight > MAX_WEIGHT)
        np.maximum.at(depth, owners, levels[owners] + 1 + np.minimum(depth[found], MAX_DEPTH + 1))
        np.subtract.at(waiting, owners, 1)
        owners = np.unique(owners)
        ready = owners[waiting[owners] == 0]
    if left:
        place = int(walk.at[np.flatnonzero(waiting > 0)[0]])
        return weight, depth, (place, "pointer-cycle", "a value holds a pointer that leads back to it", _SAYS_CYCLE)
    return weight, depth, None


def levels_below(data: Bytes, at: int) -> int:
    """Return how many levels the container at `at` has below itself, what it points to left out."""
    read = as_memory(data)
    left: list[int] = []
    deepest = 0
    while True:
        length, owes = one_field(read, at)
        if left:
            left[-1] -= 1
        if owes >= 0:
            left.append(owes + 1)
            deepest = max(deepest, len(left))
        while left and left[-1] == 0:
            left.pop()
        if not left:
            return deepest
        at += length
