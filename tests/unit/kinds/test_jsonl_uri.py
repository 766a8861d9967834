"""Lines of cve and uri: anything that would extract to an empty uri bans everybody."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.jsonl_uri import JsonlUriKind
from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from tests.support.judged import judged, places, rules
from tests.support.real import SEC_LISTS, needs_real

GOOD = '{"cve":"CVE-2024-3400","uri":"/global-protect/login.esp"}\n{"cve":"CVE-2024-4577","uri":"?%ad"}\n'

_SPACE = ("jsonl-uri.space", 1, 30)


def test_good_lines_have_no_finding() -> None:
    """Two lines, two entries, nothing to say."""
    verdict = judged(JsonlUriKind, GOOD.encode())
    assert (verdict.findings, verdict.stats.entries) == ((), 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"cve":"CVE-2024-3400"}', [("jsonl-uri.missing-key", 1, 1)]),
        ('{"uri":"/abc"}', [("jsonl-uri.missing-key", 1, 1)]),
        ('{"cve":"CVE-2024-3400","uri":""}', [("jsonl-uri.empty", 1, 30)]),
        ('{"cve":"CVE-2024-3400","uri":null}', [("jsonl-uri.type", 1, 30)]),
        ('{"cve":"CVE-2024-3400","uri":["/abc"]}', [("jsonl-uri.type", 1, 30)]),
        (r'{"cve":"CVE-2024-3400","uri":"\/abc"}', [("jsonl-uri.escaped", 1, 30)]),
        (r'{"cve":"CVE-2024-3400","uri":"/ab\u0063"}', [("jsonl-uri.escaped", 1, 30)]),
        (r'{"cve":"CVE-2024-3400","uri":"/abc\\"}', [("jsonl-uri.escaped", 1, 30)]),
        (r'{"c\u0076e":"CVE-2024-3400","uri":"/äbc"}', []),
        ('{"cve":"CVE-2024-3400","uri":"%"}', [("jsonl-uri.short", 1, 30)]),
        ('{"cve":"CVE-2024-3400","uri":"/products"}', [("jsonl-uri.overmatch", 1, 30)]),
        ('{"cve":"CVE-2024-3400","uri":".html"}', [("jsonl-uri.overmatch", 1, 30)]),
        ('{"cve":"CVE-2024-3400","uri":"/x/login ","a":1}', [("jsonl-uri.unknown-key", 1, 42), _SPACE]),
        ('{"CVE":"CVE-2024-3400","uri":"/abc"}', [("jsonl-uri.unknown-key", 1, 2), ("jsonl-uri.missing-key", 1, 1)]),
        ('{"cve":"cve-2024-3400","uri":"/abc"}', [("jsonl-uri.cve", 1, 8)]),
        ('{"cve":"CVE-2024-340","uri":"/abc"}', [("jsonl-uri.cve", 1, 8)]),
        ('{"cve":"CVE-2024-3400","uri":"/abc","uri":"/abd"}', [("jsonl-uri.duplicate-key", 1, 37)]),
        ('{"cve":"CVE-2024-3400","uri":"/abc"},', [("jsonl-uri.trailing", 1, 37)]),
        ("/global-protect/login.esp", [("jsonl-uri.syntax", 1, 1)]),
        ('["CVE-2024-3400","/abc"]', [("jsonl-uri.not-an-object", 1, 1)]),
    ],
)  # fmt: skip
def test_each_way_to_break_a_line_has_its_rule_and_column(line: str, expected: list[tuple[str, int, int]]) -> None:
    """One fault, one finding, in the column where it stands."""
    assert places(judged(JsonlUriKind, f"{line}\n".encode())) == expected


def test_a_pretty_printed_file_is_one_error_that_says_what_an_engine_makes_of_it() -> None:
    """It happened upstream: an empty uri is part of every path."""
    text = json.dumps([json.loads(line) for line in GOOD.splitlines()], indent=2) + "\n"
    verdict = judged(JsonlUriKind, text.encode())
    (finding,) = [f for f in verdict.findings if f.rule.startswith("jsonl-uri")]
    assert (finding.rule, finding.line, finding.severity) == ("jsonl-uri.pretty-printed", 1, Severity.ERROR)
    assert "empty uri" in finding.message
    assert "one object a line" in finding.advice


def test_one_uri_for_two_cves_is_a_warning() -> None:
    """The first line wins; the second is never looked at."""
    text = '{"cve":"CVE-2024-0001","uri":"/abc"}\n{"cve":"CVE-2024-0002","uri":"/abc"}\n'
    verdict = judged(JsonlUriKind, text.encode())
    assert [(f.rule, f.line, f.severity) for f in verdict.findings] == [("jsonl-uri.duplicate", 2, Severity.WARNING)]


def test_too_few_lines_are_an_error_by_the_job_s_limit() -> None:
    """A list that shrank must not replace a whole one."""
    assert rules(judged(JsonlUriKind, GOOD.encode(), limits=Limits(min_entries=3))) == ["limits.min-entries"]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\cveuri #\n1-', max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_judge_raise(body: bytes) -> None:
    """Whatever the bytes, they become findings; and no line without a usable uri passes."""
    verdict = judged(JsonlUriKind, body)
    assert verdict.findings or '"uri"' in body.decode()


@needs_real
def test_the_real_list_passes_without_a_word() -> None:
    """Thirty-three lines as published today."""
    verdict = judged(JsonlUriKind, (SEC_LISTS / "web/trendy_cves_uris.json").read_bytes())
    assert (verdict.findings, verdict.stats.entries) == ((), 33)
