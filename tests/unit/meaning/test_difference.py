"""How two meanings differ: exactly, and only where an engine would notice."""

from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.meaning import difference as differences
from hubdata.meaning.difference import difference
from hubdata.meaning.table import meaning_of
from hubdata.model.meaning import Changed, Difference, NameDifference, NetworkDifference, Space


def _compared(kind: str, old: str, new: str) -> Difference:
    return difference(meaning_of(kind, old.encode()), meaning_of(kind, new.encode()))


def _networks(kind: str, old: str, new: str) -> NetworkDifference:
    found = _compared(kind, old, new).networks
    assert found is not None
    return found


def _names(kind: str, old: str, new: str) -> NameDifference:
    found = _compared(kind, old, new).names
    assert found is not None
    return found


FOUR = st.builds(
    lambda value, length: IPv4Network((0x0A000000 + value, length), strict=False),
    st.integers(0, 1023),
    st.integers(22, 32),
)
SIX = st.builds(
    lambda value, length: IPv6Network(((0x20010DB8 << 96) + (value << 60), length), strict=False),
    st.integers(0, 255),
    st.integers(56, 68),
)
LISTS = st.lists(st.one_of(FOUR, SIX), max_size=12)


def _text(networks: list[Any]) -> str:
    return "".join(f"{network}\n" for network in networks)


def _collapsed(networks: list[Any], version: int) -> list[Any]:
    return list(collapse_addresses(network for network in networks if network.version == version))


def _minus(these: list[Any], others: list[Any], version: int) -> set[Any]:
    """Return the slow model's difference: network by network, hole by hole."""
    left = _collapsed(these, version)
    for hole in _collapsed(others, version):
        pieces: list[Any] = []
        for network in left:
            if network.subnet_of(hole):
                continue
            pieces += network.address_exclude(hole) if hole.subnet_of(network) else [network]
        left = pieces
    return set(collapse_addresses(left))


@given(LISTS, LISTS)
def test_networks_gained_and_lost_are_those_of_the_slow_model(old: list[Any], new: list[Any]) -> None:
    """For any two lists, what was gained and lost is exactly what `ipaddress` says, hole by hole."""
    found = _networks("cidr", _text(old) + "# old\n", _text(new) + "# new\n")
    assert {ip_network(each) for each in found.gained} == _minus(new, old, 4) | _minus(new, old, 6)
    assert {ip_network(each) for each in found.lost} == _minus(old, new, 4) | _minus(old, new, 6)
    assert found.before.ipv4_addresses == sum(net.num_addresses for net in _collapsed(old, 4))
    assert found.after.ipv6_64s == len(
        {
            int(sub.network_address) >> 64
            for net in _collapsed(new, 6)
            for sub in (net.subnets(new_prefix=64) if net.prefixlen < 64 else (net,))
        }
    )


@given(LISTS, st.randoms())
def test_a_list_cut_and_ordered_anew_is_equal(networks: list[Any], random: Any) -> None:
    """Every network split in halves, the lines shuffled, comments and duplicates put in: nothing differs."""
    halves = [
        half
        for network in networks
        for half in (network.subnets() if network.prefixlen < network.max_prefixlen else (network,))
    ]
    random.shuffle(halves)
    assert _compared("cidr", "# a\n" + _text(networks), "# b\n\n" + _text(halves + networks[:1])).equal


def test_the_largest_network_comes_first() -> None:
    """IPv4 is measured in addresses and IPv6 in /64s; a reviewer reads the widest door first."""
    found = _networks("cidr", "# none\n", "9.9.9.9/32\n2001:db8::/48\n8.8.0.0/16\n1.0.0.0/24\n2001:db9::/64\n")
    assert found.gained == ("8.8.0.0/16", "2001:db8::/48", "1.0.0.0/24", "9.9.9.9/32", "2001:db9::/64")
    assert found.gained_space == Space(65536 + 256 + 1, 65536 + 1)


def test_of_very_many_networks_the_largest_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in a wide network leaves many; all are counted, and the space is exact."""
    whole = _networks("cidr", "2001:db8::/64\n", "2001:db8::/32\n")
    assert (len(whole.gained), whole.gained_count) == (32, 32)
    monkeypatch.setattr(differences, "MAX_LISTED", 3)
    few = _networks("cidr", "2001:db8::/64\n", "2001:db8::/32\n")
    assert (few.gained, few.gained_count) == (whole.gained[:3], 32)
    assert few.gained_space == whole.gained_space == Space(0, 2**32 - 1)


def test_a_file_that_comes_or_goes_is_gained_or_lost_whole() -> None:
    """No file is the empty set of everything."""
    meaning = meaning_of("cidr", b"8.8.8.0/24\nnonsense\n")
    came, went = difference(None, meaning), difference(meaning, None)
    assert (came.before, came.after, came.equal) == (None, 20, False)
    assert came.networks is not None
    assert came.networks.gained == ("8.8.8.0/24",)
    assert came.names is not None
    assert came.names.gained == ("nonsense",)
    assert went.networks is not None
    assert (went.networks.lost, went.after) == (("8.8.8.0/24",), None)
    assert difference(None, None).equal


def test_names_are_gained_lost_and_changed_in_order() -> None:
    """Each list is sorted, so that two runs say the same."""
    found = _names(
        "map",
        '{"pattern":"/a","tag":"1","type":"equals"}\n{"pattern":"/b","tag":"1","type":"equals"}\n',
        '{"pattern":"/d","tag":"1","type":"equals"}\n{"pattern":"/c","tag":"1","type":"equals"}\n'
        '{"type":"equals","tag":"2","pattern":"/b"}\n',
    )
    assert found == NameDifference(
        gained=("equals /c", "equals /d"),
        lost=("equals /a",),
        changed=(Changed("equals /b", "1", "2"),),
        reordered=False,
        before=2,
        after=3,
    )


def test_files_that_are_not_of_their_kind_are_compared_by_their_bytes() -> None:
    """A page of HTML has no entries; it is not taken for a list that lost them all."""
    found = _compared("cidr", "8.8.8.0/24\n", "<!doctype html>\n")
    assert (found.equal, found.networks, found.names) == (False, None, None)
    assert _compared("opaque", "a", "a").equal
    assert not _compared("opaque", "a", "b").equal
