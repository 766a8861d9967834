"""Crawlers that are let pass: a lost entry blocks a crawler, a loose one lets attackers in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.bots import BotsKind
from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from tests.support.judged import errors, judged, places, rules
from tests.support.real import SEC_LISTS, needs_real

GOOD = rb"""# Examplebot - https://example.com/bot
{"name":"examplebot","user_agent":"examplebot/[0-9]","paths":["^/robots"],"ips":["8.8.8.8","2606:4700::1111"],"ranges":["9.9.8.0/23"],"rdns":["(^|\\.)crawl\\.example\\.com$"]}
{"name":"other","user_agent":"otherbot","ranges":["9.9.9.0/24","2620:fe::/48"]}
"""


def test_a_good_file_has_no_finding_and_its_addresses_are_counted_once() -> None:
    """9.9.9.0/24 lies within 9.9.8.0/23; a single IPv6 address touches one /64."""
    verdict = judged(BotsKind, GOOD)
    assert verdict.findings == ()
    assert (verdict.stats.entries, verdict.stats.ipv4_addresses, verdict.stats.ipv6_64s) == (2, 513, 65_537)


def _line(rest: str) -> bytes:
    return ('{"name":"a","user_agent":"abot",' + rest + "}\n").encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"user_agent":"abot","ips":["8.8.8.8"]}\n', [("bots.name", 1, 1)]),
        (b'{"name":"","user_agent":"abot","ips":["8.8.8.8"]}\n', [("bots.name", 1, 9)]),
        (b'{"name":"a","user_agent":"abot"}\n', [("bots.no-identity", 1, 1)]),
        (_line('"ips":[]'), [("bots.no-identity", 1, 1)]),
        (_line('"ips":"8.8.8.8"'), [("bots.type", 1, 39), ("bots.no-identity", 1, 1)]),
        (_line('"ips":["8.8.8.8",1]'), [("bots.type", 1, 39), ("bots.no-identity", 1, 1)]),
        (_line('"ips":null'), [("bots.type", 1, 39), ("bots.no-identity", 1, 1)]),
        (_line('"ip":["8.8.8.8"],"rdns":["\\\\.example\\\\.com$"]'), [("bots.unknown-key", 1, 33)]),
        (_line('"IPs":["8.8.8.8"],"rdns":["\\\\.example\\\\.com$"]'), [("bots.key-case", 1, 33)]),
        (_line('"ips":["8.8.8.8","8.8.8"]'), [("bots.address", 1, 50)]),
        (_line('"ips":["8.8.8.0/24"]'), [("bots.address", 1, 40)]),
        (_line('"ips":["fe80::1%eth0"]'), [("bots.address", 1, 40)]),
        (_line('"ips":["::ffff:8.8.8.8"]'), [("bots.special-purpose", 1, 40)]),
        (_line('"ips":["10.0.0.1"]'), [("bots.special-purpose", 1, 40)]),
        (_line('"ranges":["9.9.9.9"]'), [("bots.range", 1, 43)]),
        (_line('"ranges":["9.9.9.0/255.255.255.0"]'), [("bots.range", 1, 43)]),
        (_line('"ranges":["9.9.9.0/24","9.9.9.9/24"]'), [("bots.host-bits", 1, 56)]),
        (_line('"ranges":["9.0.0.0/8"]'), [("bots.too-wide", 1, 43)]),
        (_line('"ranges":["2600::/24"]'), [("bots.too-wide", 1, 43)]),
        (_line('"rdns":[""]'), [("bots.empty", 1, 41)]),
        (_line('"rdns":["(?<=a)b$"]'), [("bots.regexp", 1, 41)]),
        (_line('"rdns":["googlebot\\\\.com$"]'), [("bots.rdns-unanchored", 1, 41)]),
        (_line('"paths":["[a"],"ips":["8.8.8.8"]'), [("bots.regexp", 1, 42)]),
        (b'{"name":"a","user_agent":"[a","ips":["8.8.8.8"]}\n', [("bots.regexp", 1, 26)]),
        (b'{"name":"a","ips":["8.8.8.8"]}{"name":"b","ips":["8.8.4.4"]}\n', [("bots.trailing", 1, 31)]),
        (b'{"name":"a","name":"b","ips":["8.8.8.8"]}\n', [("bots.duplicate-key", 1, 13)]),
        (b'[\n{"name":"a","user_agent":"abot","ips":["8.8.8.8"]}\n]\n', [("bots.pretty-printed", 1, 1)]),
    ],
)  # fmt: skip
def test_each_way_to_break_an_entry_has_its_rule_and_column(body: bytes, expected: list[tuple[str, int, int]]) -> None:
    """One fault, one error, in the column where it stands; elements of lists have columns of their own."""
    found = [(f.rule, f.line, f.column) for f in errors(judged(BotsKind, body))]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"name":"a","ips":["8.8.8.8"]}\n', [("bots.any-user-agent", 1, 1)]),
        (b'{"name":"a","user_agent":"MOZILLA","ips":["8.8.8.8"]}\n', [("bots.any-user-agent", 1, 26)]),
        (_line('"ips":["8.8.8.8","8.8.8.8"]'), [("bots.repeated", 1, 50)]),
        (_line('"ips":["2606:4700:0::1"]'), [("bots.not-canonical", 1, 40)]),
        (_line('"ranges":["2606:4700:0::/48"]'), [("bots.not-canonical", 1, 43)]),
        (_line('"rdns":["(^|\\\\.)example\\\\.com\\\\.$"]'), [("bots.rdns-final-dot", 1, 41)]),
        (_line('"ips":["8.8.8.8"]') + _line('"ips":["8.8.4.4"]'), [("bots.duplicate", 2, None)]),
    ],
)  # fmt: skip
def test_what_only_deserves_a_look_is_a_warning(body: bytes, expected: list[tuple[str, int, int | None]]) -> None:
    """Engines load these as they stand."""
    verdict = judged(BotsKind, body)
    assert places(verdict) == expected
    assert errors(verdict) == []


def test_the_job_moves_the_prefix_floors() -> None:
    """A wide range that is meant is allowed by the job file, not by the code."""
    body = _line('"ranges":["9.0.0.0/8","2600::/24"]')
    assert judged(BotsKind, body, limits=Limits(max_prefix4=8, max_prefix6=24)).findings == ()


def test_a_line_of_nothing_but_bad_addresses_is_judged_in_linear_time() -> None:
    """Four thousand faults in one line: the columns are looked for once, and the first hundred faults are shown."""
    verdict = judged(BotsKind, _line('"ips":[' + ",".join(['"x"'] * 4_000) + "]"))
    found = [f for f in errors(verdict) if f.rule == "bots.address"]
    assert len(found) == 101
    assert [f.column for f in found[:3]] == [40, 44, 48]


def test_too_few_entries_are_an_error_by_the_job_s_limit() -> None:
    """A list that shrank must not replace a whole one."""
    assert rules(judged(BotsKind, GOOD, limits=Limits(min_entries=3))) == ["limits.min-entries"]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\namerdnsip/.% #\n1-', max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_judge_raise(body: bytes) -> None:
    """Whatever the bytes, they become findings: random ones are never a good entry."""
    assert judged(BotsKind, body).findings


_ENTRY = st.dictionaries(
    st.sampled_from(["name", "user_agent", "paths", "ips", "ranges", "rdns", "Ips"]),
    st.text(max_size=12)
    | st.lists(st.text(alphabet="0123456789.:/%af()[]*+?\\$^", max_size=20), max_size=4)
    | st.none(),
)


@given(_ENTRY)
@settings(max_examples=200, deadline=None)
def test_no_entry_makes_the_judge_raise(entry: dict[str, object]) -> None:
    """Entries of the right shape with any text in them are judged, too, and columns lie within the line."""
    import json

    line = json.dumps(entry)
    for finding in judged(BotsKind, f"{line}\n".encode()).findings:
        assert finding.column is None or 1 <= finding.column <= len(line)


@needs_real
def test_the_real_crawlers_pass_without_a_word() -> None:
    """Twenty-four files as published today: no error, no warning."""
    paths = sorted((SEC_LISTS / "whitelists/benign_bots/legit_bots").glob("*.json"))
    found = [(path.name, f.rule, f.line) for path in paths for f in judged(BotsKind, path.read_bytes()).findings]
    assert len(paths) == 24
    assert found == []


@needs_real
def test_the_real_crawlers_cover_what_their_ranges_say() -> None:
    """DuckDuckBot lists twelve single addresses."""
    body = (SEC_LISTS / "whitelists/benign_bots/legit_bots/duckduckbot.json").read_bytes()
    stats = judged(BotsKind, body).stats
    assert (stats.entries, stats.ipv4_addresses, stats.ipv6_64s) == (1, 12, 0)


def test_warnings_and_errors_are_told_apart() -> None:
    """A pattern that matches names anyone can register refuses the file."""
    (finding,) = errors(judged(BotsKind, _line('"rdns":["googlebot\\\\.com$"]')))
    assert finding.severity is Severity.ERROR
    assert "anyone can register" in finding.message
