"""What only a directory can show: atomic files, links, leftovers, full and read-only disks, other processes."""

import errno
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import TargetError
from hubdata.model.snapshot import Artifact
from hubdata.ports import Upload
from hubdata.targets import directory
from hubdata.targets.directory import DirectoryTarget
from hubdata.transfer.tree import Tree

ROOT = Path(__file__).parents[3]


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """Give the path of a directory that does not exist yet."""
    return tmp_path / "public"


@pytest.fixture
def target(public: Path) -> DirectoryTarget:
    """Give a target on it."""
    return DirectoryTarget("dir", DirectoryTarget.Options(path=public))


def upload(tmp_path: Path, key: str, body: bytes, planned_etag: str | None = None) -> Upload:
    """Return an upload whose bytes are on disk."""
    path = tmp_path / hashlib.sha256(body).hexdigest()
    path.write_bytes(body)
    sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest()
    return Upload(Artifact(key, path, len(body), sha256, md5, "opaque", "text/plain", "", {}), planned_etag)


def write(target: DirectoryTarget, key: str, body: bytes) -> None:
    """Write a file of our own."""
    target.write(key, body, content_type="text/plain", cache_control="", if_etag=None)


def files(public: Path) -> list[str]:
    """Return every file and link below a directory, but what is kept of the past."""
    found = (str(p.relative_to(public)) for p in public.rglob("*") if not p.is_dir() or p.is_symlink())
    return sorted(name for name in found if not name.startswith(".hubdata/versions/"))


def test_reading_creates_nothing(target: DirectoryTarget, public: Path) -> None:
    """A plan or dry run leaves no trace."""
    assert target.listing() == {}
    assert target.stat("a") is None
    assert target.read("a/b", max_bytes=1) is None
    target.delete("a/b")
    assert not public.exists()


def test_an_unchanged_file_is_not_touched(target: DirectoryTarget, public: Path, tmp_path: Path) -> None:
    """Its inode and modification time stay: web servers tell them as ETag and Last-Modified."""
    target.put(upload(tmp_path, "d/a.txt", b"one"))
    os.utime(public / "d/a.txt", (1_000_000, 1_000_000))
    before = (public / "d/a.txt").stat()
    target.put(upload(tmp_path, "d/a.txt", b"one"))
    target.put(upload(tmp_path, "d/b.txt", b"two"))
    target.listing()
    after = (public / "d/a.txt").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_reader_keeps_the_old_bytes_while_they_are_replaced(
    target: DirectoryTarget, public: Path, tmp_path: Path
) -> None:
    """A file is replaced by renaming, never written in place."""
    first = target.put(upload(tmp_path, "a.txt", b"old"))
    with (public / "a.txt").open("rb") as reader:
        target.put(upload(tmp_path, "a.txt", b"new, longer", first.etag))
        assert reader.read() == b"old"
    assert (public / "a.txt").read_bytes() == b"new, longer"


def test_files_can_be_read_by_a_web_server_and_private_ones_not(target: DirectoryTarget, public: Path) -> None:
    """Public files follow the umask; `.hubdata` is its owner's alone."""
    old = os.umask(0o022)
    try:
        write(target, "d/a.txt", b"x")
        write(target, ".hubdata/runs/1.json", b"x")
    finally:
        os.umask(old)
    assert (public / "d/a.txt").stat().st_mode & 0o777 == 0o644
    assert (public / ".hubdata").stat().st_mode & 0o777 == 0o700


def test_emptied_directories_are_removed(target: DirectoryTarget, public: Path) -> None:
    """Deleting the last file of a branch removes the branch, but not the root, nor a branch with other files."""
    write(target, "a/b/c/1.txt", b"1")
    write(target, "a/2.txt", b"2")
    target.delete("a/b/c/1.txt")
    assert files(public) == [".hubdata/lock", "a/2.txt"]
    assert not (public / "a/b").exists()
    target.delete("a/2.txt")
    assert public.is_dir()
    assert not (public / "a").exists()


@pytest.mark.parametrize("key", ["link/a.txt", "file-link"])
def test_links_are_never_followed(target: DirectoryTarget, public: Path, tmp_path: Path, key: str) -> None:
    """A link planted in the tree neither leads a write outside, nor a read, nor a delete."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_bytes(b"precious")
    public.mkdir()
    (public / "link").symlink_to(outside)
    (public / "file-link").symlink_to(outside / "a.txt")
    for call in (
        lambda: target.put(upload(tmp_path, key, b"evil")),
        lambda: write(target, key, b"evil"),
        lambda: target.read(key, max_bytes=100),
        lambda: target.stat(key),
        lambda: target.delete(key),
    ):
        with pytest.raises(TargetError):
            call()
    assert (outside / "a.txt").read_bytes() == b"precious"
    assert list(outside.iterdir()) == [outside / "a.txt"]
    assert target.listing() == {}


@pytest.mark.parametrize(
    "key", ["../a", "/a", "a//b", "a/../../b", "", "a\\b", "a\nb", ".hubdata/../a", ".hubdata/lock", ".hubdata/tmp/x"]
)
def test_unsafe_keys_are_refused_by_every_method(
    target: DirectoryTarget, public: Path, tmp_path: Path, key: str
) -> None:
    """No key reaches outside the directory or into the target's own machinery."""
    for call in (
        lambda: target.put(upload(tmp_path, key, b"x")),
        lambda: write(target, key, b"x"),
        lambda: target.read(key, max_bytes=1),
        lambda: target.stat(key),
        lambda: target.delete(key),
    ):
        with pytest.raises(TargetError):
            call()
    assert not public.exists()


@pytest.mark.parametrize("key", ["manifest.json", "index.html", ".hubdata/runs/1.json"])
def test_an_artifact_never_takes_one_of_hubdatas_names(target: DirectoryTarget, tmp_path: Path, key: str) -> None:
    """Only `write` may use them."""
    with pytest.raises(TargetError, match="hubdata writes that name itself"):
        target.put(upload(tmp_path, key, b"x"))


def test_drafts_of_dead_writers_are_removed_and_of_living_ones_kept(target: DirectoryTarget, public: Path) -> None:
    """What a killed run left is gone after the next write; what another run is writing stays."""
    drafts = public / ".hubdata/tmp"
    drafts.mkdir(parents=True)
    (drafts / "dead").write_bytes(b"half")
    with (drafts / "alive").open("wb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        write(target, "a.txt", b"x")
        assert files(public) == [".hubdata/lock", ".hubdata/tmp/alive", "a.txt"]
        assert list(target.listing()) == ["a.txt"]


def test_a_killed_writer_leaves_the_old_file(target: DirectoryTarget, public: Path) -> None:
    """SIGKILL in the midst of a put: readers still see the old bytes, and the next write sweeps up."""
    write(target, "a.txt", b"old")
    program = (
        "import os, signal, sys; from pathlib import Path; from hubdata.transfer import tree\n"
        "from hubdata.targets.directory import DirectoryTarget as D\n"
        "tree.Tree.adopt = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "t = D('d', D.Options(path=Path(sys.argv[1])))\n"
        "t.write('a.txt', b'new', content_type='', cache_control='', if_etag=t.stat('a.txt').etag)\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(public)], cwd=ROOT, check=False, timeout=30)
    assert died.returncode == -9
    assert (public / "a.txt").read_bytes() == b"old"
    assert len(files(public)) == 3
    fresh = DirectoryTarget("dir", DirectoryTarget.Options(path=public))
    write(fresh, "b.txt", b"x")
    assert files(public) == [".hubdata/lock", "a.txt", "b.txt"]


def test_racing_processes_lose_no_write(public: Path) -> None:
    """Four processes each add 25 to a counter under If-Match, retrying on conflict: the sum is whole."""
    program = (
        "import sys; from pathlib import Path; from hubdata.errors import Conflict\n"
        "from hubdata.targets.directory import DirectoryTarget as D\n"
        "t = D('d', D.Options(path=Path(sys.argv[1])))\n"
        "done = 0\n"
        "while done < 25:\n"
        "    held = t.read('manifest.json', max_bytes=99)\n"
        "    body = str(int(held.body) + 1 if held else 1).encode()\n"
        "    try:\n"
        "        t.write('manifest.json', body, content_type='', cache_control='',\n"
        "                if_etag=held.stored.etag if held else None)\n"
        "        done += 1\n"
        "    except Conflict: pass\n"
    )
    racers = [subprocess.Popen([sys.executable, "-c", program, str(public)], cwd=ROOT) for _ in range(4)]
    assert [racer.wait(60) for racer in racers] == [0, 0, 0, 0]
    assert (public / "manifest.json").read_bytes() == b"100"


def test_a_held_lock_is_named_after_the_timeout(public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write does not wait for ever for another process."""
    monkeypatch.setattr(directory, "LOCK_TIMEOUT_S", 0.05)
    target = DirectoryTarget("dir", DirectoryTarget.Options(path=public))
    (public / ".hubdata").mkdir(parents=True)
    with (public / ".hubdata/lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TargetError, match=r"held \.hubdata/lock") as caught:
            target.put(upload(tmp_path, "a.txt", b"x"))
    assert caught.value.retryable
    assert files(public) == [".hubdata/lock"]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "mount the file system writable"),
        (errno.EACCES, "let the user"),
    ],
)
def test_a_failing_disk_is_an_error_and_leaves_nothing(
    target: DirectoryTarget,
    public: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    advice: str,
) -> None:
    """A full or read-only disk says what to do; the old file stays and no part of the new one does."""
    first = target.put(upload(tmp_path, "a.txt", b"old"))

    def failing(fd: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", failing)
        with pytest.raises(TargetError, match=r"a\.txt: ") as caught:
            target.put(upload(tmp_path, "a.txt", b"new", first.etag))
    assert caught.value.advice.startswith(advice)
    assert (public / "a.txt").read_bytes() == b"old"
    assert files(public) == [".hubdata/lock", "a.txt"]


def test_a_directory_where_a_file_must_be_is_an_error(target: DirectoryTarget, public: Path, tmp_path: Path) -> None:
    """`a` and `a/b` cannot both be files."""
    write(target, "a/b", b"x")
    with pytest.raises(TargetError, match="directory"):
        target.put(upload(tmp_path, "a", b"y"))
    with pytest.raises(TargetError) as caught:
        target.put(upload(tmp_path, "a/b/c", b"y"))
    assert caught.value.advice
    assert files(public) == [".hubdata/lock", "a/b"]


def test_asking_for_what_is_no_file_leaves_nothing_open(target: DirectoryTarget, public: Path) -> None:
    """A process that is asked again and again for a directory does not run out of files."""
    (public / "lists").mkdir(parents=True)
    os.mkfifo(public / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for key in ("lists", "pipe"):
        with pytest.raises(TargetError):
            target.stat(key)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_pipes_and_foreign_names_are_no_objects(target: DirectoryTarget, public: Path) -> None:
    """A pipe does not hang the listing; a name that is not UTF-8 is left alone."""
    write(target, "a.txt", b"x")
    os.mkfifo(public / "pipe")
    (public / os.fsdecode(b"latin-\xe9")).write_bytes(b"x")
    assert list(target.listing()) == ["a.txt"]
    with pytest.raises(TargetError):
        target.read("pipe", max_bytes=10)


def test_a_change_behind_our_back_is_seen(target: DirectoryTarget, public: Path) -> None:
    """Remembered digests are those of unchanged files only."""
    write(target, "a.txt", b"one")
    assert target.listing()["a.txt"].etag == hashlib.md5(b"one").hexdigest()
    (public / "a.txt").write_bytes(b"two")
    assert target.listing()["a.txt"].etag == hashlib.md5(b"two").hexdigest()


def test_digests_of_fresh_files_are_not_remembered(
    target: DirectoryTarget, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a tick of the clock a file can change and look the same; later its digest is kept."""
    write(target, "a.txt", b"one")
    target.listing()
    assert len(target._etags) == 0
    later = time.time_ns() + 3_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    target.listing()
    assert len(target._etags) == 1
    assert target.listing()["a.txt"].etag == hashlib.md5(b"one").hexdigest()


def test_wrong_options_are_refused() -> None:
    """Unknown names and a missing path are configuration errors."""
    for wrong in ({}, {"path": "x", "bucket": "y"}):
        with pytest.raises(ValidationError):
            DirectoryTarget.Options.model_validate(wrong)


def test_who_may_only_read_a_directory_is_told_the_machines_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a write tells the file system's; a run that looks at a read-only copy has nothing to decide by it."""
    target = DirectoryTarget("mirror", DirectoryTarget.Options(path=tmp_path / "mirror"))

    def refused(_: Tree) -> object:
        raise OSError(errno.EROFS, "Read-only file system")

    before = datetime.now(UTC)
    monkeypatch.setattr(Tree, "draft", refused)
    assert before <= target.now() <= datetime.now(UTC)
