"""Patterns are refused when they would end an engine's process or match ordinary visitors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.go_regexp import MAX_PATTERNS, MAX_REFUSED
from hubdata.kinds.regexp import RegexpKind
from hubdata.model.job import Limits
from tests.support.real import needs_real
from tests.support.text_kinds import judged, judged_real, refusals, told

KIND = RegexpKind(RegexpKind.Options())


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (r"\bsqlmap\b", []),
        (r"index/\\think\\app", []),
        (r"(?=x)sqlmap", ["regexp.syntax"]),
        (r"sqlmap++", ["regexp.syntax"]),
        (r"[sqlmap", ["regexp.syntax"]),
        (r"sql\Cmap", ["regexp.syntax"]),
        (r"sqlmap|", ["regexp.overmatch"]),
        (r".*", ["regexp.overmatch"]),
        (r"Mozilla/\d", ["regexp.overmatch"]),
        (r"\d*", ["regexp.overmatch"]),
        (r"(?i)\bgooglebot\b", ["regexp.overmatch"]),
        (r"^Mozilla/5\.0 \(compatible; [a-z]+bot/2", ["regexp.overmatch"]),
        (r"AdsBot-Evil|[Gg]ooglebotnet", []),
    ],
)
def test_each_row_gets_its_rule(row: str, rules: list[str]) -> None:
    """A row that does not compile, or bans everybody, is an error with its line."""
    assert refusals(judged(KIND, f"# c\n{row}\n".encode())) == [(2, rule) for rule in rules]


def test_a_file_of_too_many_or_too_many_bad_patterns_is_refused_in_bounded_work() -> None:
    """Past the bounds nothing more is compiled, and the file is refused in any case."""
    many = judged(KIND, b"".join(b"sqlmap%d\n" % n for n in range(MAX_PATTERNS + 1)))
    assert refusals(many) == [(None, "regexp.too-many")]
    bad = judged(KIND, b"".join(b"(%d\n" % n for n in range(MAX_REFUSED * 2)))
    assert refusals(bad) == [(line, "regexp.syntax") for line in range(1, MAX_REFUSED + 1)]


def test_fewer_rows_than_the_job_allows_are_refused() -> None:
    """The least number of entries holds here too."""
    assert refusals(judged(KIND, b"sqlmap\n", Limits(min_entries=2))) == [(None, "limits.min-entries")]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    """Any bytes get a verdict."""
    judged(KIND, body)


@needs_real
@pytest.mark.parametrize(
    ("key", "entries"), [("web/thinkphp_cve_2018-20062.txt", 13), ("web/bad_user_agents.regex.txt", 587)]
)
def test_real_patterns_pass(key: str, entries: int) -> None:
    """Today's patterns compile in Go and match no ordinary browser."""
    verdict = judged_real(KIND, key)
    assert told(verdict) == []
    assert verdict.stats.entries == entries
