"""Needles are refused when they are found in everything, or can never be found."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hubdata.kinds.needle import NeedleKind
from hubdata.model.job import Limits
from tests.support.real import needs_real
from tests.support.text_kinds import judged, judged_real, refusals, told


def kind(**options: Any) -> NeedleKind:
    """Return the kind with these options."""
    return NeedleKind(NeedleKind.Options(**options))


@pytest.mark.parametrize(
    ("row", "options", "rules"),
    [
        ("/wp-admin", {}, []),
        ("<a", {}, []),
        ("/", {}, ["needle.too-short error"]),
        (".", {}, ["needle.too-short error"]),
        ("<a", {"min_length": 3}, ["needle.too-short error"]),
        ("Mozilla", {}, ["needle.overmatch error"]),
        (".html", {}, ["needle.overmatch error"]),
        ("MOZILLA", {"case": "any"}, []),
        ("mozilla", {"case": "lower"}, ["needle.overmatch error"]),
        ("/Admin", {"case": "lower"}, ["needle.case error"]),
        ("/Admin", {"case": "upper"}, ["needle.case error"]),
        ("/ADMIN", {"case": "upper"}, []),
        ("/Admin", {"case": "any"}, []),
        ("<p ", {}, ["needle.edge-space info"]),
        (" #/x", {}, ["needle.edge-space info"]),
        ("   ", {}, ["text.whitespace-only error"]),
    ],
)
def test_each_row_gets_its_rule(row: str, options: dict[str, Any], rules: list[str]) -> None:
    """Too short, found in ordinary requests, or in a case that the item never compares with."""
    verdict = judged(kind(**options), f"{row}\n".encode())
    assert [f"{rule} {severity}" for _, rule, severity in told(verdict)] == rules


def test_options_out_of_range_are_refused() -> None:
    """A least length of nothing would let the empty needle in."""
    with pytest.raises(ValidationError):
        kind(min_length=0)
    with pytest.raises(ValidationError):
        kind(case="title")


def test_fewer_rows_than_the_job_allows_are_refused() -> None:
    """The least number of entries holds here too."""
    assert refusals(judged(kind(), b"/wp-admin\n", Limits(min_entries=2))) == [(None, "limits.min-entries")]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120), st.sampled_from(["any", "lower", "upper"]))
def test_no_bytes_make_it_raise(body: bytes, case: str) -> None:
    """Any bytes get a verdict."""
    judged(kind(case=case), body)


REAL_LISTS = {
    "backdoors": "any",
    "bad_user_agents": "any",
    "jira_cve_2021-26086": "any",
    "log4j2_cve_2021_44228": "any",
    "path_traversal": "any",
    "sensitive_data": "any",
    "sqli_probe_patterns": "any",
    "xss_probe_patterns": "any",
    "admin_interfaces": "lower",
    "trendy_cves": "lower",
}


@needs_real
@pytest.mark.parametrize("name", REAL_LISTS)
def test_real_needles_pass(name: str) -> None:
    """Today's needles are in no ordinary request, and in the case that their items use."""
    verdict = judged_real(kind(case=REAL_LISTS[name]), f"web/{name}.txt")
    assert refusals(verdict) == []
    assert {f.rule for f in verdict.findings} <= {"text.final-lf", "text.duplicate", "needle.edge-space"}
