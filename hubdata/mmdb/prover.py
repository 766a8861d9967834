"""The steps of a proof in order, on one thread or several.

The tree needs its records only; the data section needs to know where records point. So the two are proven side by
side, and then the data section in segments that each begin at a record. numpy lets other threads run while it works.
"""

from collections.abc import Callable, Iterable
from threading import Thread
from typing import TypeVar

import numpy as np

from hubdata.mmdb.counts import Counts
from hubdata.mmdb.fields import Bytes, Flags, Ints, not_zero
from hubdata.mmdb.layout import SEPARATOR_BYTES, Layout, records
from hubdata.mmdb.malformed import Problem
from hubdata.mmdb.proof import Proof
from hubdata.mmdb.records import weigh_records
from hubdata.mmdb.structure import Found, prove_headers, prove_values
from hubdata.mmdb.tree import Records, Tree, prove_tree
from hubdata.mmdb.walk import LINKED, ORPHAN, TARGET, walk
from hubdata.mmdb.weight import MAX_DEPTH, MAX_WEIGHT, weigh_containers

_SEGMENT_BYTES = 2 << 20
_CHUNK_NODES = 1 << 17
_SLICE = 1 << 20

_SAYS_DESCRIPTION = "this key is optional, but creators are strongly encouraged to include one; verifiers demand it"
_SAYS_SEPARATOR = "there are 16 bytes of NULLs in between the search tree and the data section"
_SAYS_RECORD = "a record above node_count points into the data section, to its own value - node_count - 16"
_SAYS_UNUSED = "the data section holds the values returned to the client for a specific IP address"
_SAYS_NODE = "the top most node is node 0, where every look-up starts"

Given = TypeVar("Given")
Result = TypeVar("Result")


class Prover:
    """One proof of one database."""

    def __init__(self, layout: Layout, threads: int, meanwhile: Callable[[], None] | None = None) -> None:
        self._layout = layout
        self._threads = threads
        self._meanwhile = meanwhile
        self._left, self._right = records(layout)
        whole = np.frombuffer(layout.body, np.uint8)
        self._separator = whole[layout.tree_bytes : layout.data_start]
        self._data: Bytes = whole[layout.data_start :]  # goes on into the metadata: headers at the end are read whole
        self._begins: Bytes = np.zeros(0, np.uint8)
        self._segments: list[tuple[int, int]] = []
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []

    def run(self) -> Proof:
        """Return problems and warnings, in the order of the file, and what was looked at."""
        layout = self._layout
        if not layout.metadata.description:
            message = "there is no `description`"
            self._problems.append(Problem(layout.data_end, "description", message, _SAYS_DESCRIPTION))
        self._check_separator()
        tree, (links, walked) = self._tree_and_fields()
        structure = [*tree.problems, *links.problems, *walked]
        if tree.reached is not None and not tree.problems:
            structure.append(self._unreached(tree, tree.reached))
        found = prove_headers(self._data, self._begins) if walked else self._prove_values()
        structure += found.problems(layout.data_start)
        if not walked:
            structure += self._orphans()
        self._problems += structure or self._weighed(found)
        counts = Counts(layout.metadata.node_count, links.networks, links.records, found.fields, found.pointers)
        problems = _ordered(self._problems)
        return Proof(layout, problems, _ordered(self._warnings), counts, None if problems else tree.extent)

    def _each(self, work: Callable[[Given], Result], items: Iterable[Given]) -> list[Result]:
        """Return what `work` makes of each item, in order."""
        if self._threads <= 1:
            return [work(item) for item in items]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(work, items))

    def _check_separator(self) -> None:
        wrong = np.flatnonzero(self._separator)
        if wrong.size:
            offset = self._layout.tree_bytes + int(wrong[0])
            message = f"the separator holds {wrong.size} bytes of {SEPARATOR_BYTES} that are not NUL"
            self._problems.append(Problem(offset, "separator", message, _SAYS_SEPARATOR))

    def _tree_and_fields(self) -> "tuple[Tree, tuple[_Links, list[Problem]]]":
        """Prove the tree, and find the fields; again without the nodes that no path leads to, if there are any."""
        tree: list[Tree] = []
        fields: list[tuple[_Links, list[Problem]]] = []
        steps: list[Callable[[], None]] = [
            lambda: tree.append(prove_tree(self._left, self._right, self._layout.metadata)),
            lambda: fields.append(self._find_fields(None)),
        ]
        self._each(lambda step: step(), steps)
        if tree[0].reached is not None and not tree[0].problems:
            fields[0] = self._find_fields(tree[0].reached)
        return tree[0], fields[0]

    def _find_fields(self, reached: Flags | None) -> "tuple[_Links, list[Problem]]":
        layout = self._layout
        size = layout.data_end - layout.data_start
        self._begins = begins = np.zeros(size, np.uint8)
        links = _link(self._left, self._right, reached, begins, layout.metadata.record_size // 4)
        starts = not_zero(begins)
        if size and (starts.size == 0 or starts[0] != 0):
            starts = np.concatenate(([0], starts))
        self._segments = _segments(starts, size)
        return links, walk(self._data, begins, starts, size, layout.data_start)

    def _prove_values(self) -> Found:
        return _joined(self._each(lambda ends: prove_values(self._data, self._begins, *ends), self._segments))

    def _unreached(self, tree: Tree, reached: Flags) -> Problem:
        metadata = self._layout.metadata
        first = int(np.flatnonzero(~reached)[0]) * (metadata.record_size // 4)
        message = f"no path leads to {metadata.node_count - tree.reached_count:,} nodes, so networks may be lost"
        return Problem(first, "tree-unreached", message, _SAYS_NODE)

    def _orphans(self) -> list[Problem]:
        """Return the problem with values that neither the tree nor a pointer leads to; warn of those of pointers."""
        problems: list[Problem] = []
        for bits, what, problem, into in (
            (ORPHAN, "nor any pointer does", "unreferenced", problems),
            (ORPHAN | TARGET, "but pointers do", "unlinked", self._warnings),
        ):
            first, count = _places(self._begins, ORPHAN | TARGET, bits)
            if count:
                message = f"{count:,} values that the tree does not point to, {what}"
                into.append(Problem(self._layout.data_start + first, problem, message, _SAYS_UNUSED))
        return problems

    def _weighed(self, found: Found) -> list[Problem]:
        """Weigh all records, and do on the other core what else is to be done."""
        if self._meanwhile is None or self._threads <= 1:
            return self._weigh(found)
        beside = Thread(target=self._meanwhile, name="beside-the-proof")
        beside.start()
        try:
            return self._weigh(found)
        finally:
            beside.join()

    def _weigh(self, found: Found) -> list[Problem]:
        offset = self._layout.data_start
        containers = weigh_containers(self._data, self._begins, offset)
        if containers.problems:
            return list(containers.problems)
        weight = found.heaviest + found.most_links * int(containers.weight.max(initial=0))
        if weight <= MAX_WEIGHT and found.most_containers + 1 + int(containers.depth.max(initial=0)) <= MAX_DEPTH:
            return []
        weighed = self._each(lambda ends: weigh_records(self._data, self._begins, containers, *ends), self._segments)
        return _joined(weighed).problems(offset)


class _Links:
    """What the tree's records point to in the data section."""

    def __init__(self) -> None:
        self.networks = 0
        self.records = 0
        self.problems: list[Problem] = []


def _link(left: Records, right: Records, reached: Flags | None, begins: Bytes, node_bytes: int) -> _Links:
    """Set LINKED in `begins` wherever a node that is reached points to."""
    links = _Links()
    count = left.size
    wrong: list[int] = []
    for first in range(0, count, _CHUNK_NODES):
        part = slice(first, first + _CHUNK_NODES)
        for side in (left[part], right[part]):
            points = side > count
            if reached is not None:
                points &= reached[part]
            to = side[points] - np.uint32(count + SEPARATOR_BYTES)  # too small a value wraps round, to be too large
            links.networks += to.size
            outside = to >= begins.size
            if outside.any():
                wrong += (np.flatnonzero(points)[outside] + first).tolist()[:1]
                to = to[~outside]
            begins[to] = LINKED
    links.records = int(np.count_nonzero(begins))
    if wrong:
        message = f"node {min(wrong):,} points neither to a node nor into the data section"
        links.problems.append(Problem(min(wrong) * node_bytes, "tree-outside", message, _SAYS_RECORD))
    return links


def _segments(starts: Ints, end: int) -> list[tuple[int, int]]:
    """Return stretches that each begin at one of `starts`, as even as these allow."""
    cuts = np.searchsorted(starts, np.arange(0, end, _SEGMENT_BYTES))
    firsts = np.unique(starts[cuts[cuts < starts.size]]).tolist()
    return list(zip(firsts, [*firsts[1:], end], strict=True)) if firsts else []


def _places(begins: Bytes, mask: int, bits: int) -> tuple[int, int]:
    """Return the first place where the bits of `mask` are `bits`, and how many there are."""
    place, count = -1, 0
    for first in range(0, begins.size, _SLICE):
        found = np.flatnonzero((begins[first : first + _SLICE] & np.uint8(mask)) == bits)
        if found.size and place < 0:
            place = first + int(found[0])
        count += found.size
    return place, count


def _joined(parts: Iterable[Found]) -> Found:
    found = Found()
    for part in parts:
        found.join(part)
    return found


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.offset))
