"""Hold the proof to what later versions of the reference verifier refuse, and the one that can be had here may not.

Debian has version 1.8; the fuzz beside this file asks that. What has come since is written down here by hand, a file
for each rule, with the version whose notes (or, for what is not released yet, whose sources) name it.
"""

import pytest

from tests.support.go_verifier import verdicts
from tests.support.raw_mmdb import (
    ARRAY,
    MAP,
    MARKER,
    STRING,
    UINT16,
    array,
    control,
    database,
    grown,
    mapping,
    pointer,
    problems,
    text,
    uint,
)

ONE = uint(1)
FOUL = text(b"caf\xff")


def chain(count: int) -> bytes:
    """Return a tree of one path of so many nodes."""
    return grown([*((i + 1, count) for i in range(count - 1)), (count, count + 16)], ip_version=6)


def unfolding(width: int, height: int) -> bytes:
    """Return a database whose last record unfolds into width to the power of height values."""
    data, records = bytearray(array(ONE)), [0]
    for _ in range(height):
        records.append(len(data))
        data += array(*[pointer(records[-2])] * width)
    return database(bytes(data), records)


def extended(*fields: bytes, behind: bytes = b"") -> bytes:
    """Return a database whose metadata begin with the pairs `fields`, and go on with `behind` after their map."""
    head, _, tail = database(ONE).rpartition(MARKER)
    return head + MARKER + control(MAP, (tail[0] & 31) + len(fields) // 2) + b"".join(fields) + tail[1:] + behind


KEY_BY_TWO = database(array(pointer(4)) + text("k") + mapping(pointer(2), ONE), [0, 4, 6])
RULES: tuple[tuple[str, str, bytes, str], ...] = (
    ("2.0", "a pointer to a pointer", database(array(ONE, pointer(2)) + array(pointer(4)), [0, 6]), "pointer-pointer"),
    ("2.0", "a pointer to a pointer as a key", KEY_BY_TWO, "pointer-pointer"),
    ("2.0", "a record of the tree in the separator", grown([(1 + 15, 1 + 16)], ONE), "tree-outside"),
    ("2.0", "a tree larger than any file", database(ONE, node_count=uint(0xFFFFFFFF)), "tree-truncated"),
    ("2.2", "a file shorter than one node", database(ONE)[8:], "tree-truncated"),
    ("2.5", "a string that is not UTF-8", database(FOUL), "utf8"),
    ("2.5", "a key that is not UTF-8", database(mapping(FOUL, ONE)), "utf8"),
    ("2.5", "an element that is not UTF-8", database(array(ONE, FOUL)), "utf8"),
    ("2.5", "a database type that is not UTF-8", database(ONE, database_type=FOUL), "metadata-utf8"),
    ("2.5", "a language that is not UTF-8", database(ONE, languages=array(FOUL)), "metadata-utf8"),
    ("2.5", "a description that is not UTF-8", database(ONE, description=mapping(text("en"), FOUL)), "metadata-utf8"),
    ("2.5", "its language that is not UTF-8", database(ONE, description=mapping(FOUL, text("x"))), "metadata-utf8"),
    ("2.5", "an array larger than its file", database(control(ARRAY, 16_000_000)), "value-unfinished"),
    ("2.5", "a map larger than its file", database(control(MAP, 16_000_000)), "value-unfinished"),
    ("2.6", "pointers that unfold without end", unfolding(2, 25), "record-heavy"),
    ("2.6", "a path longer than an address", chain(129), "tree-deep"),
    ("2.6", "a path that comes back", grown([(1, 18), (0, 18)]), "tree-cycle"),
    ("2.7", "an unknown field of the metadata", extended(text("p"), control(UINT16, 3) + bytes(3)), "metadata-field"),
    ("2.7", "an unknown text that is not UTF-8", extended(text("p"), FOUL), "metadata-utf8"),
    ("2.7", "a pointer into the middle of a field", database(text("@@") + array(pointer(2)), [0, 3]), "pointer-middle"),
    ("2.7", "one of the metadata", extended(text("p"), pointer(8), text("q"), text("@@")), "metadata-pointer"),
    ("2.7", "a broken value behind the metadata", extended(behind=control(STRING, 9) + b"short"), "metadata-truncated"),
    ("2.7", "a foul text behind the metadata", extended(behind=FOUL), "metadata-utf8"),
)
SEEN = frozenset(
    {
        *("a record of the tree in the separator", "a tree larger than any file", "a file shorter than one node"),
        *("an array larger than its file", "a map larger than its file", "pointers that unfold without end"),
        *("a path longer than an address", "a path that comes back"),
    }
)
"""What version 1.8 refuses too, in its way: of some it never sees the end."""


@pytest.mark.parametrize(("body", "problem"), [rule[2:] for rule in RULES], ids=[f"{r[0]} {r[1]}" for r in RULES])
def test_what_a_later_verifier_refuses_is_refused(body: bytes, problem: str) -> None:
    """One hand-made file for each rule."""
    assert problem in problems(body)


def test_what_metadata_may_hold_is_no_problem() -> None:
    """Pointers to whole fields, before them, behind them and behind the map, as the specification allows."""
    assert problems(extended(text("p"), text("shared"), text("q"), pointer(3))) == []
    assert problems(extended(text("p"), pointer(7), text("q"), text("shared"))) == []
    size = len(extended(text("p"), pointer(0)).rpartition(MARKER)[2])
    assert problems(extended(text("p"), pointer(size), behind=text("shared") + ONE)) == []
    assert problems(extended(text("p"), pointer(size + 1), behind=text("@@"))) == ["metadata-pointer"]


def test_most_of_them_the_verifier_here_lets_out() -> None:
    """So that it is known what the fuzz beside this cannot show."""
    said = verdicts([rule[2] for rule in RULES])
    assert {rule[1] for rule, word in zip(RULES, said, strict=True) if word} == SEEN
