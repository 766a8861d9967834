"""What a reverse-DNS pattern lets in is proven by names that it matches."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.go_regexp import matches, regexp_problem
from hubdata.grammar.rdns import RdnsProblem, rdns_problems
from hubdata.model.finding import Severity


def told(problems: tuple[RdnsProblem, ...]) -> list[str]:
    """Return rule and severity of each problem."""
    return [f"{p.rule} {p.severity.value}" for p in problems]


@pytest.mark.parametrize(
    "pattern",
    [
        r"^a\.googlebot\.com\.$", r"(^|\.)googlebot\.com\.$", r"\.googlebot\.com\.$", r"^.+\.googlebot\.com\.$",
        r"^(.*\.)?googlebot\.com\.$", r"^x\.(googlebot|bing)\.com\.$", r"^x\.bbc\.co\.uk\.$",
        r"(?i)^x\.example\.net\.$",
        r"^[^.]+\.example\.net\.$", r"^[[:alnum:]-]+\.example\.net\.$", r"^\Qa.example.net.\E$",
        r"^\d+\.example\.net\.?$",
        r"^(a\.){1,3}example\.net\.$", r"\Ax\.example\.net\.\z", r"^crawl-[0-9]{1,3}\.search\.msn\.com\.$",
    ],
)  # fmt: skip
def test_closed_patterns_have_no_problem(pattern: str) -> None:
    """Anchored, escaped and about one registrable domain: nothing to say."""
    assert told(rdns_problems(pattern, final_dot=True)) == []


@pytest.mark.parametrize(
    ("pattern", "rules"),
    [
        (r"googlebot\.com\.$", ["unanchored error"]),
        (r"\bgooglebot\.com\.$", ["unanchored error"]),
        (r"^x\.googlebot\.com\.", ["unanchored error"]),
        (r"\.googlebot\.com\.", ["unanchored error"]),
        (r"crawl-[0-9]+.googlebot.com.$", ["unanchored error", "unescaped-dot warning"]),
        (r"crawl\.googlebot\.com\.$", ["unanchored warning"]),
        (r"^crawl-[0-9]+.googlebot\.com\.$", ["unescaped-dot error"]),
        (r"^a.b\.example\.net\.$", ["unescaped-dot warning"]),
        (r"^.*googlebot\.com\.$", ["open-domain error"]),
        (r"^google[a-z]*\.com\.$", ["open-domain error"]),
        (r"^crawl-.*\.google\.[a-z]+\.$", ["open-domain error"]),
        (r"^crawl[0-9]\.com\.$", ["open-domain error"]),
        (r"^crawl[kl]{3}\.com\.$", ["open-domain error"]),
        (r"^.*\.co\.uk\.$", ["open-domain error"]),
        (r"^.*\.amazonaws\.com\.$", ["rented error"]),
        (r"^a\.example\.net$", ["no-final-dot warning"]),
        (r"^[a-z0-9]+.sme.zscaler.net$", ["unescaped-dot warning", "no-final-dot warning"]),
    ],
)
def test_each_weakness_has_its_rule(pattern: str, rules: list[str]) -> None:
    """What lets others in is an error; what is merely loose or dead is a warning."""
    assert told(rdns_problems(pattern, final_dot=True)) == rules


@pytest.mark.parametrize(
    ("pattern", "rules"),
    [
        (r"(^|\.)googlebot\.com$", []),
        (r"googlebot\.com$", ["unanchored error"]),
        (r"^x\.googlebot\.com\.$", ["final-dot warning"]),
        (r"^x.googlebot\.com$", ["unescaped-dot error"]),
    ],
)
def test_names_without_a_final_dot_are_judged_as_such(pattern: str, rules: list[str]) -> None:
    """Engines strip the last dot for bots, so there the pattern must not ask for it."""
    assert told(rdns_problems(pattern, final_dot=False)) == rules


@pytest.mark.parametrize("pattern", [".*", ".", "a", "", ".+", "^.*$", "[a-z]+", r"^\S+$", "(a|b|c)" * 20])
def test_wide_open_patterns_are_errors(pattern: str) -> None:
    """A pattern that is about no domain at all lets everybody in."""
    assert any(p.severity is Severity.ERROR for p in rdns_problems(pattern, final_dot=True))


def test_the_counter_example_in_the_message_really_matches() -> None:
    """The name told is matched by the pattern, in the engine's dialect, and is another domain."""
    pattern = r"^outbound[0-9a-z]+.letsencrypt.org.$"
    (problem,) = rdns_problems(pattern, final_dot=True)
    name = re.search(r"matches `([^`]+)`", problem.message)
    assert name is not None
    assert matches(pattern, name[1])
    assert not name[1].endswith(".letsencrypt.org.")


def test_the_advice_is_the_pattern_as_it_was_meant() -> None:
    """Anchors and escapes are put in, and the mended pattern has no problem."""
    (problem, _) = rdns_problems(r"fwdproxy-[a-z]+-[0-9]+.fbsv.net.$", final_dot=True)
    mended = problem.advice.split("`")[1]
    assert mended == r"^fwdproxy-[a-z]+-[0-9]+\.fbsv\.net\.$"
    assert rdns_problems(mended, final_dot=True) == ()


def test_a_pattern_that_cannot_be_taken_apart_is_told_not_passed() -> None:
    """Nothing is silently called safe."""
    assert told(rdns_problems(r"^(?i:A)\B\.\Bexample\.net\.$", final_dot=True)) == ["unproven error"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=r"ab.*+?()[]{}|^$\dQEP<:-1,", max_size=30), st.booleans())
def test_no_pattern_makes_the_judge_raise(pattern: str, final_dot: bool) -> None:
    """Any pattern that compiles gets an answer."""
    if regexp_problem(pattern) is None:
        rdns_problems(pattern, final_dot)


LABELS = st.from_regex(r"[a-z][a-z0-9-]{0,5}[a-z0-9]", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(LABELS, min_size=3, max_size=5))
def test_an_escaped_full_name_is_always_closed_and_an_open_one_never(labels: list[str]) -> None:
    """Escaped it passes; with the dot before its registrable domain left bare it is refused."""
    name = ".".join([*labels, "com"])
    closed = "^" + name.replace(".", r"\.") + r"\.$"
    assert rdns_problems(closed, final_dot=True) == ()
    opened = "^" + r"\.".join(labels[:-1]) + "." + labels[-1] + r"\.com\.$"
    assert told(rdns_problems(opened, final_dot=True)) == ["unescaped-dot error"]


COSTLY = "^(a|b)?(c|d)?(e|f)?" + "[g]" * 50 + r"\.com\.$"
"""Many ways, each with many places to vary, and no variation ever matches."""


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:[a-z]x){64}" * 100,
        "(a|b|c|d)?" * 190,
        "^.+" * 120,
        ".*" * 900,
        r"([a-z]*\.)*" * 150,
        "[a-z]+.*" * 100,
        COSTLY,
    ],
)
def test_patterns_made_to_cost_time_are_bounded(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ways there are through a pattern, only so many names are put to it."""
    asked = 0

    def counted(pattern: str, text: str) -> bool:
        nonlocal asked
        asked += 1
        return matches(pattern, text)

    monkeypatch.setattr("hubdata.grammar.rdns.matches", counted)
    rdns_problems(pattern, final_dot=True)
    assert asked < 2_500


def test_a_counter_example_never_carries_what_a_terminal_would_obey() -> None:
    """A pattern of a control character matches names that hold it: they are told with the character escaped."""
    for problem in rdns_problems("\x00", True):
        assert problem.message.isprintable()
        assert problem.advice.isprintable()
