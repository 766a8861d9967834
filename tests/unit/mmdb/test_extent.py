"""What a database covers: the figures of the manifest, held to the list of all its networks."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.demo.mmdb_writer import mmdb
from hubdata.mmdb.extent import Extent, extent
from hubdata.mmdb.layout import read_layout
from hubdata.mmdb.malformed import Malformed
from hubdata.mmdb.proof import prove
from tests.support import small_mmdb
from tests.support.mmdb_networks import coverage, networks
from tests.support.real import MMDB, needs_real


def of(*texts: str) -> Extent:
    """Return the extent of a database of these networks."""
    return extent(read_layout(mmdb("Test", {ip_network(text): {"a": text} for text in texts}, build_epoch=1)))


def listed(body: bytes) -> Extent:
    """Return the same from the list of all networks."""
    found = coverage(networks(read_layout(body)))
    return Extent(found.networks, found.ipv4_addresses, found.ipv6_64s)


def test_networks_are_counted_by_family_and_in_its_units() -> None:
    """IPv4 in addresses, IPv6 in /64 networks; nothing of one counts for the other."""
    assert of("9.9.9.0/24", "10.0.0.0/31") == Extent(2, 258, 0)
    assert of("2620:fe::/48", "9.9.9.9/32") == Extent(2, 1, 1 << 16)


def test_networks_in_one_slash_64_touch_it_once() -> None:
    """Whatever their lengths: four in one, and one in the next."""
    inside = ("2001:db8::1/128", "2001:db8::2/127", "2001:db8::8000:0/97", "2001:db8:0:0:8000::/65")
    assert of(*inside) == Extent(4, 0, 1)
    assert of(*inside, "2001:db8:0:1::1/128", "2001:db8:0:2::/63") == Extent(6, 0, 4)


def test_a_tree_of_ipv4_alone_has_no_ipv6() -> None:
    """Its root is IPv4's."""
    assert extent(read_layout(small_mmdb.ipv4_alone())) == Extent(1, 256, 0)


@needs_real
@pytest.mark.parametrize("path", sorted((MMDB / "good").glob("*.mmdb")), ids=lambda path: path.stem)
def test_real_databases_cover_what_their_networks_are(path: Path) -> None:
    """Aliases of IPv4 among them; the proof counts the same on its way."""
    body = path.read_bytes()
    assert extent(read_layout(body)) == listed(body)
    assert prove(body).extent in (listed(body), None)


def _ipv6(address: int, length: int) -> IPv6Network:
    return IPv6Network(((0x2000 << 112 | address) >> 128 - length << 128 - length, length))


_FOURS = st.builds(
    lambda address, length: IPv4Network((address >> 32 - length << 32 - length, length)),
    st.integers(0, 2**32 - 1),
    st.integers(8, 32),
)
_SIXES = st.builds(_ipv6, st.integers(0, 2**112 - 1), st.integers(20, 128))
_NEAR = st.builds(_ipv6, st.integers(0, 2**8 - 1).map(lambda n: n << 56), st.integers(60, 128))


@given(st.lists(st.one_of(_FOURS, _SIXES, _NEAR), max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_database_covers_what_its_networks_are(chosen: list[IPv4Network | IPv6Network]) -> None:
    """Counted without a list, the figures are those of the list."""
    apart: list[IPv4Network | IPv6Network] = []
    for network in chosen:
        if not any(network.version == other.version and network.overlaps(other) for other in apart):
            apart.append(network)
    body = mmdb("Test", {network: {"n": index} for index, network in enumerate(apart)}, build_epoch=1)
    assert extent(read_layout(body)) == listed(body)
    assert prove(body).extent in (listed(body), None)


def test_a_proof_counts_on_its_way() -> None:
    """Both families, IPv4 alone, several networks in one /64; nothing while it has doubts."""
    sixes = ("2001:db8::1/128", "2001:db8::2/127", "2001:db8:0:2::/63", "2620:fe::/48")
    chosen = {ip_network(text): {"a": text} for text in ("9.9.9.0/24", "10.0.0.0/31", *sixes)}
    assert prove(mmdb("Test", chosen, build_epoch=1)).extent == Extent(6, 258, 1 + 2 + (1 << 16))
    assert prove(small_mmdb.ipv4_alone()).extent == Extent(1, 256, 0)
    assert prove(small_mmdb.circular_tree()).extent is None


def test_a_tree_entered_from_too_many_places_is_given_up() -> None:
    """Forty levels that each lead twice to the next are 2**40 paths; the walk ends long before."""
    count, levels = 41, 40
    tree = b"".join((node + 1).to_bytes(3, "big") * 2 for node in range(levels)) + count.to_bytes(3, "big") * 2
    body = small_mmdb.database()
    metadata = body[body.rindex(small_mmdb.MARKER) :]
    at = metadata.index(b"Jnode_count\xc1") + len(b"Jnode_count\xc1")
    bomb = tree + bytes(16) + b"\xe0" + metadata[:at] + bytes([count]) + metadata[at + 1 :]
    with pytest.raises(Malformed) as caught:
        extent(read_layout(bomb))
    assert caught.value.problem == "tree-shared"


def test_a_tree_that_leads_in_a_circle_is_given_up() -> None:
    """A proof refuses it before; the walk ends all the same."""
    with pytest.raises(Malformed):
        extent(read_layout(small_mmdb.circular_tree()))
