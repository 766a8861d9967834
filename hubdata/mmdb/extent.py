"""How much a proven database covers, counted level by level without a list of its networks.

Every run compares these figures with the published ones, so they must cost little time and memory: of each level of
the tree only the records are kept, not the addresses that lead to them; a test holds the figures to a list of all
networks. IPv4 is counted once, and its aliases never.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubdata.mmdb.layout import Layout
from hubdata.mmdb.malformed import Malformed
from hubdata.mmdb.networks import SAYS_DEPTH, SAYS_STEPS, STEPS_PER_NODE, Tree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SPARE_STEPS = 4096


@dataclass(frozen=True, slots=True)
class Extent:
    """Networks with a record, the IPv4 addresses in them, and the IPv6 /64 networks that they touch."""

    networks: int
    ipv4_addresses: int
    ipv6_64s: int


def extent(layout: Layout) -> Extent:
    """Return how much the database of `layout` covers. Raises Malformed when its tree cannot be walked."""
    tree = Tree.of(layout)
    four = _Descent(tree, unit=32)
    four.go(tree.four, 32)
    six = _Descent(tree, unit=64)
    if layout.metadata.ip_version == 6:
        six.go(0, 128, without=tree.four if tree.four < len(tree.left) else None)
    return Extent(four.networks + six.networks, four.space, six.space)


class _Descent:
    """One walk from the top to the last level. `space` counts in networks of length `unit`."""

    def __init__(self, tree: Tree, unit: int) -> None:
        import numpy as np

        self.networks = 0
        self.space = 0
        self._tree = tree
        self._unit = unit
        self._owned = np.zeros(0, dtype=bool)

    def go(self, start: int, bits: int, *, without: int | None = None) -> None:
        """Count what lies below the record `start`; `without` is the node of IPv4, wherever it is entered from."""
        import numpy as np

        left, right = self._tree.left, self._tree.right
        count = len(left)
        values = np.array([start], dtype=np.uint32)
        owners: NDArray[np.uint32] | None = None  # below `unit`: in which network of that length each record lies
        steps = STEPS_PER_NODE * count + _SPARE_STEPS
        for depth in range(bits + 1):
            if without is not None and depth:
                kept = values != without
                values, owners = values[kept], None if owners is None else owners[kept]
            self._count(values > count, owners, depth)
            inner = values < count
            nodes = values[inner]
            steps -= len(nodes)
            if not len(nodes):
                return
            if steps < 0:
                raise Malformed(0, "tree-shared", "parts of the tree are entered from too many places", SAYS_STEPS)
            if depth == self._unit:
                owners = np.arange(len(nodes), dtype=np.uint32)
                self._owned = np.zeros(len(nodes), dtype=bool)
            elif owners is not None:
                owners = owners[inner]
            values = np.concatenate([left[nodes], right[nodes]])
            owners = None if owners is None else np.concatenate([owners, owners])
        raise Malformed(0, "tree-depth", "a path is longer than an address", SAYS_DEPTH)

    def _count(self, known: "NDArray[np.bool_]", owners: "NDArray[np.uint32] | None", depth: int) -> None:
        import numpy as np

        found = int(np.count_nonzero(known))
        self.networks += found
        if owners is None:
            self.space += found << self._unit - depth
            return
        fresh = np.unique(owners[known])
        self.space += int(np.count_nonzero(~self._owned[fresh]))
        self._owned[fresh] = True
