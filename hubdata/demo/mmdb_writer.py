"""Write a small MMDB: just enough of the format for a sample database, and for tests that need one made to order.

Format: MaxMind DB File Format Specification 2.0. The tree is IPv6 with 24-bit records and IPv4 below ::/96; every
distinct record is written once. Networks must not overlap.
"""

import struct
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any

_METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
_DATA_SEPARATOR = bytes(16)
_MAP, _UTF8, _DOUBLE, _UINT16, _UINT32, _UINT64, _ARRAY, _BOOLEAN = 7, 2, 3, 5, 6, 9, 11, 14
_METADATA_TYPES = {
    "node_count": _UINT32,
    "record_size": _UINT16,
    "ip_version": _UINT16,
    "binary_format_major_version": _UINT16,
    "binary_format_minor_version": _UINT16,
    "build_epoch": _UINT64,
}
"""Integers of the metadata have fixed types, whatever their size: the C reader refuses others."""

Network = IPv4Network | IPv6Network


def mmdb(database_type: str, networks: Mapping[Network, Mapping[str, Any]], *, build_epoch: int) -> bytes:
    """Return a database of `database_type` that answers each network with its record.

    Records hold maps, lists, strings, floats, booleans and non-negative integers. Raises ValueError when networks
    overlap.
    """
    data = bytearray()
    offsets: dict[bytes, int] = {}
    tree: list[list[int | None]] = [[None, None]]
    leaves: dict[tuple[int, int], int] = {}
    for network, record in networks.items():
        encoded = _encode(dict(record))
        if encoded not in offsets:
            offsets[encoded] = len(data)
            data += encoded
        _insert(tree, leaves, network, offsets[encoded])
    nodes = b"".join(_node(tree, leaves, index) for index in range(len(tree)))
    metadata = {
        "node_count": len(tree),
        "record_size": 24,
        "ip_version": 6,
        "database_type": database_type,
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": build_epoch,
        "description": {"en": f"{database_type} sample made by hubdata"},
    }
    return nodes + _DATA_SEPARATOR + bytes(data) + _METADATA_MARKER + _encode_metadata(metadata)


def _insert(tree: list[list[int | None]], leaves: dict[tuple[int, int], int], network: Network, offset: int) -> None:
    bits, length = int(network.network_address), network.prefixlen
    if network.version == 4:  # ::/96 holds IPv4: its upper 96 bits are zero
        length += 96
    node = 0
    for depth in range(length):
        side = bits >> (127 - depth) & 1
        if (node, side) in leaves:
            raise ValueError(f"{network} lies inside a network that is there already")
        if depth == length - 1:
            if tree[node][side] is not None:
                raise ValueError(f"{network} holds a network that is there already")
            leaves[node, side] = offset
            return
        child = tree[node][side]
        if child is None:
            child = len(tree)
            tree.append([None, None])
            tree[node][side] = child
        node = child


def _node(tree: list[list[int | None]], leaves: dict[tuple[int, int], int], index: int) -> bytes:
    count = len(tree)
    records = []
    for side in (0, 1):
        child = tree[index][side]
        offset = leaves.get((index, side))
        if offset is not None:
            records.append(count + 16 + offset)
        else:
            records.append(count if child is None else child)
    return b"".join(record.to_bytes(3, "big") for record in records)


def _encode(value: Any) -> bytes:
    if isinstance(value, bool):
        return _control(_BOOLEAN, int(value))
    if isinstance(value, dict):
        pairs = (_encode(key) + _encode(item) for key, item in value.items())
        return _control(_MAP, len(value)) + b"".join(pairs)
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(_encode(item) for item in value)
    if isinstance(value, str):
        text = value.encode()
        return _control(_UTF8, len(text)) + text
    if isinstance(value, float):
        return _control(_DOUBLE, 8) + struct.pack(">d", value)
    bits = value.bit_length()
    return _encode_integer(value, _UINT16 if bits <= 16 else _UINT32 if bits <= 32 else _UINT64)


def _encode_integer(value: int, kind: int) -> bytes:
    number = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(number)) + number


def _encode_metadata(metadata: Mapping[str, Any]) -> bytes:
    fields = (
        _encode(name) + (_encode_integer(value, _METADATA_TYPES[name]) if name in _METADATA_TYPES else _encode(value))
        for name, value in metadata.items()
    )
    return _control(_MAP, len(metadata)) + b"".join(fields)


def _control(kind: int, size: int) -> bytes:
    """Return the control byte, with the extended type and size bytes that follow it (specification, "Data Field")."""
    first, extended = (kind << 5, b"") if kind <= 7 else (0, bytes([kind - 7]))
    if size < 29:
        return bytes([first | size]) + extended
    if size < 285:
        return bytes([first | 29]) + extended + bytes([size - 29])
    return bytes([first | 30]) + extended + (size - 285).to_bytes(2, "big")
