"""The proof of a database: what is whole passes, and whatever is not is named with its place and its rule."""

import mmap
from collections.abc import Callable
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
    MARKER,
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
    of,
    pointer,
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


def problems(body: bytes) -> list[str]:
    """Return the slugs of what is wrong, in the order of the file."""
    return [problem.problem for problem in prove(body).problems]


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


TEXTS = [0, 60_003, 60_003 + 2 + 20 * 2 + 0]


def fan_out(width: int, height: int) -> bytes:
    """Return a database whose last record unfolds into width to the power of height values."""
    data, records = bytearray(array(ONE)), [0]
    for _ in range(height):
        records.append(len(data))
        data += array(*[pointer(records[-2])] * width)
    return database(bytes(data), records)


def chain_of_pointers(length: int) -> bytes:
    """Return a database whose last record leads through as many pointers."""
    return fan_out(1, length)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (fan_out(2, 20), "record-heavy"),
        (fan_out(200, 3), "record-heavy"),
        (database(array(*[ONE] * 65_537)), "record-heavy"),
        (database(control(BYTES, 2 << 20) + bytes(2 << 20)), "record-heavy"),
        (database(text("x" * 60_000) + array(*[pointer(0)] * 36), [0, 60_003]), "record-heavy"),
        (
            database(text("x" * 60_000) + array(*[pointer(0)] * 20) + array(*[pointer(60_003)] * 2), TEXTS),
            "record-heavy",
        ),
        (chain_of_pointers(300), "record-deep"),
        (database(array(pointer(0))), "pointer-cycle"),
        (database(array(pointer(4)) + array(pointer(0)), [0, 4]), "pointer-cycle"),
        (database(mapping(text("k"), array(ONE, pointer(0)))), "pointer-cycle"),
    ],
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_a_record_that_unfolds_without_measure_is_refused(body: bytes, problem: str) -> None:
    """Pointer bombs, records that are large without pointers, chains, and pointers back into what holds them."""
    assert problems(body) == [problem]


@pytest.mark.parametrize(
    "body",
    [
        fan_out(2, 10),
        fan_out(100, 2),
        database(array(*[ONE] * 65_000)),
        database(array(*[of({"a": 1})] * 600)),
        database(array(*[of({"a": 1})] * 600) + array(pointer(0)), [0, len(array(*[of({"a": 1})] * 600))]),
        database(control(BYTES, 2_000_000) + bytes(2_000_000)),
        chain_of_pointers(200),
    ],
    ids=len,
)
def test_a_record_within_the_limits_is_proven(body: bytes) -> None:
    """Large and shared data, short of what readers bear; six hundred maps side by side are not deep."""
    assert problems(body) == []


def nested(levels: int, wrap: Callable[[bytes], bytes]) -> bytes:
    """Return a field with as many around it."""
    field = ONE
    for _ in range(levels):
        field = wrap(field)
    return field


@pytest.mark.parametrize("wrap", [array, lambda field: mapping(text("k"), field), lambda field: array(ONE, field)])
def test_512_levels_are_proven_and_513_are_not(wrap: Callable[[bytes], bytes]) -> None:
    """The limit of all readers, of arrays, of maps, and of arrays that keys can only be told in with a stack."""
    assert problems(database(nested(512, wrap))) == []
    assert problems(database(nested(513, wrap))) == ["record-deep"]


def test_a_pointer_is_a_level_wherever_it_is() -> None:
    """To a number at the end of 511 levels and of 512, and the same behind another pointer."""

    def below(levels: int) -> bytes:
        field = pointer(0)
        for _ in range(levels):
            field = array(field)
        return field

    assert problems(database(ONE + below(511), [0, 2])) == []
    assert problems(database(ONE + below(512), [0, 2])) == ["record-deep"]
    for levels, expected in ((509, []), (510, ["record-deep"])):
        data = ONE + below(levels)
        assert problems(database(data + array(pointer(2)), [0, 2, len(data)])) == expected


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


def test_narrow_integers_and_unknown_keys_in_the_metadata_are_no_problem() -> None:
    """Some writers take the narrowest type, and a minor version may add keys."""
    body = database(ONE, node_count=uint(1, UINT16), build_epoch=uint(9), added=array(double(1.0), control(BOOLEAN, 1)))
    assert problems(body) == []


@pytest.mark.parametrize("body", [b"", b"\0", MARKER, MARKER + b"\xe0", b"<html>" * 1000, MARKER + b"\xff" * 5])
def test_what_is_no_database_at_all_is_one_problem(body: bytes) -> None:
    """There is no layout then, and the problem says why."""
    proof = prove(body)
    assert proof.layout is None
    assert only(proof).offset <= len(body)


def test_a_mapped_file_is_proven_and_can_be_closed(tmp_path: Path) -> None:
    """No view of it is left behind, on one thread or on two, whether it is good or not."""
    for number, data in enumerate((of({"a": 1}), array(pointer(0)), text(b"\xff"))):
        path = tmp_path / f"{number}.mmdb"
        path.write_bytes(database(data))
        for threads in (1, 2):
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
                assert bool(prove(body, threads=threads).problems) == (number > 0)
