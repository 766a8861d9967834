"""What is kept of published files: found by its digest or not at all, bounded, and never a reason to fail."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from hubdata.transfer.keepsakes import Keepsakes


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _found(keepsakes: Keepsakes, body: bytes) -> bytes | None:
    found = keepsakes.find(_sha256(body))
    return None if found is None else bytes(found[:])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A place below a spool that need not be there yet."""
    return tmp_path / "spool" / "databases"


def test_what_was_kept_is_found_by_its_digest(directory: Path) -> None:
    """Bytes and files alike, by whoever asks later."""
    directory.parent.mkdir()
    near, far = directory.parent / "near", directory.parent.parent / "far"
    near.write_bytes(b"a file of the spool")
    far.write_bytes(b"a file of somebody else")
    keepsakes = Keepsakes(directory)
    keepsakes.keep(b"some bytes", _sha256(b"some bytes"))
    keepsakes.keep_file(near, _sha256(b"a file of the spool"))
    keepsakes.keep_file(far, _sha256(b"a file of somebody else"))
    near.unlink()
    for body in (b"some bytes", b"a file of the spool", b"a file of somebody else"):
        assert _found(Keepsakes(directory), body) == body
    assert _found(keepsakes, b"never seen") is None
    assert directory.stat().st_mode & 0o777 == 0o700


def test_somebody_elses_file_is_copied_and_left_as_it_is(directory: Path, tmp_path: Path) -> None:
    """A checkout's file shares nothing with what is kept: neither its bytes nor its times."""
    path = tmp_path / "checkout.mmdb"
    path.write_bytes(b"checked out")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    keepsakes = Keepsakes(directory)
    keepsakes.keep_file(path, _sha256(b"checked out"))
    assert (path.stat().st_nlink, path.stat().st_mtime) == (1, 1_000_000_000)
    path.write_bytes(b"edited")
    assert _found(keepsakes, b"checked out") == b"checked out"


def test_a_damaged_file_is_as_good_as_none(directory: Path) -> None:
    """Other bytes under the name, or none at all, are not handed out, and make room for the right ones."""
    keepsakes = Keepsakes(directory)
    for damage in (b"exchanged!", b""):
        keepsakes.keep(b"some bytes", _sha256(b"some bytes"))
        (directory / _sha256(b"some bytes")).write_bytes(damage)
        assert _found(keepsakes, b"some bytes") is None
    keepsakes.keep(b"some bytes", _sha256(b"some bytes"))
    assert _found(keepsakes, b"some bytes") == b"some bytes"


def test_the_longest_unused_go_first(directory: Path) -> None:
    """Of four where three have room, the one that nobody has asked for goes."""
    keepsakes = Keepsakes(directory, max_files=3)
    for number in range(3):
        keepsakes.keep(b"%d" % number, _sha256(b"%d" % number))
        past = time.time() - 1000 + number
        os.utime(directory / _sha256(b"%d" % number), (past, past))
    assert _found(keepsakes, b"0") == b"0"
    keepsakes.keep(b"3", _sha256(b"3"))
    assert [number for number in range(4) if _found(keepsakes, b"%d" % number)] == [0, 2, 3]


def test_all_together_never_take_more_than_their_room(directory: Path) -> None:
    """Ten kilobytes where eight are allowed: some go; one that is larger than all the room is not kept."""
    keepsakes = Keepsakes(directory, max_bytes=8_000)
    for number in range(5):
        keepsakes.keep(bytes([number]) * 2_000, _sha256(bytes([number]) * 2_000))
    assert sum(path.stat().st_size for path in directory.iterdir()) <= 8_000
    keepsakes.keep(b"x" * 9_000, _sha256(b"x" * 9_000))
    assert _found(keepsakes, b"x" * 9_000) is None


def test_leftovers_of_killed_processes_are_removed_and_young_ones_are_not(directory: Path) -> None:
    """A part that is an hour old belongs to nobody any more."""
    keepsakes = Keepsakes(directory)
    directory.mkdir(parents=True)
    (directory / ".aa.part").write_bytes(b"old")
    (directory / ".bb.part").write_bytes(b"young")
    os.utime(directory / ".aa.part", (1_000_000_000, 1_000_000_000))
    keepsakes.keep(b"some bytes", _sha256(b"some bytes"))
    assert sorted(path.name for path in directory.iterdir()) == sorted([".bb.part", _sha256(b"some bytes")])


def test_what_nobody_asks_for_goes_in_time(directory: Path) -> None:
    """A month old and not asked for: an old release stays nowhere."""
    keepsakes = Keepsakes(directory)
    keepsakes.keep(b"old", _sha256(b"old"))
    past = time.time() - 29 * 86400
    os.utime(directory / _sha256(b"old"), (past, past))
    keepsakes.keep(b"new", _sha256(b"new"))
    assert _found(keepsakes, b"old") is None
    assert _found(keepsakes, b"new") == b"new"


def test_what_is_no_longer_wanted_can_be_forgotten(directory: Path) -> None:
    """One by its digest, or all but a few; there need be nothing at all."""
    keepsakes = Keepsakes(directory)
    keepsakes.forget(_sha256(b"a"))
    keepsakes.forget_all_but(set())
    for body in (b"a", b"b", b"c"):
        keepsakes.keep(body, _sha256(body))
    keepsakes.forget(_sha256(b"a"))
    assert [_found(keepsakes, body) for body in (b"a", b"b", b"c")] == [None, b"b", b"c"]
    keepsakes.forget_all_but({_sha256(b"c")})
    assert [_found(keepsakes, body) for body in (b"b", b"c")] == [None, b"c"]


def test_where_nothing_can_be_kept_nothing_fails(tmp_path: Path) -> None:
    """A file in the place of the directory, or a file that is gone: the run goes on."""
    (tmp_path / "databases").write_bytes(b"in the way")
    keepsakes = Keepsakes(tmp_path / "databases")
    keepsakes.keep(b"some bytes", _sha256(b"some bytes"))
    keepsakes.keep_file(tmp_path / "gone", _sha256(b"gone"))
    assert _found(keepsakes, b"some bytes") is None


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_digest_is_a_name(directory: Path, digest: str) -> None:
    """A manifest that somebody forged leads nowhere else."""
    keepsakes = Keepsakes(directory)
    keepsakes.keep(b"some bytes", digest)
    assert keepsakes.find(digest) is None
    assert not directory.exists()
