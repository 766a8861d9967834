"""How a control byte is read: the kind of its field, the bytes of its header, its size; for many fields at once.

Most fields need no more than one look into a table of 256 entries; what is extended or long is read in full. Kinds
and sizes: MaxMind DB File Format Specification 2.0, "Data Field Format". Positions count from the data section's
start. A field's header may lie up to six bytes before the section's end, so `data` must go on past it: it does, as
the metadata's marker follows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXTENDED, POINTER, STRING, DOUBLE, BYTES, UINT16, UINT32, MAP = range(8)
INT32, UINT64, UINT128, ARRAY, CONTAINER, END_MARKER, BOOLEAN, FLOAT = range(8, 16)
UNKNOWN = 255

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

Flags = NDArray[np.bool_]


def as_memory(array: Any) -> memoryview:
    """Return a view of a one-dimensional array that is quick to read and write one by one."""
    return memoryview(array)


_SLICE = 1 << 20


def not_zero(array: Bytes) -> Ints:
    """Return where `array` is not 0, ascending; eight times as fast as numpy is with anything but flags."""
    if array.size <= _SLICE:
        return np.flatnonzero(array != 0)
    found = [np.flatnonzero(array[first : first + _SLICE] != 0) + first for first in range(0, array.size, _SLICE)]
    return np.concatenate(found)


MAX_CHILDREN = 1 << 18
"""More children than any record may have; larger counts are cut to this, so that sums stay small."""

_LARGEST = {UINT16: 2, UINT32: 4, INT32: 4, UINT64: 8, UINT128: 16, BOOLEAN: 1}
_EXACT = {DOUBLE: 8, FLOAT: 4}
_POINTER_BASES = (0, 2048, 526336)


def size_is_wrong(kind: int, size: int) -> bool:
    """Tell whether no field of this kind may have this size."""
    if kind in _EXACT:
        return size != _EXACT[kind]
    return size > _LARGEST.get(kind, size)


def _tables() -> dict[str, NDArray[Any]]:
    length = np.zeros(256, np.int64)  # 0: look closer
    owes = np.full(256, -1, np.int64)
    wrong = np.zeros(256, bool)
    shift = np.zeros(256, np.uint32)
    add = np.zeros(256, np.int64)
    for byte in range(256):
        kind, size = byte >> 5, byte & 31
        if kind == POINTER:
            width = size >> 3
            length[byte] = 2 + width
            if width < 3:
                shift[byte] = 24 - 8 * width
                add[byte] = ((size & 7) << 8 * (width + 1)) + _POINTER_BASES[width]
        elif kind != EXTENDED and size < 29:
            length[byte] = 1 if kind == MAP else 1 + size
            owes[byte] += 2 * size if kind == MAP else 0
            wrong[byte] = size_is_wrong(kind, size)
    return {"length": length, "owes": owes, "wrong": wrong, "shift": shift, "add": add}


_T = _tables()
LENGTH: Ints = _T["length"]
"""Bytes from a field's start to the next field's, by control byte; 0 where the control byte does not tell."""
OWES: Ints = _T["owes"]
"""How many more values are owed after a field of this control byte: its children less itself."""
WRONG: NDArray[np.bool_] = _T["wrong"]
_SHIFT: NDArray[np.uint32] = _T["shift"]
_ADD: Ints = _T["add"]

_SIZE_BASES = np.array([0, 29, 285, 65821], np.int64)
_SIZE_SHIFTS = np.array([24, 16, 8, 0], np.int64)


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers read in full: `kind` (UNKNOWN for a number the format does not have), bytes of header, and size."""

    kind: Ints
    head: Ints
    size: Ints

    def payload(self) -> Ints:
        """Return the bytes that follow each header before the next field's."""
        none = (self.kind == MAP) | (self.kind == ARRAY) | (self.kind == BOOLEAN)
        return np.where(none, 0, self.size)

    def children(self) -> Ints:
        """Return how many fields belong to each, one level down; at most MAX_CHILDREN."""
        count = np.where(self.kind == MAP, 2 * self.size, np.where(self.kind == ARRAY, self.size, 0))
        return np.minimum(count, MAX_CHILDREN)

    def wrong(self) -> NDArray[np.bool_]:
        """Tell which have a size that their kind cannot have."""
        wrong = np.zeros(self.kind.size, bool)
        for kind, size in _LARGEST.items():
            wrong |= (self.kind == kind) & (self.size > size)
        for kind, size in _EXACT.items():
            wrong |= (self.kind == kind) & (self.size != size)
        return wrong


def read_headers(data: Bytes, at: Ints) -> Headers:
    """Return the headers of the fields at `at`, none of which is a pointer."""
    control = data[at].astype(np.int64)
    kind, bits = control >> 5, control & 31
    extended = kind == EXTENDED
    if extended.any():
        number = data[at[extended] + 1].astype(np.int64) + 7
        known = (number > MAP) & (number <= FLOAT) & (number != CONTAINER) & (number != END_MARKER)
        kind[extended] = np.where(known, number, UNKNOWN)
    width = np.maximum(bits - 28, 0)
    after = at + 1 + extended
    words = data[after].astype(np.int64) << 16 | data[after + 1].astype(np.int64) << 8 | data[after + 2]
    size = np.where(width == 0, bits, _SIZE_BASES[width] + (words >> _SIZE_SHIFTS[width]))
    return Headers(kind, 1 + extended + width, size)


def targets(data: Bytes, at: Ints, control: Bytes) -> Ints:
    """Return where the pointers at `at`, with these control bytes, lead to; not yet known to be in the section."""
    words: NDArray[np.uint32] = np.ndarray((data.size - 4,), ">u4", data, 1, (1,))  # the four bytes after each byte
    return (words[at] >> _SHIFT[control]) + _ADD[control]


def lengths(data: Bytes, at: Ints, control: Bytes) -> Ints:
    """Return how many bytes each of the fields takes, without its children."""
    length = LENGTH[control]
    closer = np.flatnonzero(length == 0)
    if closer.size:
        headers = read_headers(data, at[closer])
        length[closer] = headers.head + headers.payload()
    return length


_LENGTH_OF: list[int] = LENGTH.tolist()
_OWES_OF: list[int] = OWES.tolist()
_BASES: list[int] = _SIZE_BASES.tolist()


def one_field(data: memoryview, at: int) -> tuple[int, int]:
    """Return the length of the field at `at`, without its children, and what it owes.

    For fields that must be read one after the other: there numpy takes thirty times as long.
    """
    control = data[at]
    if length := _LENGTH_OF[control]:
        return length, _OWES_OF[control]
    kind, size, head = control >> 5, control & 31, 1
    if kind == EXTENDED:
        kind, head = data[at + 1] + 7, 2
        if kind <= MAP:
            kind = UNKNOWN
    if size >= 29:
        width = size - 28
        size = _BASES[width] + int.from_bytes(data[at + head : at + head + width], "big")
        head += width
    if kind == MAP:
        return head, min(2 * size, MAX_CHILDREN) - 1
    if kind == ARRAY:
        return head, min(size, MAX_CHILDREN) - 1
    return head if kind == BOOLEAN else head + size, -1
