"""What a database says of itself: nine fields, each held to its type, decoded with bounds on depth and on count.

The decoder here is our own because it reads bytes that nothing has proven yet: it never recurses further than
`MAX_DEPTH`, never decodes more than `MAX_VALUES` values or `MAX_BYTES` bytes (pointers can name one value many times),
and never reads outside the metadata section, which is at most 128 KiB.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from hubdata.mmdb.malformed import Malformed
from hubdata.values import frozen

MAX_DEPTH = 16
MAX_VALUES = 4096
"""Real metadata hold some fifty values, three deep."""
MAX_BYTES = 128 << 10
"""As much as the section may be long: more is decoded only where pointers lead to the same text again and again."""

_POINTER, _STRING, _DOUBLE, _BYTES, _UINT16, _UINT32, _MAP = 1, 2, 3, 4, 5, 6, 7
_INT32, _UINT64, _UINT128, _ARRAY, _BOOLEAN, _FLOAT = 8, 9, 10, 11, 14, 15
_NUMBER_BYTES = {_UINT16: 2, _UINT32: 4, _UINT64: 8, _UINT128: 16}
_POINTER_BASES = (0, 2048, 526336, 0)
_SIZE_BASES = (29, 285, 65821)


SAYS_SECTION = "the metadata is stored as a map data structure"
SAYS_STRING = "a variable length byte sequence that contains valid utf8"
SAYS_POINTER = "the pointer will point to the beginning of a field; it is illegal for a pointer to point to another"
SAYS_SIZE = "the number of bytes used is determined by the length specifier in the control byte"
_FIELDS: Mapping[str, tuple[int, str]] = {
    "node_count": (32, "an unsigned 32-bit integer indicating the number of nodes in the search tree"),
    "record_size": (16, "an unsigned 16-bit integer: the number of bits in a record in the search tree"),
    "ip_version": (16, "an unsigned 16-bit integer which is always 4 or 6"),
    "binary_format_major_version": (16, "an unsigned 16-bit integer indicating the major version number"),
    "binary_format_minor_version": (16, "an unsigned 16-bit integer indicating the minor version number"),
    "build_epoch": (64, "an unsigned 64-bit integer that contains the build timestamp as a Unix epoch value"),
}
_SAYS_TYPE = "this is a string that indicates the structure of each data record associated with an IP address"
_SAYS_LANGUAGES = "an array of strings, each of which is a locale code"
_SAYS_DESCRIPTION = "the keys of that map will be language codes, and the values will be a description in that language"


@frozen
class Metadata:
    """The known fields. `build_epoch` in seconds since 1970, `record_size` in bits."""

    database_type: str
    build_epoch: int
    ip_version: int
    record_size: int
    node_count: int
    languages: tuple[str, ...]
    description: Mapping[str, str]
    binary_format: tuple[int, int]


def read_metadata(section: bytes, offset: int) -> Metadata:
    """Return the metadata that `section` holds, which lies `offset` bytes into its file, after the marker.

    Unknown keys are read and ignored, as a minor version may add some. Integers may be stored in a narrower type than
    the specification names, as some writers do. Raises Malformed at the first field that is not what it must be.
    """
    found = _Decoder(section, offset).top()
    number = {name: _number(found, name, offset) for name in _FIELDS}
    kind = found.get("database_type")
    if not isinstance(kind, str) or not kind:
        raise Malformed(offset, "metadata-type", f"`database_type` is {_shown(kind)}, expected some text", _SAYS_TYPE)
    return Metadata(
        database_type=kind,
        build_epoch=number["build_epoch"],
        ip_version=number["ip_version"],
        record_size=number["record_size"],
        node_count=number["node_count"],
        languages=_languages(found, offset),
        description=_description(found, offset),
        binary_format=(number["binary_format_major_version"], number["binary_format_minor_version"]),
    )


def _number(found: Mapping[str, object], name: str, offset: int) -> int:
    bits, says = _FIELDS[name]
    value = found.get(name)
    if type(value) is not int or not 0 <= value < 1 << bits:
        message = f"`{name}` is {_shown(value)}, expected an unsigned integer of at most {bits} bits"
        raise Malformed(offset, "metadata-type" if name in found else "metadata-missing", message, says)
    return value


def _languages(found: Mapping[str, object], offset: int) -> tuple[str, ...]:
    value = found.get("languages", [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        message = f"`languages` is {_shown(value)}, expected an array of strings"
        raise Malformed(offset, "metadata-type", message, _SAYS_LANGUAGES)
    return tuple(value)


def _description(found: Mapping[str, object], offset: int) -> Mapping[str, str]:
    value = found.get("description", {})
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        message = f"`description` is {_shown(value)}, expected a map of strings"
        raise Malformed(offset, "metadata-type", message, _SAYS_DESCRIPTION)
    return MappingProxyType(value)


def _shown(value: object) -> str:
    if value is None:
        return "absent"
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


class _Decoder:
    """One pass over one section. Offsets inside are those of the section; pointers count from its start too."""

    def __init__(self, section: bytes, offset: int) -> None:
        self._section = section
        self._offset = offset
        self._at = 0
        self._begun: set[int] = set()
        self._pointers: dict[int, int] = {}
        self._led = 0
        self._left = MAX_VALUES
        self._bytes_left = MAX_BYTES

    def top(self) -> dict[str, object]:
        """Return the map that the section begins with; behind it, there may be whole values that it points to."""
        value = self._value(0)
        if not isinstance(value, dict):
            self._refuse(0, "metadata-type", f"the metadata are {_shown(value)}, expected a map", SAYS_SECTION)
        while self._at < len(self._section):
            self._value(0)
        for start, target in self._pointers.items():
            if target not in self._begun:
                self._refuse(start, "metadata-pointer", "a pointer leads to where no field begins", SAYS_POINTER)
        return value

    def _refuse(self, at: int, problem: str, message: str, says: str) -> NoReturn:
        raise Malformed(self._offset + at, problem, message, says)

    def _take(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._section):
            message = f"the metadata end {self._at - len(self._section)} bytes too early"
            self._refuse(start, "metadata-truncated", message, SAYS_SIZE)
        self._bytes_left -= count
        if self._bytes_left < 0:
            message = f"the metadata unfold to more than {MAX_BYTES >> 10} KiB"
            self._refuse(start, "metadata-large", message, "the metadata section is at most 128KiB")
        return self._section[start : self._at]

    def _control(self) -> tuple[int, int]:
        """Return the type and the size of the field here; a pointer's size is its five bits."""
        first = self._take(1)[0]
        kind = first >> 5 or self._take(1)[0] + 7
        size = first & 0x1F
        if kind == _POINTER or size < 29:
            return kind, size
        width = size - 28
        return kind, _SIZE_BASES[width - 1] + int.from_bytes(self._take(width), "big")

    def _value(self, depth: int) -> object:
        start = self._at
        if not self._led:
            self._begun.add(start)
        self._left -= 1
        if self._left < 0:
            message = f"the metadata hold more than {MAX_VALUES:,} values"
            self._refuse(start, "metadata-large", message, f"no limit; hubdata reads {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            message = f"the metadata are more than {MAX_DEPTH} levels deep"
            self._refuse(start, "metadata-deep", message, f"no limit; hubdata reads {MAX_DEPTH} levels")
        kind, size = self._control()
        if kind == _POINTER:
            return self._pointed(start, size, depth)
        if kind == _MAP:
            return self._map(size, depth)
        if kind == _ARRAY:
            return [self._value(depth + 1) for _ in range(min(size, MAX_VALUES + 1))]
        return self._scalar(start, kind, size)

    def _pointed(self, start: int, bits: int, depth: int) -> object:
        width = bits >> 3
        prefix = bits & 7 if width < 3 else 0
        target = (prefix << 8 * (width + 1) | int.from_bytes(self._take(width + 1), "big")) + _POINTER_BASES[width]
        if target >= len(self._section) or self._section[target] >> 5 == _POINTER:
            what = "outside the metadata" if target >= len(self._section) else "to another pointer"
            self._refuse(start, "metadata-pointer", f"a pointer leads {what}", SAYS_POINTER)
        after, self._at = self._at, target
        self._pointers[start] = target
        self._led += 1
        value = self._value(depth + 1)
        self._led -= 1
        self._at = after
        return value

    def _map(self, size: int, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for _ in range(size):
            at = self._at
            key = self._value(depth + 1)
            if not isinstance(key, str):
                self._refuse(at, "metadata-type", f"a key is {_shown(key)}, expected a string", SAYS_SECTION)
            if key in found:
                message = f"the key {_shown(key)} is there twice: readers differ in which they use"
                self._refuse(at, "metadata-twice", message, "a map data type contains a set of key/value pairs")
            found[key] = self._value(depth + 1)
        return found

    def _scalar(self, start: int, kind: int, size: int) -> object:
        if kind == _BOOLEAN and size <= 1:
            return bool(size)
        if kind == _STRING:
            try:
                return self._take(size).decode()
            except UnicodeDecodeError:
                self._refuse(start, "metadata-utf8", "a string is not UTF-8", SAYS_STRING)
        if kind in _NUMBER_BYTES and size <= _NUMBER_BYTES[kind]:
            return int.from_bytes(self._take(size), "big")
        if kind == _BYTES or (kind == _INT32 and size <= 4) or (kind, size) in {(_DOUBLE, 8), (_FLOAT, 4)}:
            return self._take(size)  # no known field has such a type, so the bytes stand for themselves
        return self._refuse(start, "metadata-field", f"there is no field of type {kind} and size {size:,}", SAYS_SIZE)
