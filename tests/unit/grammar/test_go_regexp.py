r"""A pattern passes only if Go's regexp compiles it, which re2 alone does not tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.go_regexp import MAX_NESTING, matches, overmatch, regexp_problem


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?=a)", r"(?!a)", r"(?<=a)b", r"(?<!a)b", r"(?>a)", r"a++", r"a*+", r"a{1001}", r"(a{100}){100}", "[", "(",
        ")",
        "a**", "*a", "(?P<\u00e9>a)",
        r"\1", r"(a)\1", r"\Z", r"\C", r"a\Cb", r"(\C)", r"[[:alpha:]]\C", r"(?P<n>a)(?P<n>b)",
        r"(?P=n)",
        r"(?<n>a)", r"x(?<year>\d+)",
        r"\p{Nope}", r"\p{Garay}", r"\P{^Garay}", r"[\p{Kawi}]", r"[b-a]", r"\8", "a{2,1}",
        "(" * (MAX_NESTING + 1) + ")" * (MAX_NESTING + 1), "(" * 1500 + ")" * 1500,
        "\ud800", "x" * 40_000,
        r"\Qa\E\C",
        r"[]]\C", r"[^]]\C", r"[[]\C", r"[[:^alpha:]x](?<n>b)", "\\",
        "a{99999999999}", "a{0,100000000}", "a{100000000,}", "{100000000}",
        r"[[](?<n>b)", r"[]](?<n>b)", r"[^]](?<n>b)", r"[\]](?<n>b)",
    ],
)  # fmt: skip
def test_what_go_refuses_is_refused(pattern: str) -> None:
    """Look-around, possessives, back-references, `\\C`, deep nesting and the like have a reason each."""
    assert regexp_problem(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "", "a", r"^a\.b$", r"(?i)x", r"(?P<n>a)", r"a{1000}", r"\pL", r"\p{Greek}+", r"\P{^Latin}", r"[^\p{Lu}]",
        r"\Qa(?<b\C\E", r"[(?<]", r"[](?<]", r"[[:alpha:](?<]", r"\[\(\?<", "(" * 200 + ")" * 200,
        r"a\\Cb", r"\x{10FFFF}",
        "[{99999999999}]", r"\{99999999999}", r"\Q{99999999999}\E", "a{099999999999}", "a{,99999999999}",
        r"\bfoo\b", "é+", r"[[]()", "a+?",
    ],
)  # fmt: skip
def test_what_go_compiles_passes(pattern: str) -> None:
    """The extra checks do not trip over brackets, quotations and escapes."""
    assert regexp_problem(pattern) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet=r"ab.*+?()[]{}|^$\CQEpP<:=!-1,i", max_size=40))
def test_no_pattern_makes_the_judge_raise(pattern: str) -> None:
    """Any text gets an answer, and what passes can be matched with."""
    if regexp_problem(pattern) is None:
        matches(pattern, "some text")
    overmatch(pattern)


@pytest.mark.parametrize("pattern", [".*", "a*", "", "^", "Mozilla", r"\d", "/", r"\.", "(foo|)", "html$", "Chrome/"])
def test_patterns_that_match_ordinary_visitors_are_caught(pattern: str) -> None:
    """Empty matches and words of every request are told with what they match."""
    assert overmatch(pattern)


@pytest.mark.parametrize("pattern", [r"\bsqlmap\b", r"^/wp-admin", r"Firefox/7\.0\b", r"\.\./"])
def test_patterns_that_mean_something_are_left_alone(pattern: str) -> None:
    """A scanner's name or a probed path is in no ordinary request."""
    assert overmatch(pattern) is None


def test_case_matters_unless_it_is_ignored() -> None:
    """`mozilla` is harmless to an engine that minds case, and not to one that does not."""
    assert overmatch("mozilla") is None
    assert overmatch("mozilla", ignore_case=True)


def test_a_refused_pattern_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """re2 would log each bad pattern to standard error by itself; it is told not to."""
    regexp_problem("(never closed")
    assert capfd.readouterr().err == ""
