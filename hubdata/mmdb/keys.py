"""Find which fields are keys of maps, in whole values, without a stack.

While maps alone are open, an even number of values is owed before a key, and an odd one before a value: each map owes
pairs, less the key that was just read. An array of one element keeps that so. Arrays of more do not: while their
element number e of n is read, n - 1 - e more are owed, so the parity is turned for each element where that is odd.
Elements are found by walking all such arrays at once; where arrays lie in arrays too often, a stack does it after all.
"""

import numpy as np
from numpy.typing import NDArray

from hubdata.mmdb.fields import ARRAY, MAP, Bytes, Flags, Headers, Ints, as_memory

_STEPS = 1024


def find_keys(owes: Ints, control: Bytes, closer: Ints, headers: Headers, parity: Ints) -> Flags:
    """Return which fields are keys; `parity` is that of the values owed before each, less one."""
    arrays = np.flatnonzero((headers.kind == ARRAY) & (headers.size > 1))
    if arrays.size == 0:
        return parity.astype(bool)
    turns = _turns(owes, closer[arrays], headers.size[arrays])
    if turns is None:
        maps = control >> 5 == MAP
        maps[closer[headers.kind == MAP]] = True
        return _with_stack(owes, maps)
    return (parity ^ (np.cumsum(turns[:-1], dtype=np.int64) & 1)).astype(bool)


def _turns(owes: Ints, arrays: Ints, sizes: Ints) -> NDArray[np.uint8] | None:
    """Return where the parity turns, for the elements of `arrays`; None when that takes too many steps."""
    turns = np.zeros(owes.size + 1, np.uint8)
    turns[arrays[sizes % 2 == 0] + 1] = 1
    at, owed, left = arrays + 1, np.ones(arrays.size, np.int64), sizes - 1
    budget = 4 * owes.size
    for _ in range(_STEPS):
        owed += owes[at]
        at = at + 1
        next_begins = (owed == 0) & (left > 0)
        turns[at[next_begins]] = 1
        left -= next_begins
        owed += next_begins
        open_still = owed > 0
        at, owed, left = at[open_still], owed[open_still], left[open_still]
        budget -= at.size
        if at.size == 0:
            return turns
        if budget < 0:
            return None
    return None


def _with_stack(owes: Ints, maps: Flags) -> Flags:
    """Return the same, field by field."""
    keys = np.zeros(owes.size, bool)
    write = as_memory(keys)
    left: list[int] = []
    in_map: list[bool] = []
    for index, (owed, is_map) in enumerate(zip(owes.tolist(), maps.tolist(), strict=True)):
        while left and left[-1] == 0:
            left.pop()
            in_map.pop()
        if left:
            write[index] = in_map[-1] and left[-1] % 2 == 0
            left[-1] -= 1
        if owed >= 0:
            left.append(owed + 1)
            in_map.append(is_map)
    return keys
