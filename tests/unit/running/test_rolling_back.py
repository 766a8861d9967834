"""Going back through the pipeline: what is read, what another run may do meanwhile, what is left alone."""

from pathlib import Path

import pytest

from hubdata import pipeline
from hubdata.errors import ConfigError, Exit, TargetError
from hubdata.model.job import Group
from hubdata.model.run import RunResult
from hubdata.publishing.survey import survey
from hubdata.running.reading import Feed
from hubdata.running.rolling_back import Past, way_to
from hubdata.running.visiting import Orders, Place
from tests.simulator.world import World, text_job


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world of two jobs and three generations; `same` never changes."""
    world = World(tmp_path)
    world.add_target()
    world.add_job(text_job("a", "a/*"), {"a/x": b"1\n", "a/same": b"s\n"})
    world.add_job(text_job("b", "b/*"), {"b/y": b"1\n"})
    for number in (1, 2, 3):
        world.sources["a"].files["a/x"] = b"%d\n" % number
        world.sources["b"].files["b/y"] = b"%d\n" % number
        assert world.run().exit_code is Exit.FINE
    return world


def back(world: World, to: int, *, selected: frozenset[str] | None = None, prune: bool = False) -> RunResult:
    """Go to a generation."""
    feed, upon = way(world, to, selected=selected, prune=prune)
    world.runs += 1
    place = Place(world.targets["memory"], world.cdns["memory"])
    others = tuple(job for name, job in world.jobs.items() if name not in feed.selected)
    return pipeline.run(
        (feed,),
        (place,),
        lambda _: world.kind,
        Orders(upon=upon),
        run_id=f"back{world.runs}",
        clock=world.clock,
        reporter=world.events,
        others=others,
    )


def way(
    world: World, to: int, *, selected: frozenset[str] | None = None, prune: bool = False
) -> tuple[Feed, str | None]:
    """Return the way to a generation."""

    def staged() -> Path:
        path = world.spool / f"staged-{len(list(world.spool.iterdir()))}"
        path.mkdir()
        return path

    names = frozenset(world.jobs) if selected is None else selected
    found = way_to(Past(to, prune), world.targets["memory"], tuple(world.jobs.values()), names, staged)
    return found.feed, found.upon


def reads(world: World) -> list[str]:
    """Return the data keys that were read since the last time."""
    keys = [
        call.key for call in world.wire.calls if call.method == "GET" and not call.key.startswith((".", "manifest"))
    ]
    world.wire.calls.clear()
    return keys


def test_only_what_differs_is_read_and_put(world: World) -> None:
    """The file that is the same costs nothing, neither there nor for any engine."""
    reads(world)
    result = back(world, 1)
    assert result.exit_code is Exit.FINE
    assert sorted(reads(world)) == ["a/x", "b/y"]
    public = world.targets["memory"].public()
    assert {key: body for key, body in public.items() if key != "manifest.json"} == {
        "a/x": b"1\n",
        "a/same": b"s\n",
        "b/y": b"1\n",
    }
    assert [(each.plan.unchanged, each.generation) for job in result.jobs for each in job.targets] == [(1, 4), (0, 4)]
    assert world.untold() == set()
    world.sound()


def test_files_that_are_judged_together_are_read_together(world: World) -> None:
    """Else a group would seem to lack what is in place."""
    world.change_job("a", groups=(Group("rules", ("a/*",)),))
    reads(world)
    assert back(world, 1, selected=frozenset({"a"})).exit_code is Exit.FINE
    assert sorted(reads(world)) == ["a/same", "a/x"]
    assert world.targets["memory"].body("b/y") == b"3\n"


def test_a_run_that_publishes_before_the_plan_is_carried_out_stops_it(world: World) -> None:
    """What was shown was planned upon another state; nothing is written over what nobody has seen."""

    def overtake() -> None:
        world.sources["b"].files["b/y"] = b"4\n"
        assert world.run(only="b").exit_code is Exit.FINE

    world.wire.on("PUT", ".hubdata/lease.json", do=overtake)
    result = back(world, 1)
    (problem,) = {each.problem for job in result.jobs for each in job.targets}
    assert problem is not None
    assert "another run has published since this rollback was planned" in problem.message
    assert result.exit_code is Exit.TARGET
    assert (world.targets["memory"].body("a/x"), world.targets["memory"].body("b/y")) == (b"3\n", b"4\n")
    assert world.manifest().withdrawn == {}
    assert back(world, 1).exit_code is Exit.FINE


def test_a_manifest_swapped_between_plan_and_survey_stops_it_too(world: World) -> None:
    """The way leads back from one manifest, and from no other."""
    feed, upon = way(world, 1)
    world.sources["b"].files["b/y"] = b"4\n"
    world.run(only="b")
    place = Place(world.targets["memory"], world.cdns["memory"])
    result = pipeline.run(
        (feed,),
        (place,),
        lambda _: world.kind,
        Orders(upon=upon, dry_run=True),
        run_id="late",
        clock=world.clock,
        reporter=world.events,
    )
    assert result.exit_code is Exit.TARGET


def test_what_another_program_overwrote_goes_back_too(world: World) -> None:
    """It is not what the manifest says, so nobody knows what it is: it is read and put."""
    world.targets["memory"].seed("a/same", b"somebody else's\n")
    assert back(world, 1).exit_code is Exit.FINE
    assert world.targets["memory"].body("a/same") == b"s\n"
    world.sound()


def test_of_files_that_were_not_there_only_those_in_place_are_thought_of(world: World) -> None:
    """Without prune they stay, also in the manifest, even one that somebody overwrote: that is the next run's."""
    world.sources["a"].files["a/late"] = b"l\n"
    world.run()
    world.targets["memory"].seed("a/late", b"drifted\n")
    assert back(world, 1).exit_code is Exit.FINE
    assert "a/late" in world.manifest().files
    assert back(world, 2, prune=True).exit_code is Exit.FINE
    assert "a/late" not in world.manifest().files


def test_a_rollback_that_died_after_its_puts_withdraws_all_the_same_when_run_again(world: World) -> None:
    """It finds its files in place, puts nothing twice, and lists what it took back."""
    world.wire.fail("PUT", "manifest.json", error=TargetError("the power went"))
    assert back(world, 1).exit_code is Exit.TARGET
    assert world.manifest().generation == 3
    before = world.targets["memory"].writes("a/x")
    assert back(world, 1).exit_code is Exit.FINE
    assert world.targets["memory"].writes("a/x") == before
    assert world.manifest().withdrawn.keys() == {"a/x", "b/y"}
    assert world.untold() == set()
    assert world.run().exit_code is Exit.HELD


def test_a_rollback_that_died_after_its_puts_is_undone_by_the_next_sync(world: World) -> None:
    """Nothing was rolled back as long as no manifest says so: the source's files are put again, and told."""
    world.wire.fail("PUT", "manifest.json", error=TargetError("the power went"))
    back(world, 1)
    assert world.run().exit_code is Exit.FINE
    assert world.targets["memory"].body("a/x") == b"3\n"
    assert survey(world.targets["memory"]).ledger.open == ()
    assert world.untold() == set()
    world.sound()


def test_jobs_without_files_then_take_no_part(world: World) -> None:
    """A generation in which a job had nothing takes nothing from it; if nobody had anything, that is said."""
    world.add_job(text_job("c", "c/*"), {"c/z": b"1\n"})
    world.run()
    feed, _ = way(world, 1, prune=True)
    assert feed.selected == {"a", "b"}
    with pytest.raises(ConfigError, match="generation 1 of target memory holds no file of c"):
        way(world, 1, selected=frozenset({"c"}))
    assert back(world, 1, prune=True).exit_code is Exit.FINE
    assert world.targets["memory"].body("c/z") == b"1\n"


def test_the_jobs_of_today_are_what_counts(world: World) -> None:
    """A key that another job claims by now is that job's; one that is ignored by now is passed over."""
    world.change_job("a", files=text_job("a", "a/x").files, ignore=("b/*",))
    world.change_job("b", files=text_job("b", "a/same").files)
    result = back(world, 1)
    assert result.exit_code is Exit.FINE
    assert [job.job for job in result.jobs] == ["a", "b"]
    assert world.targets["memory"].body("a/x") == b"1\n"
    assert world.targets["memory"].body("b/y") == b"3\n"


def test_a_generation_without_change_is_nothing_to_do(world: World) -> None:
    """Going to where we are writes nothing."""
    writes = len(world.wire.effects)
    result = back(world, 3)
    assert (result.exit_code, result.records) == (Exit.FINE, {})
    assert len(world.wire.effects) == writes
    assert all(each.plan.empty for job in result.jobs for each in job.targets)
