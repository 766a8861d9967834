"""Sources whose history was rewritten: what is older is held, wherever and in whatever state the newer data is."""

from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.snapshot import Fetched, Provenance, state_of
from hubdata.ports import Published
from hubdata.running.reading import Feed, read
from tests.simulator.source import ScriptedSource, TextKind
from tests.simulator.world import World, text_job

OLD, NEW = {"a.txt": b"old\n"}, {"a.txt": b"new\n"}


class Rewritten(ScriptedSource):
    """A source that is at its first revision again: nothing else that is published belongs to its history."""

    def fetch(self, published: Published) -> Fetched:
        fetched = super().fetch(published)
        states = {state_of(source) for source in published().values()} - {self.revision}
        return Fetched(fetched.revision, fetched.files, rewinds=tuple(sorted(states)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with two targets that both hold what the source had before it was rewritten."""
    world = World(tmp_path)
    world.add_target("one")
    world.add_target("two")
    source = world.add_job(text_job("texts"), NEW)
    source.revision = "r2"
    world.run()
    world.sources["texts"] = Rewritten(source.spool, dict(OLD))
    return world


def test_a_target_that_cannot_be_read_lets_no_older_data_out_at_the_other(world: World) -> None:
    """Nothing is kept where not everything is known; but what is known is followed."""
    world.wire.fail("LIST", error=TargetError("down"), actor="one")

    result = world.run()

    assert result.exit_code is Exit.TARGET
    assert result.jobs[0].targets[1].held is not None
    assert world.targets["two"].public() == NEW


def test_targets_in_different_states_are_each_protected(world: World) -> None:
    """One target fell behind: what the other one alone holds must be followed too."""
    world.sources["texts"] = ScriptedSource(world.sources["texts"].spool, {"a.txt": b"newest\n"}, revision="r3")
    world.wire.fail("PUT", "a.txt", error=TargetError("down"), actor="one")
    world.run()
    world.sources["texts"] = Rewritten(world.sources["texts"].spool, dict(OLD))

    assert world.run().exit_code is Exit.HELD

    assert [world.targets[name].public() for name in ("one", "two")] == [NEW, {"a.txt": b"newest\n"}]


@pytest.mark.parametrize("lost", [False, True], ids=["drifted", "lost"])
def test_an_object_that_somebody_harmed_is_not_repaired_with_older_data(world: World, lost: bool) -> None:
    """What the manifest says was public, though its object is not there any more as it was."""
    for store in world.targets.values():
        if lost:
            store.lose("a.txt")
        else:
            store.seed("a.txt", b"theirs\n")

    assert world.run().exit_code is Exit.HELD

    assert world.targets["one"].body("a.txt") == (None if lost else b"theirs\n")


def test_source_that_was_read_just_before_another_run_published_newer_data_did_not_go_back(tmp_path: Path) -> None:
    """What is public is newer than what was fetched: one more look shows that the source has it too."""
    world = World(tmp_path)
    world.add_target()
    source = world.add_job(text_job("texts"), NEW)
    source.revision = "r2"
    world.run()
    early = Rewritten(source.spool, dict(OLD))
    feed = Feed(early, (world.jobs["texts"],), frozenset({"texts"}), again=lambda: source)

    def public() -> dict[str, Provenance]:
        return {key: entry.source for key, entry in world.manifest().files.items()}

    (reading,) = read(feed, public, lambda _: TextKind(), now=world.clock.now(), reporter=world.events)

    assert (reading.rewinds, reading.source["revision"]) == ((), "r2")
