"""Where the parts of a database lie: tree, separator, data, metadata; each proven to be inside the file.

Everything else in this package starts from a `Layout`. Reading one looks at the metadata only: the tree and the data
section stay unproven until `proof.prove` has walked them. Source: MaxMind DB File Format Specification 2.0.
"""

import mmap
from typing import TYPE_CHECKING, Any

from hubdata.mmdb.malformed import Malformed
from hubdata.mmdb.metadata import Metadata, read_metadata
from hubdata.values import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Body = bytes | mmap.mmap

MARKER = b"\xab\xcd\xefMaxMind.com"
MAX_METADATA_BYTES = 128 << 10
SEPARATOR_BYTES = 16
RECORD_SIZES = (24, 28, 32)

_SAYS_MARKER = (
    'the metadata are found behind the last "\\xab\\xcd\\xefMaxMind.com" in the file; the section is at most 128KiB'
)
_SAYS_TREE_SIZE = "the search tree takes ((record_size * 2) / 8) * number_of_nodes bytes, then come 16 bytes of NULLs"


@frozen
class Layout:
    """The parts of `body`, in bytes from its start: tree `[0, tree_bytes)`, data `[data_start, data_end)`.

    `data_end` is where the metadata's marker begins.
    """

    body: Body
    metadata: Metadata
    tree_bytes: int
    data_start: int
    data_end: int


def read_layout(body: Body) -> Layout:
    """Return where the parts of `body` lie. Raises Malformed when its metadata do not fit the file."""
    marker = body.rfind(MARKER, max(0, len(body) - MAX_METADATA_BYTES))
    if marker < 0:
        message = f"there are no metadata in the last {MAX_METADATA_BYTES >> 10} KiB of {len(body):,} bytes"
        raise Malformed(len(body), "no-metadata", message, _SAYS_MARKER)
    start = marker + len(MARKER)
    metadata = read_metadata(bytes(body[start:]), start)
    _judge(metadata, start)
    tree_bytes = metadata.node_count * metadata.record_size // 4
    data_start = tree_bytes + SEPARATOR_BYTES
    if data_start > marker:
        message = f"{metadata.node_count:,} nodes end at {data_start:,}, but the metadata begin at {marker:,}"
        raise Malformed(marker, "tree-truncated", message, _SAYS_TREE_SIZE)
    return Layout(body, metadata, tree_bytes, data_start, marker)


def _judge(metadata: Metadata, offset: int) -> None:
    """Hold the fields to the values that readers demand."""
    if metadata.binary_format != (2, 0):
        found = ".".join(map(str, metadata.binary_format))
        raise Malformed(offset, "format", f"the binary format is {found}, expected 2.0", "this documents version 2.0")
    if metadata.ip_version not in (4, 6):
        message = f"`ip_version` is {metadata.ip_version}, expected 4 or 6"
        raise Malformed(offset, "ip-version", message, "an unsigned 16-bit integer which is always 4 or 6")
    if metadata.record_size not in RECORD_SIZES:
        message = f"`record_size` is {metadata.record_size} bits; readers know 24, 28 and 32"
        raise Malformed(offset, "record-size", message, "here are examples for 24, 28, and 32 bit records")
    if metadata.node_count < 1:
        raise Malformed(offset, "node-count", "there are no nodes", "the top node is node 0")


def records(layout: Layout) -> "tuple[NDArray[np.uint32], NDArray[np.uint32]]":
    """Return the left and the right record of every node, in the machine's byte order; 8 bytes a node in all.

    A value below `node_count` is a node, `node_count` itself means no data, and one above it points to data at
    `data_start + value - node_count - 16`. Nothing here says that it does so: see `proof`.
    """
    import numpy as np

    size = layout.metadata.record_size
    if size == 24:  # each read takes one byte of the neighbour, so that no read leaves the node
        left, right = _words(layout, 0), _words(layout, 2)
        left >>= np.uint32(8)
        right &= np.uint32(0xFFFFFF)
    elif size == 28:
        left, right = _words(layout, 0), _words(layout, 3)
        high = left & np.uint32(0xF0)
        high <<= np.uint32(20)
        left >>= np.uint32(8)
        left |= high
        right &= np.uint32(0xFFFFFFF)
    else:
        left, right = _words(layout, 0), _words(layout, 4)
    return left, right


def _words(layout: Layout, at: int) -> "NDArray[np.uint32]":
    """Return the big-endian word that begins `at` bytes into each node."""
    import numpy as np

    stride = layout.metadata.record_size // 4
    body: Any = layout.body
    view: NDArray[np.uint32] = np.ndarray(
        (layout.metadata.node_count,), dtype=">u4", buffer=body, offset=at, strides=(stride,)
    )
    return view.astype(np.uint32)
