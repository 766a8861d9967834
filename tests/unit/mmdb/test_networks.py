"""What is found in a search tree: every network once, IPv4 as IPv4, and an end to trees that have none."""

from io import BytesIO
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import maxminddb
import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.mmdb.layout import read_layout
from hubdata.mmdb.malformed import Malformed
from tests.support.mmdb_edits import place_of, value_at, with_value
from tests.support.mmdb_networks import Networks, coverage, networks
from tests.support.real import MMDB, needs_real

RECORD = {"country": {"iso_code": "DE"}}
OTHER = {"country": {"iso_code": "FR"}}


def _made(*found: str) -> bytes:
    return mmdb("Test", {ip_network(each): RECORD for each in found}, build_epoch=1)


def _named(found: Networks) -> set[str]:
    four = zip(found.four.first.tolist(), found.four.length.tolist(), strict=True)
    six = zip(found.six.high.tolist(), found.six.low.tolist(), found.six.length.tolist(), strict=True)
    return {f"{ip_address(first)}/{length}" for first, length in four} | {
        str(IPv6Network((high << 64 | low, length))) for high, low, length in six
    }


@needs_real
@pytest.mark.parametrize("path", sorted((MMDB / "good").glob("*.mmdb")), ids=lambda path: path.stem)
def test_every_network_of_a_real_database_is_found_as_the_reference_reader_finds_it(path: Path) -> None:
    """The same networks as the pure Python reader yields, none twice, none missing."""
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        expected = [_as_ipv4(network) for network, record in reader if record is not None]
    found = networks(read_layout(path.read_bytes()))
    assert len(found) == len(_named(found))
    assert _named(found) == set(expected)


def _as_ipv4(network: IPv4Network | IPv6Network) -> str:
    """The reader of an IPv6 database yields what lies below ::/96 as IPv6 in some versions."""
    if network.version == 6 and network.prefixlen >= 96 and int(network.network_address) < 1 << 32:
        return f"{ip_address(int(network.network_address))}/{network.prefixlen - 96}"
    return str(network)


def test_networks_of_both_families_are_found_with_their_records() -> None:
    """First address, length and record are those that were written, for long and short prefixes."""
    written = {"0.0.0.0/1", "192.0.2.128/25", "255.255.255.255/32", "2001:db8::/32", "2a00::1/128", "fe80:1::/64"}
    found = networks(read_layout(_made(*written)))
    assert _named(found) == written | {"2a00::1/128"}
    assert set(found.four.offset.tolist()) == {0}
    assert set(found.six.offset.tolist()) == {0}


def test_coverage_counts_addresses_and_64s() -> None:
    """Two networks in one /64 touch one /64; a /32 of IPv6 is 2**32 of them."""
    found = coverage(networks(read_layout(_made("192.0.2.0/24", "2a00::1/128", "2a00::2/128", "2001:db8::/32"))))
    assert (found.ipv4_addresses, found.ipv6_64s) == (256, (1 << 32) + 1)
    assert (found.networks, found.records) == (4, 1)


@pytest.mark.parametrize("alias", ["::ffff:0:0/96", "2001::/32", "2002::/16", "64:ff9b::/96"])
def test_ipv4_seen_through_an_alias_is_not_counted_again(alias: str) -> None:
    """A prefix that leads to where ::/96 leads is IPv4 under another name."""
    body = _made("192.0.2.0/24", alias)
    four = value_at(body, place_of(body, ip_network("0.0.0.0/0")))
    body = with_value(body, place_of(body, ip_network(alias)), four)
    opened: Any = BytesIO(body)
    with maxminddb.open_database(opened, maxminddb.MODE_FD) as reader:
        inside = int(ip_network(alias).network_address) + (
            int(ip_address("192.0.2.1")) << (96 - ip_network(alias).prefixlen)
        )
        assert reader.get(str(ip_address(inside))) == RECORD, "the edit makes an alias"
    found = coverage(networks(read_layout(body)))
    assert (found.ipv4_addresses, found.ipv6_64s, found.networks) == (256, 0, 1)


def test_a_database_of_ipv4_alone_has_no_ipv6() -> None:
    """The tree of `ip_version` 4 begins with the first bit of an IPv4 address."""
    path = MMDB / "good" / "MaxMind-DB-test-ipv4-24.mmdb"
    if not path.exists():
        pytest.skip("NOT TESTED ON REAL INPUT: ../shared/real/mmdb is absent")
    found = networks(read_layout(path.read_bytes()))
    assert len(found.six.length) == 0
    assert "1.1.1.32/32" in _named(found)


def test_one_record_for_all_of_ipv4_is_found() -> None:
    """A tree whose ::/96 ends in a record before any bit of an IPv4 address is read."""
    found = networks(read_layout(_made("0.0.0.0/0", "2001:db8::/32")))
    assert "0.0.0.0/0" in _named(found)


def test_a_cycle_ends_the_walk() -> None:
    """A node that leads back to itself has no networks, and is no reason to go on for ever."""
    body = _made("192.0.2.0/24", "2001:db8::/32")
    place = place_of(body, ip_network("2001:db8::/32"))
    with pytest.raises(Malformed) as caught:
        networks(read_layout(with_value(body, place, place[0])))
    assert caught.value.problem in ("tree-depth", "tree-shared")


def test_a_tree_that_doubles_with_every_level_ends_the_walk() -> None:
    """Both records of every node lead to the next: 2**100 ways through a hundred nodes."""
    body = _made("2001:db8::/100", "192.0.2.0/24")
    for depth in range(10, 99):
        place = place_of(body, IPv6Network((0x20010DB8 << 96, depth), strict=False))
        following = value_at(body, place)
        body = with_value(with_value(body, (place[0], 0), following), (place[0], 1), following)
    with pytest.raises(Malformed) as caught:
        networks(read_layout(body))
    assert caught.value.problem == "tree-shared"


@pytest.mark.parametrize("beyond", [1, 15, 4_000_000])
def test_a_record_outside_the_data_is_refused(beyond: int) -> None:
    """A value that points into the separator, or behind the data, names no record."""
    body = _made("192.0.2.0/24")
    count = read_layout(body).metadata.node_count
    body = with_value(body, place_of(body, ip_network("192.0.2.0/24")), count + beyond)
    with pytest.raises(Malformed) as caught:
        networks(read_layout(body))
    assert caught.value.problem == "tree-data"
