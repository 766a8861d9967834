"""The tree of a database as arrays: where IPv4 begins in it, and where its records lie in the data section.

Trees are walked a level at a time over whole arrays, so that six million nodes take a fraction of a second. IPv4 lies
below ::/96 of an IPv6 tree, and is entered again from other prefixes: ::ffff:0:0/96, 2001::/32 (Teredo), 2002::/16
(6to4) and 64:ff9b::/96, as the writer chose. Such an alias leads to the very node that ::/96 leads to, and that is how
it is recognised: IPv4 is counted once, as IPv4, and no alias counts as IPv6 (MaxMind DB File Format Specification 2.0,
"IPv4 addresses in an IPv6 tree").

Nothing is trusted: whoever walks ends after as many levels as an address has bits, and after a number of steps that no
tree without foul play needs.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubdata.mmdb.layout import SEPARATOR_BYTES, Layout, records
from hubdata.mmdb.malformed import Malformed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IPV4_ADDRESSES = 1 << 32
"""All of IPv4."""

STEPS_PER_NODE = 4
SAYS_DEPTH = "the bits of an IP address decide the way; a path ends after 32 bits of IPv4 or 128 of IPv6"
SAYS_STEPS = f"no limit; hubdata takes {STEPS_PER_NODE} steps a node, and trees of all known writers need one"
_SAYS_DATA = "a record value above the number of nodes is a pointer into the data section"


@dataclass(frozen=True, slots=True)
class Tree:
    """The records of a database, and where IPv4 begins in it. `four` is a record's value: a node, none, or data."""

    layout: Layout
    left: "NDArray[np.uint32]"
    right: "NDArray[np.uint32]"
    four: int

    @classmethod
    def of(cls, layout: Layout) -> "Tree":
        """Return the tree of `layout`."""
        left, right = records(layout)
        value = 0
        if layout.metadata.ip_version == 6:
            for _ in range(96):
                if value >= len(left):
                    break
                value = int(left[value])
        return cls(layout, left, right, value)

    def offsets(self, values: "NDArray[np.uint32]") -> "NDArray[np.uint32]":
        """Return where the records named by `values` begin, from `data_start`. Raises Malformed outside the data."""
        import numpy as np

        base = len(self.left) + SEPARATOR_BYTES
        room = self.layout.data_end - self.layout.data_start
        if len(values) and (int(values.min()) < base or int(values.max()) - base >= room):
            raise Malformed(0, "tree-data", "a record of the tree points outside the data section", _SAYS_DATA)
        return values - np.uint32(base)
