"""No pattern makes a larger program than was said of it, whatever it is made of: re2 is asked."""

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.go_regexp import MAX_MEM_BYTES, regexp_problem
from hubdata.grammar.regexp_size import ROOM, most_instructions

PIECES = [
    *"akKsSxz.^$|{},", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", r"\A", r"\z", r"\.", r"\\", "()", "(?:)",
    r"\x41", r"\xe5", r"\x{e5}", r"\x{7}", r"\101", r"\377", "[a]", "[^a]", "[k]", "[^k]", "[^ks]", "[ks ]", "[akqszx]",
    r"[\W]", r"[^\W]", r"[^\w]", r"[\W_]", r"[\D\S]", r"[\x00-\xff]", r"[\x80-\xff]", r"[^\xb5\xe5]", r"[\xc0\xc2]",
    "[[:^word:]]", "[[:^alpha:]]", "[^[:^word:]]", "[[:punct:]]", "[]k]", "[^]k]", r"[\]k]", "[[k]", "[a-z]", "[^a-z]",
]  # fmt: skip
"""What a pattern may be made of, with all that costs most."""

COUNTS = ["", "", "", "*", "+", "?", "*?", "{2}", "{0}", "{3,}", "{0,9}", "{2,5}?", "{30}", "{1,30}"]


def room_for(instructions: int) -> "re2.Options":
    """Return options that leave re2 so many instructions; what it keeps for itself is some hundred bytes."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = (8 * instructions + 600) * 3 // 2
    return options


def compiles(pattern: str, options: "re2.Options") -> bool:
    """Tell whether re2 compiles `pattern` so."""
    try:
        re2.compile(pattern, options)
    except re2.error:
        return False
    finally:
        re2.purge()
    return True


groups = st.sampled_from(["(", "(?:", "(?i:", "(?P<n>"])
patterns = st.recursive(
    st.tuples(st.sampled_from(PIECES), st.sampled_from(COUNTS)).map("".join),
    lambda inner: st.tuples(
        groups, st.lists(inner, max_size=4).map("".join), st.just(")"), st.sampled_from(COUNTS)
    ).map("".join),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["", "(?i)", "(?s)", "(?is)", "(?U)"]), st.lists(patterns, max_size=6).map("".join))
def test_no_program_is_larger_than_was_said(flags: str, pattern: str) -> None:
    """What re2 can parse at all, it compiles in exactly the room that it was said to need."""
    whole = flags + pattern
    most = most_instructions(whole)
    if most is not None and compiles(whole, room_for(1 << 20)):
        assert compiles(whole, room_for(most)), most


@pytest.mark.parametrize("piece", [*PIECES, ".*?", "(.)", r"\W*", "[ks]?", "(k|)", "(|k)"])
def test_as_many_as_may_stand_side_by_side_have_room(piece: str) -> None:
    """Each piece, repeated up to the last that is let through uncompiled, compiles in the room there is."""
    for repeated in (piece, f"{piece}{{2}}" if piece[-1] not in "*?|{}" else piece):
        times = (ROOM - 50) // (most_instructions(f"x{repeated}") or ROOM)
        pattern = "(?i)" + repeated * min(times, 13_000 // len(repeated))
        assert most_instructions(pattern) is not None
        options = room_for(1)
        options.max_mem = MAX_MEM_BYTES
        assert compiles(pattern, options), repeated


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\pL", r"\PL", r"\p{Greek}", "\u00e9", r"\x{212a}", r"\Qa\E", "a*{2}", "a{2}{2}", "(a?{3})", r"[\pL]"),
        *("a(?i){2}", "(?:a|b)(?s)(?-imU){2,3}", "a(?){2}"),
    ],
)
def test_of_some_pieces_it_is_not_known(pattern: str) -> None:
    """Tables of Unicode, far characters, quotations, and what is counted twice or behind flags."""
    assert most_instructions(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * 14_000,
        "." * 6_000,
        "(?:a{100}){200}",
        "[^a]{1000}{2}",
        "((a{99}){99}){99}",
        "(" + r"[\W.]" * 99 + ")(?s){99}",
    ],
)
def test_what_may_be_too_large_is_left_to_re2(pattern: str) -> None:
    """Long patterns, dear pieces and counts of counts."""
    assert most_instructions(pattern) is None


@pytest.mark.parametrize("pattern", [r"\{1}", "[{1}]", "a{,5}", "a{1,5", "a{01}", "a{00005}", "x{2}", r"\\{2}"])
def test_braces_that_are_only_text_do_no_harm(pattern: str) -> None:
    """Whether they count or not, the bound is one."""
    assert regexp_problem(pattern) is None
    assert compiles(pattern, room_for(most_instructions(pattern) or 0))
