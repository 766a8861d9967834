"""The file of verdicts: read back exactly, or not at all."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hubdata.transfer import verdict_file
from hubdata.transfer.verdict_file import MAX_AGES, NAME, VerdictFile, Verdicts

SOME = Verdicts([[[], [1, 256, 0, None], None]], [{"one": 0, "two": 0}])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give the directory of a file with SOME in it."""
    directory = tmp_path / "spool/memory-verdicts"
    assert VerdictFile(directory, "v1").save(SOME) == ""
    return directory


def loaded(directory: Path, version: str = "v1") -> tuple[Verdicts, str]:
    """Return what a run finds there, and what it says of it."""
    file = VerdictFile(directory, version)
    return file.load(), file.trouble


def sealed(body: bytes) -> bytes:
    """Return `body` as somebody writes it who knows the format."""
    return b"hubdata verdicts 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_what_was_saved_is_found(place: Path) -> None:
    """Nothing is lost, nobody else may look, and nothing half-written stays."""
    assert loaded(place) == (SOME, "")
    assert (place / NAME).stat().st_mode & 0o777 == 0o600
    assert place.stat().st_mode & 0o777 == 0o700
    assert sorted(p.name for p in place.iterdir()) == ["lock", NAME]


def test_nothing_there_is_nothing_known_and_no_trouble(tmp_path: Path) -> None:
    """A fresh machine has no file, and none is made by looking."""
    assert loaded(tmp_path / "absent") == (Verdicts(), "")
    assert list(tmp_path.iterdir()) == []


def test_other_code_finds_nothing(place: Path) -> None:
    """A verdict holds for the code that made it; what the newer code saves replaces it."""
    assert loaded(place, "v2") == (Verdicts(), "")
    assert VerdictFile(place, "v2").save(Verdicts([["x"]], [{"three": 0}])) == ""
    assert loaded(place, "v2")[0].ages == [{"three": 0}]
    assert loaded(place) == (Verdicts(), "")


def test_every_damage_is_noticed(place: Path) -> None:
    """A file that was cut off anywhere, or has one bit flipped anywhere, is as good as none."""
    whole = (place / NAME).read_bytes()
    for index in range(len(whole)):
        flipped = bytearray(whole)
        flipped[index] ^= 4
        for damaged in (whole[:index], bytes(flipped)):
            (place / NAME).write_bytes(damaged)
            assert loaded(place)[0] == Verdicts(), damaged


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"version": "v1", "verdicts": ' + b"[" * 200_000,
        b'{"version": "v1", "verdicts": [' + b"9" * 10_000 + b'], "ages": []}',
        b"[]",
        b"null",
        b'"v1"',
        b"{}",
        b'{"version": "v1"}',
        b'{"version": "v1", "verdicts": 1, "ages": []}',
        b'{"version": "v1", "verdicts": [], "ages": {}}',
        b'{"version": "v1", "verdicts": [], "ages": [1]}',
        b'{"version": "v1", "verdicts": [], "ages": [' + b",".join([b"{}"] * (MAX_AGES + 1)) + b"]}",
        b"\xff\xfe",
    ],
)
def test_strange_json_with_a_right_digest_is_refused_by_its_shape(place: Path, body: bytes) -> None:
    """Depth, numbers without end, other types: none of it is an error, none of it is believed."""
    (place / NAME).write_bytes(sealed(body))
    assert loaded(place) == (Verdicts(), "")


def test_indices_that_lead_nowhere_are_left_out_when_another_run_s_file_is_taken_in(place: Path) -> None:
    """What somebody else wrote is looked at before it is passed on."""
    strange: dict[str, Any] = {"a": -1, "b": 7, "c": "0", "d": None, "e": True, "f": 0}
    body = {"version": "v1", "verdicts": [["x"]], "ages": [strange]}
    (place / NAME).write_bytes(sealed(json.dumps(body).encode()))
    assert VerdictFile(place, "v1").save(Verdicts()) == ""
    assert loaded(place)[0] == Verdicts([["x"]], [{"f": 0}])


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_file_that_others_may_write_to_is_not_believed(place: Path, mode: int) -> None:
    """It is told, and the next one written is private again."""
    (place / NAME).chmod(mode)
    found, trouble = loaded(place)
    assert found == Verdicts()
    assert "others may write to it" in trouble
    assert VerdictFile(place, "v1").save(SOME) == ""
    assert loaded(place) == (SOME, "")


def test_directory_that_others_may_write_to_is_not_believed(place: Path) -> None:
    """Whoever may write there can exchange the file; what lay there is given up, the directory closed."""
    place.chmod(0o777)
    assert "others may write to it" in loaded(place)[1]
    assert VerdictFile(place, "v1").save(Verdicts([["new"]], [{"n": 0}])) == ""
    assert place.stat().st_mode & 0o777 == 0o700


def test_somebody_else_s_file_is_not_believed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner decides what it says."""
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)
    found, trouble = loaded(place)
    assert found == Verdicts()
    assert "belongs to user" in trouble
    assert "not a directory of hubdata's own user" in VerdictFile(place, "v1").save(SOME)


def test_links_and_pipes_are_not_followed(place: Path, tmp_path: Path) -> None:
    """Neither in the file's place nor in the directory's; nothing hangs."""
    (place / NAME).rename(tmp_path / "elsewhere")
    (place / NAME).symlink_to(tmp_path / "elsewhere")
    assert loaded(place)[0] == Verdicts()
    assert loaded(place)[1]
    (place / NAME).unlink()
    os.mkfifo(place / NAME)
    assert "no plain file" in loaded(place)[1]
    (place / NAME).unlink()
    (tmp_path / "elsewhere").rename(place / NAME)
    assert loaded(place) == (SOME, "")
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    assert loaded(place)[0] == Verdicts()
    assert loaded(place)[1]


def test_file_beyond_the_bound_is_not_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one written."""
    monkeypatch.setattr(verdict_file, "MAX_BYTES", 50)
    assert "more than 50" in loaded(place)[1]
    assert "more than 50" in VerdictFile(place, "v1").save(SOME)


def test_disk_that_takes_nothing_fails_no_run(tmp_path: Path) -> None:
    """What cannot be written is told, and that is all."""
    (tmp_path / "spool").write_text("a file in the directory's place")
    assert VerdictFile(tmp_path / "spool/memory-verdicts", "v1").save(SOME)


def test_two_runs_at_once_keep_what_both_found(tmp_path: Path) -> None:
    """Whoever writes second takes in what was written since it looked; equal verdicts are there once."""
    first, second = VerdictFile(tmp_path / "m", "v1"), VerdictFile(tmp_path / "m", "v1")
    first.load(), second.load()
    assert first.save(Verdicts([["p"], ["q"]], [{"a": 0, "b": 1}])) == ""
    assert second.save(Verdicts([["r"], ["p"]], [{"c": 0, "d": 1}])) == ""
    found = loaded(tmp_path / "m")[0]
    named = {name: found.texts[index] for age in found.ages for name, index in age.items()}
    assert named == {"a": ["p"], "b": ["q"], "c": ["r"], "d": ["p"]}
    assert len(found.texts) == 3


def test_number_of_verdicts_is_bounded_and_the_youngest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not been used for longest goes first."""
    monkeypatch.setattr(verdict_file, "MAX_ENTRIES", 2)
    assert VerdictFile(tmp_path / "m", "v1").save(Verdicts([["p"]], [{"new": 0}, {"old": 0}, {"older": 0}])) == ""
    assert loaded(tmp_path / "m")[0].ages == [{"new": 0}, {"old": 0}]
