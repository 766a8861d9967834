"""Prove the data section: types, sizes, keys, text, pointers, and that each record of the tree is one whole value.

Where fields begin is known (`walk`); here they are looked at in order, a stretch of them at a time. Each field pays
one value and owes its children: the sum of what is owed falls below all sums before it exactly where a value that
belongs to nothing else ends. That gives every top-level value without a stack.
"""

from dataclasses import dataclass, field

import numpy as np

from hubdata.mmdb.fields import (
    BYTES,
    EXTENDED,
    LENGTH,
    MAP,
    OWES,
    POINTER,
    STRING,
    UNKNOWN,
    WRONG,
    Bytes,
    Flags,
    Headers,
    Ints,
    as_memory,
    lengths,
    not_zero,
    read_headers,
    targets,
)
from hubdata.mmdb.keys import find_keys
from hubdata.mmdb.malformed import Problem
from hubdata.mmdb.walk import BEGINS, KIND_BITS, LINKED, LONG, ORPHAN, TARGET
from hubdata.mmdb.weight import WEIGHT, weights_of

_STRETCH = 1 << 18
MAX_RECORD_BYTES = 8 << 20
"""More than any record within the limits takes: 2 MiB of payload, and 65,536 headers and numbers."""

_SAYS_TYPE = "types are 1 to 15, of which 12 and 13 hold no value; an extended type is stored as its number minus 7"
_SAYS_SIZE = "the control byte will always specify the correct size for these types"
_SAYS_KEY = "the keys are always UTF-8 strings"
_SAYS_UTF8 = "a variable length byte sequence that contains valid utf8"
_SAYS_POINTER = "the pointer will point to the beginning of a field"
_SAYS_POINTER_POINTER = "it is illegal for a pointer to point to another pointer"
_SAYS_TREE = "a record may point to an address in the data section: the data relevant to the given netblock"


@dataclass(slots=True)
class Found:
    """What one pass over a part of the data section found: each problem's first place and number, and counts.

    `heaviest` and `most_links` are of one record: its weight without what it points to, and how many containers it
    points to; `most_containers` is how many it holds.
    """

    places: dict[str, tuple[int, int, str, str]] = field(default_factory=dict)
    fields: int = 0
    pointers: int = 0
    heaviest: int = 0
    most_links: int = 0
    most_containers: int = 0

    def add(self, problem: str, at: Ints, message: str, says: str) -> None:
        """Note a problem at each of `at`."""
        if at.size:
            first, count, message, says = self.places.get(problem, (int(at.min()), 0, message, says))
            self.places[problem] = (min(first, int(at.min())), count + at.size, message, says)

    def join(self, other: "Found") -> None:
        """Take over what another part found."""
        for problem, (at, count, message, says) in other.places.items():
            first, before, _, _ = self.places.get(problem, (at, 0, message, says))
            self.places[problem] = (min(first, at), before + count, message, says)
        self.fields += other.fields
        self.pointers += other.pointers
        self.heaviest = max(self.heaviest, other.heaviest)
        self.most_links = max(self.most_links, other.most_links)
        self.most_containers = max(self.most_containers, other.most_containers)

    def problems(self, offset: int) -> list[Problem]:
        """Return one problem for each kind, at its first place; `offset` is the data section's place in the file."""
        return [
            Problem(offset + first, problem, message + (f" (and {count - 1:,} more)" if count > 1 else ""), says)
            for problem, (first, count, message, says) in self.places.items()
        ]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some fields in order. `closer` indexes those that `headers` tells about: extended or long, no pointers."""

    at: Ints
    control: Bytes
    owes: Ints
    closer: Ints
    headers: Headers

    def end_of(self, data: Bytes, count: int) -> int:
        """Return where the first `count` fields end, which may be behind where the stretch was cut."""
        if count < self.at.size:
            return int(self.at[count])
        return int(self.at[-1] + lengths(data, self.at[-1:], self.control[-1:])[0])

    def until(self, count: int) -> "Stretch":
        """Return the first `count` of these fields."""
        few = int(np.searchsorted(self.closer, count))
        headers = Headers(self.headers.kind[:few], self.headers.head[:few], self.headers.size[:few])
        return Stretch(self.at[:count], self.control[:count], self.owes[:count], self.closer[:few], headers)


def read_stretch(data: Bytes, begins: Bytes, first: int, end: int) -> Stretch:
    """Return the fields that begin in `[first, end)`."""
    at = not_zero(begins[first:end])
    at += first
    control = data[at]
    owes = OWES[control]
    closer = np.flatnonzero(LENGTH[control] == 0)
    headers = read_headers(data, at[closer])
    owes[closer] = headers.children() - 1
    return Stretch(at, control, owes, closer, headers)


def prove_headers(data: Bytes, begins: Bytes) -> Found:
    """Return what is wrong with the types and sizes of all fields that were found, whatever they belong to."""
    found = Found()
    for first in range(0, begins.size, _STRETCH):
        _check_headers(read_stretch(data, begins, first, min(first + _STRETCH, begins.size)), found)
    return found


def prove_values(data: Bytes, begins: Bytes, first: int, end: int) -> Found:
    """Return what is found in `[first, end)`, which must hold whole top-level values. Sets TARGET in `begins`."""
    found = Found()
    reach = _STRETCH
    while first < end:
        stop = min(first + reach, end)
        stretch = read_stretch(data, begins, first, stop)
        _check_headers(stretch, found)
        if found.places:  # what belongs to what cannot be told any more; what is wrong with single fields can
            first = stop
            continue
        sums = np.cumsum(stretch.owes)
        lowest = np.minimum.accumulate(np.concatenate(([0], sums)))
        ends = np.flatnonzero(sums < lowest[:-1]) + 1
        count = int(ends[-1]) if ends.size else 0
        if count == 0 and stop < end and reach <= MAX_RECORD_BYTES:
            reach *= 2
            continue
        if count < stretch.at.size and (count == 0 or stop == end):
            found.add("value-unfinished", stretch.at[count : count + 1], _unfinished(stop == end), _SAYS_TREE)
            stretch_end = stop
        else:
            stretch_end = stretch.end_of(data, count)
        if count:
            whole = stretch.until(count)
            parity = ((sums[:count] - whole.owes) ^ lowest[:count]) & 1
            keys = find_keys(whole.owes, whole.control, whole.closer, whole.headers, parity)
            pointers = np.flatnonzero(whole.control >> 5 == POINTER)
            tops = np.concatenate(([0], ends[:-1]))
            _check_whole(data, begins, _Whole(whole, tops, keys, pointers, stretch_end), found)
        first, reach = stretch_end, _STRETCH
    return found


def _unfinished(at_the_end: bool) -> str:
    if at_the_end:
        return "a value holds more fields than there are before the next record, or before the data section's end"
    return f"a value takes more than {MAX_RECORD_BYTES >> 20} MiB"


@dataclass(frozen=True, slots=True)
class _Whole:
    """Fields that make whole values: `tops` indexes where those begin, `pointers` those that are such."""

    fields: Stretch
    tops: Ints
    keys: Flags
    pointers: Ints
    end: int


def _check_whole(data: Bytes, begins: Bytes, whole: _Whole, found: Found) -> None:
    _check_tops(begins, whole, found)
    kinds = whole.fields.control >> np.uint8(5)
    named = whole.keys & (kinds != STRING)
    named[whole.pointers] = False
    found.add("key", whole.fields.at[named], "a key of a map is no string", _SAYS_KEY)
    weights = WEIGHT[whole.fields.control]
    weights[whole.fields.closer] = weights_of(whole.fields.headers)
    links = _check_pointers(data, begins, whole, weights, found)
    _check_text(data, whole, kinds, found)
    found.fields += whole.fields.at.size
    found.pointers += whole.pointers.size
    found.heaviest = max(found.heaviest, int(np.add.reduceat(weights, whole.tops).max()))
    found.most_containers = max(found.most_containers, most(np.flatnonzero(whole.fields.owes >= 0), whole.tops))
    found.most_links = max(found.most_links, most(links, whole.tops))


def most(fields: Ints, tops: Ints) -> int:
    """Return the largest number of `fields` that one value holds; `tops` are where values begin."""
    return int(np.diff(np.searchsorted(fields, np.append(tops, MAX_RECORD_BYTES * 2))).max())


def _check_headers(stretch: Stretch, found: Found) -> None:
    headers, closer = stretch.headers, stretch.at[stretch.closer]
    unknown = headers.kind == UNKNOWN
    found.add("field-type", closer[unknown], "a field is of no type that holds a value", _SAYS_TYPE)
    message = "a field has a size that its type cannot have"
    found.add("field-size", stretch.at[WRONG[stretch.control]], message, _SAYS_SIZE)
    found.add("field-size", closer[headers.wrong()], message, _SAYS_SIZE)


def _check_tops(begins: Bytes, whole: _Whole, found: Found) -> None:
    """Compare where values begin with where the tree points to."""
    at = whole.fields.at
    linked = (begins[at] & LINKED) != 0
    tops = np.zeros(at.size, bool)
    tops[whole.tops] = True
    if (linked == tops).all():
        return
    message = "the tree points into a value, not to where one begins"
    found.add("tree-middle", at[linked & ~tops], message, _SAYS_TREE)
    begins[at[tops & ~linked]] |= ORPHAN


def _check_pointers(data: Bytes, begins: Bytes, whole: _Whole, weights: Ints, found: Found) -> Ints:
    """Return which pointers lead to containers, perhaps; adds to `weights` those of long strings pointed to."""
    fields, pointers = whole.fields, whole.pointers
    at = fields.at[pointers]
    to = targets(data, at, fields.control[pointers])
    outside = to >= begins.size
    if outside.any():
        found.add("pointer-outside", at[outside], "a pointer leads out of the data section", _SAYS_POINTER)
        pointers, at, to = pointers[~outside], at[~outside], to[~outside]
    codes = begins[to]
    nowhere = (codes & BEGINS) == 0
    kinds = codes & KIND_BITS
    again = (kinds == POINTER) & ~nowhere
    named = whole.keys[pointers] & (kinds != STRING) & ~nowhere
    for wrong, problem, message, says in (
        (nowhere, "pointer-middle", "a pointer leads to where no field begins", _SAYS_POINTER),
        (again, "pointer-pointer", "a pointer leads to another pointer", _SAYS_POINTER_POINTER),
        (named, "key", "a key of a map is no string", _SAYS_KEY),
    ):
        if wrong.any():
            found.add(problem, at[wrong], message, says)
    begins[to] = codes | TARGET
    if found.places:
        return pointers[:0]
    long = np.flatnonzero(((codes & LONG) != 0) & ((kinds == STRING) | (kinds == BYTES)))
    if long.size:
        weights[pointers[long]] += read_headers(data, to[long]).size
    links: Ints = pointers[(kinds == MAP) | (kinds == EXTENDED)]
    return links


def _check_text(data: Bytes, whole: _Whole, kinds: Bytes, found: Found) -> None:
    """Decode all strings at once: every other byte is made a NUL, which is text and ends what is unfinished."""
    base = int(whole.fields.at[0])
    strings = np.flatnonzero((kinds == STRING) & (LENGTH[whole.fields.control] > 1))
    starts = whole.fields.at[strings] + (1 - base)
    ends = starts + (whole.fields.control[strings] & 31)
    headers = whole.fields.headers
    long = np.flatnonzero(headers.kind == STRING)
    long_starts = whole.fields.at[whole.fields.closer[long]] + (headers.head[long] - base)
    edges = np.zeros(whole.end - base + 1, np.int8)
    for first, last in ((starts, ends), (long_starts, long_starts + headers.size[long])):
        edges[first] = 1
        edges[last] = -1
    inside = np.cumsum(edges[:-1], dtype=np.int8).view(np.uint8)
    inside *= data[base : whole.end]
    try:
        str(as_memory(inside), "utf-8")
    except UnicodeDecodeError as err:
        found.add("utf8", np.array([base + err.start]), "a string is not UTF-8", _SAYS_UTF8)
