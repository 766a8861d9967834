"""Kept releases: used when they are what they were, removed when not, bounded, and never in the way."""

import hashlib
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata.transfer import releases
from hubdata.transfer.releases import Kept, Releases

NOW = datetime.now(UTC)
BODY = b"a database" * 1000
MD5, SHA256 = hashlib.md5(BODY).hexdigest(), hashlib.sha256(BODY).hexdigest()


def keep(directory: Path, name: str = "City", digest: str = MD5, body: bytes = BODY, now: datetime = NOW) -> None:
    """Keep `body` as a run would that has downloaded it."""
    path = directory.parent / "downloaded"
    path.write_bytes(body)
    Releases(directory).keep(name, digest, path, hashlib.sha256(body).hexdigest(), now)
    path.unlink()


def copies(directory: Path) -> list[str]:
    """Return the names of what is kept, by name and digest."""
    return sorted("~".join(path.name.split("~")[:2]) for path in directory.iterdir())


def test_what_is_kept_comes_back_with_digests_computed_anew(tmp_path: Path) -> None:
    """Also for the run after that."""
    keep(tmp_path / "kept")
    for _ in range(2):
        into = tmp_path / "into"
        assert Releases(tmp_path / "kept").take("City", MD5, into) == Kept(len(BODY), MD5, SHA256)
        assert into.read_bytes() == BODY


@pytest.mark.parametrize(("name", "digest"), [("ASN", MD5), ("City", "0" * 32), ("City", MD5[:5]), ("../City", MD5)])
def test_only_the_very_release_is_taken(tmp_path: Path, name: str, digest: str) -> None:
    """Another name or digest is another release."""
    keep(tmp_path / "kept")
    assert Releases(tmp_path / "kept").take(name, digest, tmp_path / "into") is None
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize("damage", [b"", BODY[:-1], BODY + b"x", b"X" + BODY[1:]], ids=["empty", "cut", "long", "bit"])
def test_a_copy_that_is_not_what_it_was_is_removed(tmp_path: Path, damage: bytes) -> None:
    """Nothing of it stays where the release was wanted."""
    keep(tmp_path / "kept")
    (path,) = (tmp_path / "kept").iterdir()
    path.write_bytes(damage)
    assert Releases(tmp_path / "kept").take("City", MD5, tmp_path / "into") is None
    assert list((tmp_path / "kept").iterdir()) == []
    assert not (tmp_path / "into").exists()


def test_a_link_or_a_pipe_among_the_copies_is_passed_over(tmp_path: Path) -> None:
    """Whoever put it there, it is not read."""
    keep(tmp_path / "kept")
    (path,) = (tmp_path / "kept").iterdir()
    path.replace(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert Releases(tmp_path / "kept").take("City", MD5, tmp_path / "into") is None
    path.unlink()
    os.mkfifo(path)
    assert Releases(tmp_path / "kept").take("City", MD5, tmp_path / "into") is None


def test_the_next_release_takes_the_place_of_the_last(tmp_path: Path) -> None:
    """One of each name."""
    keep(tmp_path / "kept")
    keep(tmp_path / "kept", "ASN", "1" * 32)
    keep(tmp_path / "kept", "City", "2" * 32, BODY[::-1])
    assert copies(tmp_path / "kept") == [f"ASN~{'1' * 32}", f"City~{'2' * 32}"]


def test_old_copies_and_forgotten_parts_go(tmp_path: Path) -> None:
    """After 30 days, although their edition is no longer asked for; what is not ours stays."""
    keep(tmp_path / "kept", "Old")
    (tmp_path / "kept/.0123456789ab.part").write_bytes(b"")
    (tmp_path / "kept/notes").write_bytes(b"")
    keep(tmp_path / "kept", "New", now=NOW + timedelta(days=31))
    assert copies(tmp_path / "kept") == ["notes"]
    keep(tmp_path / "kept", "New")
    assert copies(tmp_path / "kept") == [f"New~{MD5}", "notes"]


@pytest.mark.parametrize(("bound", "value"), [("MAX_COPIES", 3), ("MAX_BYTES", 3 * len(BODY) + 5)])
def test_number_and_size_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int) -> None:
    """The latest stay."""
    monkeypatch.setattr(releases, bound, value)
    for number in range(6):
        keep(tmp_path / "kept", f"E{number}")
        (path,) = (tmp_path / "kept").glob(f"E{number}~*")
        os.utime(path, (NOW.timestamp() - 100 + number,) * 2)
    keep(tmp_path / "kept", "E6")
    assert [name[:2] for name in copies(tmp_path / "kept")] == ["E4", "E5", "E6"]


def test_a_copy_survives_the_run_and_the_run_survives_the_copy(tmp_path: Path) -> None:
    """Two names of one file: whichever goes first."""
    keep(tmp_path / "kept")
    into = tmp_path / "into"
    Releases(tmp_path / "kept").take("City", MD5, into)
    for path in (tmp_path / "kept").iterdir():
        path.unlink()
    assert into.read_bytes() == BODY


def test_a_file_system_without_links_is_copied_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some volumes refuse them."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    keep(tmp_path / "kept")
    assert Releases(tmp_path / "kept").take("City", MD5, tmp_path / "into") == Kept(len(BODY), MD5, SHA256)


def test_where_nothing_can_be_kept_no_run_fails(tmp_path: Path) -> None:
    """No directory given, a file in its place, a link."""
    path = tmp_path / "downloaded"
    path.write_bytes(BODY)
    (tmp_path / "file").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for directory in (None, tmp_path / "file", tmp_path / "file/below", tmp_path / "link"):
        kept = Releases(directory)
        kept.keep("City", MD5, path, SHA256, NOW)
        assert kept.take("City", MD5, tmp_path / "into") is None
    assert path.read_bytes() == BODY


def test_runs_at_once_take_turns_and_none_waits_for_ever(tmp_path: Path) -> None:
    """The second comes when the first has ended, or when its patience has; other names are not in the way."""
    order: list[str] = []
    first_in, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with Releases(tmp_path / "kept").turn("City", at_most_s=60):
            first_in.set()
            go_on.wait(60)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert first_in.wait(60)
    with Releases(tmp_path / "kept").turn("ASN", at_most_s=60), Releases(tmp_path / "kept").turn("City", at_most_s=0.1):
        order.append("impatient")
    go_on.set()
    with Releases(tmp_path / "kept").turn("City", at_most_s=60):
        order.append("second")
    thread.join(60)
    assert order == ["impatient", "first", "second"]
    with Releases(None).turn("City", at_most_s=0):
        pass
