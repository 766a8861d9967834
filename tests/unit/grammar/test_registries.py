"""Addresses that are nobody's public address are known by name."""

import csv
import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.networks import BITS, Network, host, masked
from hubdata.grammar.registries import _TABLES, REGISTRY_DATE, special_purpose
from hubdata.rules import BY_ID

REGISTRY = Path(__file__).parents[2] / "data" / "iana" / "special-purpose.csv"
"""Every row of IANA's two registries as they stood in July 2026: block, name, and whether the world reaches it."""

BLOCKS_KEPT_WHOLE = ("192.0.0.0/24", "2001::/23", "64:ff9b::/96")
"""Reachable in part, or only through whoever holds the IPv4 address within: no visitor's own address lies there."""


def registered() -> list[tuple[str, bool]]:
    """Return each registered block, and whether the registry calls it globally reachable."""
    with REGISTRY.open(newline="") as file:
        return [(row["block"], row["globally reachable"] == "True") for row in csv.DictReader(file)]


def network(text: str) -> Network:
    """Return a network of the model from its spelling."""
    net = ipaddress.ip_network(text)
    return Network(net.version, int(net.network_address), net.prefixlen)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("10.1.0.0/16", "private"), ("127.0.0.1/32", "loopback"), ("169.254.169.254/32", "link-local"),
        ("192.0.2.0/24", "documentation"), ("224.0.0.0/24", "multicast"), ("255.255.255.255/32", "reserved"),
        ("100.64.0.0/16", "carriers"), ("192.160.0.0/12", "reaches into 192.168.0.0/16"), ("0.0.0.0/0", "reaches into"),
        ("::1/128", "loopback"), ("::ffff:8.8.8.8/128", "mapped"), ("64:ff9b::/96", "NAT64"), ("2002::/16", "6to4"),
        ("2001::/32", "Teredo"), ("2001:db8::/32", "documentation"), ("3fff::/20", "documentation"),
        ("fc00::/8", "unique local"), ("fe80::/64", "link-local"), ("ff02::/16", "multicast"),
        ("4000::/16", "not global"),
        ("2000::/3", "reaches into"),
    ],
)  # fmt: skip
def test_special_ranges_are_named(text: str, name: str) -> None:
    """A network within one, or wide enough to hold one, is told with the range's name."""
    assert name in (special_purpose(network(text)) or "")


@pytest.mark.parametrize("text", ["8.8.8.0/24", "173.245.48.0/20", "2400:cb00::/32", "2a00::/29", "2620:4f:8000::/48"])
def test_public_networks_are_ordinary(text: str) -> None:
    """Nothing is said of what visitors really come from."""
    assert special_purpose(network(text)) is None


@st.composite
def _near_an_edge(draw: st.DrawFn) -> Network:
    """Give a network that holds an end of a special range, or lies beside one."""
    version = draw(st.sampled_from([4, 6]))
    edge = draw(st.sampled_from([end for row in _TABLES[version] for end in row[:2]]))
    value = min(max(edge + draw(st.integers(-2, 2)), 0), (1 << BITS[version]) - 1)
    return masked(version, value, draw(st.integers(0, BITS[version])))


@settings(max_examples=500)
@given(_near_an_edge())
def test_only_what_shares_no_address_with_any_range_is_ordinary(network: Network) -> None:
    """The quick look among merged ranges misses none of the table's rows."""
    shared = any(low <= network.last and network.first <= high for low, high, _, _ in _TABLES[network.version])
    assert (special_purpose(network) is not None) == shared


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address) | st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_whatever_ipaddress_calls_private_is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """The standard library's own tables agree wherever they speak."""
    if address.is_private or address.is_multicast or address.is_reserved:
        assert special_purpose(host(address.version, int(address)))


@pytest.mark.parametrize(("block", "reachable"), registered())
def test_every_block_of_the_registries_is_known(block: str, reachable: bool) -> None:
    """What IANA does not call reachable is special, from its first address to its last; services it does are not."""
    net = ipaddress.ip_network(block)
    inside = [ipaddress.ip_network(kept) for kept in BLOCKS_KEPT_WHOLE]
    special = not reachable or any(net.version == kept.version and net.subnet_of(kept) for kept in inside)  # type: ignore[arg-type]
    for address in (net[0], net[-1]):
        assert bool(special_purpose(host(net.version, int(address)))) == special
    assert bool(special_purpose(network(block))) == special


def test_no_block_of_the_registries_is_known_by_a_wider_name_alone() -> None:
    """A block that stands by itself in the registries is told with its own range, not as a part of the rest."""
    for block, reachable in registered():
        told = special_purpose(network(block)) or ""
        assert reachable or "not global unicast" not in told, block


@pytest.mark.parametrize("rule", ["cidr.special-purpose", "ip-exact.special-purpose", "bots.special-purpose"])
def test_the_rules_tell_of_which_day_the_registries_are(rule: str) -> None:
    """Who reads that an address is nobody's can see how old the table is that says so."""
    assert REGISTRY_DATE in BY_ID[rule].engine
