"""The reader of lines is bufio.Scanner as engines use it: the same rows, the same end at a line too long."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.lines import ENGINE_LINE_BYTES, read_rows
from tests.support import go_oracle
from tests.support.go_oracle import needs_go
from tests.support.real import SEC_LISTS, needs_real

pytestmark = needs_go

PIECES = (
    *(b"a", b"\n", b"\r", b"\r\n", b"\n\n", b"#", b" ", b"\t", b"\0", b"\xef\xbb\xbf", b"\xff", b"\xc3\xa9", b"\x0b"),
    *(b"\x0c", b"\x1c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"1.2.3.0/24", b"\x1a"),
)
"""What other readers break lines at, or trim, and a Scanner does not."""


def differing(bodies: list[bytes]) -> list[bytes]:
    """Return the bodies of which hubdata and Go read different lines."""
    wrong = []
    for body, (lines, error) in zip(bodies, go_oracle.lines(bodies), strict=True):
        rows, findings = read_rows("list", body)
        texts = [text for _, piece in rows.pieces() for text in piece]
        stopped = any("an engine stops reading here" in finding.message for finding in findings)
        if texts != [line.decode(errors="replace") for line in lines] or stopped is not bool(error):
            wrong.append(body if len(body) < 200 else body[:100] + b"..." + body[-100:])
    return wrong


def test_bytes_of_any_kind_are_read_as_a_scanner_reads_them() -> None:
    """5,000 bodies of the pieces that readers differ in."""
    chance = random.Random(3)
    bodies = [b"".join(chance.choice(PIECES) for _ in range(chance.randint(0, 30))) for _ in range(5_000)]
    assert differing(bodies) == []


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), min_size=1, max_size=50))
@settings(max_examples=20, deadline=None)
def test_a_smaller_body_is_found_where_one_differs(bodies: list[bytes]) -> None:
    """The same, by a search that shrinks what it finds."""
    assert differing(bodies) == []


def test_the_longest_line_is_the_scanners_to_the_byte() -> None:
    """One byte more and the reader stops, without the line and all below it; LF, CRLF and the end of the file."""
    bodies = [
        before + b"x" * length + end
        for before in (b"", b"first\n", b"y" * 40_000 + b"\n")
        for length in (ENGINE_LINE_BYTES + extra for extra in (-2, -1, 0, 1, 5_000))
        for end in (b"", b"\n", b"\r\n", b"\r", b"\nlast\n", b"\nlast")
    ]
    assert differing(bodies) == []
    assert {bool(error) for _, error in go_oracle.lines(bodies)} == {True, False}


@needs_real
def test_every_real_file_is_read_as_a_scanner_reads_it() -> None:
    """All of the tree, whatever its kind; what is no text is read all the same."""
    bodies = [path.read_bytes() for path in sorted(SEC_LISTS.rglob("*")) if path.is_file() and ".git" not in path.parts]
    bodies = [
        body for body in bodies if b"<html" not in body[:1024].lower() and b"<!doctype" not in body[:1024].lower()
    ]
    assert len(bodies) > 150
    assert differing(bodies) == []
