"""What says nothing new in a list is found as a slow comparison of each with each finds it."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.gather import MAX_PER_RULE
from hubdata.grammar.intervals import merged, prefixes
from hubdata.grammar.lines import Row
from hubdata.grammar.nesting import Covered, Found, covered, mergeable
from hubdata.grammar.networks import BITS, Network, masked

NETWORKS = st.builds(
    lambda version, low, short: masked(version, (8 << BITS[version] - 8) + low, BITS[version] - short),
    st.sampled_from([4, 6]),
    st.integers(0, 31),
    st.integers(0, 5),
)
FREE = {4: 0, 6: 0}


def rows(networks: Sequence[Network]) -> list[Found]:
    """Return `networks` as the rows of a list, each spelled canonically."""
    return [(Row(line, str(network)), network) for line, network in enumerate(networks, 1)]


def holds(outer: Network, inner: Network) -> bool:
    """Tell whether every address of `inner` is one of `outer`."""
    return outer.version == inner.version and outer.first <= inner.first and inner.last <= outer.last


@settings(max_examples=300, deadline=None)
@given(st.lists(NETWORKS, max_size=14))
def test_covered_are_all_that_lie_within_a_wider_one(networks: list[Network]) -> None:
    """Each with each: the widest around it is named, and a repeated row is not told again."""
    expected = []
    for line, network in enumerate(networks, 1):
        around = min((other.prefix, at) for at, other in enumerate(networks, 1) if holds(other, network))[1]
        if networks[around - 1] != network and network not in networks[: line - 1]:
            expected.append(Covered(line, network, around, networks[around - 1]))
    assert covered(rows(networks)).first == tuple(expected)


@settings(max_examples=300, deadline=None)
@given(st.lists(NETWORKS, max_size=14))
def test_mergeable_are_those_of_the_fewest_networks_that_hold_several_rows(networks: list[Network]) -> None:
    """The fewest networks for the same addresses, less those that stand there as they are."""
    fewest = {
        Network(version, first, prefix)
        for version in (4, 6)
        for first, prefix in prefixes(
            merged((each.first, each.last) for each in networks if each.version == version), BITS[version]
        )
    }
    assert {each.network for each in mergeable(rows(networks), FREE).first} == fewest - set(networks)


@settings(max_examples=200, deadline=None)
@given(st.lists(NETWORKS, max_size=14), st.integers(26, 31))
def test_nothing_is_merged_beyond_the_floor(networks: list[Network], floor: int) -> None:
    """What is told is no wider than the floor, made of rows whose lines it names, and counts all of them."""
    for each in mergeable(rows(networks), {4: floor, 6: floor + 96}).first:
        assert each.network.prefix >= floor + (96 if each.network.version == 6 else 0)
        within = [line for line, network in enumerate(networks, 1) if holds(each.network, network)]
        assert each.rows >= 2
        assert {each.line, each.last_line} <= set(within)
        assert each.line < each.last_line


def test_one_network_spelled_twice_is_covered_by_its_first_line() -> None:
    """Other text, same network: the later row is told; the same text is a duplicate, told elsewhere."""
    network = masked(6, 0x2A00 << 112, 32)
    found = [(Row(line, text), network) for line, text in enumerate(["2A00::/32", "2a00::/32", "2a00::/32"], 1)]
    assert covered(found).first == (Covered(2, network, 1, network),)


def test_only_as_many_are_kept_as_a_report_shows() -> None:
    """The total is exact, and the first by line are kept with one more, for the words about the rest."""
    networks = [Network(4, 8 << 24, 24), *(Network(4, (8 << 24) + at, 32) for at in range(250))]
    told = covered(rows(networks))
    assert (told.total, len(told.first)) == (250, MAX_PER_RULE + 1)
    assert [each.line for each in told.first] == list(range(2, MAX_PER_RULE + 3))
