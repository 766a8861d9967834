"""Sets of addresses: exact, and the same as a slow model says."""

from ipaddress import IPv4Address, collapse_addresses, summarize_address_range
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hubdata.grammar.intervals import Interval, blocks, count, merged, prefixes, without

SPANS = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 40)).map(lambda s: (s[0], min(s[0] + s[1], 255))))


def _members(spans: list[Interval] | tuple[Interval, ...]) -> set[int]:
    return {each for first, last in spans for each in range(first, last + 1)}


@given(SPANS)
def test_a_union_holds_the_same_addresses_once(spans: list[Interval]) -> None:
    """Whatever overlaps or touches is one interval, and no address is gained or lost."""
    union = merged(spans)
    assert _members(union) == _members(spans)
    assert count(union) == len(_members(spans))
    assert all(left[1] + 1 < right[0] for left, right in pairwise(union))


@given(SPANS, SPANS)
def test_a_difference_is_that_of_the_sets(these: list[Interval], others: list[Interval]) -> None:
    """What is left are the addresses of the one that are not in the other, as a canonical set again."""
    left = without(merged(these), merged(others))
    assert _members(left) == _members(these) - _members(others)
    assert left == merged(left)


@given(SPANS)
def test_networks_are_the_fewest_that_hold_a_set(spans: list[Interval]) -> None:
    """Python's own summary of the same ranges, collapsed, has exactly these networks."""
    union = merged(spans)
    slow = collapse_addresses(
        net for first, last in union for net in summarize_address_range(IPv4Address(first), IPv4Address(last))
    )
    assert [(int(net.network_address), net.prefixlen) for net in slow] == list(prefixes(union, 32))


def test_the_whole_space_is_one_network() -> None:
    """Address zero is aligned to everything: all of IPv4 and of IPv6 is a single /0."""
    assert list(prefixes(((0, 2**32 - 1),), 32)) == [(0, 0)]
    assert list(prefixes(((0, 2**128 - 1),), 128)) == [(0, 0)]


@given(SPANS)
def test_blocks_are_counted_once_however_often_touched(spans: list[Interval]) -> None:
    """Two addresses in one block of sixteen are one block."""
    assert blocks(merged(spans), 4) == len({each >> 4 for each in _members(spans)})
