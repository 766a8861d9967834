"""Small GeoIP databases, sound and broken in one way each, for tests that need to know what is in every byte."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from hubdata.demo.mmdb_writer import mmdb
from tests.support.judged import CHECKED_AT

BUILT = int((CHECKED_AT - timedelta(days=3)).timestamp())
KEY = "mmdb_update/GeoLite2-City.mmdb"
MARKER = b"\xab\xcd\xefMaxMind.com"
US: Mapping[str, Any] = {"country": {"iso_code": "US"}}


def database(database_type: str = "GeoLite2-City", built: int = BUILT) -> bytes:
    """Return a database that knows 9.9.9.0/24 alone, in IPv6 with 24-bit records."""
    return mmdb(database_type, {ip_network("9.9.9.0/24"): US}, build_epoch=built)


def replaced(old: bytes, new: bytes) -> bytes:
    """Return that database with the one place that holds `old` holding `new`."""
    body = database()
    assert body.count(old) == 1
    return body.replace(old, new)


def pointer(to: int) -> bytes:
    """Return a pointer of two bytes to an offset below 2,048 in the data section."""
    return bytes([0x20 | to >> 8, to & 0xFF])


def with_data(data: bytes, record: int = 0) -> bytes:
    """Return that database with another data section, whose one record begins at `record`."""
    tree, _ = _parts()
    count = len(tree) // 6
    leaf = (count + 16).to_bytes(3, "big")
    assert tree.count(leaf) == 1
    return tree.replace(leaf, (count + 16 + record).to_bytes(3, "big")) + bytes(16) + data + _metadata()


def circular_tree() -> bytes:
    """Return a database whose first node leads to itself on its right."""
    return database()[:3] + bytes(3) + database()[6:]


def broken_text() -> bytes:
    """Return a database with a country code that is no UTF-8."""
    return replaced(b"BUS", b"BU\xff")


def circular_data() -> bytes:
    """Return a database whose record is a map that holds itself."""
    return with_data(b"\xe1Aa" + pointer(0))


def heavy() -> bytes:
    """Return a database of 1.3 kB whose record unfolds into 2**40 values."""
    levels = (b"\xe2Aa" + pointer(9 * n + 9) + b"Ab" + pointer(9 * n + 9) for n in range(40))
    return with_data(b"".join(levels) + b"\xe1Ax\x40")


def unused_data() -> bytes:
    """Return a database with a value that no record is, but that one points to."""
    shared = b"\xe1Hiso_codeBUS"
    return with_data(shared + b"\xe1Gcountry" + pointer(0), record=len(shared))


def narrow_integers() -> bytes:
    """Return a database whose node count is stored in 16 bits, as the C reader will not have it."""
    return replaced(b"Jnode_count\xc1", b"Jnode_count\xa1")


def ipv4_alone() -> bytes:
    """Return a database of 9.9.9.0/24 whose tree is of IPv4."""
    bits, depth = int(ip_network("9.9.9.0/24").network_address) >> 8, 24
    tree = b""
    for node in range(depth):
        onward = node + 1 if node + 1 < depth else depth + 16
        one = bits >> (depth - 1 - node) & 1
        for side in (0, 1):
            tree += (onward if side == one else depth).to_bytes(3, "big")
    _, data = _parts()
    metadata = _metadata().replace(b"Jip_version\xa1\x06", b"Jip_version\xa1\x04")
    at = metadata.index(b"Jnode_count\xc1") + len(b"Jnode_count\xc1")
    return tree + bytes(16) + data + metadata[:at] + bytes([depth]) + metadata[at + 1 :]


def _parts() -> tuple[bytes, bytes]:
    """Return the tree and the data section of the database."""
    body = database()
    at = body.index(b"Jnode_count\xc1") + len(b"Jnode_count\xc1")
    tree = body[at] * 6
    return body[:tree], body[tree + 16 : body.rindex(MARKER)]


def _metadata() -> bytes:
    body = database()
    return body[body.rindex(MARKER) :]
