r"""Groups, named or not, change nothing of what a pattern is found to match, and cost nothing besides."""

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.gather import MAX_LABOUR
from hubdata.grammar.go_regexp import (
    MAX_PATTERN_BYTES,
    ORDINARY,
    _compile,
    _nameless,
    labour,
    matches,
    overmatch,
    regexp_problem,
)

_PIECES = [
    "(?P<a>",
    "(?P<b>",
    "(",
    "(?:",
    ")",
    "|",
    "a",
    "/",
    ".",
    "*",
    "?",
    "+",
    "[",
    "]",
    "^",
    "$",
    r"\(",
    "<b>",
    "[[:alpha:]]",
]


def _as_written(pattern: str, text: str) -> bool | None:
    """Tell whether re2 itself, with all groups and their names, matches; None when it does not compile."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).search(text) is not None
    except re2.error:
        return None


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_a_pattern_matches_alike_with_its_groups_and_without(pattern: str) -> None:
    """What is matched without captures and names is what the pattern as it is written matches."""
    for text in ("a<b>/(P", "/", ORDINARY[4][1]):
        written = _as_written(pattern, text)
        if written is not None and regexp_problem(pattern) is None:
            assert matches(pattern, text) is written


def test_a_name_within_a_class_is_no_name() -> None:
    """Only groups lose their names: in a class, or behind a backslash, the same signs stand for themselves."""
    assert _nameless(r"(?P<a>x)[(?P<a>y]\(?P<a>z[[:alpha:](?P<b>]") == r"(x)[(?P<a>y]\(?P<a>z[[:alpha:](?P<b>]"


def test_no_group_is_kept_account_of() -> None:
    """Thousands of groups in one pattern took half a gigabyte, and seven seconds, to tell what stands in each."""
    named = "".join(f"(?P<g{n}>a|b)?" for n in range(2_000))
    assert len(named) < MAX_PATTERN_BYTES
    for pattern in ("(a|b)?" * 5_000, named):
        compiled, problem = _compile(_nameless(pattern), False)
        assert problem is None
        assert compiled.groups == 0
        assert overmatch(pattern) is not None


def test_patterns_that_are_slow_to_match_are_soon_given_up() -> None:
    """Every step of such a pattern may be left out: a few dozen use up what a file may cost, and plain ones nothing."""
    assert MAX_LABOUR / labour("^" + "(a?|.?)" * 600 + "$") < 40
    assert MAX_LABOUR / labour("." * 4_990) < 100
    assert labour(r"(?i)\b(?:masscan|zgrab|nuclei)/[0-9]+\.[0-9]+ \(.*https?://[^)]+\)") == 2
