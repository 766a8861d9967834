"""The spool on real file systems: privacy, an end to everything, and errors that say what to do."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.errors import ConfigError, SourceError
from hubdata.transfer.spool import Spool, spool_error, write_stream

_HOLD = """
import pathlib, sys, time
from hubdata.transfer.spool import Spool
spool = Spool.create(pathlib.Path(sys.argv[1]))
spool.file("left").write_bytes(b"x")
print(spool.path, flush=True)
time.sleep(60)
"""


def age(path: Path, seconds: float = 3600) -> None:
    """Make a directory look older."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def other_run(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Give another process that has a spool below tmp_path, and the spool's path."""
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child, Path(child.stdout.readline().strip())
        finally:
            child.kill()


def test_spool_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    """Only the owner may look inside, and nothing is left when the run is over."""
    with Spool.create(tmp_path / "deep" / "root") as spool:
        made = [spool.path, spool.directory("git")]
        file = spool.file("db.mmdb")
        assert [path.stat().st_mode & 0o777 for path in made] == [0o700, 0o700]
        assert file.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "deep" / "root").iterdir()) == []


def test_spool_is_removed_when_the_run_fails(tmp_path: Path) -> None:
    """An error on the way does not leave files behind."""
    with pytest.raises(FileNotFoundError), Spool.create(tmp_path) as spool:
        (spool.directory("git") / "no" / "such").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_names_are_numbered_and_never_lead_out(tmp_path: Path) -> None:
    """Two sources may ask for the same name; a name that is a path is a bug."""
    with Spool.create(tmp_path) as spool:
        assert spool.directory("git") != spool.directory("git")
        assert spool.file("a") != spool.file("a")
        for name in ("", ".", "..", "a/b", "../x", ".hidden", "a\0"):
            with pytest.raises(ValueError, match="not a name"):
                spool.file(name)


def test_killed_run_is_cleaned_up_by_the_next(tmp_path: Path, other_run: tuple[subprocess.Popen[str], Path]) -> None:
    """While a run lives its spool is left alone, however old; once it was killed the next run removes it."""
    child, left = other_run
    age(left)
    with Spool.create(tmp_path):
        assert (left / "left").exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    age(left)
    with Spool.create(tmp_path):
        assert not left.exists()


def test_nothing_but_old_runs_is_cleaned_up(tmp_path: Path) -> None:
    """Other files, links, and a run so young that it may not have its lock yet stay."""
    young = tmp_path / "run-1-0123456789abcdef"
    young.mkdir()
    foreign = tmp_path / "run-notes"
    foreign.mkdir()
    age(foreign)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    age(elsewhere)
    (tmp_path / "run-2-0123456789abcdef").symlink_to(elsewhere)
    os.utime(tmp_path / "run-2-0123456789abcdef", (1, 1), follow_symlinks=False)
    with Spool.create(tmp_path):
        assert young.exists()
        assert foreign.exists()
        assert elsewhere.exists()


def test_root_that_is_a_file_is_a_config_error(tmp_path: Path) -> None:
    """A root that cannot hold anything is said with its path and what to set."""
    (tmp_path / "root").touch()
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        Spool.create(tmp_path / "root")
    assert str(tmp_path / "root") in str(caught.value)
    assert "HUBDATA_SPOOL" in caught.value.advice


def test_unwritable_root_is_a_config_error(tmp_path: Path) -> None:
    """A root without write permission is said so. (Root may write anywhere, so root plays nobody here.)"""
    tmp_path.chmod(0o500)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match="Permission denied"):
            Spool.create(tmp_path)
    finally:
        os.seteuid(me)


def test_root_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the root could exchange a checked file, so it must be ours. (Only root can give one away.)"""
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigError, match="belongs to another user"):
        Spool.create(tmp_path)


def test_full_disk_is_a_config_error_with_advice() -> None:
    """The kernel's `/dev/full` gives the error of a full disk; the message says to make room."""
    with pytest.raises(OSError, match="No space") as caught, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    error = spool_error(caught.value, Path("/var/tmp/hubdata"))
    assert "No space left" in str(error)
    assert "free some space" in error.advice


def test_read_only_file_system_has_advice() -> None:
    """A read-only root, as in a hardened container, names the setting."""
    assert "HUBDATA_SPOOL" in spool_error(OSError(errno.EROFS, "Read-only file system"), Path("/x")).advice


def test_stream_is_written_whole_up_to_the_limit(tmp_path: Path) -> None:
    """Exactly the limit is fine, and only the finished file is there."""
    assert write_stream(tmp_path / "f", [b"ab", b"", b"cde"], max_bytes=5, what="list") == 5
    assert (tmp_path / "f").read_bytes() == b"abcde"
    assert os.listdir(tmp_path) == ["f"]  # noqa: PTH208  # names alone are asked for


def test_stream_beyond_the_limit_leaves_nothing(tmp_path: Path) -> None:
    """An endless body stops one chunk beyond the limit; no part of it stays."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(SourceError, match=r"^https://example\.net/x: expected at most 5000 bytes"):
        write_stream(tmp_path / "f", endless(), max_bytes=5000, what="https://example.net/x")
    assert taken == 6
    assert list(tmp_path.iterdir()) == []


def test_broken_stream_leaves_nothing(tmp_path: Path) -> None:
    """An error of the upstream passes through as it is, and no half file stays under the name."""

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise SourceError("reset")

    with pytest.raises(SourceError, match="reset"):
        write_stream(tmp_path / "f", broken(), max_bytes=5000, what="x")
    assert list(tmp_path.iterdir()) == []
