r"""A pattern passes only if Go's regexp compiles it, which re2 alone does not tell."""

import gc
import re
import string
from unittest.mock import patch

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import go_regexp
from hubdata.grammar.go_regexp import (
    _PLAIN,
    MAX_COMPILED,
    MAX_NESTING,
    ORDINARY,
    _beyond_go,
    _compile,
    _may_be_deep,
    _overmatch,
    _parses,
    matches,
    overmatch,
    regexp_problem,
)


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


_COSTLY = [".", "k", r"\D", "[^a]", "[^k]", "[s]", ".*?", "(.)", "[^a-cx-z0-1]", r"[\x00-\xff]", "|", "()", r"\W*"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*_COSTLY, *r"()*?[]^\$-&", "a-z", r"\Q", "(?i)", "(?:", "[[:alpha:]]"]), max_size=60))
def test_parsing_and_compiling_give_one_answer(parts: list[str]) -> None:
    """Whatever a short pattern is made of, what can be parsed compiles, and nothing else does."""
    pattern = "".join(parts)
    assert _parses(pattern) == (_compile(pattern, False)[1] is None)


def test_what_has_no_room_is_refused_before_anybody_asks_what_it_matches() -> None:
    """It matches the empty text, and nobody could tell: re2 cannot compile it, in fewer than 5,000 characters."""
    assert regexp_problem("(?i)|" + r"\W" * 2_497) is not None


_NESTED = [
    "(", "(?:", "(?i:", ")", "[(", "[)", "[^]", "[]", "]", "[[:alpha:]", "[:x", r"\(", r"\)", r"\\", r"\Q", r"\E", "x",
    "\n", "[])](", "[^])](", "[[:alpha:])](", r"[\])](", "[[)](", r"\)(", r"\\(",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_NESTED), st.sampled_from([1, 2, 30, 230, 245])), max_size=12))
def test_a_pattern_that_is_told_not_to_be_deep_is_not(parts: list[tuple[str, int]]) -> None:
    """The quick count of open groups never falls short of that token by token, whatever looks like a parenthesis."""
    pattern = "".join(part * times for part, times in parts)
    if not _may_be_deep(pattern):
        assert _beyond_go(pattern) is None


def test_many_groups_side_by_side_are_not_taken_for_deep_ones() -> None:
    """Such patterns are in every rule set: parentheses in classes and behind backslashes do not count."""
    assert not _may_be_deep(r"(?:a[\"'(\]]*\(|(b))" * (MAX_NESTING + 1))
    assert _may_be_deep("(" * (MAX_NESTING + 1))


@st.composite
def _nearly_plain(draw: st.DrawFn) -> str:
    """Give a piece of an ordinary text, or of none, escaped or not, in either case, between word bounds or not."""
    text = draw(st.sampled_from([text for _, text in ORDINARY if text]) | st.text(string.printable, max_size=6))
    start = draw(st.integers(0, len(text)))
    piece = text[start : start + draw(st.integers(0, 8))]
    spelled = draw(st.sampled_from([piece, re.escape(piece), piece.upper(), re.escape(piece.lower())]))
    bound = st.sampled_from(["", r"\b"])
    return draw(st.sampled_from(["", "", "(?i)"])) + draw(bound) + spelled + draw(bound)


@settings(max_examples=500, deadline=None)
@given(_nearly_plain(), st.booleans())
def test_a_plain_text_is_judged_as_re2_would(pattern: str, ignore_case: bool) -> None:
    """What is known of a text without asking re2 is what re2 says: that it compiles, and what it matches."""
    assert (regexp_problem(pattern) is None) == (_beyond_go(pattern) is None and _compile(pattern, False)[1] is None)
    found = overmatch(pattern, ignore_case)
    with patch.object(go_regexp, "_may_match_a_probe", return_value=True):
        assert found == _overmatch.__wrapped__(pattern, ignore_case)


def test_every_sign_that_may_stand_in_a_plain_text_is_itself() -> None:
    """Escaped or not: re2 finds the sign, and nothing else; a letter, a digit and `_` are not escaped."""
    forms = (form for char in map(chr, range(128)) for form in (char, f"\\{char}") if form != r"\b")
    plain = [form for form in forms if _PLAIN.fullmatch(form)]
    assert len(plain) > 100
    for form in plain:
        assert [char for char in map(chr, range(128)) if matches(f"^{form}$", char)] == [form[-1]]


def test_a_program_that_is_too_large_is_refused() -> None:
    """A pattern beyond the bound would cost every engine its memory."""
    assert regexp_problem(r"\pL" * 100) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        "a*",
        "",
        "^",
        "Mozilla",
        r"\d",
        "/",
        r"\.",
        "(foo|)",
        "html$",
        "Chrome/",
        "x",
        "[jz]",
        "sqlmap|Z",
        "Windows NT",
        "Mobile",
        r"\.php",
        r"\.php$",
        r"\.js$",
        r"\.(?:woff2?|ttf)$",
        r"/sitemap[0-9]*\.xml",
        r"^www\.",
    ],
)
def test_patterns_that_match_ordinary_visitors_are_caught(pattern: str) -> None:
    """Empty matches and words of every request are told with what they match."""
    assert overmatch(pattern)


@pytest.mark.parametrize("pattern", [r"\bsqlmap\b", r"^/wp-admin", r"Firefox/7\.0\b", r"\.\./", "qx", "^x", "7Z", "/q"])
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


def test_a_single_character_is_told_as_such() -> None:
    """No ordinary text here holds a Z between others, and yet nearly every site has one somewhere."""
    assert overmatch("Z") == "everything that holds a `Z`"


def test_a_reason_never_carries_what_a_terminal_would_obey() -> None:
    """The reason quotes the pattern, whose control and invisible characters are escaped."""
    for pattern in ("a**\u200b(", "[\u202eb-a]", "(?P<\u200b>a)", "\x1b[31m(?<"):
        reason = regexp_problem(pattern)
        assert reason is not None
        assert reason.isprintable()


def test_few_compiled_patterns_are_kept() -> None:
    """Each may hold a megabyte or two; those of a whole file would fill the memory of a small container."""
    kind = type(re2.compile("a"))

    def compiled() -> int:
        return sum(isinstance(each, kind) for each in gc.get_objects())

    _compile.cache_clear()
    re2.purge()
    before = compiled()
    for number in range(MAX_COMPILED + 20):
        assert matches(f"[a-z]{{9}}{number}x", f"abcdefghi{number}x")
    assert compiled() == before + MAX_COMPILED
