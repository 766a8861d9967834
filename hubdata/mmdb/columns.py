"""Read one value out of every record at once: the country of half a million records in a fraction of a second.

A wavefront walks all records side by side, one field a step: each record has its own place in the data section, and
those that have found what they look for drop out. Every place is checked against the section before it is read, and
what takes too many steps is given up, so bytes that nothing has proven end in Malformed and not in a crash or a hang.
Format: MaxMind DB File Format Specification 2.0, "Output Data Section".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubdata.mmdb.layout import Layout
from hubdata.mmdb.malformed import Malformed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Mask = NDArray[np.bool_]

Path = tuple[str, ...]

FIELDS_PER_BYTE = 8
"""Fields read in all, by the size of the data section: a real City database takes less than one a byte."""

_SPARE_FIELDS = 1 << 20
_STEP_FIELDS = 256
"""What a step counts for, however few records are still in it: steps cost time too."""

MAX_TEXT = 16
"""Bytes of a text that count: codes of countries have two, `AS4294967295` twelve."""

_POINTER, _TEXT, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY, _END, _BOOLEAN = 1, 2, 5, 6, 7, 9, 11, 13, 14
_NUMBERS = (_UINT16, _UINT32, _UINT64)
_SIZE_BASES = (29, 285, 65821)
_SAYS_FIELD = "each field starts with a control byte, which tells its type and how long it is"
_SAYS_POINTER = "the pointer will point to the beginning of a field; it is illegal for a pointer to point to another"
_SAYS_SET = "a map data type contains a set of key/value pairs"
_OUTSIDE = "a field lies outside the data section, or is of no known type"
_SAYS_STEPS = f"no limit; hubdata reads {FIELDS_PER_BYTE} fields for every byte of the data section"


@dataclass(frozen=True, slots=True)
class Column:
    """One value of every record: an index into `labels` for each; 0, whose label is empty, where there is none."""

    codes: "NDArray[np.uint32]"
    labels: tuple[str, ...]


def column(layout: Layout, offsets: "NDArray[np.uint32]", paths: tuple[Path, ...]) -> Column:
    """Return for each record the value at the first of `paths` (keys, from the record inwards) that leads to one.

    `offsets` are where the records begin, from `data_start`. Values are texts, and numbers in decimal. Raises
    Malformed when a record cannot be read.
    """
    import numpy as np

    data = _Data(layout)
    found = np.full(len(offsets), -1, dtype=np.int64)
    for path in paths:
        missing = np.flatnonzero(found < 0)
        if not len(missing):
            break
        found[missing] = _at_path(data, offsets[missing].astype(np.int64), path)
    codes = np.zeros(len(offsets), dtype=np.uint32)
    there = np.flatnonzero(found >= 0)
    places, which = np.unique(found[there], return_inverse=True)
    labels, numbers = _values(data, places)
    codes[there] = numbers[which]
    return Column(codes, labels)


def _at_path(data: "_Data", records: "Places", path: Path) -> "Places":
    """Return where the value at `path` begins in each record, -1 where there is none."""
    import numpy as np

    found = records
    for key in path:
        there = np.flatnonzero(found >= 0)
        # Many records share one map by pointing to it: each distinct one is searched once.
        maps, which = np.unique(data.followed(found[there]), return_inverse=True)
        values = data.member(maps, key.encode())
        inner = np.full(len(records), -1, dtype=np.int64)
        inner[there] = values[which]
        found = inner
    there = np.flatnonzero(found >= 0)
    found[there] = data.followed(found[there])
    return found


def _values(data: "_Data", places: "Places") -> "tuple[tuple[str, ...], NDArray[np.uint32]]":
    """Return the labels of the values at `places`, and the label of each; of no known type is no value."""
    import numpy as np

    field = data.fields(places)
    numbers = np.isin(field.kind, _NUMBERS) & (field.size <= 8)
    texts = (field.kind == _TEXT) & (field.size > 0)
    codes = np.zeros(len(places), dtype=np.uint32)
    labels = [""]
    for mask, width, named in ((numbers, 8, _number), (texts, MAX_TEXT, _text)):
        if mask.any():
            size = np.minimum(field.size[mask], width)
            raw = data.bytes_at(field.start[mask], size, width, aligned_right=named is _number)
            distinct, which = np.unique(raw, return_inverse=True)
            codes[mask] = which.astype(np.uint32) + np.uint32(len(labels))
            labels += [named(bytes(each)) for each in distinct]
    return tuple(labels), codes


def _number(raw: bytes) -> str:
    return str(int.from_bytes(raw.ljust(8, b"\0"), "big"))


def _text(raw: bytes) -> str:
    return raw[:-1].decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class _Fields:
    """One field a place: its type, its size (of a map the pairs, of a pointer the target), and where its body is.

    `start` is where its payload or its first member begins; `after` where the next field begins, members not counted.
    """

    kind: "NDArray[np.uint8]"
    size: "Places"
    start: "Places"
    after: "Places"


class _Data:
    """The data section. `raw` goes on to the end of the file, so that control bytes can be read ahead of checks."""

    def __init__(self, layout: Layout) -> None:
        import numpy as np

        body: Any = layout.body
        self.raw: NDArray[np.uint8] = np.frombuffer(body, dtype=np.uint8, offset=layout.data_start)
        self.end = layout.data_end - layout.data_start
        self._base = layout.data_start
        self._left = FIELDS_PER_BYTE * self.end + _SPARE_FIELDS

    def fields(self, places: "Places") -> _Fields:
        """Return the field at each of `places`. Raises Malformed where there is none."""
        import numpy as np

        from hubdata.mmdb.fields import LENGTH, targets

        first = self._stepped(places)
        kind = first >> np.uint8(5)
        size = (first & np.uint8(31)).astype(np.int64)
        start = places + 1
        extended = np.flatnonzero(kind == 0)
        if len(extended):
            kind[extended] = self.raw[start[extended]] + np.uint8(7)
            start[extended] += 1
        pointers = kind == _POINTER
        long = np.flatnonzero((size >= 29) & ~pointers)
        if len(long):
            size[long], start[long] = self._long(size[long] - 28, start[long])
        after = start.copy()
        scalars = ~(pointers | (kind == _MAP) | (kind == _ARRAY) | (kind == _BOOLEAN))
        after[scalars] += size[scalars]
        at = np.flatnonzero(pointers)
        if len(at):
            size[at], after[at] = targets(self.raw, places[at], first[at]), places[at] + LENGTH[first[at]]
        self._demand((after <= self.end) & (kind <= 15) & (kind != _END) & (kind != 12), places)
        return _Fields(kind, size, start, after)

    def followed(self, places: "Places") -> "Places":
        """Return `places`, those at which a pointer lies replaced by where it points."""
        return self._led(self.fields(places), places)

    def _led(self, field: _Fields, places: "Places") -> "Places":
        import numpy as np

        at = np.flatnonzero(field.kind == _POINTER)
        if not len(at):
            return places
        targets = field.size[at]
        self._demand(targets < self.end, places[at])
        again = self.raw[targets] >> np.uint8(5) == _POINTER
        self._demand(~again, places[at], _SAYS_POINTER)
        out = places.copy()
        out[at] = targets
        return out

    def member(self, maps: "Places", key: bytes) -> "Places":
        """Return where the value of `key` begins in each of `maps`, -1 in those without it or that are no maps.

        Raises Malformed for a key that a map has twice: some readers take the first value, others the last.
        """
        import numpy as np

        found = np.full(len(maps), -1, dtype=np.int64)
        field = self.fields(maps)
        live = np.flatnonzero((field.kind == _MAP) & (field.size > 0))
        at, pairs = field.start[live], field.size[live]
        while len(live):
            name, value = self._named(at)
            match = self._equal(name, key)
            self._demand(found[live[match]] < 0, at[match], _SAYS_SET, "a map has the same key twice")
            found[live[match]] = value[match]
            pairs = pairs - 1
            rest = np.flatnonzero(pairs > 0)
            live, pairs = live[rest], pairs[rest]
            at = self._skipped(value[rest])
        return found

    def _named(self, places: "Places") -> "tuple[Places, Places]":
        """Return where the keys at `places` lie, which may be led to by pointers, and where their values begin.

        The same as `fields` and `_led` say, which are asked where a control byte does not tell a field's length.
        """
        import numpy as np

        from hubdata.mmdb.fields import LENGTH, targets

        control = self._stepped(places)
        length = LENGTH[control]
        if not length.all():
            field = self.fields(places)
            return self._led(field, places), field.after
        after = places + length
        self._demand(after <= self.end, places)
        at = np.flatnonzero(control >> np.uint8(5) == _POINTER)
        if not len(at):
            return places, after
        every = len(at) == len(places)
        leading = places if every else places[at]
        led = targets(self.raw, leading, control if every else control[at])
        self._demand(led < self.end, leading)
        self._demand(self.raw[led] >> np.uint8(5) != _POINTER, leading, _SAYS_POINTER)
        if every:
            return led, after
        out = places.copy()
        out[at] = led
        return out, after

    def bytes_at(self, start: "Places", size: "Places", width: int, *, aligned_right: bool) -> "NDArray[np.bytes_]":
        """Return up to `width` bytes from each `start`: numbers aligned right, texts with one more byte behind them.

        numpy drops NULs at the end of bytes, and a text that ends with one is another text.
        """
        import numpy as np

        whole = width if aligned_right else width + 1
        out = np.zeros((len(start), whole), dtype=np.uint8)
        if not aligned_right:
            out[np.arange(len(start)), size] = 1
        for index in range(width):
            rows = np.flatnonzero(size > index)
            columns = width - size[rows] + index if aligned_right else index
            out[rows, columns] = self.raw[start[rows] + index]
        return out.view(f"S{whole}").reshape(-1)

    def _skipped(self, at: "Places") -> "Places":
        """Return where the field after the one at each place begins, whatever is nested in it."""
        import numpy as np

        out, owes = self._passed(at)
        live = np.flatnonzero(owes >= 0)  # most fields hold no others, and are behind us
        left, at = owes[live] + 1, out[live]
        while len(live):
            at, owes = self._passed(at)
            left += owes
            done = left == 0
            if done.any():
                out[live[done]] = at[done]
                rest = np.flatnonzero(~done)
                live, left, at = live[rest], left[rest], at[rest]
        return out

    def _passed(self, at: "Places") -> "tuple[Places, Places]":
        """Return where the field at each place ends, its members left out, and how many more fields it owes."""
        import numpy as np

        from hubdata.mmdb.fields import LENGTH, MAX_CHILDREN, OWES, UNKNOWN, read_headers

        control = self._stepped(at)
        length, owes = LENGTH[control], OWES[control]
        closer = np.flatnonzero(length == 0)
        if len(closer):
            headers = read_headers(self.raw, at[closer])
            children = headers.children()
            self._demand((headers.kind != UNKNOWN) & (children < MAX_CHILDREN), at[closer])
            length[closer], owes[closer] = headers.head + headers.payload(), children - 1
        length += at
        self._demand(length <= self.end, at)
        return length, owes

    def _stepped(self, places: "Places") -> "NDArray[np.uint8]":
        """Return the control bytes at `places`, all of which must be in the section, and count the step."""
        self._left -= max(len(places), _STEP_FIELDS)
        if self._left < 0:
            raise Malformed(self._base, "data-large", "the records take too many steps to read", _SAYS_STEPS)
        self._demand(places < self.end, places)
        return self.raw[places]

    def _equal(self, places: "Places", key: bytes) -> "Mask":
        """Tell which of the fields at `places` are the text `key`, of at most 28 bytes."""
        import numpy as np

        equal: Mask = self.raw[places] == _TEXT << 5 | len(key)
        rows = np.flatnonzero(equal)
        self._demand(places[rows] + len(key) < self.end, places[rows])
        for index, byte in enumerate(key, 1):
            rows = rows[self.raw[places[rows] + index] == byte]
        equal[:] = False
        equal[rows] = True
        return equal

    def _long(self, width: "Places", start: "Places") -> "tuple[Places, Places]":
        """Return the sizes that are written in `width` bytes of their own, and where the payload begins."""
        import numpy as np

        bases = np.array((0, *_SIZE_BASES), dtype=np.int64)
        return bases[width] + self._unsigned(start, width), start + width

    def _unsigned(self, start: "Places", width: "Places") -> "Places":
        import numpy as np

        value = np.zeros(len(start), dtype=np.int64)
        for index in range(int(width.max())):
            rows = width > index
            value[rows] = (value[rows] << 8) | self.raw[start[rows] + index]
        return value

    def _demand(self, fine: "Mask", places: "Places", says: str = _SAYS_FIELD, message: str = _OUTSIDE) -> None:
        if not fine.all():
            raise Malformed(self._base + int(places[~fine][0]), "data-field", message, says)
