"""The proof of a database: what is whole passes, and whatever is not is named with its place and its rule."""

import mmap
from pathlib import Path

import pytest

from hubdata.mmdb.malformed import Problem
from hubdata.mmdb.proof import Proof, prove
from tests.support.raw_mmdb import (
    ARRAY,
    BOOLEAN,
    BYTES,
    CONTAINER,
    DOUBLE,
    END_MARKER,
    FLOAT,
    INT32,
    MAP,
    STRING,
    UINT16,
    UINT32,
    UINT64,
    UINT128,
    array,
    control,
    database,
    double,
    grown,
    mapping,
    nested,
    of,
    pointer,
    problems,
    text,
    uint,
)
from tests.support.real import MMDB, needs_real

TREE = 6 + 16
"""Where the data section begins in a database of one node of 24-bit records."""

ONE = uint(1)
EMPTY = mapping()

REASONS = {
    "GeoIP2-City-Test-Broken-Double-Format": ("field-size",),
    "MaxMind-DB-test-broken-pointers-24": ("tree-outside", "pointer-outside", "unreferenced"),
    "cyclic-data-structure": ("metadata-truncated",),
    "invalid-string-length": ("metadata-truncated",),
    "libmaxminddb-corrupt-search-tree": ("tree-unreached", "description"),
    "libmaxminddb-deep-nesting": ("record-deep", "description"),
    "libmaxminddb-oversized-map": ("value-unfinished", "description"),
    "libmaxminddb-separator-record-max-left": ("tree-outside", "description"),
    "unexpected-bytes": ("metadata-truncated",),
}


def only(proof: Proof) -> Problem:
    """Return the one problem that there is."""
    assert len(proof.problems) == 1, proof.problems
    return proof.problems[0]


@needs_real
@pytest.mark.parametrize("path", sorted((MMDB / "good").glob("*.mmdb")), ids=lambda path: path.stem)
def test_every_good_database_is_proven_on_one_thread_and_on_two(path: Path) -> None:
    """No problem and no warning, and the same counts whichever way."""
    body = path.read_bytes()
    proof = prove(body)
    assert (proof.problems, proof.warnings) == ((), ())
    assert proof == prove(body, threads=2)
    assert proof.counts.networks >= proof.counts.records > 0


@needs_real
@pytest.mark.parametrize("path", sorted((MMDB / "bad").glob("*.mmdb")), ids=lambda path: path.stem)
def test_every_bad_database_is_refused_with_its_reason(path: Path) -> None:
    """The reasons are those that the files were made for, and each says where and what the format says."""
    proof = prove(path.read_bytes())
    assert tuple(problem.problem for problem in proof.problems) == REASONS[path.stem]
    for problem in proof.problems:
        assert 0 <= problem.offset <= path.stat().st_size
        assert problem.message
        assert problem.says


def test_a_database_of_every_type_is_proven_whatever_the_size_of_its_records() -> None:
    """Maps in arrays in maps, all numbers in all widths, long text and bytes, empty everything, keys by pointer."""
    numbers = [control(kind, size) + b"\1" * size for kind, most in WIDTHS for size in range(most + 1)]
    data = mapping(
        *(text("name"), text("é" * 300)),
        *(text("n"), array(*numbers, double(1.5), control(FLOAT, 4) + b"\0" * 4)),
        *(text("flags"), array(control(BOOLEAN, 0), control(BOOLEAN, 1), array(), EMPTY, text(""))),
        *(text("maps"), array(of({"a": 1}), of({"b": "x", "c": "y"}), array(of({"d": 1}), of({})))),
        *(text("bytes"), control(BYTES, 70_000) + b"\xff" * 70_000),
    )
    second = mapping(pointer(1), pointer(6), text("again"), pointer(0))
    for bits in (24, 28, 32):
        proof = prove(database(data + second, [0, len(data), 0], bits=bits))
        assert (proof.problems, proof.warnings, proof.counts.records) == ((), (), 2)
        assert (proof.counts.nodes, proof.counts.networks, proof.counts.pointers) == (3, 3, 3)


WIDTHS = ((UINT16, 2), (UINT32, 4), (INT32, 4), (UINT64, 8), (UINT128, 16))


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        *((control(kind, most + 1) + bytes(most + 1), "field-size") for kind, most in WIDTHS),
        *((control(kind, size) + bytes(size), "field-size") for kind, size in ((DOUBLE, 7), (DOUBLE, 9), (FLOAT, 5))),
        (control(BOOLEAN, 2), "field-size"),
        (control(CONTAINER, 0), "field-type"),
        (control(END_MARKER, 0), "field-type"),
        (b"\x00\x00", "field-type"),
        (b"\x00\x09", "field-type"),
        (b"\x00\xfa", "field-type"),
        (text(b"\xff"), "utf8"),
        (text(b"caf\xc3"), "utf8"),
        (text(b"\xed\xa0\x80"), "utf8"),
        (text(b"x" * 400 + b"\x80"), "utf8"),
        (pointer(2000), "pointer-outside"),
        (control(MAP, 1) + ONE + ONE, "key"),
        (control(MAP, 1) + array() + ONE, "key"),
        (mapping(text("a"), array(ONE, ONE), ONE, ONE), "key"),
        (mapping(text("a"), array(ONE, of({"b": 1}), ONE), array(), ONE), "key"),
        (control(ARRAY, 2) + ONE, "value-unfinished"),
        (control(MAP, 1) + text("k"), "value-unfinished"),
        (control(STRING, 9) + b"short", "field-overrun"),
        (b"\x5d", "field-overrun"),
    ],
    ids=lambda value: value.hex()[:16] if isinstance(value, bytes) else value,
)
def test_a_field_that_cannot_be_is_refused_where_it_is(field: bytes, problem: str) -> None:
    """Alone as a record, and behind a good record, at the place of the field or of what holds it."""
    assert problem in problems(database(field))
    proof = prove(database(text("good") + field, [0, 5]))
    found = [each for each in proof.problems if each.problem == problem]
    assert found
    assert TREE + 5 <= found[0].offset < TREE + 5 + len(field)


def test_a_key_may_be_a_pointer_to_text_and_to_nothing_else() -> None:
    """Before the text, behind it, and to a number."""
    assert problems(database(mapping(pointer(5), ONE) + text("k"), [0, 5])) == []
    assert problems(database(text("k") + mapping(pointer(0), ONE), [0, 2])) == []
    assert problems(database(ONE + mapping(pointer(0), ONE), [0, 2])) == ["key"]


def test_a_pointer_leads_to_where_a_field_begins_that_is_no_pointer() -> None:
    """The middle of a string is no field, and a pointer to a pointer is illegal."""
    assert problems(database(text("ab") + array(pointer(1)), [0, 3])) == ["pointer-middle"]
    assert problems(database(array(ONE, pointer(2)) + array(pointer(4)), [0, 6])) == ["pointer-pointer"]


def test_what_is_wrong_in_many_places_is_one_problem_with_the_first_of_them() -> None:
    """In a data section so large that it is proven in parts, on one thread and on two."""
    good, bad = control(BYTES, 1_000_000) + bytes(1_000_000), control(UINT16, 3) + bytes(3)
    size = len(good) + len(bad)
    body = database((good + bad) * 6, [at + more for at in range(0, 6 * size, size) for more in (0, len(good))])
    for threads in (1, 2):
        problem = only(prove(body, threads=threads))
        assert (problem.problem, problem.offset) == ("field-size", 15 * 6 + 16 + len(good))
        assert "5 more" in problem.message


def test_the_first_place_behind_the_data_section_is_outside() -> None:
    """The last byte that a pointer may lead to is the last of the section."""
    assert problems(database(array(pointer(4)) + ONE, [0, 4])) == []
    assert problems(database(array(pointer(5)) + b"\xa0", [0, 4])) == ["pointer-outside"]


def test_one_field_that_runs_over_is_found_among_many() -> None:
    """Two hundred records, of which one says that it is longer than it is."""
    record = text("abc")
    body = record * 100 + b"\x44abc" + record * 100
    proof = prove(database(body, range(0, len(body), 4)))
    assert ("field-overrun", 255 * 6 + 16 + 400) in {(each.problem, each.offset) for each in proof.problems}


def test_pointers_of_all_four_sizes_are_read() -> None:
    """The two bits of size and the three of value, with the offsets that the sizes begin at."""
    filler = control(BYTES, 60_000) + bytes(60_000)
    starts = [len(ONE) + len(filler) * number for number in range(11)]
    four = b"\x3f" + (0).to_bytes(4, "big")
    last = array(pointer(0), pointer(starts[3]), pointer(starts[9]), four)
    assert prove(database(ONE + filler * 10 + last, [0, *starts])).problems == ()
    wrong = array(pointer(0), pointer(starts[3] - 1), pointer(starts[9] + 1), four)
    assert problems(database(ONE + filler * 10 + wrong, [0, *starts])) == ["pointer-middle"]


def test_the_tree_points_to_whole_values_only() -> None:
    """To a field inside a value is a problem, even though a look-up could decode it."""
    assert problems(database(array(ONE, ONE), [0, 2])) == ["tree-middle"]


def test_data_that_nothing_leads_to_is_refused_and_data_that_pointers_lead_to_is_a_warning() -> None:
    """Writers that put shared values first leave values that only pointers lead to: wasteful, and legal."""
    assert problems(database(ONE + array(ONE), [2])) == ["unreferenced"]
    proof = prove(database(text("shared") + array(pointer(0)), [7]))
    assert proof.problems == ()
    assert [(warning.problem, warning.offset) for warning in proof.warnings] == [("unlinked", TREE)]


@pytest.mark.parametrize("value", [1, 15])
def test_a_record_that_points_between_tree_and_data_is_refused(value: int) -> None:
    """Above the number of nodes and below the data section there is nothing."""
    body = grown([(1 + value, 1 + 16)], ONE)
    assert only(prove(body)) == Problem(0, "tree-outside", only(prove(body)).message, only(prove(body)).says)


def test_a_record_behind_the_data_is_refused() -> None:
    """The first place that is not in the data section any more."""
    assert problems(grown([(1 + 16, 1 + 16 + len(ONE))], ONE)) == ["tree-outside"]


def test_a_cycle_in_the_tree_is_refused_at_a_node_on_it() -> None:
    """Nodes 2 and 3 lead to one another; the root and node 1 lead there."""
    body = grown([(1, 20), (2, 20), (3, 20), (2, 20)])
    problem = only(prove(body))
    assert problem.problem == "tree-cycle"
    assert problem.offset in {12, 18}
    assert problems(grown([(0, 17)])) == ["tree-cycle"]


@pytest.mark.parametrize(("ip_version", "bits"), [(4, 32), (6, 128)])
def test_a_path_is_as_long_as_an_address_and_no_longer(ip_version: int, bits: int) -> None:
    """A chain of as many nodes as bits is proven; one more node is too deep."""

    def chain(count: int) -> bytes:
        return grown([*((i + 1, count) for i in range(count - 1)), (count, count + 16)], ip_version=ip_version)

    assert problems(chain(bits)) == []
    assert problems(chain(bits + 1)) == ["tree-deep"]


def test_a_shared_subtree_is_walked_to_its_longest_path() -> None:
    """The root leads to a chain at once, and again by way of 16 nodes: with 15 more all 32 bits are used."""

    def shared(way: int, chain: int) -> bytes:
        count = way + 1 + chain
        to_chain = [(way + 1, 1), *((i + 1, count) for i in range(1, way + 1))]
        return grown([*to_chain, *((i + 1, count) for i in range(way + 1, count - 1)), (count, count + 16)])

    assert problems(shared(16, 15)) == []
    assert problems(shared(17, 15)) == ["tree-deep"]


def test_ipv4_may_be_shared_and_only_in_moderation() -> None:
    """::/96 and an alias lead to one node; a tree whose every node doubles the paths is a bomb."""
    count = 98
    nodes = [(i + 1, 96 if i in {2, 7} else count) for i in range(96)] + [(97, count), (count, count + 16)]
    assert problems(grown(nodes, ip_version=6)) == []
    bomb = [(min(i + 1, 101), min(i + 1, 101)) for i in range(100)] + [(101, 101 + 16)]
    assert problems(grown(bomb, ip_version=6)) == ["tree-many"]


def test_ipv4_shared_by_very_many_is_refused() -> None:
    """Two thousand nodes lead to the root of two thousand others: to read all networks would take millions of steps."""
    top, below = 2047, 2047  # complete trees, the first below ::1:0:0:0:0:0:0:0 and its like
    path = 96
    root, other = path, path + below
    count = path + below + top
    nodes = [(i + 1, other if i == 3 else count) for i in range(path)]
    for first, size, leaf in ((root, below, count + 16), (other, top, root)):
        nodes += [(first + 2 * i + 1, first + 2 * i + 2) if 2 * i + 2 < size else (leaf, leaf) for i in range(size)]
    assert problems(grown(nodes, ip_version=6)) == ["tree-many"]


def test_nodes_that_no_path_leads_to_are_refused() -> None:
    """Their networks are lost; what only they point to counts as pointed to by nothing."""
    assert problems(grown([(2 + 16, 2), (2 + 16, 2)], ONE)) == ["tree-unreached"]
    assert problems(grown([(2 + 16, 2), (2 + 18, 2)], ONE + ONE)) == ["tree-unreached", "unreferenced"]


def test_a_separator_that_is_not_zero_is_refused() -> None:
    """At its first byte that is not NUL."""
    body = bytearray(database(ONE))
    body[6 + 3] = 1
    assert (only(prove(bytes(body))).problem, only(prove(bytes(body))).offset) == ("separator", 9)


def test_keys_are_told_from_values_between_nested_arrays() -> None:
    """Hundreds of arrays in arrays, with maps in and behind them, good and with one bad key at the end."""
    deep = nested(300, lambda field: array(ONE, field, of({"a": 1})))
    good = mapping(text("deep"), deep, text("after"), ONE)
    bad = mapping(text("deep"), deep, ONE, ONE)
    assert problems(database(good)) == []
    assert problems(database(bad)) == ["key"]


def test_a_record_longer_than_a_stretch_is_read_whole() -> None:
    """Records around the size that is looked at in one go, so that each place of a cut is tried."""
    for length in (262_140, 262_141, 262_142, 262_143, 262_144, 300_000, 600_000):
        data = text("y" * length) + of({"a": "é" * 100})
        assert problems(database(data, [0, len(text("y" * length))])) == []
        assert problems(database(text(b"y" * length + b"\xff") + ONE, [0, len(text("y" * (length + 1)))])) == ["utf8"]


def test_a_mapped_file_is_proven_and_can_be_closed(tmp_path: Path) -> None:
    """No view of it is left behind, on one thread or on two, whether it is good or not."""
    for number, data in enumerate((of({"a": 1}), array(pointer(0)), text(b"\xff"))):
        path = tmp_path / f"{number}.mmdb"
        path.write_bytes(database(data))
        for threads in (1, 2):
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
                assert bool(prove(body, threads=threads).problems) == (number > 0)
