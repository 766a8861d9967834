"""Promotions in the simulator: canary, then production, on a clock that stands until it is moved."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError, TargetError
from hubdata.gating import Gatekeeper
from hubdata.model.finding import Finding, Severity
from hubdata.model.gate import Gate
from hubdata.model.job import FileRule, Group, Limits, Unit
from hubdata.model.plan import Plan, Reason
from hubdata.model.run import Outcome, RunResult, TargetResult
from hubdata.model.snapshot import Artifact
from hubdata.model.stage import Promoted, StageResult
from hubdata.ports import Body, Demands, Verdict
from hubdata.visiting import Orders
from tests.simulator.source import TextKind
from tests.simulator.wire import Killed, When
from tests.simulator.world import World, text_job

SOAK = timedelta(minutes=30)
FILES = {"a.txt": b"one\n", "b.txt": b"two\n"}
NEW = {"a.txt": b"one\nmore\n", "b.txt": b"two\n"}
LIMITED = replace(text_job("texts"), files=(FileRule("**", "text", limits=Limits(max_change=0.5)),))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with a canary, a production after it, and one job that nothing was published of yet."""
    return make(tmp_path)


def make(tmp_path: Path) -> World:
    """Return such a world."""
    world = World(tmp_path)
    world.add_target("canary")
    world.add_stage("production", after="canary", soak=SOAK)
    world.add_job(text_job("texts"), FILES)
    return world


def later(world: World, minutes: float = 30) -> None:
    """Let time pass."""
    world.clock.sleep(timedelta(minutes=minutes))


def promoted(world: World) -> World:
    """Return `world` after its first generation was promoted, and a second one published at the canary just now."""
    world.run()
    later(world)
    world.run()
    world.sources["texts"].files = dict(NEW)
    world.run()
    return world


def production(result: RunResult, job: str = "texts") -> TargetResult:
    """Return what came of a job at production."""
    return next(t for each in result.jobs if each.job == job for t in each.targets if t.target == "production")


def stage(result: RunResult) -> StageResult:
    """Return how the one stage stands."""
    (only,) = result.stages
    return only


def public(world: World, target: str = "production") -> dict[str, bytes]:
    """Return the data files that readers get."""
    world.sound(target)
    return world.targets[target].public()


def test_production_waits_until_the_canary_has_soaked(world: World) -> None:
    """To the second of the store's clock; the run that is early says when the rest is due, and writes nothing there."""
    first = world.run()
    assert (public(world, "canary"), public(world)) == (FILES, {})
    coming = stage(first).coming
    assert coming is not None
    assert (coming.generation, coming.due_at, coming.remaining) == (1, world.clock.now() + SOAK, SOAK)
    assert production(first) == replace(production(first), plan=Plan("texts", "production"), applied=False)

    later(world, 29)
    early = world.run()
    assert (early.jobs[0].outcome, public(world)) == (Outcome.UNCHANGED, {})
    assert [c for c in world.wire.effects if "production" in c.call.actor] == []

    later(world, 1)
    due = world.run()
    assert (due.exit_code, due.jobs[0].outcome) == (Exit.FINE, Outcome.PUBLISHED)
    assert public(world) == FILES
    assert world.untold("production") == set()
    assert world.manifest("production").promoted == Promoted("canary", 1)
    assert (stage(due).last, stage(due).due, stage(due).coming) == (Promoted("canary", 1), 1, None)

    calls = len(world.wire.calls)
    assert world.run().jobs[0].outcome is Outcome.UNCHANGED
    assert {call.method for call in world.wire.calls[calls:]} == {"LIST", "GET"}
    assert len([call for call in world.wire.calls[calls:] if call.key not in ("", *_OWN)]) == 0


_OWN = ("manifest.json", ".hubdata/receipts.json", ".hubdata/lease.json")


def test_only_what_differs_is_fetched_from_the_canary(world: World) -> None:
    """And it comes from there, as it was: the source is not asked for what production gets."""
    promoted(world)
    later(world)
    world.sources["texts"].error = SourceError("no route", advice="wait")
    calls = len(world.wire.calls)
    result = world.run()
    assert public(world) == NEW
    assert result.jobs[0].problem is not None
    assert result.exit_code is Exit.SOURCE  # the source is told, and what had soaked went on all the same
    fetched = [c.key for c in world.wire.calls[calls:] if (c.actor, c.method) == ("canary", "GET")]
    assert [key for key in fetched if key not in _OWN] == ["a.txt"]
    assert world.targets["production"].writes("b.txt") == 1


def test_a_newer_generation_during_the_soak_takes_the_place_of_the_older(world: World) -> None:
    """The older one never goes on, however much time passes; the newer one soaks from its own beginning."""
    world.run()
    later(world, 29)
    world.sources["texts"].files = dict(NEW)
    assert stage(world.run()).coming is not None
    later(world, 29)
    assert stage(world.run()).due is None
    assert public(world) == {}
    later(world, 1)
    assert stage(world.run()).last == Promoted("canary", 2)
    assert public(world) == NEW
    assert world.targets["production"].writes("a.txt") == 1


def test_exactly_what_soaked_goes_on_although_the_canary_has_moved_on(world: World) -> None:
    """One run feeds the canary something new and promotes what it had until then, from the past of its store."""
    world.run()
    later(world)
    world.sources["texts"].files = {**NEW, "c.txt": b"three\n"}
    result = world.run()
    assert public(world) == FILES
    assert public(world, "canary") == {**NEW, "c.txt": b"three\n"}
    coming = stage(result).coming
    assert coming is not None
    assert coming.generation == 2


def test_what_the_source_took_back_during_the_soak_never_goes_on(world: World) -> None:
    """A bad generation that lasted ten minutes is skipped, and so is one that lasted an hour but is undone by now."""
    promoted(world)  # generation 2 is at the canary
    later(world, 10)
    world.sources["texts"].files = dict(FILES)
    world.run()
    later(world, 60)
    assert stage(world.run()).last == Promoted("canary", 1)  # generation 3 is what production has: nothing to write
    assert public(world) == FILES

    world.sources["texts"].files = {**FILES, "a.txt": b"bad\n"}
    world.run()
    later(world, 60)  # soaked, but no run promoted it
    world.sources["texts"].files = dict(FILES)
    world.run()
    assert public(world) == FILES
    assert world.targets["production"].writes("a.txt") == 1


def test_a_promotion_is_planned_and_a_dry_run_writes_nothing(world: World) -> None:
    """Its plan has an id, and is the one that is carried out."""
    world.run()
    later(world)
    effects = len(world.wire.effects)
    planned = production(world.run(Orders(dry_run=True)))
    assert ([c.key for c in planned.plan.changes], planned.promoted) == (["a.txt", "b.txt"], Promoted("canary", 1))
    assert not planned.applied
    assert len(world.wire.effects) == effects
    assert production(world.run()).plan.id == planned.plan.id


def held(result: RunResult, job: str = "texts") -> Plan:
    """Return the plan that production holds."""
    plan = production(result, job).held
    assert plan is not None
    return plan


def limited(world: World) -> tuple[World, RunResult]:
    """Return a world with two jobs, of which the change of one is held at production, and the run that held it."""
    world.jobs["texts"] = LIMITED
    world.change_job("texts", files=(FileRule("a.txt", "text"), FileRule("b.txt", "text")))
    world.add_job(text_job("words", "w.txt"), {"w.txt": b"w\n"})
    promoted(world)
    world.sources["words"].files = {"w.txt": b"w\nx\n"}
    world.run()
    world.change_job("texts", files=LIMITED.files)
    later(world)
    return world, world.run()


def test_limits_hold_a_promotion_and_an_approval_lets_it_out(world: World) -> None:
    """Each job's share for itself: what is free goes on, the record says that it is partial until all has."""
    world, result = limited(world)
    assert result.exit_code is Exit.HELD
    assert production(result, "words").applied
    assert public(world) == {**FILES, "w.txt": b"w\nx\n"}
    assert world.manifest("production").promoted == Promoted("canary", 3, partial=True)
    again = world.run()
    assert held(again).id == held(result).id
    assert stage(again).due == 3

    approved = world.run(Orders(approve=frozenset({held(result).id})))
    assert (approved.exit_code, approved.unknown_plans) == (Exit.FINE, ())
    assert public(world) == {**NEW, "w.txt": b"w\nx\n"}
    assert world.manifest("production").promoted == Promoted("canary", 3)
    assert world.run().jobs[0].outcome is Outcome.UNCHANGED


def test_a_later_generation_takes_the_place_of_a_held_plan(world: World) -> None:
    """The old id lets nothing out any more: other bytes are due, and nobody has looked at these."""
    world, result = limited(world)
    old = held(result)
    world.sources["texts"].files = {**NEW, "a.txt": b"one\nmore\nand\nmore\n"}
    approve_at_canary = next(t.held for j in world.run().jobs for t in j.targets if t.target == "canary" and t.held)
    world.run(Orders(approve=frozenset({approve_at_canary.id})))
    assert world.run(Orders(approve=frozenset({old.id}), dry_run=True)).unknown_plans == ()  # not soaked: still due
    later(world)
    stale = world.run(Orders(approve=frozenset({old.id})))
    assert (stale.exit_code, stale.unknown_plans) == (Exit.HELD, (old.id,))
    assert public(world)["a.txt"] == FILES["a.txt"]
    new = held(world.run())
    assert world.run(Orders(approve=frozenset({new.id}))).exit_code is Exit.FINE
    assert public(world)["a.txt"] == b"one\nmore\nand\nmore\n"
    assert world.manifest("production").promoted == Promoted("canary", 4)


class Strict(TextKind):
    """What a rule is after somebody has learned something: the word `more` is bad now."""

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return an error for each such line."""
        found = super().check(artifact, body, demands)
        lines = bytes(body).splitlines()
        bad = tuple(
            Finding(artifact.key, number, "text.more", Severity.ERROR, "no more", "remove it")
            for number, line in enumerate(lines, 1)
            if line == b"more"
        )
        return replace(found, findings=(*found.findings, *bad))


def test_a_promotion_is_judged_by_the_rules_of_today(world: World) -> None:
    """What soaked is refused all the same when this run finds it bad; its last good version stays."""
    promoted(world)
    later(world)
    world.kind = Strict()
    world.sources["texts"].files = dict(FILES)  # the source is mended already
    world.sources["texts"].error = SourceError("no route", advice="wait")
    result = world.run()
    assert [(f.key, f.line, f.rule) for f in result.jobs[0].findings] == [("a.txt", 2, "text.more")]
    assert public(world) == FILES
    assert production(result).plan.empty
    assert world.manifest("production").promoted == Promoted("canary", 1)
    world.sources["texts"].error = None
    assert world.run(at=("production",)).exit_code is Exit.REFUSED


def test_a_unit_job_and_its_groups_are_judged_whole(world: World) -> None:
    """All files of the job are looked at together, also those that do not differ."""
    group = Group("set", ("*.txt",))
    world.change_job("texts", unit=Unit.JOB, groups=(group,))
    promoted(world)
    later(world)
    calls = len(world.wire.calls)
    assert world.run().exit_code is Exit.FINE
    fetched = {c.key for c in world.wire.calls[calls:] if (c.actor, c.method) == ("canary", "GET")}
    assert {"a.txt", "b.txt"} <= fetched
    assert world.targets["production"].writes("b.txt") == 1


def test_what_the_canary_pruned_production_prunes(world: World) -> None:
    """Deletions soak as well, and are limited as everywhere."""
    world.change_job("texts", prune=True)
    world.run()
    later(world)
    world.run()
    world.sources["texts"].files = {"b.txt": b"two\n"}
    world.run()
    assert public(world) == FILES
    later(world)
    assert [c.key for c in production(world.run()).plan.deletes] == ["a.txt"]
    assert public(world) == {"b.txt": b"two\n"}


def test_one_job_alone_is_promoted_in_part(world: World) -> None:
    """The others follow with the next run that they take part in; nothing of theirs is touched."""
    world.add_job(text_job("words", "w.txt"), {"w.txt": b"w\n"})
    world.change_job("texts", files=(FileRule("a.txt", "text"), FileRule("b.txt", "text")))
    world.run()
    later(world)
    world.run(only="words")
    assert public(world) == {"w.txt": b"w\n"}
    assert world.manifest("production").promoted == Promoted("canary", 1, partial=True)
    world.run(only="texts")
    assert public(world) == {**FILES, "w.txt": b"w\n"}


def test_production_alone_asks_no_source(world: World) -> None:
    """Who names that target only gets what is due there; whether upstream is up does not matter."""
    world.run()
    later(world)
    world.sources["texts"].error = SourceError("no route", advice="wait")
    fetches = world.sources["texts"].fetches
    result = world.run(at=("production",))
    assert (result.exit_code, public(world), world.sources["texts"].fetches) == (Exit.FINE, FILES, fetches)


def test_stages_follow_each_other(world: World) -> None:
    """Three in a row: each waits for the one before it, and the whole way takes both times."""
    world.add_stage("world", after="production", soak=timedelta(minutes=10))
    world.run()
    later(world, 30)
    result = world.run()
    assert (public(world), public(world, "world")) == (FILES, {})
    assert [s.coming and s.coming.generation for s in result.stages] == [None, 1]
    later(world, 10)
    world.run()
    assert public(world, "world") == FILES
    assert world.manifest("world").promoted == Promoted("production", 1)


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


def test_a_job_that_is_gone_from_the_settings_is_not_promoted_any_more(world: World) -> None:
    """Nobody says what its files are, so nobody can judge them; what production has of them stays."""
    world.add_job(text_job("words", "w.txt"), {"w.txt": b"w\n"})
    world.change_job("texts", files=(FileRule("a.txt", "text"), FileRule("b.txt", "text")))
    promoted(world)
    world.sources["words"].files = {"w.txt": b"x\n"}
    world.run()
    del world.jobs["words"]
    later(world)
    assert world.run().exit_code is Exit.FINE
    assert public(world) == {**NEW, "w.txt": b"w\n"}


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


def test_a_file_that_no_rule_names_any_more_stays_behind(world: World) -> None:
    """Nobody can judge it: it is not promoted, and it refuses nothing."""
    world.run()
    later(world)
    world.change_job("texts", files=(FileRule("b.txt", "text"),))
    result = world.run(at=("production",))
    assert (result.exit_code, result.jobs[0].findings) == (Exit.FINE, ())
    assert public(world) == {"b.txt": b"two\n"}


def test_a_job_that_has_never_published_anything_is_not_missed(world: World) -> None:
    """Its part of the generation is empty because it has none, not because its source lost everything."""
    world.change_job("texts", files=(FileRule("a.txt", "text"), FileRule("b.txt", "text")))
    world.add_job(text_job("words", "w.txt")).error = SourceError("no route", advice="wait")
    world.run()
    later(world)
    result = world.run(at=("production",))
    assert (result.exit_code, public(world)) == (Exit.FINE, FILES)
    assert world.manifest("production").promoted == Promoted("canary", 1)


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


def test_a_production_that_was_fed_by_the_sources_before_becomes_a_stage(world: World) -> None:
    """What is the same is not written again; jobs that the canary has nothing of yet keep what is there."""
    world.change_job("texts", files=(FileRule("a.txt", "text"), FileRule("b.txt", "text")))
    world.add_job(text_job("words", "w.txt"), {"w.txt": b"w\n"})
    soaks, world.soaks = world.soaks, {}
    world.run(at=("production",))
    world.soaks = soaks
    world.sources["texts"].files = dict(NEW)
    world.run(only="texts", at=("canary",))
    later(world)
    result = world.run(at=("production",))
    assert (result.exit_code, [f for job in result.jobs for f in job.findings]) == (Exit.FINE, [])
    assert public(world) == {**NEW, "w.txt": b"w\n"}
    assert world.targets["production"].writes("b.txt") == 1
    assert world.manifest("production").promoted == Promoted("canary", 1)


def test_forced_everything_of_the_generation_is_put_again(world: World) -> None:
    """As at any target; and only of what was promoted, nothing newer."""
    promoted(world)
    later(world)
    world.run()
    assert world.run(Orders(force=True), at=("production",)).exit_code is Exit.FINE
    assert public(world) == NEW
    assert [world.targets["production"].writes(key) for key in NEW] == [3, 2]


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
