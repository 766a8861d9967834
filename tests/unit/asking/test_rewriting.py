"""Rewriting a hub where it lies: whole files or none, nothing through links, and a broken-off rewrite is finished."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.asking.rewriting import rewrite
from hubdata.errors import ConfigError, Exit, SourceError, TargetError
from hubdata.model.manifest import Entry, Manifest
from hubdata.transfer.checkout_tree import CheckoutTree
from tests.support.url_server import UrlServer

BASE, ITEM = "https://mirror.test", "data:\n  - source_url: https://hub.example/{}.txt # why\n    dest_file: x\n"
NAMES = ("a", "b", "c")


def manifest() -> bytes:
    """Return the mirror's, with a copy of each file."""
    entries = {
        f"{name}.txt": Entry(
            *(1, "0" * 64, "cidr", "j", "e", None, "", "text/plain", ""),
            {"type": "hub", "url": f"https://hub.example/{name}.txt"},
        )
        for name in NAMES
    }
    return Manifest(3, "2026-11-20T12:00:00Z", "r", entries).to_bytes()


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub of three items with their index, and a mirror's manifest beside it."""
    root = tmp_path / "hub"
    (root / "scenarios").mkdir(parents=True)
    (tmp_path / "manifest.json").write_bytes(manifest())
    index = {}
    for name in NAMES:
        body = ITEM.format(name).encode()
        (root / "scenarios" / f"{name}.yaml").write_bytes(body)
        versions = {"1": {"digest": hashlib.sha256(body).hexdigest()}}
        index[name] = {"path": f"scenarios/{name}.yaml", "version": "1", "versions": versions}
    (root / "scenarios" / "none.yaml").write_text("name: x\n")
    (root / ".index.json").write_text(json.dumps({"scenarios": index}, indent=2))
    return root


def state(root: Path) -> dict[str, bytes]:
    """Return everything in a directory."""
    return {each.relative_to(root).as_posix(): each.read_bytes() for each in root.rglob("*") if each.is_file()}


def right(root: Path) -> bool:
    """Tell whether items name the mirror, and the index the items."""
    index = json.loads((root / ".index.json").read_bytes())["scenarios"]
    bodies = {name: (root / f"scenarios/{name}.yaml").read_bytes() for name in NAMES}
    assert all(index[name]["versions"]["1"]["digest"] == hashlib.sha256(bodies[name]).hexdigest() for name in NAMES)
    return all(bodies[name].decode() == ITEM.format(name).replace("https://hub.example", BASE) for name in NAMES)


def published(hub: Path) -> str:
    """Return where the mirror's manifest is."""
    return str(hub.parent / "manifest.json")


def test_items_and_index_change_and_nothing_else_is_touched(hub: Path) -> None:
    """Permissions stay; what names no data keeps its very inode; a dry run writes nothing; twice is once."""
    (hub / "scenarios/a.yaml").chmod(0o640)
    before, inode = state(hub), (hub / "scenarios/none.yaml").stat().st_ino
    dry = rewrite(hub, BASE + "/", published=published(hub), dry_run=True)
    assert (len(dry.changed), dry.indexed, state(hub)) == (3, 3, before)
    done = rewrite(hub, BASE, published=published(hub))
    assert (len(done.changed), done.indexed, done.findings, right(hub)) == (3, 3, (), True)
    assert (hub / "scenarios/a.yaml").stat().st_mode & 0o777 == 0o640
    assert (hub / "scenarios/none.yaml").stat().st_ino == inode
    after = {path: (hub / path).stat().st_ino for path in before}
    again = rewrite(hub, BASE, published=published(hub))
    assert (again.changed, again.already, again.indexed) == ((), 3, 0)
    assert {path: (hub / path).stat().st_ino for path in before} == after


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_one_that_broke_off_is_finished_by_the_next(hub: Path, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the index, or after some of the items: nothing is left that fits nothing."""
    real, done = CheckoutTree.replace, list[str]()

    def replace(self: CheckoutTree, key: str, body: bytes) -> None:
        if len(done) == writes:
            raise TargetError("the disk is full")
        done.append(key)
        real(self, key, body)

    with monkeypatch.context() as patched:
        patched.setattr(CheckoutTree, "replace", replace)
        with pytest.raises(TargetError):
            rewrite(hub, BASE, published=published(hub))
    assert len(done) == writes
    assert done[:1] == [".index.json"][:writes]
    ended = rewrite(hub, BASE, published=published(hub))
    assert (ended.findings, right(hub)) == ((), True)


def test_nothing_is_written_through_a_link(hub: Path, tmp_path: Path) -> None:
    """An index that is a link ends it before anything is written; an item that is one is none."""
    (hub / ".index.json").rename(tmp_path / "index.json")
    (hub / ".index.json").symlink_to(tmp_path / "index.json")
    (hub / "scenarios/c.yaml").rename(tmp_path / "c.yaml")
    (hub / "scenarios/c.yaml").symlink_to(tmp_path / "c.yaml")
    before, items = state(tmp_path), state(hub)
    with pytest.raises(TargetError, match="a link"):
        rewrite(hub, BASE, published=published(hub))
    assert (state(tmp_path), state(hub)) == (before, items)
    (hub / ".index.json").unlink()
    assert {each.item for each in rewrite(hub, BASE, published=published(hub)).changed} == {
        "scenarios/a.yaml",
        "scenarios/b.yaml",
    }
    assert (tmp_path / "c.yaml").read_text() == ITEM.format("c")


def test_an_item_behind_a_link_is_told(hub: Path, tmp_path: Path) -> None:
    """It was not rewritten, so it is not all well; links that can hold no item are nobody's business."""
    (tmp_path / "elsewhere").mkdir()
    for name, to in {"scenarios/l.yaml": "c.yaml", "more": str(tmp_path / "elsewhere"), "gone.yml": "nowhere"}.items():
        (hub / name).symlink_to(to)
    for name in (".cache", "README.md"):
        (hub / name).symlink_to(tmp_path / "elsewhere" if name == ".cache" else "scenarios/c.yaml")
    ended = rewrite(hub, BASE, published=published(hub))
    assert {(each.key, each.rule) for each in ended.findings} == {
        ("scenarios/l.yaml", "source.link"),
        ("more", "source.link"),
        ("gone.yml", "source.link"),
    }
    assert ended.exit_code is Exit.REFUSED


@pytest.fixture(scope="module")
def server() -> Iterator[UrlServer]:
    """A mirror on the web."""
    with UrlServer({"/m/manifest.json": manifest()}) as running:
        yield running


def test_the_mirrors_own_manifest_is_asked_where_none_is_named(hub: Path, server: UrlServer) -> None:
    """At `--base`; where there is none nothing is touched."""
    done = rewrite(hub, f"{server.origin}/m/")
    assert {each.new for each in done.changed} == {f"{server.origin}/m/{name}.txt" for name in NAMES}
    before = state(hub)
    with pytest.raises(SourceError, match="404"):
        rewrite(hub, f"{server.origin}/n")
    assert state(hub) == before


def test_what_cannot_be_meant_is_refused(hub: Path, tmp_path: Path) -> None:
    """An address that is none, a manifest that is none, a directory without items."""
    for base in (
        "mirror.test",
        "ftp://mirror.test",
        "https://m.test?x",
        "https://u@m.test",
        'https://m.test/"',
        "https://",
    ):
        with pytest.raises(ConfigError, match="no address of a mirror"):
            rewrite(hub, base, published=published(hub))
    with pytest.raises(ConfigError, match="no address of a mirror"):
        rewrite(hub, BASE, published=published(hub), origins=("x",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no items"):
        rewrite(tmp_path / "empty", BASE, published=published(hub))
    with pytest.raises(ConfigError, match="cannot be read"):
        rewrite(hub, BASE, published=str(tmp_path / "empty"))
    (tmp_path / "x").write_text("{}")
    with pytest.raises(ConfigError, match="not a hubdata manifest"):
        rewrite(hub, BASE, published=str(tmp_path / "x"))
