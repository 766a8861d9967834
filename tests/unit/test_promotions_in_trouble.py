"""Promotions that go wrong in the simulator: gates, crashes, rollbacks, overtakings, and a canary that is gone."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.gate import Gate
from hubdata.model.job import FileRule
from hubdata.model.plan import Reason
from hubdata.model.run import Outcome
from hubdata.model.stage import Promoted
from hubdata.running.gating import Gatekeeper
from hubdata.running.visiting import Orders
from tests.simulator.wire import Killed, When
from tests.simulator.world import World, text_job
from tests.support.stages import FILES, NEW, later, make, production, promoted, public


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with a canary, a production after it, and one job that nothing was published of yet."""
    return make(tmp_path)


def test_what_somebody_harmed_at_production_is_put_right_again(world: World) -> None:
    """From the generation that was promoted last, though it is not due any more; and nothing newer goes with it."""
    promoted(world)
    world.targets["production"].seed("a.txt", b"harmed\n")
    world.targets["production"].lose("b.txt")
    result = production(world.run())
    assert {c.key: c.reason for c in result.plan.changes} == {"a.txt": Reason.DRIFTED, "b.txt": Reason.LOST}
    assert public(world) == FILES
    assert world.manifest("production").promoted == Promoted("canary", 1)


def test_what_was_rolled_back_at_production_is_not_promoted_again(world: World) -> None:
    """The generation went on whole, so it is done: only what soaks after it goes on."""
    promoted(world)
    later(world)
    world.run()
    assert public(world) == NEW
    old = world.manifest("production")
    entry = old.files["a.txt"]
    store = world.targets["production"]
    store.seed("a.txt", FILES["a.txt"])
    held_now = store.listing()["a.txt"]
    digest = hashlib.sha256(FILES["a.txt"]).hexdigest()
    back = replace(entry, sha256=digest, size=held_now.size, etag=held_now.etag, version_id=held_now.version_id)
    store.seed("manifest.json", replace(old, generation=3, files={**old.files, "a.txt": back}).to_bytes())

    assert world.run().jobs[0].outcome is Outcome.UNCHANGED
    assert public(world) == FILES
    world.sources["texts"].files = {**NEW, "b.txt": b"two\n2\n"}
    world.run()
    later(world)
    world.run()
    assert public(world) == {**NEW, "b.txt": b"two\n2\n"}


def test_bytes_that_the_canary_no_longer_has_are_a_refusal_before_any_write(world: World) -> None:
    """The generation is named, and so is the file; production stays as it is."""
    promoted(world)
    later(world)
    versions = world.targets["canary"].versions["a.txt"]
    versions[:] = [version for version in versions if version.body != NEW["a.txt"]]
    effects = len(world.wire.effects)
    result = world.run(at=("production",))
    problem = production(result).problem
    assert problem is not None
    assert (result.exit_code, "a.txt" in problem.message, "generation 2" in problem.message) == (
        Exit.TARGET,
        True,
        True,
    )
    assert len(world.wire.effects) == effects
    assert public(world) == FILES


def test_a_canary_that_was_set_up_anew_stops_the_stage_and_says_so(world: World) -> None:
    """Its first generations are younger than what production has, and nobody can tell by number what is newer."""
    promoted(world)
    later(world)
    world.run()
    world.targets["canary"].versions.clear()
    result = world.run()
    problem = production(result).problem
    assert problem is not None
    assert "production has generation 2 of canary" in problem.message
    assert problem.advice
    assert public(world, "canary") == NEW
    assert public(world) == NEW


def test_a_canary_that_cannot_be_read_leaves_production_as_it_is(world: World) -> None:
    """And the run says so at both."""
    world.run()
    later(world)
    world.wire.fail("GET", "manifest.json", error=TargetError("down", advice="wait"), times=9, actor="canary")
    result = world.run()
    assert (result.exit_code, production(result).problem is not None, public(world)) == (Exit.TARGET, True, {})


def test_another_run_that_promoted_meanwhile_is_never_gone_back_on(world: World) -> None:
    """This one had read an older generation; it waited for the lease, and looks again before it writes."""
    promoted(world)
    later(world, 29.9)

    def overtake() -> None:
        world.clock.sleep(timedelta(minutes=1))
        world.sources["texts"].files = {**NEW, "c.txt": b"three\n"}
        world.run(at=("canary",))
        later(world)
        world.run()

    world.targets["production"].seed("a.txt", b"harmed\n")  # so that there is something to write
    world.wire.on("PUT", ".hubdata/lease.json", do=overtake, actor="production")
    world.run()
    assert public(world) == {**NEW, "c.txt": b"three\n"}
    assert world.manifest("production").promoted == Promoted("canary", 3)
    assert world.targets["production"].writes("c.txt") == 1


@dataclass
class Program:
    """A gate's program: a script of the test's."""

    path: Path

    def keeper(self, body: str, timeout_s: float = 10) -> Gatekeeper:
        """Return a gate that runs `body`."""
        self.path.write_text(f"#!/bin/sh\n{body}\n")
        self.path.chmod(0o755)
        directory: Callable[[], Path] = self._directory
        gate = Gate((str(self.path), "{tree}"), timedelta(seconds=timeout_s))
        return Gatekeeper(gate, {"PATH": "/usr/bin:/bin"}, directory)

    def _directory(self) -> Path:
        tree = self.path.with_name(f"tree-{sum(1 for _ in self.path.parent.iterdir())}")
        tree.mkdir()
        return tree


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param("echo no; exit 1", "gate.failed", id="fails"),
        pytest.param("sleep 20 & wait", "gate.timeout", id="hangs"),
        pytest.param("yes | head -c 20000000; exit 1", "gate.failed", id="floods"),
    ],
)
def test_a_gate_before_production_refuses_a_promotion(world: World, tmp_path: Path, body: str, rule: str) -> None:
    """It sees the whole generation, the unchanged files too; nothing is recorded, and the next run asks again."""
    promoted(world)
    later(world)
    world.gates["production"] = Program(tmp_path / "gate").keeper(f"ls > {tmp_path}/seen; {body}", 0.5)
    effects = len(world.wire.effects)
    result = world.run()
    assert (result.exit_code, result.jobs[0].outcome) == (Exit.REFUSED, Outcome.REFUSED)
    assert [f.rule for f in result.jobs[0].findings] == [rule]
    assert (tmp_path / "seen").read_text().split() == ["a.txt", "b.txt"]
    assert len(world.wire.effects) == effects
    assert world.manifest("production").promoted == Promoted("canary", 1)
    barred = production(result).barred
    assert barred is not None
    assert world.run(Orders(approve=frozenset({barred.id}))).exit_code is Exit.REFUSED

    world.gates["production"] = Program(tmp_path / "gate").keeper("exit 0")
    assert world.run().exit_code is Exit.FINE
    assert public(world) == NEW


def test_what_is_planned_anew_is_shown_to_the_gate_anew(world: World, tmp_path: Path) -> None:
    """Another run wrote before this one had the lease: other files would go out than those that the gate passed."""
    log = tmp_path / "log"
    world.gates["canary"] = Program(tmp_path / "gate").keeper(f"cat *.txt | tr '\\n' ' ' >> {log}; echo >> {log}")
    world.run()

    def overtake() -> None:
        world.sources["texts"].files = {"a.txt": b"three\n", "b.txt": b"two\n"}
        keeper = world.gates.pop("canary")
        world.run(at=("canary",))
        world.gates["canary"] = keeper
        world.sources["texts"].files = {"a.txt": b"four\n", "b.txt": b"two\n"}

    world.sources["texts"].files = {"a.txt": b"two\n", "b.txt": b"two\n"}
    world.wire.on("PUT", ".hubdata/lease.json", do=overtake, actor="canary")
    assert world.run(at=("canary",)).exit_code is Exit.FINE
    assert log.read_text().split("\n")[:-1] == ["one two ", "two two ", "four two "]
    assert public(world, "canary")["a.txt"] == b"four\n"


@pytest.mark.parametrize("when", list(When))
def test_a_crash_between_canary_and_promotion_or_amid_it_is_mended_by_the_next_run(tmp_path: Path, when: When) -> None:
    """Killed at every call of a run that feeds the canary and promotes: the next one converges, in order, told once."""

    def begun(path: Path) -> World:
        path.mkdir()
        world = promoted(make(path))
        later(world)
        world.sources["texts"].files = {**NEW, "c.txt": b"three\n"}
        return world

    world = begun(tmp_path / "count")
    before = len(world.wire.calls)
    world.run()
    total = len(world.wire.calls) - before
    assert total > 25
    for number in range(total):
        world = begun(tmp_path / str(number))
        world.wire.kill_at(len(world.wire.calls) + number, when)
        with pytest.raises(Killed):
            world.run()
        died_at = str(world.wire.calls[-1])
        for name in world.targets:
            for key in world.manifest(name).files:
                assert world.targets[name].body(key) is not None, f"{died_at}: {key} is listed but gone"
        assert world.manifest("production").promoted in (Promoted("canary", 1), Promoted("canary", 2))
        world.wire.revive()
        later(world, 2)
        assert world.run().exit_code is Exit.FINE, died_at
        assert public(world) == NEW, died_at
        assert world.manifest("production").promoted == Promoted("canary", 2), died_at
        assert public(world, "canary") == {**NEW, "c.txt": b"three\n"}, died_at
        assert [world.targets["production"].writes(key) for key in NEW] == [2, 1], died_at
        assert world.untold("production") | world.untold("canary") == set(), died_at
        later(world)
        assert world.run().exit_code is Exit.FINE, died_at
        assert public(world) == {**NEW, "c.txt": b"three\n"}, died_at


def test_a_put_that_fails_leaves_the_promotion_partial(world: World) -> None:
    """What is stored is committed and recorded as a part; the next run brings the rest of the same generation."""
    world.run()
    later(world)
    world.wire.fail("PUT", "a.txt", error=TargetError("full", advice="buy"), actor="production")
    assert world.run().exit_code is Exit.TARGET
    assert public(world) == {"b.txt": b"two\n"}
    assert world.manifest("production").promoted == Promoted("canary", 1, partial=True)
    assert world.run().exit_code is Exit.FINE
    assert public(world) == FILES
    assert world.manifest("production").promoted == Promoted("canary", 1)


def test_what_a_rollback_at_production_brought_back_is_not_pruned(world: World) -> None:
    """It is not in the generation that went on last; but that one is done, and says nothing any more."""
    world.change_job("texts", prune=True)
    world.run()
    later(world)
    world.run()
    world.sources["texts"].files = {"b.txt": b"two\n"}
    world.run()
    later(world)
    old = world.manifest("production").files["a.txt"]
    world.run()
    assert public(world) == {"b.txt": b"two\n"}
    store, now = world.targets["production"], world.manifest("production")
    store.seed("a.txt", FILES["a.txt"])
    back = replace(old, etag=store.listing()["a.txt"].etag, version_id=store.listing()["a.txt"].version_id)
    store.seed("manifest.json", replace(now, generation=3, files={**now.files, "a.txt": back}).to_bytes())

    assert world.run().jobs[0].outcome is Outcome.UNCHANGED
    assert public(world) == FILES


def test_the_same_files_are_shown_to_a_gate_once_in_a_run(world: World, tmp_path: Path) -> None:
    """Another run wrote meanwhile, but something else: what is planned anew are the files that have passed already."""
    log = tmp_path / "log"
    world.change_job("texts", files=(FileRule("a.txt", "text"), FileRule("b.txt", "text")))
    world.add_job(text_job("words", "w.txt"), {"w.txt": b"w\n"})
    world.gates["canary"] = Program(tmp_path / "gate").keeper(f"echo asked >> {log}")

    def overtake() -> None:
        keeper = world.gates.pop("canary")
        world.run(only="words", at=("canary",))
        world.gates["canary"] = keeper

    world.wire.on("PUT", ".hubdata/lease.json", do=overtake, actor="canary")
    assert world.run(only="texts", at=("canary",)).exit_code is Exit.FINE
    assert log.read_text().split() == ["asked"]
    assert public(world, "canary") == {**FILES, "w.txt": b"w\n"}


def test_a_store_whose_clock_was_set_back_does_not_confuse_the_order(world: World) -> None:
    """Numbers tell what came after what; by a time that went backwards nothing seems to have soaked."""
    world.run()
    later(world, 60)
    world.clock.set(world.clock.now() - timedelta(hours=3))
    world.sources["texts"].files = dict(NEW)
    world.run()
    assert public(world) == {}
    later(world)
    world.run()
    assert public(world) == NEW
    assert world.manifest("production").promoted == Promoted("canary", 2)
