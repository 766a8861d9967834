"""What the proof costs: memory and time in proportion to the file, for a real database and for the worst files."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import pytest

from hubdata.mmdb.proof import prove
from tests.support.big_mmdb import SIZE, real_city_database
from tests.support.raw_mmdb import ARRAY, BOOLEAN, array, control, database, grown, mapping, pointer, text

MB = 1_000_000
ALLOWANCE = 40 * MB
"""For what is looked at in one go, whatever the file's size."""

PROVE = """\
import mmap, sys
from pathlib import Path
from hubdata.mmdb.proof import prove
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
    proof = prove(body, threads=int(sys.argv[2]))
counts = proof.counts
print(len(proof.problems), len(proof.warnings), counts.nodes, counts.records, counts.fields, counts.pointers)
said = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print(int(said["VmHWM"].split()[0]) * 1024)  # of this program alone: ru_maxrss begins with what the parent had
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_real_city_database_is_proven_in_at_most_five_times_its_size(threads: int) -> None:
    """The whole process, interpreter and mapped file included; every node, record and field is counted."""
    argv = [sys.executable, "-c", PROVE, str(real_city_database()), str(threads)]
    counts, peak = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    assert counts == "0 0 6146471 342791 8255228 6590829"
    assert int(peak) <= 5 * SIZE


def small_records() -> bytes:
    """Return as many records as there can be: a byte each."""
    return database(b"\xa0" * (1 << 19), range(1 << 19), bits=28)


def unreferenced_bytes() -> bytes:
    """Return a data section of values that nothing points to, a byte each."""
    return database(b"\xa0" * 2 * MB)


def cyclic_tree() -> bytes:
    """Return a tree where most nodes lead to others that were there before."""
    count = MB
    return grown([(i + 1, i * 7 % count) if i < 100 else (count, i // 2) for i in range(count)], ip_version=6)


def nested_maps() -> bytes:
    """Return records of 400 maps in maps."""
    record = b"\xa0"
    for _ in range(400):
        record = mapping(b"\x40", record)
    return database(record * 10_000, range(0, len(record) * 10_000, len(record)))


def nested_arrays() -> bytes:
    """Return records of 400 arrays of two in each other."""
    record = b"\xa0"
    for _ in range(400):
        record = array(b"\xa0", record)
    return database(record * 2_000, range(0, len(record) * 2_000, len(record)))


def pointed_arrays() -> bytes:
    """Return arrays of one pointer each, to one array."""
    record = array(pointer(0))
    return database(array(b"\xa0") + record * MB, [0, *range(3, 3 + MB * len(record), len(record))], bits=28)


def pointers_only() -> bytes:
    """Return arrays of 60,000 pointers each."""
    record = control(ARRAY, 60_000) + pointer(0) * 60_000
    return database(array(b"\xa0") + record * 40, [0, *range(3, 3 + 40 * len(record), len(record))])


def long_texts() -> bytes:
    """Return strings of 1 MB, none of it ASCII."""
    record = text("é" * 500_000)
    return database(record * 8, range(0, len(record) * 8, len(record)))


WORST: tuple[tuple[Callable[[], bytes], set[str]], ...] = (
    (small_records, set()),
    (unreferenced_bytes, {"unreferenced"}),
    (cyclic_tree, {"tree-cycle", "unreferenced"}),
    (nested_maps, set()),
    (nested_arrays, set()),
    (pointed_arrays, set()),
    (pointers_only, {"record-heavy"}),
    (long_texts, set()),
)


@pytest.mark.parametrize(("build", "expected"), WORST, ids=lambda value: getattr(value, "__name__", ""))
def test_the_worst_files_cost_no_more_memory_than_real_ones(build: Callable[[], bytes], expected: set[str]) -> None:
    """Four times the file besides the file itself, and what is looked at in one go."""
    body = build()
    found, peak = proven(body, threads=1)
    assert found == expected
    assert peak <= 4 * len(body) + ALLOWANCE


@pytest.mark.parametrize("build", [small_records, pointed_arrays], ids=lambda build: build.__name__)
def test_a_second_thread_takes_no_more_than_that(build: Callable[[], bytes]) -> None:
    """Where tree and records are proven side by side, and where two stretches of the data are."""
    body = build()
    found, peak = proven(body, threads=2)
    assert found == set()
    assert peak <= 4 * len(body) + ALLOWANCE


def proven(body: bytes, threads: int) -> tuple[set[str], int]:
    """Return what is wrong with `body`, and how much memory it took to say so."""
    tracemalloc.start()
    try:
        proof = prove(body, threads=threads)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return {problem.problem for problem in proof.problems}, peak


def alone(field: bytes) -> bytes:
    """Return a database of one record, with 100,000 more fields behind it that are found one after the other."""
    return database(b"\xa0" + field * 100_000)


def side_by_side(count: int, wrapped: bytes) -> bytes:
    """Return records of as many containers in one array, 90,000 of them in all."""
    record = array(*[wrapped] * count)
    return database(record * (90_000 // count), range(0, len(record) * (90_000 // count), len(record)))


def seconds(body: bytes) -> float:
    """Return the processor time of a proof: the shortest of three."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        prove(body)
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        (alone(control(BOOLEAN, 1)), alone(b"\xa0")),
        (alone(array()), alone(b"\xa0")),
        (side_by_side(600, array(b"\xa0")), side_by_side(400, array(b"\xa0"))),
    ],
    ids=["extended fields alone", "arrays alone", "many arrays side by side"],
)
def test_fields_that_are_looked_at_one_by_one_cost_little_more(odd: bytes, plain: bytes) -> None:
    """As many fields, of which few may be looked at together: they cost up to ten times as much, and not a hundred."""
    assert seconds(odd) < 20 * seconds(plain)
