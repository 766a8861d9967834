"""Decide how much address space has another country, or another system, in a newer database.

Both trees are walked side by side from their roots, a level at a time over whole arrays: two records meet wherever
both databases have one, so nothing has to be sorted or joined, and space is counted exactly. In each tree the records
are replaced by what they say first; networks that are merely cut differently are no difference.

A country is `country.iso_code`, else `registered_country.iso_code`, as for the owners of networks elsewhere in hubdata
(anycast addresses have only the latter), else a flat `country_code` as some vendors write it.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubdata.mmdb.columns import Path, column
from hubdata.mmdb.layout import Layout
from hubdata.mmdb.malformed import Malformed
from hubdata.mmdb.networks import SAYS_DEPTH, SAYS_STEPS, STEPS_PER_NODE, Tree
from hubdata.model.geo import GeoDatabase, GeoDifference, Measure, Move, Movement, Shift

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint32]

MOST_MOVES = 20

_PATHS: Mapping[Measure, tuple[Path, ...]] = {
    Measure.COUNTRY: (("country", "iso_code"), ("registered_country", "iso_code"), ("country_code",)),
    Measure.SYSTEM: (("autonomous_system_number",), ("traits", "autonomous_system_number"), ("asn",)),
}
_ONE_MEASURE = {"City": Measure.COUNTRY, "Country": Measure.COUNTRY, "ASN": Measure.SYSTEM}
_DENSE = 1 << 22
"""Pairs of values up to which every pair has a counter of its own."""

_SPARE_STEPS = 4096
_PART = 1 << 17


def difference(old: Layout, new: Layout, *, threads: int = 1) -> GeoDifference:
    """Return what changed from `old` to `new`, by every measure that either has values for.

    With two `threads` both are read at once, and then both IP versions compared at once. Raises Malformed when one of
    them cannot be read; what the proof has passed can be, unless its records are absurd.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="geo-diff") as pool:
        measures = sorted({m for layout in (old, new) for m in _measures(layout.metadata.database_type)})
        movements = (_movement(old, new, measure, pool) for measure in measures)
        return GeoDifference(_database(old), _database(new), tuple(each for each in movements if each is not None))


def cores() -> int:
    """Return how many threads a comparison is given: two where two may run, as there are two databases."""
    with suppress(AttributeError):  # only Linux tells what a container may use
        return min(2, len(os.sched_getaffinity(0)))
    return min(2, os.cpu_count() or 1)


def _movement(old: Layout, new: Layout, measure: Measure, pool: Executor) -> Movement | None:
    before, after = pool.map(lambda layout: _marked(layout, _PATHS[measure]), (old, new))
    names = tuple(dict.fromkeys((*before.labels, *after.labels)))
    if len(names) == 1:
        return None
    four, six = pool.map(lambda version: _shift(before, after, version, names), (4, 6))
    return Movement(measure, four, six)


def _database(layout: Layout) -> GeoDatabase:
    return GeoDatabase(layout.metadata.database_type, layout.metadata.build_epoch)


def _measures(database_type: str) -> tuple[Measure, ...]:
    """Return what a database of this type may have; reading what it cannot have costs the time to find out."""
    only = _ONE_MEASURE.get(database_type.rpartition("-")[2])
    return tuple(Measure) if only is None else (only,)


@dataclass(frozen=True, slots=True)
class _Marked:
    """A tree whose records are what they say: a value from `count` on is `count` plus the number of one of `labels`.

    `left` and `right` have a place for each label too, which leads to itself: who has arrived stays there.
    """

    left: "Words"
    right: "Words"
    count: int
    four: int
    version: int
    labels: tuple[str, ...]

    def root(self, version: int) -> int:
        """Return where the walk of an IP version begins; nowhere, where the database has none of it."""
        if version == 4:
            return self.four
        return 0 if self.version == 6 else self.count


def _marked(layout: Layout, paths: tuple[Path, ...]) -> _Marked:
    """Return the tree of `layout` with labels in the place of records; the first label is that there is none."""
    import numpy as np

    tree = Tree.of(layout)
    count = len(tree.left)
    table, labels = _table(tree, paths)
    four = tree.four
    if four > count:  # one record for all of IPv4
        four = count + int(table[tree.offsets(np.array([four], dtype=np.uint32))][0])
    for part, at in _ends(tree):
        part[at] = table[tree.offsets(part[at])] + np.uint32(count)
    for side in (tree.left, tree.right):
        side.resize(count + len(labels), refcheck=False)  # nobody has a view any more
        side[count:] = np.arange(count, count + len(labels))
    return _Marked(tree.left, tree.right, count, four, layout.metadata.ip_version, labels)


def _ends(tree: Tree) -> "Iterator[tuple[Words, NDArray[np.int64]]]":
    """Yield both sides of the tree part by part, as small as caches are, and where in a part a record is led to."""
    import numpy as np

    count = len(tree.left)
    for side in (tree.left, tree.right):
        for first in range(0, count, _PART):
            part = side[first : first + _PART]
            yield part, np.flatnonzero(part > count)


def _table(tree: Tree, paths: tuple[Path, ...]) -> "tuple[NDArray[Any], tuple[str, ...]]":
    """Return the number of its label for every place in the data section that a record begins at, and the labels."""
    import numpy as np

    from hubdata.mmdb.fields import not_zero

    # One number for every byte of data: size matters.
    table: NDArray[Any] = np.zeros(tree.layout.data_end - tree.layout.data_start, dtype=np.uint8)
    for part, at in _ends(tree):
        table[tree.offsets(part[at])] = 1
    records = not_zero(table)
    found = column(tree.layout, records.astype(np.uint32), paths)
    if len(found.labels) > np.iinfo(np.uint8).max + 1:
        table = np.zeros(len(table), dtype=np.uint16 if len(found.labels) <= np.iinfo(np.uint16).max + 1 else np.uint32)
    table[records] = found.codes
    return table, found.labels


def _shift(before: _Marked, after: _Marked, version: int, names: tuple[str, ...]) -> Shift:
    """Return what became of one IP version's space."""
    bits, unit = (32, 0) if version == 4 else (128, 64)
    same, totals = 0, dict[int, int]()
    here, there = (_numbers(side.labels, names) for side in (before, after))
    for depth, ended_old, ended_new in _meetings(before, after, version):
        old, new = here[ended_old], there[ended_new]
        weight = 1 << (bits - depth)
        moved = old != new
        same += weight * int(((old == new) & (old > 0)).sum())
        for pair, times in _counted(old[moved], new[moved], len(names)):
            totals[pair] = totals.get(pair, 0) + weight * times
    moves = [(names[pair // len(names)], names[pair % len(names)], amount) for pair, amount in totals.items()]
    moves.sort(key=lambda move: (-move[2], move[0], move[1]))
    return Shift(
        same=_whole(same, unit),
        changed=_whole(sum(amount for old_, new_, amount in moves if old_ and new_), unit),
        gained=_whole(sum(amount for old_, _, amount in moves if not old_), unit),
        lost=_whole(sum(amount for _, new_, amount in moves if not new_), unit),
        moves=tuple(Move(old_, new_, _whole(amount, unit)) for old_, new_, amount in moves[:MOST_MOVES]),
        move_count=len(moves),
    )


def _numbers(labels: tuple[str, ...], names: tuple[str, ...]) -> "Words":
    """Return the number that each of `labels` has among `names`."""
    import numpy as np

    places = {name: number for number, name in enumerate(names)}
    return np.array([places[label] for label in labels], dtype=np.uint32)


def _whole(amount: int, unit: int) -> int:
    """Return `amount` addresses as networks of 2**`unit` addresses, a part of one as one."""
    return -(-amount >> unit)


def _meetings(before: _Marked, after: _Marked, version: int) -> "Iterator[tuple[int, Words, Words]]":
    """Yield depth by depth the labels, old and new, of networks in which both trees have come to an end.

    Raises Malformed when paths are longer than addresses, or the steps too many.
    """
    import numpy as np

    sides = (before, after)
    places = [np.array([side.root(version)], dtype=np.uint32) for side in sides]
    steps = STEPS_PER_NODE * (before.count + after.count) + _SPARE_STEPS
    for depth in range((32 if version == 4 else 128) + 1):
        if version == 6 and depth:
            for side, place in zip(sides, places, strict=True):
                if side.four < side.count:
                    place[place == side.four] = side.count  # IPv4, at its place or at an alias: counted as IPv4
        ended = (places[0] >= before.count) & (places[1] >= after.count)
        labels = [place[ended] - np.uint32(side.count) for side, place in zip(sides, places, strict=True)]
        yield depth, labels[0], labels[1]
        inner = np.flatnonzero(~ended)
        if not len(inner):
            return
        steps -= len(inner)
        if steps < 0:
            raise Malformed(0, "tree-shared", "parts of the trees are entered from too many places", SAYS_STEPS)
        places = [_children(side, place[inner]) for side, place in zip(sides, places, strict=True)]
    raise Malformed(0, "tree-depth", f"a path is longer than an IPv{version} address", SAYS_DEPTH)


def _children(side: _Marked, places: "Words") -> "Words":
    import numpy as np

    both = np.empty(2 * len(places), dtype=np.uint32)
    both[0::2], both[1::2] = side.left[places], side.right[places]
    return both


def _counted(old: "Words", new: "Words", labels: int) -> Iterator[tuple[int, int]]:
    """Yield each pair of labels as one number, old * `labels` + new, and how often it occurs."""
    import numpy as np

    pairs = old.astype(np.int64) * labels + new
    if labels * labels <= _DENSE and len(pairs) > labels:
        times = np.bincount(pairs, minlength=1)
        found = np.flatnonzero(times)
        yield from zip(found.tolist(), times[found].tolist(), strict=True)
    else:
        distinct_pairs, often = np.unique(pairs, return_counts=True)
        yield from zip(distinct_pairs.tolist(), often.tolist(), strict=True)
