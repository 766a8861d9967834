"""Plans are explained from the published bytes, at a bounded price, and never fail for it."""

import hashlib
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.job import FileRule, Limits
from hubdata.model.meaning import Difference
from hubdata.model.run import RunResult
from hubdata.running import explaining
from hubdata.running.visiting import Orders
from tests.simulator.world import World, text_job

OLD = b"8.8.8.0/24\n9.9.9.0/24\n"
NEW = b"9.9.9.0/25\n8.8.8.0/23\n9.9.9.128/25\n"
DRY = Orders(dry_run=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which one list of networks is public."""
    world = World(tmp_path)
    world.add_target()
    world.add_job(text_job("a"), {"a.txt": OLD})
    world.change_job("a", files=(FileRule("**", "cidr"),))
    world.run()
    world.wire.calls.clear()
    return world


def _meanings(result: RunResult) -> dict[str, Difference]:
    return dict(result.jobs[0].targets[0].meanings)


def _reads(world: World, key: str) -> int:
    return sum(call.method == "GET" and call.key == key for call in world.wire.calls)


def test_a_dry_run_tells_what_each_change_means(world: World) -> None:
    """The networks gained and lost, against what is public, for one GET a changed file."""
    world.sources["a"].files["a.txt"] = NEW

    meant = _meanings(world.run(DRY))["a.txt"]

    assert meant.networks is not None
    assert (meant.networks.gained, meant.networks.lost) == (("8.8.9.0/24",), ())
    assert (meant.networks.before.ipv4_addresses, meant.networks.after.ipv4_addresses) == (512, 768)
    assert (meant.before, meant.after) == (len(OLD), len(NEW))
    assert _reads(world, "a.txt") == 1


def test_a_list_merely_sorted_is_called_equal(world: World) -> None:
    """Its bytes must go out, but a reviewer need not look at them."""
    world.sources["a"].files["a.txt"] = b"9.9.9.0/24\n8.8.8.0/24\n"
    assert _meanings(world.run(DRY))["a.txt"].equal


def test_an_ordinary_sync_reads_no_published_file(world: World) -> None:
    """Explanations are for whoever looks before it happens: a run that publishes costs no request more."""
    world.sources["a"].files["a.txt"] = NEW
    result = world.run()
    assert result.exit_code is Exit.FINE
    assert _meanings(result) == {}
    assert _reads(world, "a.txt") == 0


def test_what_is_held_is_explained_in_the_run_that_holds_it(world: World) -> None:
    """Somebody has to decide on it, and wants to know on what; what goes out beside it is not read."""
    world.sources["a"].files["b.txt"] = b"1.1.1.0/24\n"
    world.run()
    world.change_job("a", files=(FileRule("a.txt", "cidr", limits=Limits(max_change=0.1)), FileRule("**", "cidr")))
    world.sources["a"].files |= {"a.txt": NEW, "b.txt": b"1.0.0.0/24\n"}
    world.wire.calls.clear()

    result = world.run()

    assert result.exit_code is Exit.HELD
    assert list(_meanings(result)) == ["a.txt"]
    assert (_reads(world, "a.txt"), _reads(world, "b.txt")) == (1, 0)


def test_new_files_and_kinds_of_mere_bytes_are_not_read(world: World) -> None:
    """There is nothing to compare a new file with, and nothing to say of a database but its size."""
    world.change_job("a", files=(FileRule("*.bin", "opaque"), FileRule("**", "cidr")))
    world.sources["a"].files["x.bin"] = b"1"
    world.run()
    world.sources["a"].files |= {"x.bin": b"2", "new.txt": b"1.1.1.0/24\n"}
    world.wire.calls.clear()

    result = world.run(DRY)

    assert len(result.jobs[0].targets[0].plan.puts) == 2
    assert _meanings(result) == {}
    assert _reads(world, "x.bin") == _reads(world, "new.txt") == 0


def test_forced_puts_of_the_same_bytes_are_not_read(world: World) -> None:
    """Nothing changes for anybody, and that is known without looking."""
    result = world.run(Orders(dry_run=True, force=True))
    assert len(result.jobs[0].targets[0].plan.puts) == 1
    assert (_meanings(result), _reads(world, "a.txt")) == ({}, 0)


def test_a_file_that_cannot_be_read_is_left_unexplained(world: World) -> None:
    """The plan is made all the same, and an event says why there is no explanation."""
    world.sources["a"].files["a.txt"] = NEW
    world.wire.fail("GET", "a.txt", error=TargetError("gone"))

    result = world.run(DRY)

    assert (result.exit_code, _meanings(result)) == (Exit.FINE, {})
    assert [event.fields["key"] for event in world.events.seen if event.name == "meaning.unread"] == ["a.txt"]


def test_a_large_file_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound on bytes, old and new, keeps an explanation from filling the memory."""
    monkeypatch.setattr(explaining, "MAX_FILE_BYTES", len(NEW) - 1)
    world.sources["a"].files["a.txt"] = NEW
    assert _meanings(world.run(DRY)) == {}
    assert _reads(world, "a.txt") == 0


def test_an_object_overwritten_meanwhile_is_not_explained(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes read must be those that the plan was made against, or the explanation would be of another change."""
    world.sources["a"].files["a.txt"] = NEW
    target = world.targets["memory"]
    listing = target.listing()

    def stale() -> object:
        target.seed("a.txt", b"1.2.3.0/24\n")
        return listing

    monkeypatch.setattr(target, "listing", stale)
    assert hashlib.md5(OLD).hexdigest() == listing["a.txt"].etag
    assert _meanings(world.run(DRY)) == {}
