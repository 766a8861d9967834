"""Repeated rows are found exactly, in pieces and by numbers as by a dictionary of all texts."""

from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import chunks as pieces_of
from hubdata.grammar import lines, repeats
from hubdata.grammar.chunks import chunks
from hubdata.grammar.gather import MAX_PER_RULE, Some
from hubdata.grammar.lines import read_rows
from hubdata.grammar.repeated import Repeated, repeated_in
from hubdata.grammar.repeats import Repeats

ROWS = st.lists(st.sampled_from([b"a", b"b", b"ab", b"", b"#a", b"a\r", b"\r", b"\xff", b"\xfe", b"\xc3\xa9", b" "]))
BODIES = st.builds(lambda rows, end: b"\n".join(rows) + end, ROWS, st.sampled_from([b"", b"\n", b"\r\n"]))


def expected(body: bytes) -> tuple[Some[Repeated], set[int]]:
    """Return what repeats what in `body`, by the plainest of means, and all lines that repeat others."""
    rows = [(row.number, row.text) for row in read_rows("k", body)[0]]
    found = list(repeated_in(rows, {}))
    return Some(len(found), tuple(found[: MAX_PER_RULE + 1])), {each.line for each in found}


def found(body: bytes, size: int) -> tuple[Some[Repeated], set[int]]:
    """Return the same as `Repeats` finds it in pieces of some bytes."""
    repeats = Repeats(body, body.count(b"\n") + 1, every_line=True)
    pieces = [
        [(at, text) for at, text in enumerate(chunk.texts(), chunk.number) if text and text[0] != "#"]
        for chunk in chunks(body, size)
    ]
    for chunk, piece in zip(chunks(body, size), pieces, strict=True):
        repeats.take_chunk(chunk, [text for _, text in piece])
    some = repeats.repeated(lambda: pieces)
    return some, {at for at, flag in enumerate(repeats.flags.tolist()) if flag}


@settings(max_examples=300, deadline=None)
@given(BODIES, st.integers(1, 40))
def test_whatever_the_pieces_the_same_rows_repeat_the_same_lines(body: bytes, size: int) -> None:
    """Rows equal once read, CR and wrong bytes apart, within a piece and over many."""
    assert found(body, size) == expected(body)


@settings(max_examples=100, deadline=None)
@given(BODIES, st.integers(1, 40), st.integers(1, 3))
def test_texts_of_one_hash_are_never_taken_for_each_other(body: bytes, size: int, hashes: int) -> None:
    """With a hash of one, two or three values, all rows are candidates, and only equal texts repeat each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "hash", lambda text: (len(text) % hashes) << 60, raising=False)
        assert found(body, size) == expected(body)


@pytest.mark.parametrize("shift", [0, 1, 77])
def test_thousands_of_repetitions_over_many_pieces_are_counted_to_the_last(shift: int) -> None:
    """The first hundred by line are told, wherever their first is; all others are only counted."""
    words = [f"w{at * 7919 % 5_000}" for at in range(20_000)]
    body = "".join(f"{word}\n" for word in words[shift:] + words[:shift]).encode()
    some, flags = found(body, 3_000)
    assert (some, flags) == expected(body)
    assert some.total == len(flags) == 15_000
    assert len(some.first) == MAX_PER_RULE + 1


def verdicts(body: bytes) -> Any:
    """Return the rows and findings of a body as the reader gives them."""
    rows, findings = read_rows("k", body)
    return list(rows), len(rows), rows.lines, findings


FAULTS = (b"\xef\xbb\xbf", b"\0", b"\xff", b"\r", b" ", b"\xe2\x80\x8b", b"x" * 40_000, b"y" * 70_000, b"#", b"q", b"")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(FAULTS), max_size=60), st.sampled_from([b"\n", b"\r\n", b"\n\n"]), st.integers(1, 99))
def test_a_list_of_many_lines_gets_the_findings_of_a_short_one(rows: list[bytes], end: bytes, size: int) -> None:
    """Read in pieces of any size and never kept, it has the same rows, findings, lines and columns."""
    body = end.join(rows)
    whole = verdicts(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_of, "CHUNK_BYTES", size)
        patch.setattr(lines, "FEW_LINES", 0)
        assert verdicts(body) == whole


def test_rows_of_a_long_list_can_be_asked_for_again_and_are_not_kept() -> None:
    """Whoever looks at a few rows pays for a piece of the list."""
    body = b"".join(b"%d\n" % at for at in range(lines.FEW_LINES + 1_000))
    rows, findings = read_rows("k", body)
    assert findings == ()
    assert [row.text for row in islice(rows, 2)] == ["0", "1"]
    assert [row.number for row in rows][-1] == len(rows) == rows.lines == lines.FEW_LINES + 1_000
    assert next(iter(rows)) is not next(iter(rows))
