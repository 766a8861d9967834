"""What a directory keeps of its past: how much, for how long, and that nothing of it is ever in anybody's way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hubdata.model.manifest import Manifest
from hubdata.publishing.recall import generations, recall
from hubdata.targets.directory import DirectoryTarget
from tests.support.generations import publish

ROOT = Path(__file__).parents[3]
_DAY = 86_400


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """Give the path of a directory that does not exist yet."""
    return tmp_path / "public"


def directory(public: Path, **options: int) -> DirectoryTarget:
    """Return the target."""
    return DirectoryTarget("dir", DirectoryTarget.Options(path=public, **options))


def kept(public: Path) -> list[str]:
    """Return what is kept, by era."""
    root = public / ".hubdata/versions"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def days_later(public: Path, days: int) -> None:
    """Make all eras begin so many days earlier."""
    root = public / ".hubdata/versions"
    for era in list(root.iterdir()):
        number, began = era.name.split("-")
        era.rename(root / f"{number}-{int(began) - days * _DAY:010}")


def test_only_so_many_generations_are_kept(public: Path, tmp_path: Path) -> None:
    """The newest, and of each all that it names; older ones go with all their files."""
    target = directory(public, keep_generations=3)
    made = [publish(target, {"a": b"%d" % n, "b": b"%d" % (n // 4)}, tmp_path) for n in range(10)]
    assert generations(target) == tuple(reversed(made[-4:]))
    for manifest in made[-4:]:
        into = tmp_path / f"into-{manifest.generation}"
        into.mkdir()
        assert recall(target, manifest, manifest.files, into).keys() == {"a", "b"}
    assert sorted(name.partition("/")[2] for name in kept(public)) == ["a"] * 3 + ["b"] + ["manifest.json"] * 3


def test_nothing_is_kept_for_longer_than_the_days(public: Path, tmp_path: Path) -> None:
    """Counted from when it was replaced, and looked at when something is published."""
    target = directory(public, keep_days=30)
    publish(target, {"a": b"1"}, tmp_path)
    publish(target, {"a": b"2"}, tmp_path)
    days_later(public, 31)
    third = publish(target, {"a": b"3"}, tmp_path)
    assert [each.generation for each in generations(target)] == [3, 2]  # 2 was public until a moment ago
    days_later(public, 31)
    fourth = publish(target, {"a": b"4"}, tmp_path)
    assert generations(target) == (fourth, third)


def test_keeping_nothing_keeps_nothing(public: Path, tmp_path: Path) -> None:
    """Neither from now on, nor what was kept before."""
    target = directory(public)
    for body in (b"1", b"2"):
        publish(target, {"a": body}, tmp_path)
    assert kept(public)
    target = directory(public, keep_generations=0)
    publish(target, {"a": b"3"}, tmp_path)
    assert kept(public) == []
    publish(target, {"a": b"4"}, tmp_path)
    assert not list((public / ".hubdata/versions").iterdir())
    assert [each.generation for each in generations(target)] == [4]


def test_the_past_is_in_no_listing_and_for_nobody_else(public: Path, tmp_path: Path) -> None:
    """It is hubdata's own: other users of the machine cannot look, and no key leads there."""
    target = directory(public)
    for body in (b"1", b"2"):
        publish(target, {"a": body}, tmp_path)
    assert sorted(target.listing()) == ["a", "manifest.json"]
    assert (public / ".hubdata").stat().st_mode & 0o077 == 0
    with pytest.raises(Exception, match="the directory target needs that name itself"):
        target.read(f".hubdata/versions/{kept(public)[0]}", max_bytes=10)


def test_what_is_kept_costs_no_space_and_is_touched_by_nobody(public: Path, tmp_path: Path) -> None:
    """The old file only has another name; its time stays, and the new file is another."""
    target = directory(public)
    publish(target, {"a": b"1"}, tmp_path)
    before = (public / "a").stat()
    publish(target, {"a": b"2"}, tmp_path)
    (old,) = (public / ".hubdata/versions").glob("*/a")
    assert (old.stat().st_ino, old.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (public / "a").stat().st_ino != before.st_ino


def test_a_file_system_without_links_gets_copies(public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the times of the originals."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    target = directory(public)
    first = publish(target, {"lists/a": b"1"}, tmp_path)
    was = (public / "lists/a").stat()
    publish(target, {"lists/a": b"2"}, tmp_path)
    (old,) = (public / ".hubdata/versions").glob("*/lists/a")
    assert (old.read_bytes(), old.stat().st_mtime_ns) == (b"1", was.st_mtime_ns)
    assert generations(target)[1] == first
    assert not list((public / ".hubdata/tmp").iterdir())


def test_what_lay_there_before_the_first_publication_is_kept_too(public: Path, tmp_path: Path) -> None:
    """Whoever points hubdata at a full directory can have back what it replaced."""
    public.mkdir()
    (public / "a").write_bytes(b"before")
    target = directory(public)
    held = target.stat("a")
    assert held is not None
    target.write("a", b"after", content_type="", cache_control="", if_etag=held.etag)
    publish(target, {"b": b"1"}, tmp_path)
    assert [path.read_bytes() for path in (public / ".hubdata/versions").glob("*/a")] == [b"before"]


def test_a_name_that_was_a_file_may_become_a_directory(public: Path, tmp_path: Path) -> None:
    """And the other way round: both are kept, each in its era."""
    target = directory(public)
    one = publish(target, {"a": b"file"}, tmp_path)
    publish(target, {}, tmp_path)
    two = publish(target, {"a/b": b"below"}, tmp_path)
    publish(target, {}, tmp_path)
    publish(target, {"a": b"again"}, tmp_path)
    for manifest, body in ((one, b"file"), (two, b"below")):
        into = tmp_path / f"into-{manifest.generation}"
        into.mkdir()
        (artifact,) = recall(target, manifest, manifest.files, into).values()
        assert artifact.path.read_bytes() == body


def test_a_file_of_the_same_name_in_the_way_stops_no_publication(public: Path, tmp_path: Path) -> None:
    """What was put and replaced before a manifest named it is nothing to go back to."""
    target = directory(public)
    first = publish(target, {"a": b"1"}, tmp_path)
    for body in (b"never named", b"nor this"):
        held = target.stat("a")
        target.write("a", body, content_type="", cache_control="", if_etag=held.etag if held else None)
    assert recall(target, first, ["a"], _new(tmp_path))["a"].path.read_bytes() == b"1"


def test_the_past_is_told_by_key_the_newest_first(public: Path, tmp_path: Path) -> None:
    """As of a bucket: what is current, what was, and a marker where nothing is any more; and it can be let go of."""
    target = directory(public)
    publish(target, {"db/a": b"1", "db/gone": b"x", "other": b"o"}, tmp_path)
    publish(target, {"db/a": b"22"}, tmp_path)
    publish(target, {"db/a": b"333"}, tmp_path)
    past = target.past("db/")
    told = [(state.key, state.current, state.deleted, state.size) for state in past]
    assert told == [
        ("db/a", True, False, 3),
        ("db/a", False, False, 2),
        ("db/a", False, False, 1),
        ("db/gone", True, True, 0),
        ("db/gone", False, False, 1),
    ]
    assert target.history("db/a") == tuple(state.version_id for state in past[:3])
    assert [_body(target, "db/a", version) for version in target.history("db/a")] == [b"333", b"22", b"1"]
    target.forget("db/a", past[1].version_id)
    target.forget("db/a", past[1].version_id)
    target.forget("db/a", past[0].version_id)  # what is public is not let go of
    target.forget("db/gone", past[4].version_id)
    assert [(state.key, state.size) for state in target.past("db/")] == [("db/a", 3), ("db/a", 1)]
    assert target.read("db/a", max_bytes=10, version_id=past[1].version_id) is None


def test_a_state_is_found_by_what_it_was_though_it_has_just_been_replaced(public: Path, tmp_path: Path) -> None:
    """Whoever was told of what is current and reads it a moment later gets that, not the next."""
    target = directory(public)
    publish(target, {"a": b"1"}, tmp_path)
    (current,) = target.history("a")
    publish(target, {"a": b"2"}, tmp_path)
    assert _body(target, "a", current) == b"1"
    assert target.read("a", max_bytes=10, version_id="0" * 32) is None
    assert target.read("a", max_bytes=10, version_id="../../a") is None


def _body(target: DirectoryTarget, key: str, version_id: str) -> bytes:
    blob = target.read(key, max_bytes=100, version_id=version_id)
    assert blob is not None
    return blob.body


@pytest.mark.parametrize("call", ["os.link", "os.rename", "os.mkdir", "shutil.rmtree"])
@pytest.mark.parametrize("before", [True, False])
def test_a_publication_that_is_killed_loses_nothing_of_the_past(
    public: Path, tmp_path: Path, call: str, *, before: bool
) -> None:
    """Right before or after each step: the next one goes on, and all that generations named can be had."""
    target = directory(public, keep_generations=2)
    for n in range(4):
        publish(target, {"a": b"%d" % n, "b": b"same"}, tmp_path)
    program = (
        "import os, shutil, signal, sys\n"
        "from pathlib import Path\n"
        "from hubdata.targets.directory import DirectoryTarget\n"
        "from hubdata.model import manifest as manifests\n"
        f"module, name = {call.split('.')}\n"
        "module = {'os': os, 'shutil': shutil}[module]\n"
        "real = getattr(module, name)\n"
        "calls = []\n"
        "def deadly(*args, **more):\n"
        "    calls.append(args)\n"
        f"    if {before}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(*args, **more)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "target = DirectoryTarget('dir', DirectoryTarget.Options(path=Path(sys.argv[1]), keep_generations=2))\n"
        "target.listing()\n"
        "now = target.read(manifests.KEY, max_bytes=1 << 20)\n"
        "setattr(module, name, deadly)\n"
        "target.write(manifests.KEY, now.body.replace(b'run-4', b'run-5'), content_type='', cache_control='',"
        " if_etag=now.stored.etag)\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(public)], cwd=ROOT, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    target = directory(public, keep_generations=2)
    now = target.read("manifest.json", max_bytes=1 << 20)
    assert now is not None
    in_force = Manifest.from_bytes(now.body)
    assert in_force.run_id in ("run-4", "run-5")
    after = publish(target, {"a": b"after", "b": b"same"}, tmp_path)
    found = generations(target)
    assert found[:2] == (after, in_force)
    assert recall(target, found[1], ["a", "b"], _new(tmp_path))["a"].path.read_bytes() == b"3"


def _new(tmp_path: Path) -> Path:
    path = tmp_path / f"into-{time.monotonic_ns()}"
    path.mkdir()
    return path
