"""Weigh each record of a proven data section for itself: what it holds, and what its pointers lead to."""

import numpy as np

from hubdata.mmdb.fields import POINTER, Bytes, Flags, Ints, read_headers, targets
from hubdata.mmdb.structure import Found, Stretch, read_stretch
from hubdata.mmdb.walk import LONG
from hubdata.mmdb.weight import (
    MAX_DEPTH,
    MAX_WEIGHT,
    SAYS_DEPTH,
    SAYS_WEIGHT,
    VALUE,
    WEIGHT,
    Containers,
    is_container,
    levels_below,
    weights_of,
)

_STRETCH = 1 << 18


def weigh_records(data: Bytes, begins: Bytes, containers: Containers, first: int, end: int) -> Found:
    """Return which records in `[first, end)` are too heavy or too deep; the section must be proven otherwise."""
    found = Found()
    reach = _STRETCH
    while first < end:
        stop = min(first + reach, end)
        stretch = read_stretch(data, begins, first, stop)
        sums = np.cumsum(stretch.owes)
        lowest = np.minimum.accumulate(np.concatenate(([0], sums)))
        ends = np.flatnonzero(sums < lowest[:-1]) + 1
        if ends.size == 0:  # the record goes on: that it ends is proven
            reach *= 2
            continue
        count = int(ends[-1])
        whole, tops = stretch.until(count), np.concatenate(([0], ends[:-1]))
        weights, depths = _unfold(data, begins, containers, whole)
        heavy = np.add.reduceat(weights, tops) > MAX_WEIGHT
        message = f"a record weighs more than {MAX_WEIGHT >> 20} MiB"
        found.add("record-heavy", whole.at[tops[heavy]], message, SAYS_WEIGHT)
        message = f"a record is more than {MAX_DEPTH} levels deep"
        found.add("record-deep", whole.at[tops[_deep(data, whole, tops, depths)]], message, SAYS_DEPTH)
        first, reach = stretch.end_of(data, count), _STRETCH
    return found


def _unfold(data: Bytes, begins: Bytes, containers: Containers, fields: Stretch) -> tuple[Ints, Ints]:
    """Return what each field weighs, and how many levels are below each pointer, with what it leads to."""
    weights = WEIGHT[fields.control]
    weights[fields.closer] = weights_of(fields.headers)
    depths = np.zeros(fields.at.size, np.int64)
    pointers = np.flatnonzero(fields.control >> 5 == POINTER)
    to = targets(data, fields.at[pointers], fields.control[pointers])
    codes = begins[to]
    linked = is_container(data, to, codes)
    index = np.searchsorted(containers.at, to[linked])
    weights[pointers[linked]] += containers.weight[index]
    depths[pointers] = 1
    depths[pointers[linked]] += containers.depth[index]
    long = np.flatnonzero((codes & LONG) != 0)
    weights[pointers[long]] += weights_of(read_headers(data, to[long])) - VALUE
    return weights, depths


def _deep(data: Bytes, fields: Stretch, tops: Ints, depths: Ints) -> Flags:
    """Tell which records may be deeper than the limit: the levels of each, and the deepest that it points to."""
    levels = np.add.reduceat(fields.owes >= 0, tops, dtype=np.int64)
    below = np.maximum.reduceat(depths, tops)
    for record in np.flatnonzero(levels + below > MAX_DEPTH):
        levels[record] = levels_below(data, int(fields.at[tops[record]]))
    deep: Flags = levels + below > MAX_DEPTH
    return deep
