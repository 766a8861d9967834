"""Find where every field of the data section begins, by walking from each record the tree points to until the next.

The next field begins where one ends; nothing else must be known to step from one to the next. So all records are
walked at once, a step for each, in blocks that the processor's cache holds. What lies before the first record or
behind the last that is known is walked as a part of its neighbour. The walk never leaves the stretch that it was
given: a field that runs over the next record's start is a problem, and ends it.
"""

from typing import Any

import numpy as np

from hubdata.mmdb.fields import LENGTH, POINTER, Bytes, Ints, as_memory, lengths, one_field
from hubdata.mmdb.malformed import Problem

BEGINS = 8
"""Set where a field begins; the three bits below it hold the kind that its control byte names (0: extended)."""
LINKED = 16
"""Set where a record of the tree points to."""
TARGET = 32
"""Set where a pointer leads to."""
LONG = 64
"""Set where a field's size takes bytes of its own, behind the control byte."""
ORPHAN = 128
"""Set where a value begins that the tree does not point to, and that lies in no other."""
KIND_BITS = 7

_CODES = np.arange(256, dtype=np.uint8) >> np.uint8(5) | np.uint8(BEGINS)
_CODES[(np.arange(256) & 31 >= 29) & (np.arange(256) >> 5 != POINTER)] |= LONG

_BLOCK = 1 << 15
_FEW = 64
"""So few fields at once are cheaper one by one than through numpy."""

SAYS_FIELD = "the data payload comes at the end of the field; its length is in the control byte and the bytes after it"


def walk(data: Bytes, begins: Bytes, starts: Ints, end: int, offset: int) -> list[Problem]:
    """Set `begins` for all fields from each of `starts` (ascending) up to the next, the last up to `end`.

    Returns a problem when a field runs over; `offset` is the data section's place in the file.
    """
    limits = np.append(starts[1:], end)
    over: list[tuple[int, int]] = []
    for first in range(0, starts.size, _BLOCK):
        block = slice(first, first + _BLOCK)
        over += _block(data, begins, starts[block], limits[block])
    if not over:
        return []
    at, limit = min(over)
    what = "the end of the data section" if limit == end else f"byte {offset + limit:,}, which the tree points to"
    return [Problem(offset + at, "field-overrun", f"a field runs over {what}{_more(over)}", SAYS_FIELD)]


def _more(found: list[tuple[int, int]]) -> str:
    return f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""


def _block(data: Bytes, begins: Bytes, at: Ints, limit: Ints) -> list[tuple[int, int]]:
    """Walk each of `at` up to its `limit`; return where fields run over, and over what."""
    over: list[tuple[int, int]] = []
    kept: Any = begins[at] & np.uint8(LINKED)
    while at.size > _FEW:
        control = data[at]
        begins[at] = _CODES[control] | kept
        kept = np.uint8(0)
        after = at + lengths(data, at, control)
        inside = after < limit
        if inside.all():
            at = after
            continue
        beyond = after > limit
        if beyond.any():
            over += zip(at[beyond].tolist(), limit[beyond].tolist(), strict=True)
        at, limit = after[inside], limit[inside]
    for start, stop in zip(at.tolist(), limit.tolist(), strict=True):
        over += _alone(data, begins, start, stop)
    return over


_CODE: list[int] = _CODES.tolist()
_LENGTH: list[int] = LENGTH.tolist()


def _alone(data: Bytes, begins: Bytes, at: int, limit: int) -> list[tuple[int, int]]:
    """Do the same for one stretch."""
    read, write = as_memory(data), as_memory(begins)
    length = 0
    while at < limit:
        control = read[at]
        write[at] = write[at] & LINKED | _CODE[control]
        length = _LENGTH[control] or one_field(read, at)[0]
        at += length
    return [(at - length, limit)] if at > limit else []
