"""What a database says of itself: held to its types and ranges, and read with bounds."""

import pytest

from hubdata.mmdb.proof import prove
from tests.support.raw_mmdb import (
    ARRAY,
    BOOLEAN,
    INT32,
    MAP,
    MARKER,
    UINT16,
    UINT64,
    array,
    control,
    database,
    double,
    mapping,
    nested,
    pointer,
    problems,
    text,
    uint,
)

ONE = uint(1)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"description": None}, "description"),
        ({"description": mapping()}, "description"),
        ({"description": text("a test")}, "metadata-type"),
        ({"database_type": None}, "metadata-type"),
        ({"database_type": text("")}, "metadata-type"),
        ({"database_type": text(b"\xff")}, "metadata-utf8"),
        ({"languages": array(ONE)}, "metadata-type"),
        ({"node_count": None}, "metadata-missing"),
        ({"node_count": text("1")}, "metadata-type"),
        ({"node_count": uint(0)}, "node-count"),
        ({"node_count": uint(1 << 20)}, "tree-truncated"),
        ({"node_count": uint(1 << 33, UINT64)}, "metadata-type"),
        ({"ip_version": uint(5, UINT16)}, "ip-version"),
        ({"build_epoch": control(INT32, 1) + b"\1"}, "metadata-type"),
        ({"binary_format_major_version": uint(3, UINT16)}, "format"),
        ({"binary_format_minor_version": uint(1, UINT16)}, "format"),
        ({"extra": nested(20, array)}, "metadata-deep"),
        ({"extra": array(*[ONE] * 5000)}, "metadata-large"),
        ({"extra": control(ARRAY, 16_000_000)}, "metadata-truncated"),
        ({"extra": pointer(0)}, "metadata-deep"),
        ({"extra": b"\x27\xff"}, "metadata-pointer"),
        ({"extra": control(UINT16, 3) + bytes(3)}, "metadata-field"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_metadata_that_readers_cannot_use_are_refused(fields: dict[str, bytes | None], problem: str) -> None:
    """Each field by its type and its range, and bounds on what the section may unfold into."""
    assert problem in problems(database(ONE, (0,), bits=24, **fields))


def test_a_key_of_the_metadata_that_is_there_twice_is_refused() -> None:
    """Readers differ in which of the two they take."""
    body = database(ONE)
    head, _, tail = body.rpartition(MARKER)
    twice = head + MARKER + control(MAP, (tail[0] & 31) + 1) + tail[1:] + text("node_count") + uint(7)
    assert problems(twice) == ["metadata-twice"]


def test_a_pointer_to_a_pointer_in_the_metadata_is_refused() -> None:
    """Here it leads to itself."""
    head, _, tail = database(ONE).rpartition(MARKER)
    itself = head + MARKER + control(MAP, (tail[0] & 31) + 1) + text("p") + pointer(3) + tail[1:]
    assert problems(itself) == ["metadata-pointer"]


def pointing_at(size: int, **fields: bytes | None) -> bytes:
    """Return a database whose metadata begin with a text of so many bytes, which `fields` may point to (at 3)."""
    head, _, tail = database(ONE, (0,), bits=24, **fields).rpartition(MARKER)
    return head + MARKER + control(MAP, (tail[0] & 31) + 1) + text("p") + text("x" * size) + tail[1:]


@pytest.mark.parametrize("field", ["languages", "added"])
def test_a_text_that_metadata_point_to_again_and_again_is_refused(field: str) -> None:
    """100 KB would become 200 MB in every reader, and in everything that tells of the file."""
    many: dict[str, bytes | None] = {field: array(*[pointer(3)] * 2000)}
    assert problems(pointing_at(100_000, **many)) == ["metadata-large"]
    assert problems(pointing_at(40, **many)) == []


def test_metadata_that_fill_their_section_are_no_problem() -> None:
    """The bound is what a section may hold: what is there once is never too much."""
    assert problems(pointing_at(128_000)) == []


def test_narrow_integers_and_unknown_keys_in_the_metadata_are_no_problem() -> None:
    """Some writers take the narrowest type, and a minor version may add keys."""
    body = database(ONE, node_count=uint(1, UINT16), build_epoch=uint(9), added=array(double(1.0), control(BOOLEAN, 1)))
    assert problems(body) == []


@pytest.mark.parametrize("body", [b"", b"\0", MARKER, MARKER + b"\xe0", b"<html>" * 1000, MARKER + b"\xff" * 5])
def test_what_is_no_database_at_all_is_one_problem(body: bytes) -> None:
    """There is no layout then, and the problem says why."""
    proof = prove(body)
    assert proof.layout is None
    assert len(proof.problems) == 1
    assert proof.problems[0].offset <= len(body)
