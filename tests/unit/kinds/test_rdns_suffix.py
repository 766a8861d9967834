"""A name suffix lets in its own domain and nobody else's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.rdns_suffix import RdnsSuffixKind
from hubdata.model.job import Limits
from tests.support.real import needs_real
from tests.support.text_kinds import judged, judged_real, refusals, told

KIND = RdnsSuffixKind(RdnsSuffixKind.Options())


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (".googlebot.com.", []),
        (".crawl.amazonbot.amazon.", []),
        (".bbc.co.uk.", []),
        (".", ["rdns-suffix.too-broad"]),
        ("..", ["rdns-suffix.too-broad"]),
        (".com.", ["rdns-suffix.too-broad"]),
        ("com", ["rdns-suffix.too-broad"]),
        (".co.uk.", ["rdns-suffix.too-broad"]),
        ("googlebot.com.", ["rdns-suffix.no-leading-dot"]),
        (".googlebot.com", ["rdns-suffix.no-final-dot"]),
        ("googlebot.com", ["rdns-suffix.no-leading-dot", "rdns-suffix.no-final-dot"]),
        (".GoogleBot.com.", ["rdns-suffix.case"]),
        (".amazonaws.com.", ["rdns-suffix.rented"]),
        (".duckdns.org.", ["rdns-suffix.rented"]),
        (".bc.googleusercontent.com.", ["rdns-suffix.rented"]),
        (" .googlebot.com.", ["rdns-suffix.syntax"]),
        (".googlebot.com. # google", ["rdns-suffix.syntax"]),
        (r"\.googlebot\.com\.$", ["rdns-suffix.syntax"]),
        (".google..com.", ["rdns-suffix.syntax"]),
        (".-x.com.", ["rdns-suffix.syntax"]),
        ("*.googlebot.com.", ["rdns-suffix.syntax"]),
    ],
)
def test_each_row_gets_its_rule(row: str, rules: list[str]) -> None:
    """A suffix that opens up to others, or never matches, is an error."""
    assert refusals(judged(KIND, f"{row}\n".encode())) == [(1, rule) for rule in rules]


def test_fewer_rows_than_the_job_allows_are_refused() -> None:
    """The least number of entries holds here too."""
    assert refusals(judged(KIND, b".a.net.\n", Limits(min_entries=2))) == [(None, "limits.min-entries")]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet=".ab-_*C ", max_size=30).map(str.encode))
def test_no_bytes_make_it_raise_and_what_passes_is_closed(body: bytes) -> None:
    """Any bytes get a verdict; accepted rows begin and end with a dot and name a domain of two labels or more."""
    verdict = judged(KIND, body)
    if not refusals(verdict):
        rows = [row for row in body.decode().split("\n") if row and not row.startswith("#")]
        assert all(row[0] == row[-1] == "." and row.count(".") > 2 for row in rows)


@needs_real
def test_the_real_list_passes() -> None:
    """Today's suffixes are all closed."""
    verdict = judged_real(KIND, "whitelists/benign_bots/search_engine_crawlers/rdns_seo_bots.txt")
    assert told(verdict) == []
    assert verdict.stats.entries == 13
