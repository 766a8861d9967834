"""Visits: what one publication comes to for each of its jobs."""

from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.job import Unit
from hubdata.model.run import TargetResult
from hubdata.model.tariff import Estimate
from hubdata.running import outlook
from hubdata.running.visiting import Orders
from tests.simulator.cdn import PricedCdn
from tests.simulator.world import World, text_job


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with two jobs and one target."""
    world = World(tmp_path)
    world.add_target()
    world.add_job(text_job("a", "a.txt"), {"a.txt": b"1\n"})
    world.add_job(text_job("b", "b.txt"), {"b.txt": b"1\n"})
    return world


def stays(world: World, orders: Orders | None = None) -> list[TargetResult]:
    """Return what a run came to at its one target, job by job."""
    return [job.targets[0] for job in world.run(orders).jobs]


def test_requests_stand_once_and_add_up(world: World) -> None:
    """Jobs share one survey and one swap: their requests are counted at the first job only."""
    first, second = stays(world)

    assert sum(first.requests.values()) == len([c for c in world.wire.calls if c.actor == "memory"])
    assert second.requests == {}


def test_invalidation_stands_at_every_job_that_took_part(world: World) -> None:
    """The one invalidation is shown, whole, at the jobs whose plans it came from, and at no other."""
    first, second = stays(world)
    assert first.invalidation == second.invalidation is not None
    world.sources["b"].files["b.txt"] = b"2\n"

    first, second = stays(world)

    assert first.invalidation is None
    assert not first.applied
    assert second.invalidation is not None
    assert second.applied
    assert first.generation == second.generation == 2


def test_problem_of_an_object_is_told_by_the_job_it_belongs_to(world: World) -> None:
    """A failed put is the first error of its own job; the other job is fine."""
    world.wire.fail("PUT", "b.txt", error=TargetError("no space", advice="buy some"))

    first, second = stays(world)

    assert first.problem is None
    assert second.problem is not None
    assert (second.problem.message, second.problem.advice, second.problem.exit_code) == (
        "no space",
        "buy some",
        Exit.TARGET,
    )


def test_several_failed_objects_are_one_problem_that_counts_them(world: World) -> None:
    """One line says the first error and how many more there are."""
    world.change_job("a", files=text_job("a", "*").files)
    world.sources["a"].files = {f"a{n}.txt": b"1\n" for n in range(3)}
    del world.jobs["b"]
    for n in range(3):
        world.wire.fail("PUT", f"a{n}.txt", error=TargetError("no space"))

    (stay,) = stays(world)

    assert stay.problem is not None
    assert stay.problem.message == "no space (and 2 more objects)"


def test_waiting_for_a_cdn_that_never_finishes_leaves_it_pending(world: World) -> None:
    """With `--wait` an unfinished invalidation ends in exit 7; without it nobody waits."""
    world.cdns["memory"].finishes = False

    assert world.run(Orders(wait=True)).exit_code is Exit.CDN_PENDING
    world.sources["a"].files["a.txt"] = b"2\n"
    assert world.run().exit_code is Exit.FINE


def test_dry_run_leaves_an_open_receipt_open(world: World) -> None:
    """Whoever only looks does not tell the CDN either."""
    world.cdns["memory"].refusing = True
    world.run()
    world.cdns["memory"].refusing = False

    world.run(Orders(dry_run=True))

    assert world.cdns["memory"].accepted == {}


def test_spooled_file_that_vanished_before_it_was_recognised_is_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checked file that is gone when a multipart ETag must be computed is a problem with advice, not a crash."""

    def gone(path: Path, part_size: int) -> str:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(outlook, "multipart_etag", gone)
    world.targets["memory"].seed("a.txt", b"1\n", part_size=1 << 23)

    (problem, _) = (stay.problem for stay in stays(world))

    assert problem is not None
    assert "job a: a checked file cannot be read any more (No such file" in problem.message
    assert problem.advice
    assert world.wire.effects == []


def test_prune_is_held_back_while_a_unit_job_is_refused(world: World) -> None:
    """A job that is all or nothing deletes nothing while one of its files is bad."""
    world.change_job("a", files=text_job("a", "a*").files, prune=True)
    world.sources["a"].files = {"a.txt": b"1\n", "a2.txt": b"1\n"}
    world.run()
    world.change_job("a", unit=Unit.JOB)
    world.sources["a"].files = {"a.txt": b"BAD\n"}

    assert world.run().exit_code is Exit.REFUSED
    assert "a2.txt" in world.targets["memory"].public()


def test_a_dry_run_says_once_what_the_cdn_will_cost(world: World) -> None:
    """Both jobs change a file: with the manifest three paths, counted at the first job and at no other."""
    first, second = stays(world, Orders(dry_run=True))

    assert first.invalidation_estimate == Estimate(3)
    assert second.invalidation_estimate is None


def test_the_estimate_stands_at_the_first_job_that_changes_anything(world: World) -> None:
    """An unchanged job has none, nor has a run that changes nothing."""
    world.cdns["memory"] = PricedCdn(world.wire)
    world.run()
    world.sources["b"].files["b.txt"] = b"2\n"
    first, second = stays(world, Orders(dry_run=True))
    assert first.invalidation_estimate is None
    assert second.invalidation_estimate == Estimate(2, free_paths=4, usd=0)

    world.run()
    assert [stay.invalidation_estimate for stay in stays(world, Orders(dry_run=True))] == [None, None]


def test_waiting_is_told_with_how_long_it_took(world: World) -> None:
    """Whoever said `--wait` reads the seconds in the result, and in an event when it ends."""
    cdn = world.cdns["memory"]
    cdn.takes = lambda: world.clock.sleep(timedelta(seconds=12))

    first, _ = stays(world, Orders(wait=True))

    assert first.invalidation is not None
    assert first.invalidation.waited_s == 12
    assert world.events.names()[-1] == "cdn.finished"


def test_an_object_that_only_enters_the_manifest_has_no_known_tag(world: World) -> None:
    """Whoever put it may have put it without: its cached copy is forgotten by path."""
    world.cdns["memory"] = PricedCdn(world.wire, reads_tags=True)
    world.targets["memory"].seed("a.txt", b"1\n")
    world.change_job("a", files=text_job("a", "a*").files)
    world.sources["a"].files["a2.txt"] = b"1\n"
    world.run()

    tags = {key: line.cache_tag for key, line in world.manifest().files.items()}
    assert tags == {"a.txt": "", "a2.txt": "tag-a", "b.txt": "tag-b"}


def test_an_object_that_goes_over_to_another_job_keeps_the_tag_it_has(world: World) -> None:
    """It is not uploaded again, so what it carries is what it was put with; the other job's tag does not reach it."""
    world.cdns["memory"] = PricedCdn(world.wire, reads_tags=True)
    world.run()
    del world.jobs["a"]
    world.change_job("b", files=text_job("b", "*").files)
    world.sources["b"].files["a.txt"] = b"1\n"
    world.run()

    entry = world.manifest().files["a.txt"]
    assert (entry.job, entry.cache_tag) == ("b", "tag-a")
