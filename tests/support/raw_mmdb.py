"""Databases made byte by byte, for tests that need one that no writer would write.

The tree is complete: leaf number i of the smallest power of two that holds all records is record i, or nothing.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hubdata.mmdb.proof import prove

MARKER = b"\xab\xcd\xefMaxMind.com"
POINTER, STRING, DOUBLE, BYTES, UINT16, UINT32, MAP = range(1, 8)
INT32, UINT64, UINT128, ARRAY, CONTAINER, END_MARKER, BOOLEAN, FLOAT = range(8, 16)


def control(kind: int, size: int) -> bytes:
    """Return a field's header."""
    extra = b""
    if size >= 65821:
        size, extra = 31, (size - 65821).to_bytes(3, "big")
    elif size >= 285:
        size, extra = 30, (size - 285).to_bytes(2, "big")
    elif size >= 29:
        size, extra = 29, bytes([size - 29])
    return (bytes([kind << 5 | size]) if kind <= MAP else bytes([size, kind - 7])) + extra


def text(value: str | bytes) -> bytes:
    """Return a string field, which need not be UTF-8."""
    raw = value.encode() if isinstance(value, str) else value
    return control(STRING, len(raw)) + raw


def uint(value: int, kind: int = UINT32) -> bytes:
    """Return an unsigned integer in as few bytes as it takes."""
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return control(kind, len(raw)) + raw


def array(*items: bytes) -> bytes:
    """Return an array of fields."""
    return control(ARRAY, len(items)) + b"".join(items)


def mapping(*pairs: bytes) -> bytes:
    """Return a map of keys and values in turn."""
    return control(MAP, len(pairs) // 2) + b"".join(pairs)


def pointer(to: int) -> bytes:
    """Return the shortest pointer."""
    if to < 2048:
        return bytes([0x20 | to >> 8, to & 255])
    if to < 526336:
        to -= 2048
        return bytes([0x28 | to >> 16]) + (to & 0xFFFF).to_bytes(2, "big")
    to -= 526336
    return bytes([0x30 | to >> 24]) + (to & 0xFFFFFF).to_bytes(3, "big")


def metadata(nodes: int, **fields: bytes | None) -> bytes:
    """Return a metadata section; `fields` replaces or, with None, removes some."""
    known: dict[str, bytes | None] = {
        "node_count": uint(nodes),
        "record_size": uint(24, UINT16),
        "ip_version": uint(4, UINT16),
        "database_type": text("Test"),
        "languages": array(text("en")),
        "binary_format_major_version": uint(2, UINT16),
        "binary_format_minor_version": uint(0, UINT16),
        "build_epoch": uint(1_700_000_000, UINT64),
        "description": mapping(text("en"), text("A test")),
    }
    pairs = [part for name, value in (known | fields).items() if value is not None for part in (text(name), value)]
    return MARKER + mapping(*pairs)


def node(left: int, right: int, bits: int = 24) -> bytes:
    """Return a node of two records."""
    if bits == 28:
        middle = (left >> 24) << 4 | right >> 24
        return (left & 0xFFFFFF).to_bytes(3, "big") + bytes([middle]) + (right & 0xFFFFFF).to_bytes(3, "big")
    return left.to_bytes(bits // 8, "big") + right.to_bytes(bits // 8, "big")


def tree(records: Sequence[int], bits: int = 24) -> tuple[bytes, int]:
    """Return a complete tree that points to these places in the data section, and its number of nodes."""
    leaves = max(2, 1 << (len(records) - 1).bit_length())
    count = leaves - 1
    values = [count + 16 + at for at in records] + [count] * (leaves - len(records))
    children = [*range(1, count), *values]
    return b"".join(node(children[2 * i], children[2 * i + 1], bits) for i in range(count)), count


def database(data: bytes, records: Sequence[int] = (0,), *, bits: int = 24, **fields: bytes | None) -> bytes:
    """Return a database whose tree points to `records`, places in `data`."""
    nodes, count = tree(records, bits)
    return nodes + bytes(16) + data + metadata(count, record_size=uint(bits, UINT16), **fields)


def grown(
    nodes: Sequence[tuple[int, int]], data: bytes = b"\xa0", *, ip_version: int = 4, **fields: bytes | None
) -> bytes:
    """Return a database with exactly these nodes; records above their number count from it, as in the format."""
    body = b"".join(node(*each) for each in nodes)
    return body + bytes(16) + data + metadata(len(nodes), ip_version=uint(ip_version, UINT16), **fields)


def double(value: float) -> bytes:
    """Return a double."""
    return control(DOUBLE, 8) + struct.pack(">d", value)


def of(values: Mapping[str, Any]) -> bytes:
    """Return a map of texts and unsigned integers."""
    return mapping(*(part for k, v in values.items() for part in (text(k), text(v) if isinstance(v, str) else uint(v))))


def nested(levels: int, wrap: Callable[[bytes], bytes]) -> bytes:
    """Return a number with as many fields around it."""
    field = uint(1)
    for _ in range(levels):
        field = wrap(field)
    return field


def problems(body: bytes) -> list[str]:
    """Return the slugs of what is wrong with a database, in the order of the file."""
    return [problem.problem for problem in prove(body).problems]
