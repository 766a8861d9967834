"""Texts that are no lists: their lines one by one, and those that are too long for the engine's reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.whole_text import lines_of, read_text


@given(st.lists(st.sampled_from(["", "a", "\r", "\u2028", "ab" * 40_000, "a" * 65_535, "a" * 65_536]), max_size=6))
@settings(max_examples=100, deadline=None)
def test_lines_are_those_between_line_feeds(lines: list[str]) -> None:
    """However the text is cut into pieces on the way; nothing but a line feed ends a line."""
    text = "\n".join(lines)
    assert "\n".join(lines_of(text)) in {text, text.removesuffix("\n")}
    assert not any("\n" in line for line in lines_of(text))


@given(st.lists(st.integers(0, 25), max_size=12), st.booleans())
@settings(max_examples=300, deadline=None)
def test_each_line_that_is_too_long_is_told_with_its_length(lengths: list[int], ended: bool) -> None:
    """By number and length, and no other, wherever the long ones stand."""
    body = b"\n".join(b"x" * length for length in lengths) + b"\n" * ended
    _, findings = read_text("k", body, max_line_bytes=10)
    told = [(f.line, f.message.split()[3]) for f in findings if f.rule == "text.line-too-long"]
    assert told == [(number, str(length)) for number, length in enumerate(lengths, 1) if length >= 10]


@pytest.mark.parametrize("size", [65_535, 65_536])
def test_a_line_is_too_long_from_the_engine_s_limit_on(size: int) -> None:
    """One byte less is read."""
    _, findings = read_text("k", b"#\n" + b"a" * size + b"\n#\n", max_line_bytes=65_536)
    assert [f.line for f in findings] == ([2] if size == 65_536 else [])
