"""Named networks and rows: what a list may never let in, and what it must never lose, held to a model of sets."""

import random
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import named
from hubdata.grammar.named import named_network, named_networks, named_rows
from hubdata.grammar.networks import Network
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Limits


def networks(*texts: str) -> list[tuple[int, Network]]:
    """Return the networks with line numbers from 1."""
    found = [named_network(text) for text in texts]
    assert None not in found
    return [(line, network) for line, network in enumerate(found, 1) if network is not None]


def told(findings: tuple[Finding, ...]) -> list[tuple[str, int | None]]:
    """Return rule and line of each finding, having seen that it refuses and says what to do."""
    assert all(f.severity is Severity.ERROR and "in the job file" in f.advice for f in findings)
    return [(f.rule, f.line) for f in findings]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.0/24", True),
        ("192.0.2.1", True),
        ("2001:db8::/32", True),
        ("2001:db8::1", True),
        ("192.0.2.1/24", False),
        ("2001:DB8::/32", False),
        ("2001:db8:0::/48", False),
        ("192.0.2.0/024", False),
        ("192.0.2.0/255.255.255.0", False),
        ("example.net", False),
        ("", False),
    ],
)
def test_only_the_canonical_spelling_names_a_network(text: str, canonical: bool) -> None:
    """A name that could be read in two ways would guard something else than was meant."""
    assert (named_network(text) is not None) is canonical


@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        ("9.9.9.0/24", "9.9.9.0/24"),
        ("9.9.8.0/22", "9.9.9.9"),
        ("9.9.9.9/32", "9.9.0.0/16"),
        ("2001:db8::/32", "2001:db8:1::/48"),
    ],
)
def test_a_line_that_lets_in_a_part_of_a_forbidden_network_is_told(line: str, forbidden: str) -> None:
    """One address in common is enough, whichever of the two is the wider; the line and both networks are named."""
    (finding,) = named_networks("a", networks("8.8.8.0/24", line), Limits(must_not_contain=(forbidden,)))
    assert told((finding,)) == [("limits.must-not-contain", 2)]
    assert line in finding.message


def test_a_neighbour_or_the_other_family_is_not_forbidden() -> None:
    """`::/0` says nothing of IPv4, and the address next to a network is not in it."""
    limits = Limits(must_not_contain=("::/0", "9.9.9.0/24"))
    assert named_networks("a", networks("9.9.8.0/24", "9.9.10.0/24"), limits) == ()


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        (("9.9.9.0/24",), False),
        (("9.9.0.0/16",), False),
        (("9.9.9.128/25", "9.9.9.0/25"), False),
        (("9.9.9.0/25",), True),
        (("9.9.9.0/25", "9.9.9.192/26"), True),
        (("9.9.8.0/24", "9.9.10.0/24"), True),
        ((), True),
    ],
)
def test_a_network_that_must_stay_may_be_there_in_pieces(there: tuple[str, ...], missing: bool) -> None:
    """What counts is that every address of it passes, not how the list writes it."""
    found = named_networks("a", networks(*there), Limits(must_contain=("9.9.9.0/24",)))
    assert told(found) == ([("limits.must-contain", None)] if missing else [])


def test_rows_that_must_stay_are_compared_whole() -> None:
    """A row that only holds the wanted text is another row."""
    limits = Limits(must_contain=(".googlebot.com.", ".search.msn.com."))
    found = named_rows("a", [".googlebot.com.", "x.search.msn.com."], limits)
    assert told(found) == [("limits.must-contain", None)]
    assert ".search.msn.com." in found[0].message


def test_nothing_is_asked_for_when_nothing_is_named() -> None:
    """A list of a million networks costs nothing here unless its job names one."""

    def never() -> list[tuple[int, Network]]:
        raise AssertionError

    assert named_networks("a", (each for _ in (0,) for each in never()), Limits()) == ()
    assert named_rows("a", (str(each) for _ in (0,) for each in never()), Limits()) == ()


SMALL = st.builds(
    lambda first, prefix: str(ip_network((f"9.9.9.{first}", prefix), strict=False)),
    st.integers(0, 255),
    st.integers(26, 32),
)


def _addresses(texts: tuple[str, ...]) -> set[int]:
    return {int(address) for text in texts for address in ip_network(text)}


@settings(max_examples=200, deadline=None)
@given(st.lists(SMALL, max_size=12).map(tuple), SMALL, SMALL)
def test_both_agree_with_sets_of_single_addresses(listed: tuple[str, ...], wanted: str, never: str) -> None:
    """Whatever the networks: forbidden means an address in common, missing means an address not there."""
    limits = Limits(must_contain=(wanted,), must_not_contain=(never,))
    found = told(named_networks("a", networks(*listed), limits))

    lines = [line for line, text in enumerate(listed, 1) if _addresses((text,)) & _addresses((never,))]
    gone = not _addresses((wanted,)) <= _addresses(listed)
    assert sorted(line for rule, line in found if line is not None) == lines
    assert (("limits.must-contain", None) in found) is gone


@pytest.mark.parametrize("lost", [None, 0, 77, 255])
@pytest.mark.parametrize("at_once", [1, 5, 4096])
def test_a_network_may_be_there_in_any_pieces(monkeypatch: pytest.MonkeyPatch, lost: int | None, at_once: int) -> None:
    """All its addresses one by one, in any order and some twice, are all of it; all but one are only a part."""
    monkeypatch.setattr(named, "_AT_ONCE", at_once)
    chance = random.Random(at_once)
    left = [at for at in range(256) if at != lost]
    four, six = [f"9.9.9.{at}" for at in left], [f"2a00::{at:x}" if at else "2a00::" for at in left]
    for wanted, spelled in (("9.9.9.0/24", four), ("2a00::/120", six)):
        there = [*spelled, *chance.choices(spelled, k=200)]
        chance.shuffle(there)
        findings = named_networks("k", networks(*there), Limits(must_contain=(wanted,)))
        assert told(findings) == ([] if lost is None else [("limits.must-contain", None)])
        assert all("only a part of it" in finding.message for finding in findings)
