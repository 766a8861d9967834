"""Limits against a slow model that counts single addresses: whatever the lists, exactly what is too much is held."""

from collections.abc import Callable
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.cidr import CidrKind
from hubdata.model.job import Limits
from hubdata.model.snapshot import Snapshot, Stats
from hubdata.planning.diff import diff
from hubdata.planning.limits import breaches
from tests.support.judged import judged
from tests.unit.planning.samples import artifact, entry, inventory

_ANY_PREFIX = Limits(max_prefix4=0, max_prefix6=0)

FOURS = st.builds(
    lambda host, prefix: str(ip_network((f"9.9.9.{host}", prefix), strict=False)),
    st.integers(0, 255),
    st.integers(25, 32),
)
SIXES = st.builds(
    lambda host, prefix: str(ip_network((f"2001:4860:4860:{host:x}::{host:x}", prefix), strict=False)),
    st.integers(0, 63),
    st.sampled_from([58, 60, 63, 64, 96, 128]),
)
LISTS = st.lists(FOURS | SIXES, max_size=16)
SHARES = st.sampled_from([Fraction(0), Fraction(1, 5), Fraction(1, 2), Fraction(4, 5), Fraction(1), Fraction(3)])


def body(texts: list[str]) -> bytes:
    """Return the list as a file."""
    return "".join(f"{text}\n" for text in texts).encode()


def broken(old: bytes, new: bytes, limits: Limits) -> set[str]:
    """Return which counts of a list broke a limit when it went from `old` to `new`."""
    was, now = (judged(CidrKind, each, limits=_ANY_PREFIX).stats for each in (old, new))
    held = inventory({"a": entry("a", old, stats=was)}, {"a": old})
    wanted = Snapshot("job", {"a": artifact("a", new, stats=now)})
    found = breaches(diff(wanted, held), wanted, held.manifest, {"a": limits})
    emptied = not now.entries and was.entries
    assert {f.rule for f in found} - {"limits.max-change"} == ({"limits.emptied"} if emptied else set())
    return {f.message.partition(" go from ")[0] for f in found if f.rule == "limits.max-change"}


def too_much(was: int, now: int, share: Fraction, floor: int) -> bool:
    """Decide in exact fractions what the words of jobs/README.md say."""
    change = abs(now - was)
    if change <= floor:
        return False
    if was == 0:
        return True
    if now < was:
        return Fraction(change, was) > min(share, Fraction(1, 2))
    return Fraction(change, was) > share


def four_addresses(texts: list[str]) -> int:
    """Count single IPv4 addresses, one by one."""
    return len({address for t in texts for n in [ip_network(t)] if isinstance(n, IPv4Network) for address in n})


def six_64s(texts: list[str]) -> int:
    """Count the /64s that IPv6 networks touch, one by one."""
    nets = [n for t in texts for n in [ip_network(t)] if isinstance(n, IPv6Network)]
    return len({k for n in nets for k in range(int(n.network_address) >> 64, (int(n.broadcast_address) >> 64) + 1)})


COUNTS: tuple[tuple[str, Callable[[list[str]], int]], ...] = (
    ("entries", len),
    ("IPv4 addresses", four_addresses),
    ("IPv6 /64 networks", six_64s),
)


@settings(max_examples=300, deadline=None)
@given(LISTS, LISTS, SHARES, st.tuples(st.integers(0, 20), st.integers(0, 300), st.integers(0, 70)))
def test_exactly_what_the_model_calls_too_much_is_held(
    old: list[str], new: list[str], share: Fraction, floors: tuple[int, int, int]
) -> None:
    """Entries, addresses and /64s, gained or lost, with and without a floor, overlapping or not."""
    entries, fours, sixes = floors
    limits = Limits(max_change=float(share), floor_entries=entries, floor_ipv4_addresses=fours, floor_ipv6_64s=sixes)
    expected = {
        words
        for (words, count), floor in zip(COUNTS, floors, strict=True)
        if too_much(count(old), count(new), share, floor) and body(old) != body(new)
    }
    assert broken(body(old), body(new), limits) == expected


@settings(max_examples=100, deadline=None)
@given(LISTS.flatmap(lambda texts: st.tuples(st.just(texts), st.permutations(texts))))
def test_another_order_of_the_same_networks_is_never_too_much(lists: tuple[list[str], list[str]]) -> None:
    """What counts is what a list lets in, not how it is written."""
    old, new = lists
    assert broken(body(old), body(new), Limits(max_change=0.0)) == set()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**40), SHARES, SHARES, st.integers(0, 2**20))
def test_a_looser_limit_never_holds_more(was: int, now: int, one: Fraction, other: Fraction, floor: int) -> None:
    """Whoever raises a share or a floor in a job file lets out more, never less."""
    tight, loose = sorted((one, other))

    def held(share: Fraction, allowance: int) -> bool:
        limits = Limits(max_change=float(share), floor_ipv4_addresses=allowance)
        before = inventory({"a": entry("a", b"old", stats=Stats(ipv4_addresses=was))}, {"a": b"old"})
        wanted = Snapshot("job", {"a": artifact("a", b"new", stats=Stats(ipv4_addresses=now))})
        return bool(breaches(diff(wanted, before), wanted, before.manifest, {"a": limits}))

    assert held(loose, floor) <= held(tight, floor) <= held(tight, 0)
