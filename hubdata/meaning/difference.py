"""Decide how two meanings differ: which addresses and names were gained, lost or changed.

The arithmetic is exact, for overlapping and differently cut lists too: a list that was merely sorted or merged anew
differs in nothing.
"""

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import chain

from hubdata.grammar.intervals import Intervals, blocks, count, prefixes, without
from hubdata.grammar.networks import BITS, address_text
from hubdata.model.meaning import (
    Changed,
    Difference,
    Meaning,
    NameDifference,
    Names,
    NetworkDifference,
    Networks,
    Space,
)

MAX_LISTED = 100_000
"""Networks listed of those gained, and of those lost: one address cut out of a /29 leaves a hundred networks."""

_Sized = tuple[int, int, int, int]


def difference(old: Meaning | None, new: Meaning | None) -> Difference:
    """Return what became of `old` in `new`; None stands for a file that is not there.

    Where one of two files cannot be read as its kind, only their bytes are compared.
    """
    networks = names = None
    if all(each is None or each.networks is not None for each in (old, new)) and (old or new):
        networks = _networks(_of(old), _of(new))
    if all(each is None or each.names is not None for each in (old, new)) and (old or new):
        names = _names(_named(old), _named(new))
    return Difference(
        equal=_equal(old, new, networks, names),
        before=None if old is None else old.size,
        after=None if new is None else new.size,
        networks=networks,
        names=names,
    )


def _equal(
    old: Meaning | None, new: Meaning | None, networks: NetworkDifference | None, names: NameDifference | None
) -> bool:
    if old is None or new is None:
        return old is new
    if networks is None and names is None:
        return old.sha256 == new.sha256
    if (old.networks is None) is not (new.networks is None) or (old.names is None) is not (new.names is None):
        return False
    moved = networks is not None and bool(networks.gained or networks.lost)
    renamed = names is not None and bool(names.gained or names.lost or names.changed or names.reordered)
    return not (moved or renamed)


def _of(meaning: Meaning | None) -> Networks:
    return (meaning.networks if meaning else None) or Networks()


def _named(meaning: Meaning | None) -> Names:
    return (meaning.names if meaning else None) or Names()


def _networks(old: Networks, new: Networks) -> NetworkDifference:
    gained = Networks(without(new.four, old.four), without(new.six, old.six))
    lost = Networks(without(old.four, new.four), without(old.six, new.six))
    (gained_list, gained_count), (lost_list, lost_count) = _largest(gained), _largest(lost)
    return NetworkDifference(
        gained=gained_list,
        lost=lost_list,
        gained_count=gained_count,
        lost_count=lost_count,
        gained_space=space(gained),
        lost_space=space(lost),
        before=space(old),
        after=space(new),
    )


def _names(old: Names, new: Names) -> NameDifference:
    kept = old.values.keys() & new.values.keys()
    return NameDifference(
        gained=tuple(sorted(new.values.keys() - kept)),
        lost=tuple(sorted(old.values.keys() - kept)),
        changed=tuple(
            Changed(name, old.values[name], new.values[name])
            for name in sorted(kept)
            if old.values[name] != new.values[name]
        ),
        reordered=_common(old, new) != _common(new, old),
        before=len(old.values),
        after=len(new.values),
    )


def _common(names: Names, others: Names) -> tuple[str, ...]:
    there = frozenset(others.ordered)
    return tuple(name for name in names.ordered if name in there)


def space(networks: Networks) -> Space:
    """Return how much `networks` are."""
    return Space(count(networks.four), blocks(networks.six, 64))


def cidrs(networks: Networks) -> tuple[str, ...]:
    """Return the fewest CIDR networks that are exactly `networks`, the largest first.

    IPv4 networks are measured in addresses, IPv6 ones in /64s; equals are in the order of their addresses.
    """
    return _spelled(sorted((*_sized(networks.four, 4), *_sized(networks.six, 6))))


def _largest(networks: Networks) -> tuple[tuple[str, ...], int]:
    """Return the largest networks, as `cidrs` does, and how many there are."""
    total = 0

    def counted() -> Iterator[_Sized]:
        nonlocal total
        for each in chain(_sized(networks.four, 4), _sized(networks.six, 6)):
            total += 1
            yield each

    return _spelled(nsmallest(MAX_LISTED, counted())), total


def _spelled(sized: Iterable[_Sized]) -> tuple[str, ...]:
    return tuple(f"{address_text(version, first)}/{prefix}" for _, version, first, prefix in sized)


def _sized(intervals: Intervals, version: int) -> Iterator[_Sized]:
    unit = 32 if version == 4 else 64  # the prefix length of what is counted as one
    for first, prefix in prefixes(intervals, BITS[version]):
        yield min(prefix, unit) - unit, version, first, prefix
