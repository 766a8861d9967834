"""The file source: one local file, whole and unchanged, or nothing."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, SourceError
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import SourceContext
from hubdata.sources import file as module
from hubdata.sources.file import FileOptions, FileSource
from tests.support.fetching import TurningClock, as_published

KEY = "mmdb_update/own.mmdb"
BODY = b"not really a database, which is not the source's business" * 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of 5.6 MB."""
    file = tmp_path / "own.mmdb"
    file.write_bytes(BODY)
    return file


def fetch(path: Path, published: dict[str, Provenance] | None = None, *, force: bool = False, **more: Any) -> Fetched:
    """Return what the source gives for `path`; its workspace is beside it."""
    context = SourceContext(path.parent / "workspace", {}, TurningClock(), force)
    options = FileOptions.model_validate({"path": path, "key": KEY, **more})
    return FileSource(options, context).fetch(lambda: published or {})


def refused(path: Path, **more: Any) -> SourceError:
    """Return the error of a fetch that must fail and leave nothing in the spool."""
    with pytest.raises(SourceError) as caught:
        fetch(path, **more)
    assert caught.value.advice
    workspace = path.parent / "workspace"
    assert not workspace.exists() or list(workspace.iterdir()) == []
    return caught.value


def test_a_new_file_is_copied_into_the_spool(path: Path) -> None:
    """So that nobody can change it between check and upload; where it lay is not told to the world."""
    fetched = fetch(path)
    (file,) = fetched.files
    sha256 = hashlib.sha256(BODY).hexdigest()
    assert (file.key, file.size, file.path.read_bytes()) == (KEY, len(BODY), BODY)
    assert file.path.parent == path.parent / "workspace"
    assert file.source == {"type": "file", "sha256": sha256}
    assert (fetched.revision, fetched.kept, fetched.rewinds) == (sha256, (), ())


def test_an_unchanged_file_costs_no_copy(path: Path) -> None:
    """The same bytes are published: kept, and nothing is written, whatever its time stamp says."""
    published = as_published(fetch(path))
    (path.parent / "workspace" / "file").unlink()
    os.utime(path)
    again = fetch(path, published)
    assert (again.kept, again.files) == ((KEY,), ())
    assert list((path.parent / "workspace").iterdir()) == []


def test_force_copies_what_is_unchanged(path: Path) -> None:
    """Nothing is kept."""
    assert fetch(path, as_published(fetch(path)), force=True).kept == ()


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"type": "url"}])
def test_only_the_same_bytes_from_here_are_kept(path: Path, change: dict[str, str]) -> None:
    """Another origin's digest may be of something else."""
    source = as_published(fetch(path))[KEY]
    assert fetch(path, {KEY: {**source, **change}}).kept == ()


def test_a_link_to_the_newest_file_is_followed(path: Path) -> None:
    """Many updaters keep dated files and a link."""
    link = path.parent / "latest"
    link.symlink_to(path.name)
    assert fetch(link).files[0].path.read_bytes() == BODY


@pytest.mark.parametrize("when", ["first reading", "second reading"])
@pytest.mark.parametrize("how", ["written", "grown", "cut", "same length and time"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, when: str, how: str
) -> None:
    """Between its first and its last byte; the next run may try again."""
    real, passes = module._read, []

    def disturbed(file: Any, size: int) -> Iterator[bytes]:
        passes.append(1)
        disturb = len(passes) == (1 if when == "first reading" else 2)
        for number, piece in enumerate(real(file, size)):
            if disturb and number == 1:
                _disturb(path, how)
            yield piece

    monkeypatch.setattr(module, "_read", disturbed)
    error = refused(path)
    assert "changed while it was read" in str(error)
    assert error.retryable


def _disturb(path: Path, how: str) -> None:
    before = path.stat()
    with path.open("r+b") as file:
        if how == "grown":
            file.seek(0, os.SEEK_END)
            file.write(b"more")
        elif how == "cut":
            file.truncate(1000)
        else:
            file.seek(3 << 20)
            file.write(b"something else")
            file.seek(0)
            file.write(b"and at the start")
    if how == "same length and time":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_file_renamed_over_it_meanwhile_is_for_the_next_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was opened is still whole: that is why one should write beside it and rename."""
    real = module._read

    def disturbed(file: Any, size: int) -> Iterator[bytes]:
        beside = path.with_name("beside")
        beside.write_bytes(BODY[::-1])
        beside.rename(path)
        yield from real(file, size)

    monkeypatch.setattr(module, "_read", disturbed)
    assert fetch(path).files[0].path.read_bytes() == BODY


@pytest.mark.parametrize("what", ["nothing", "directory", "pipe", "dangling link", "empty"])
def test_what_is_no_file_is_refused(tmp_path: Path, what: str) -> None:
    """At once: a pipe would keep a run waiting for ever."""
    path = tmp_path / "own.mmdb"
    if what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "dangling link":
        path.symlink_to("gone")
    elif what == "empty":
        path.touch()
    found: list[SourceError] = []
    asking = threading.Thread(target=lambda: found.append(refused(path)), daemon=True)
    asking.start()
    asking.join(60)
    assert found
    assert str(path) in str(found[0])


def test_no_descriptor_is_left_open(path: Path) -> None:
    """After good fetches and bad ones."""
    before = _open_descriptors()
    fetch(path)
    (path.parent / "workspace" / "file").unlink()
    refused(path.parent / "gone")
    refused(path, max_bytes=5)
    path.unlink()
    path.mkdir()
    refused(path)
    assert _open_descriptors() == before


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_over_the_limit_is_not_read(path: Path) -> None:
    """A byte over it is one too many."""
    assert len(fetch(path, max_bytes=len(BODY)).files) == 1
    (path.parent / "workspace" / "file").unlink()
    assert "expected at most 5,699,999 bytes" in str(refused(path, max_bytes=len(BODY) - 1))


def test_a_spool_that_cannot_be_written_is_no_fault_of_the_file(path: Path) -> None:
    """Exit 2, and the advice is about the spool."""
    (path.parent / "workspace").write_text("in the way")
    with pytest.raises(ConfigError, match="spool"):
        fetch(path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"key": "../x"}, "cannot be a key"),
        ({"key": ".hubdata/x"}, "cannot be a key"),
        ({"max_bytes": 0}, "greater than 0"),
        ({"url": "x"}, "Extra inputs"),
        ({"path": 5}, "path"),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, object], message: str) -> None:
    """At the edge; and nothing is needed from the environment."""
    with pytest.raises(ValidationError, match=message):
        FileOptions.model_validate({"path": "own.mmdb", "key": KEY, **given})
    assert FileSource.lacks(FileOptions(path=Path("own.mmdb"), key=KEY), {}) is None
