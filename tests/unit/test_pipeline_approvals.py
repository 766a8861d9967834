"""Runs with `--approve`: exactly the approved plans are carried out, at the targets they are for, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError
from hubdata.model.finding import Severity
from hubdata.model.job import FileRule, Limits, Unit
from hubdata.model.plan import Plan
from hubdata.model.run import Outcome, RunResult
from hubdata.running.visiting import Orders
from tests.simulator.world import World, text_job

MANY = b"1\n2\n3\n4\n"
LIMITED = replace(text_job("texts"), files=(FileRule("**", "text", limits=Limits(max_change=0.5)),))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which `a.txt` would shrink too far, `b.txt` changes a little, and `new.txt` appears."""
    world = World(tmp_path)
    world.add_target()
    source = world.add_job(LIMITED, {"a.txt": MANY, "b.txt": MANY})
    world.run()
    source.files = {"a.txt": b"1\n", "b.txt": b"1\n2\n3\n5\n", "new.txt": b"1\n"}
    return world


def held(result: RunResult, job: str = "texts", target: str = "memory") -> Plan:
    """Return the plan of `job` that is held at `target`."""
    (plan,) = (t.held for j in result.jobs if j.job == job for t in j.targets if t.target == target)
    assert plan is not None
    return plan


def approve(*plans: Plan, dry_run: bool = False) -> Orders:
    """Return the orders to carry out just these plans."""
    return Orders(dry_run=dry_run, approve=frozenset(plan.id for plan in plans))


def test_the_approved_plan_is_published_and_other_changes_wait(world: World) -> None:
    """The held file goes out; two free changes of the same job stay away, and the result names them."""
    plan = held(world.run(Orders(dry_run=True)))

    result = world.run(approve(plan))

    target = result.jobs[0].targets[0]
    assert (result.exit_code, result.jobs[0].outcome, target.plan.id) == (Exit.FINE, Outcome.PUBLISHED, plan.id)
    assert world.targets["memory"].public() == {"a.txt": b"1\n", "b.txt": MANY}
    assert target.waiting is not None
    assert [c.key for c in target.waiting.changes] == ["b.txt", "new.txt"]
    assert [f.severity for f in result.jobs[0].findings] == [Severity.WARNING]

    assert world.run().exit_code is Exit.FINE
    assert world.targets["memory"].public() == world.sources["texts"].files


def test_other_jobs_wait_too(world: World) -> None:
    """A job that nobody spoke of is planned and left alone, and its outcome says so."""
    other = world.add_job(text_job("other", "x/*"), {"x/1.txt": b"x\n"})
    world.change_job("texts", files=(FileRule("*", "text", limits=Limits(max_change=0.5)),))
    plan = held(world.run(Orders(dry_run=True)))

    result = world.run(approve(plan))

    assert [(job.job, job.outcome) for job in result.jobs] == [("other", Outcome.PLANNED), ("texts", Outcome.PUBLISHED)]
    assert other.files.keys().isdisjoint(world.targets["memory"].public())


def test_a_stale_id_publishes_nothing_and_is_named(world: World) -> None:
    """The source changed after the review: not one byte is written, the run ends with 4 and names the id."""
    plan = held(world.run())
    before = (world.targets["memory"].public(), world.manifest().generation)
    world.sources["texts"].files |= {"a.txt": b"other\n", "b.txt": b"1\n2\n3\n6\n"}

    result = world.run(approve(plan))

    assert (result.exit_code, result.unknown_plans) == (Exit.HELD, (plan.id,))
    assert held(result).id != plan.id
    assert (world.targets["memory"].public(), world.manifest().generation) == before


def test_an_id_is_stale_when_the_target_changed(world: World) -> None:
    """Somebody overwrote the file at the target after the review: the approval was for replacing something else."""
    plan = held(world.run())
    world.targets["memory"].seed("a.txt", b"tampered\n")

    result = world.run(approve(plan))

    assert result.unknown_plans == (plan.id,)
    assert world.targets["memory"].body("a.txt") == b"tampered\n"


def test_an_approval_twice_is_told_although_nothing_is_held_any_more(world: World) -> None:
    """The second run has no plan with this id, since it is public: nothing happens, and that is no success."""
    plan = held(world.run())
    assert world.run(approve(plan)).exit_code is Exit.FINE
    generation = world.manifest().generation

    again = world.run(approve(plan))

    assert (again.exit_code, again.unknown_plans, again.jobs[0].exit_code) == (Exit.HELD, (plan.id,), Exit.FINE)
    assert world.manifest().generation == generation


def test_one_known_and_one_unknown_id(world: World) -> None:
    """The known plan goes out; the other id is named all the same."""
    plan = held(world.run())

    result = world.run(Orders(approve=frozenset({plan.id, "f" * 64})))

    assert (result.exit_code, result.unknown_plans) == (Exit.HELD, ("f" * 64,))
    assert world.targets["memory"].body("a.txt") == b"1\n"


def test_each_target_has_a_plan_of_its_own(world: World) -> None:
    """An approval for one target publishes nothing at the other; both ids at once publish at both."""
    world.run()
    second = world.add_target("second")
    world.sources["texts"].files["a.txt"] = MANY
    world.run()
    world.sources["texts"].files["a.txt"] = b"1\n"
    found = world.run()
    first_plan, second_plan = held(found), held(found, target="second")
    assert first_plan.id != second_plan.id

    result = world.run(approve(first_plan))

    assert result.exit_code is Exit.HELD, "the second target still holds it back"
    assert (world.targets["memory"].body("a.txt"), second.body("a.txt")) == (b"1\n", MANY)
    assert world.run(approve(second_plan)).exit_code is Exit.FINE
    assert second.body("a.txt") == b"1\n"


def test_several_plans_are_approved_at_once(world: World) -> None:
    """One run carries out the plans of two targets as one publication at each."""
    world.add_target("second")
    world.sources["texts"].files["a.txt"] = MANY
    world.run()
    world.sources["texts"].files["a.txt"] = b"1\n"
    found = world.run()

    result = world.run(approve(held(found), held(found, target="second")))

    assert (result.exit_code, result.unknown_plans) == (Exit.FINE, ())
    assert {world.targets[name].body("a.txt") for name in world.targets} == {b"1\n"}


def test_unit_job_is_approved_whole(world: World) -> None:
    """With `unit = "job"` the plan that is held, and approved, has every change of the job."""
    world.change_job("texts", unit=Unit.JOB)
    plan = held(world.run())
    assert [c.key for c in plan.changes] == ["a.txt", "b.txt", "new.txt"]

    assert world.run(approve(plan)).exit_code is Exit.FINE

    assert world.targets["memory"].public() == world.sources["texts"].files


def test_the_id_is_the_same_with_and_without_force(world: World) -> None:
    """`--force` puts unchanged files again, but does not make another plan of what is held."""
    assert held(world.run(Orders(dry_run=True, force=True))).id == held(world.run(Orders(dry_run=True))).id


def test_a_dry_run_shows_what_an_approval_would_do(world: World) -> None:
    """`plan --approve ID` plans that plan alone and writes nothing."""
    plan = held(world.run())
    generation = world.manifest().generation

    result = world.run(approve(plan, dry_run=True))

    assert (result.jobs[0].outcome, result.jobs[0].targets[0].plan.id) == (Outcome.PLANNED, plan.id)
    assert world.manifest().generation == generation
    assert world.targets["memory"].body("a.txt") == MANY


def test_a_failing_source_does_not_make_an_approval_pass(world: World) -> None:
    """When the job cannot be read there is no plan to approve: the worse code wins, and the id is named."""
    plan = held(world.run())
    world.sources["texts"].error = SourceError("down")

    result = world.run(approve(plan))

    assert (result.exit_code, result.unknown_plans) == (Exit.SOURCE, (plan.id,))
