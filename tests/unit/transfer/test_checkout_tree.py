"""A checkout as files are put into it: whole, where they belong, never through a link."""

import os
from pathlib import Path

import pytest

from hubdata.errors import TargetError
from hubdata.transfer.checkout_tree import CheckoutTree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a file, and something outside of it."""
    (tmp_path / "checkout" / "lists").mkdir(parents=True)
    (tmp_path / "checkout" / "lists" / "a.txt").write_bytes(b"old")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_bytes(b"secret")
    return tmp_path / "checkout"


def everything(root: Path) -> dict[str, bytes]:
    """Return every file around the checkout."""
    return {str(path): path.read_bytes() for path in root.parent.rglob("*") if path.is_file()}


def test_a_file_is_replaced_whole_with_the_permissions_it_had(root: Path) -> None:
    """Whoever has it open goes on reading the old one."""
    tree = CheckoutTree(root)
    (root / "lists/a.txt").chmod(0o640)
    with (root / "lists/a.txt").open("rb") as reader:
        tree.replace("lists/a.txt", b"new")
        assert reader.read() == b"old"
    assert tree.read("lists/a.txt", max_bytes=3) == b"new"
    assert (root / "lists/a.txt").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (root / "lists").iterdir()] == ["a.txt"]


def test_a_new_file_gets_its_directories_and_usual_permissions(root: Path) -> None:
    """As if somebody had made it by hand."""
    tree = CheckoutTree(root)
    assert tree.read("x/y/b.txt", max_bytes=9) is None
    tree.replace("x/y/b.txt", b"new")
    umask = os.umask(0)
    os.umask(umask)
    assert (root / "x/y/b.txt").stat().st_mode & 0o777 == 0o666 & ~umask
    assert sorted(tree.keys()) == ["lists/a.txt", "x/y/b.txt"]


@pytest.mark.parametrize("what", ["link to a file", "link to a directory", "dangling link", "directory", "pipe"])
def test_what_is_no_plain_file_is_neither_read_nor_written(root: Path, what: str) -> None:
    """Nothing changes anywhere, and the error says which and what to do."""
    outside, key = root.parent / "outside", "lists/b.txt"
    match what:
        case "link to a file":
            (root / key).symlink_to(outside / "a.txt")
        case "link to a directory":
            (root / "linked").symlink_to(outside)
            key = "linked/a.txt"
        case "dangling link":
            (root / key).symlink_to(outside / "new.txt")
        case "directory":
            (root / key).mkdir()
        case "pipe":
            os.mkfifo(root / key)
    before, tree = everything(root), CheckoutTree(root)
    with pytest.raises(TargetError, match="expected a plain file, found a link or something else") as caught:
        tree.read(key, max_bytes=99)
    assert caught.value.advice
    with pytest.raises(TargetError, match="expected a plain file, found a link or something else"):
        tree.replace(key, b"new")
    assert everything(root) == before
    assert not any(path.name.endswith(".part") for path in root.rglob("*"))
    assert key not in set(tree.keys())


def test_what_is_too_large_is_not_read(root: Path) -> None:
    """It is no list."""
    with pytest.raises(TargetError, match="more than 2 bytes"):
        CheckoutTree(root).read("lists/a.txt", max_bytes=2)


def test_gits_own_directory_is_nobodys_file(root: Path) -> None:
    """However it is nested; other names that begin with a dot are files like any."""
    for path in (".git/config", "lists/.git/config", ".github/x.json"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    assert sorted(CheckoutTree(root).keys()) == [".github/x.json", "lists/a.txt"]


def test_a_checkout_that_cannot_be_written_is_told_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, and nothing half-written."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TargetError, match="No space left on device"):
        CheckoutTree(root).replace("lists/a.txt", b"new")
    assert [path.name for path in (root / "lists").iterdir()] == ["a.txt"]
    assert (root / "lists/a.txt").read_bytes() == b"old"
