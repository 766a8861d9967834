"""Addresses that are nobody's public address are known by name."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.networks import Network, host
from hubdata.grammar.registries import special_purpose


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


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address) | st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_whatever_ipaddress_calls_private_is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """The standard library's own tables agree wherever they speak."""
    if address.is_private or address.is_multicast or address.is_reserved:
        assert special_purpose(host(address.version, int(address)))
