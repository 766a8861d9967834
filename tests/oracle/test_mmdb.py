"""Hold the proof of a database to the reference verifier, and the C reader to what was proven."""

from pathlib import Path

import pytest

from hubdata.mmdb.proof import prove
from tests.fuzz.mmdb_mutants import bases, mutants, read_with_c, tally
from tests.support.go_verifier import verdicts
from tests.support.real import MMDB, needs_real

BATCHES = 10
MUTANTS = 1000


@needs_real
def test_go_says_the_same_of_all_real_databases() -> None:
    """Good ones verify and bad ones do not, by Go and by us."""
    paths = sorted(MMDB.glob("*/*.mmdb"))
    for path, said in zip(paths, verdicts([path.read_bytes() for path in paths]), strict=True):
        assert bool(said) == bool(prove(path.read_bytes()).problems) == (path.parent.name == "bad"), path.name


def test_the_databases_that_are_hurt_are_good() -> None:
    """Go and the C reader agree that the bases are whole, or the fuzz would show little."""
    assert verdicts(bases()) == [""] * len(bases())


@needs_real
@pytest.mark.parametrize("seed", range(BATCHES))
def test_nothing_that_go_refuses_is_proven_and_the_c_reader_reads_what_is(seed: int, tmp_path: Path) -> None:
    """A thousand hurt databases: none refused by Go passes, none raises, and all that pass are read to the end in C."""
    bodies = mutants(seed, MUTANTS)
    result = tally(bodies)
    assert result.missed == ()
    assert MUTANTS // 20 < len(result.proven) < result.verified < MUTANTS // 2, "the harm is too mild or too wild"
    read = read_with_c([bodies[number] for number in result.proven], tmp_path)
    assert len(read) == len(result.proven), read[-1]
    assert {line.split()[0] for line in read} <= {"read", "refused:"}
    assert sum(line.startswith("refused") for line in read) <= MUTANTS // 200
