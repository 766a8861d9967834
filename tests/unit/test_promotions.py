"""Promotions in the simulator: canary, then production, on a clock that stands until it is moved."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule, Group, Limits, Unit
from hubdata.model.plan import Plan
from hubdata.model.run import Outcome, RunResult
from hubdata.model.snapshot import Artifact
from hubdata.model.stage import Promoted
from hubdata.ports import Body, Demands, Verdict
from hubdata.running.visiting import Orders
from tests.simulator.source import TextKind
from tests.simulator.world import World, text_job
from tests.support.stages import FILES, NEW, SOAK, later, make, production, promoted, public, stage

LIMITED = replace(text_job("texts"), files=(FileRule("**", "text", limits=Limits(max_change=0.5)),))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with a canary, a production after it, and one job that nothing was published of yet."""
    return make(tmp_path)


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
