"""Edits to the search tree of a small database (24-bit records) that no honest writer would make, or could not here."""

from ipaddress import IPv4Network, IPv6Network

from hubdata.mmdb.layout import read_layout, records

Place = tuple[int, int]
"""A node, and which of its two records: 0 is left."""


def place_of(body: bytes, network: IPv4Network | IPv6Network) -> Place:
    """Return the record that `network` ends in; IPv4 is looked for below ::/96."""
    bits, length = int(network.network_address), network.prefixlen + (96 if network.version == 4 else 0)
    sides = records(read_layout(body))
    node = 0
    for depth in range(length - 1):
        node = int(sides[bits >> (127 - depth) & 1][node])
    return node, bits >> (128 - length) & 1


def value_at(body: bytes, place: Place) -> int:
    """Return what the record at `place` says."""
    return int(records(read_layout(body))[place[1]][place[0]])


def with_value(body: bytes, place: Place, value: int) -> bytes:
    """Return `body` with another value in the record at `place`."""
    at = place[0] * 6 + place[1] * 3
    return body[:at] + value.to_bytes(3, "big") + body[at + 3 :]
