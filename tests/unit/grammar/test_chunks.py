"""A body cut into pieces is the same body: no line is cut, lost, or numbered otherwise."""

import mmap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.chunks import CHUNK_BYTES, chunks, line_feeds, long_lines, text_at

BODIES = st.lists(
    st.sampled_from([b"\n", b"\n", b"\r", b"a", b"bc", b"\xff", b"\xe2\x80", b"\xc3\xa9", b"#", b"\0", b"x" * 20]),
    max_size=40,
).map(b"".join)


def lines_of(body: bytes) -> list[bytes]:
    """Return the lines of a body, as a reader of the whole would."""
    return body.split(b"\n")[:-1] if body.endswith(b"\n") or not body else body.split(b"\n")


@settings(max_examples=300, deadline=None)
@given(BODIES, st.integers(1, 12))
def test_pieces_hold_all_lines_with_their_numbers_and_places(body: bytes, size: int) -> None:
    """Wherever a piece ends: in a CRLF, within a character of several bytes, or long after its size."""
    pieces = list(chunks(body, size))
    assert b"".join(piece.block for piece in pieces) == body
    assert all(piece.block.endswith(b"\n") for piece in pieces[:-1])
    numbered = [(piece.number + at, line) for piece in pieces for at, line in enumerate(piece.lines())]
    assert numbered == list(enumerate(lines_of(body), 1))
    assert [body[piece.start : piece.start + len(piece.block)] for piece in pieces] == [p.block for p in pieces]
    assert all(len(piece.block) <= size or piece.block.count(b"\n") <= 1 for piece in pieces)


@settings(max_examples=300, deadline=None)
@given(BODIES, st.integers(1, 12))
def test_texts_are_those_of_each_line_alone(body: bytes, size: int) -> None:
    """Decoding many lines at once gives what decoding line by line gives, wrong bytes too."""
    texts = [text for piece in chunks(body, size) for text in piece.texts()]
    assert texts == [line.decode(errors="replace").removesuffix("\r") for line in lines_of(body)]


@settings(max_examples=300, deadline=None)
@given(BODIES, st.integers(0, 9))
def test_long_lines_are_found_without_looking_at_the_others(body: bytes, limit: int) -> None:
    """Each with the place where it begins and its length, however many stand side by side."""
    expected, start = [], 0
    for line in lines_of(body):
        if len(line) > limit:
            expected.append((start, len(line)))
        start += len(line) + 1
    assert list(long_lines(body, limit)) == expected


@given(BODIES.filter(bool))
def test_a_line_is_found_again_by_its_place(body: bytes) -> None:
    """Where a line begins is all that has to be kept of it."""
    for piece in chunks(body):
        at = piece.start
        for line, text in zip(piece.lines(), piece.texts(), strict=True):
            assert text_at(body, at) == text
            at += len(line) + 1


def test_a_mapped_body_is_cut_as_its_bytes_are(tmp_path: Path) -> None:
    """Over many pieces, with line feeds counted in all of it or in a part."""
    body = b"".join(b"%d\n" % n for n in range(60_000)) + b"end"
    assert len(body) > 2 * CHUNK_BYTES
    path = tmp_path / "list"
    path.write_bytes(body)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert [(p.number, p.start, p.block) for p in chunks(mapped)] == [
            (p.number, p.start, p.block) for p in chunks(body)
        ]
        assert line_feeds(mapped) == line_feeds(body) == 60_000
        assert line_feeds(mapped, 7, 70_000) == body.count(b"\n", 7, 70_000)


@pytest.mark.parametrize(("until", "left"), [(0, b""), (2, b"a\n"), (4, b"a\nb\n"), (99, b"a\nb\n")])
def test_a_piece_can_end_earlier(until: int, left: bytes) -> None:
    """Where an engine's reader stops, nothing below is read."""
    (piece,) = chunks(b"a\nb\n")
    assert piece.until(until).block == left
