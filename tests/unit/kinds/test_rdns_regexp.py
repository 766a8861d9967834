"""Patterns for reverse names are refused when they crash an engine or let others in, and the proof is shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.rdns_regexp import RdnsRegexpKind
from hubdata.model.job import Limits
from tests.support.real import needs_real
from tests.support.text_kinds import judged, judged_real, refusals, told

KIND = RdnsRegexpKind(RdnsRegexpKind.Options())
BOTS = "whitelists/benign_bots/"


def test_a_pattern_go_cannot_compile_is_an_error_and_the_rest_is_judged_too() -> None:
    """One bad row does not hide what is wrong with the next."""
    verdict = judged(KIND, b"^(?=a)x\\.example\\.net\\.$\ngooglebot\\.com\\.$\n")
    assert refusals(verdict) == [(1, "rdns-regexp.syntax"), (2, "rdns-regexp.unanchored")]


def test_one_dead_row_is_a_warning_and_a_dead_list_an_error() -> None:
    """A row without the final dot costs only itself, unless no row can match."""
    dead, alive = b"^a\\.example\\.net$\n", b"^b\\.example\\.net\\.$\n"
    assert told(judged(KIND, dead + alive)) == [(1, "rdns-regexp.no-final-dot", "warning")]
    assert told(judged(KIND, dead)) == [(1, "rdns-regexp.no-final-dot", "error")]


def test_the_final_dot_is_an_option() -> None:
    """Where names are compared without their last dot, the pattern ends without one."""
    kind = RdnsRegexpKind(RdnsRegexpKind.Options(final_dot=False))
    assert told(judged(kind, b"^a\\.example\\.net$\n")) == []


def test_fewer_rows_than_the_job_allows_are_refused() -> None:
    """The least number of entries holds here too."""
    body = b"^a\\.example\\.net\\.$\n"
    assert refusals(judged(KIND, body, Limits(min_entries=2))) == [(None, "limits.min-entries")]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet=r"ab.*+?()[]{}|^$\d-1,", max_size=60).map(str.encode))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    """Any bytes get a verdict."""
    judged(KIND, body)


@needs_real
def test_the_four_real_patterns_that_anyone_can_satisfy_are_refused() -> None:
    """Each is refused once, by the rule that a job waives by name, with a name that proves it."""
    verdict = judged_real(KIND, BOTS + "search_engine_crawlers/rnds_seo_bots.regex")
    assert refusals(verdict) == [(line, "rdns-regexp.unanchored") for line in (1, 2, 3, 4)]
    assert "`xcrawl-0-0-0-0xgooglebot.com.`" in next(f.message for f in verdict.findings if f.line == 2)


@needs_real
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (
            "rdns_corporate_proxies.regex",
            [
                (1, "rdns-regexp.unescaped-dot", "error"),
                (2, "rdns-regexp.unescaped-dot", "warning"),
                (2, "rdns-regexp.no-final-dot", "warning"),
            ],
        ),
        ("rdns_letsencrypt.regex", [(1, "rdns-regexp.unescaped-dot", "error")]),
    ],
)
def test_the_other_real_patterns_are_judged_by_what_they_let_in(key: str, expected: list[tuple[int, str, str]]) -> None:
    """A bare dot before the registrable domain is for sale; the pattern that never matches opens nothing."""
    assert told(judged_real(KIND, BOTS + key)) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^$|\.googlebot\.com\.$", [(1, "rdns-regexp.no-name")]),
        (r"^\z|^crawl\.googlebot\.com\.$", [(1, "rdns-regexp.no-name")]),
        (r"^(crawl\.googlebot\.com\.)?$", [(1, "rdns-regexp.no-name")]),
        (r"^(crawl\.)?googlebot\.com\.$", []),
    ],
)
def test_a_pattern_that_matches_the_empty_name_is_refused(pattern: str, expected: list[tuple[int, str]]) -> None:
    """Most visitors have no reverse name: engines ask about the empty text, and would let all of them in."""
    found = [refusal for refusal in refusals(judged(KIND, f"{pattern}\n".encode())) if refusal[1].endswith("no-name")]
    assert found == expected
