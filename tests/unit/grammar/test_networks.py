"""Networks are read as strictly as `ipaddress`, and coverage is exact."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.networks import Network, address_text, coverage, masked, parse_address, parse_prefix

IPV4 = st.integers(0, 2**32 - 1).map(lambda v: str(ipaddress.IPv4Address(v)))
IPV6 = st.integers(0, 2**128 - 1).map(lambda v: str(ipaddress.IPv6Address(v)))
SPARSE6 = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0x2001]), min_size=8, max_size=8).map(
    lambda groups: ":".join(f"{g:x}" for g in groups)
)


@settings(max_examples=200)
@given(IPV4 | IPV6 | SPARSE6)
def test_every_address_is_read_as_ipaddress_reads_it(text: str) -> None:
    """Version, value and canonical spelling agree; embedded IPv4 is spelled as inet_ntop does and parses back."""
    expected = ipaddress.ip_address(text)
    parsed = parse_address(text)
    assert parsed == (expected.version, int(expected))
    if int(expected) >> 32 not in (0, 0xFFFF) or expected.version == 4:
        assert address_text(*parsed) == str(expected)
    assert parse_address(address_text(*parsed)) == parsed


@settings(max_examples=200)
@given(st.text(alphabet="0123456789abcdefABF.:/%xg -", max_size=20))
def test_what_is_read_as_an_address_ipaddress_reads_too(text: str) -> None:
    """No spelling is accepted that the stricter reader refuses."""
    parsed = parse_address(text)
    if parsed is not None:
        assert int(ipaddress.ip_address(text)) == parsed[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2.3",
        "01.2.3.4",
        "1.2.3.256",
        "0x1.2.3.4",
        "1.2.3.4 ",
        "::1%eth0",
        "[::1]",
        "1::2::3",
        "\ud800",
        "a\0",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    """Short forms, octal, zones, brackets and other digits are not addresses."""
    assert parse_address(text) is None


@pytest.mark.parametrize("text", ["", "33", "-1", "+8", "08", " 8", "255.255.0.0", "\u0661", "9" * 5000])
def test_what_is_no_prefix_length_is_none(text: str) -> None:
    """Signs, leading zeros and netmasks are not prefix lengths."""
    assert parse_prefix(text, 4) is None


def test_the_ends_of_the_prefix_range_are_read() -> None:
    """0 and the full width are prefix lengths, each in its family."""
    assert [parse_prefix("0", 4), parse_prefix("32", 4), parse_prefix("128", 6)] == [0, 32, 128]


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2**12 - 1), st.integers(20, 32)), max_size=12))
def test_ipv4_coverage_equals_a_set_of_all_addresses(drawn: list[tuple[int, int]]) -> None:
    """Overlapping, nested and repeated networks count each address once."""
    networks = [masked(4, value, prefix) for value, prefix in drawn]
    slow = {address for net in networks for address in range(net.first, net.last + 1)}
    assert coverage(networks) == (len(slow), 0)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2**72 - 1), st.integers(56, 128)), max_size=12))
def test_ipv6_coverage_equals_a_set_of_all_slash64s(drawn: list[tuple[int, int]]) -> None:
    """A single address touches its /64; a /56 touches 256."""
    networks = [masked(6, value, prefix) for value, prefix in drawn]
    slow = {block for net in networks for block in range(net.first >> 64, (net.last >> 64) + 1)}
    assert coverage(networks) == (0, len(slow))


def test_all_of_both_families_is_counted_exactly() -> None:
    """The widest networks do not overflow anything."""
    assert coverage([Network(4, 0, 0), Network(6, 0, 0)]) == (2**32, 2**64)
