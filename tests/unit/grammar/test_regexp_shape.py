"""A pattern is taken apart well enough to spell what it matches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.regexp_shape import MAX_SPELLINGS, Atom, Part, Spelling, bare_dots, spellings


def spelled(pattern: str) -> list[str]:
    """Return the ways through a pattern, what is open in angle brackets."""
    return ["".join(_shown(atom) for atom in way) for way in spellings(pattern)]


def _shown(atom: Atom) -> str:
    if atom.part is Part.NOTHING:
        return ""
    return f"<{atom.text}>" if atom.open else atom.text


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^a\.b$", ["a.b"]),
        (r"a|b", ["a", "b"]),
        (r"(a|b)c", ["ac", "bc"]),
        (r"(?:a|b)?c", ["c", "ac", "bc"]),
        (r"(?P<n>ab){2}", ["abab"]),
        (r"a+b*", ["a", "ab"]),
        (r"x.[0-9]{1,3}\d", [r"x<.><[0-9]><\d>"]),
        (r"[]a]\Qa.b\E.", ["<[]a]>a.b<.>"]),
        (r"(?i)a\b(?s:b)", ["ab"]),
        ("(a", []),
        ("a)", []),
        ("[a", []),
    ],
)
def test_patterns_are_spelled(pattern: str, expected: list[str]) -> None:
    """Literals, choices, repeats, classes and quotations come out; what is broken gives nothing."""
    assert spelled(pattern) == expected


def test_only_dots_for_one_character_are_bare() -> None:
    """A repeated, escaped, quoted or bracketed dot was not meant as a dot between labels."""
    assert bare_dots(r"a.b\.c.*[.]\Q.\E.") == (1, 16)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=r"ab.*+?()[]{}|^$\dQEpP<:-1,", max_size=40))
def test_any_text_is_answered_within_bounds(pattern: str) -> None:
    """Nothing raises, and there are never more ways than allowed."""
    assert len(spellings(pattern)) <= MAX_SPELLINGS


def test_what_a_pattern_stands_for_does_not_depend_on_the_stack() -> None:
    """A helper, a thread and the run judge at different depths: a verdict that one has remembered is everybody's."""
    pattern = "(" * 240 + "a|b" + ")" * 240

    def below(depth: int) -> tuple[Spelling, ...]:
        return below(depth - 1) if depth else spellings(pattern)

    assert len(below(0)) == 2
    assert below(600) == below(0)
