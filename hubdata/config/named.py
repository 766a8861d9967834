"""Checks what a job file says its lists must contain or must never contain, before any list is looked at.

A network with a typing error would guard nothing, so it is an error here. So is a limit on a kind that does not judge
by it: a guard that is not there must not look as if it were.
"""

from collections.abc import Iterator
from typing import Protocol

from hubdata.grammar.named import named_network
from hubdata.grammar.networks import Network, host, masked, parse_address, parse_prefix
from hubdata.plugins import Fault, Place

NETWORK_KINDS = frozenset({"bots", "cidr", "ip-exact"})
"""Kinds whose files let networks in: they know `must_contain` and `must_not_contain`, both lists of networks."""

ROW_KINDS = frozenset({"jsonl-uri", "needle", "phrases", "rdns-regexp", "rdns-suffix", "regexp"})
"""Kinds of one entry a row: they know `must_contain`, a list of rows (of `jsonl-uri`: of uris)."""


COUNTRY_KINDS = frozenset({"mmdb"})
"""Kinds whose files say what country or system an address belongs to: they know `max_country_change`."""


class _Named(Protocol):
    must_contain: list[str]
    must_not_contain: list[str]


def named_faults(kind: str, limits: _Named, place: Place) -> Iterator[Fault]:
    """Return what is wrong with the networks and rows that `limits`, which stand at `place`, name for `kind`."""
    for key, texts in (("must_contain", limits.must_contain), ("must_not_contain", limits.must_not_contain)):
        where = (*place, key)
        if texts and kind not in (NETWORK_KINDS if key == "must_not_contain" else NETWORK_KINDS | ROW_KINDS):
            yield Fault(where, f"the kind {kind} does not judge by `{key}`", "take it out: it would guard nothing")
        elif kind in NETWORK_KINDS:
            yield from _networks(texts, where)
        else:
            for index, text in enumerate(texts):
                if not text or text.startswith("#"):
                    yield Fault((*where, index), f"{text!r} is no row", "write the row as it stands in the file")
    for both in sorted(set(limits.must_contain) & set(limits.must_not_contain)):
        yield Fault((*place, "must_contain"), f"{both} also stands in `must_not_contain`", "decide for one of the two")


def country_faults(kind: str, max_country_change: float | None, place: Place) -> Iterator[Fault]:
    """Return the fault of a limit on countries, in the limits at `place`, for a `kind` that knows of none."""
    if max_country_change is not None and kind not in COUNTRY_KINDS:
        fault = f"the kind {kind} does not judge by `max_country_change`"
        yield Fault((*place, "max_country_change"), fault, "take it out: it would guard nothing")


def _networks(texts: list[str], place: Place) -> Iterator[Fault]:
    for index, text in enumerate(texts):
        if named_network(text) is None:
            meant = _meant(text)
            advice = f"write {meant}" if meant else "write it as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1"
            yield Fault((*place, index), f"expected a network in its canonical spelling, found {text!r}", advice)


def _meant(text: str) -> Network | None:
    """Return the network that a careless spelling means, None when it means none."""
    address, slash, length = text.strip().partition("/")
    parsed = parse_address(address)
    if parsed is None:
        return None
    prefix = parse_prefix(length, parsed[0])
    if prefix is None:
        return None if slash else host(*parsed)
    return masked(*parsed, prefix)
