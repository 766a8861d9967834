"""Runs that hold back: refused files and jobs, held plans, missing input, kept keys, contradicting jobs."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.finding import Severity
from hubdata.model.job import FileRule, Limits, Unit
from hubdata.model.run import Outcome
from hubdata.pipeline import run
from hubdata.running.reading import Feed
from hubdata.running.visiting import Orders, Place
from tests.simulator.source import TextKind
from tests.simulator.world import World, text_job

FILES = {"a.txt": b"one\n", "b.txt": b"two\n", "sub/c.txt": b"three\n"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one target and nothing to publish yet."""
    world = World(tmp_path)
    world.add_target()
    return world


def test_refused_file_keeps_its_published_version(world: World) -> None:
    """A bad file is reported and stays public as it was; good changes beside it go out."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files |= {"a.txt": b"fine\nBAD\n", "b.txt": b"better\n"}

    result = world.run()

    assert (result.exit_code, result.jobs[0].outcome) == (Exit.REFUSED, Outcome.REFUSED)
    (finding,) = result.jobs[0].findings
    assert (finding.key, finding.line, finding.severity) == ("a.txt", 2, Severity.ERROR)
    assert world.targets["memory"].public() == {**FILES, "b.txt": b"better\n"}
    assert world.manifest().files.keys() == FILES.keys()


def test_unit_job_is_refused_whole(world: World) -> None:
    """With `unit = "job"` one bad file stops every put and every delete of the job."""
    source = world.add_job(replace(text_job("texts"), unit=Unit.JOB, prune=True), FILES)
    world.run()
    source.files = {"a.txt": b"BAD\n", "b.txt": b"better\n", "new.txt": b"n\n"}

    result = world.run()

    assert result.exit_code is Exit.REFUSED
    assert world.targets["memory"].public() == FILES
    assert world.manifest().generation == 1


def test_unit_job_is_refused_whole_although_some_files_are_kept(world: World) -> None:
    """A bad file of a unit holds back the deletes too, even when upstream calls the rest unchanged."""
    source = world.add_job(replace(text_job("texts"), unit=Unit.JOB, prune=True), FILES)
    source.conditional = True
    world.run()
    source.files = {"a.txt": b"one\n", "b.txt": b"two\n", "new.txt": b"BAD\n"}

    assert world.run().exit_code is Exit.REFUSED

    assert world.targets["memory"].public() == FILES
    assert world.manifest().generation == 1


def test_source_that_lost_all_its_files_empties_nothing(world: World) -> None:
    """A source with none of the job's files is refused; even with `prune` everything public stays."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    source.files = {}

    result = world.run()

    assert result.exit_code is Exit.REFUSED
    assert [f.rule for f in result.jobs[0].findings] == ["job.empty"]
    assert world.targets["memory"].public() == FILES


def test_source_that_lost_most_of_its_files_is_held(world: World) -> None:
    """Deleting more than half of a job's files waits for approval; what it gained goes out meanwhile."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    source.files = {"a.txt": b"one more\n"}

    held = world.run()

    assert (held.exit_code, held.jobs[0].outcome) == (Exit.HELD, Outcome.HELD)
    assert {f.rule for f in held.jobs[0].findings} == {"limits.max-deletes"}
    assert world.targets["memory"].public() == {**FILES, "a.txt": b"one more\n"}
    plan = held.jobs[0].targets[0].held
    assert plan is not None
    assert world.run(Orders(approve=frozenset({plan.id}))).exit_code is Exit.FINE
    assert world.targets["memory"].public() == source.files


def test_prune_forgets_an_object_that_is_gone_already(world: World) -> None:
    """A listed object that somebody deleted, and the source no longer has, leaves the manifest without a delete."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    del source.files["a.txt"]
    world.targets["memory"].lose("a.txt")

    assert world.run().exit_code is Exit.FINE

    assert world.manifest().files.keys() == source.files.keys()
    assert "DELETE" not in {c.method for c in world.wire.calls}


def _limited(world: World, unit: Unit = Unit.FILE) -> None:
    job = replace(
        text_job("texts"), files=(FileRule("**", "text", limits=Limits(max_change=0.5, floor_entries=1)),), unit=unit
    )
    source = world.add_job(job, {"a.txt": b"1\n2\n3\n4\n", "b.txt": b"1\n"})
    world.run()
    source.files = {"a.txt": b"1\n", "b.txt": b"2\n"}


def test_held_change_goes_out_only_with_exactly_its_plan_id(world: World) -> None:
    """A change over a limit waits; another id does not let it out, its own does, as long as it is that plan."""
    _limited(world)
    held = world.run()
    plan = held.jobs[0].targets[0].held
    assert plan is not None
    assert held.exit_code is Exit.HELD
    assert [c.key for c in plan.changes] == ["a.txt"]
    store = world.targets["memory"]
    assert (store.body("a.txt"), store.body("b.txt")) == (b"1\n2\n3\n4\n", b"2\n")

    assert world.run(Orders(approve=frozenset({"0" * 64}))).exit_code is Exit.HELD
    world.sources["texts"].files["a.txt"] = b"other\n"
    assert world.run(Orders(approve=frozenset({plan.id}))).exit_code is Exit.HELD
    world.sources["texts"].files["a.txt"] = b"1\n"
    approved = world.run(Orders(approve=frozenset({plan.id})))

    assert approved.exit_code is Exit.FINE
    assert [f.severity for f in approved.jobs[0].findings] == [Severity.WARNING]
    assert store.body("a.txt") == b"1\n"


def test_unit_job_is_held_whole(world: World) -> None:
    """With `unit = "job"` one change over a limit holds all changes of the job."""
    _limited(world, Unit.JOB)

    assert world.run().exit_code is Exit.HELD

    assert world.manifest().generation == 1
    assert world.targets["memory"].body("b.txt") == b"1\n"


def test_rewound_source_is_held_until_rollback_is_allowed(world: World) -> None:
    """Data that goes back in its source's history waits; `--allow-rollback` lets it out."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files["a.txt"] = b"older\n"
    source.revision, source.rewinds = "r0", ("r1",)

    held = world.run()

    assert held.exit_code is Exit.HELD
    assert {f.rule for f in held.jobs[0].findings} == {"limits.rewound"}
    assert world.run(Orders(allow_rollback=True)).exit_code is Exit.FINE
    assert world.targets["memory"].body("a.txt") == b"older\n"


def test_kept_keys_are_neither_read_nor_written(world: World) -> None:
    """What the upstream says is unchanged stays listed as it is and is not fetched, until one target has lost it."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    source.conditional = True
    world.run()

    assert world.run().jobs[0].outcome is Outcome.UNCHANGED
    assert "source.fetched revision=r1 files=0" in [str(e) for e in world.events.seen]

    world.targets["memory"].lose("a.txt")
    assert world.run().exit_code is Exit.FINE
    assert world.targets["memory"].public() == FILES


def test_kept_file_is_fetched_when_one_of_two_targets_lacks_it(world: World) -> None:
    """A new target gets every file although the other one has them all; the other one is not written."""
    source = world.add_job(text_job("texts"), FILES)
    source.conditional = True
    world.run()
    second = world.add_target("second")

    assert world.run().exit_code is Exit.FINE

    assert second.public() == FILES
    assert [world.targets["memory"].writes(key) for key in FILES] == [1, 1, 1]


def test_nothing_is_kept_when_one_target_cannot_be_asked(world: World) -> None:
    """What an unreadable target holds is unknown, so all is fetched, but nothing is rewritten elsewhere."""
    source = world.add_job(text_job("texts"), FILES)
    source.conditional = True
    world.add_target("second")
    world.run()
    world.wire.fail("LIST", error=TargetError("down"), actor="second")

    assert world.run().exit_code is Exit.TARGET

    assert [e.fields["files"] for e in world.events.seen if e.name == "source.fetched"] == [3, 3]
    assert [world.targets["memory"].writes(key) for key in FILES] == [1, 1, 1]


def test_contradicting_jobs_are_a_config_error_and_nothing_is_written(world: World) -> None:
    """A key claimed by two jobs of one source is a config error, even when only one of them runs."""
    source = world.add_job(text_job("a"), FILES)
    feed = Feed(source, (text_job("a"), text_job("b")), frozenset({"a"}))
    place = Place(world.targets["memory"], world.cdns["memory"])

    result = run(
        (feed,), (place,), lambda _: TextKind(), Orders(), run_id="r", clock=world.clock, reporter=world.events
    )

    problem = result.jobs[0].problem
    assert problem is not None
    assert "both claim a.txt" in problem.message
    assert result.exit_code is Exit.CONFIG
    assert world.wire.effects == []
