"""Whole runs in the simulator: what a run does, in which order, and the least possible writing."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit
from hubdata.model.job import Unit
from hubdata.model.run import Outcome, RunResult
from hubdata.pipeline import run
from hubdata.running.reading import Feed
from hubdata.running.visiting import Orders, Place
from tests.simulator.source import TextKind
from tests.simulator.wire import Call
from tests.simulator.world import World, text_job

FILES = {"a.txt": b"one\n", "b.txt": b"two\n", "sub/c.txt": b"three\n"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one target and nothing to publish yet."""
    world = World(tmp_path)
    world.add_target()
    return world


def test_first_run_publishes_everything_and_tells_the_cdn_once(world: World) -> None:
    """A first run stores every file, lists it with its digest, and asks for one invalidation with every path."""
    world.add_job(text_job("texts"), FILES)

    result = world.run()

    assert result.exit_code is Exit.FINE
    assert result.jobs[0].outcome is Outcome.PUBLISHED
    assert world.targets["memory"].public() == FILES
    assert world.manifest().files.keys() == FILES.keys()
    (told,) = world.cdns["memory"].accepted.values()
    assert set(told.paths) == {"/a.txt", "/b.txt", "/sub/c.txt", "/manifest.json"}
    world.sound()


def test_unchanged_run_makes_one_listing_and_two_reads_and_writes_nothing(world: World) -> None:
    """A run that finds nothing to do costs one LIST and two GETs and leaves every version as it was."""
    world.add_job(text_job("texts"), FILES)
    world.run()
    before, calls = dict(world.targets["memory"].requests()), len(world.wire.calls)

    result = world.run()

    after = world.targets["memory"].requests()
    spent = {method: after[method] - before[method] for method in after}
    assert spent == {"LIST": 1, "GET": 2, "PUT": 0, "HEAD": 0, "DELETE": 0}
    assert {c.method for c in world.wire.calls[calls:]} == {"LIST", "GET"}
    assert result.jobs[0].outcome is Outcome.UNCHANGED
    assert result.jobs[0].targets[0].generation == 1


def test_one_changed_file_is_the_only_one_written(world: World) -> None:
    """Only the changed file and the manifest get a new version, and only their paths are invalidated."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files["b.txt"] = b"two and a half\n"

    world.run()

    store = world.targets["memory"]
    assert [store.writes(key) for key in FILES] == [1, 2, 1]
    assert world.cdns["memory"].accepted["hubdata-run2-memory"].paths == ("/b.txt", "/manifest.json")
    assert world.manifest().generation == 2


def test_changes_go_out_under_a_lease_as_receipt_puts_manifest_deletes_cdn_receipt(world: World) -> None:
    """The order of an apply is the one that is safe for readers, whatever the keys sort like."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    source.files = {"b.txt": b"new\n", "sub/c.txt": b"three\n", "z.txt": b"z\n"}
    calls = len(world.wire.calls)

    world.run()

    assert [str(c) for c in world.wire.calls[calls:] if c.method not in ("GET", "LIST")] == [
        "memory PUT .hubdata/lease.json",
        "memory PUT .hubdata/receipts.json",
        "memory PUT b.txt",
        "memory PUT z.txt",
        "memory PUT manifest.json",
        "memory DELETE a.txt",
        "cdn-memory INVALIDATE hubdata-run2-memory",
        "memory PUT .hubdata/receipts.json",
        "memory PUT .hubdata/lease.json",
    ]


def test_force_writes_every_file_again(world: World) -> None:
    """`--force` puts unchanged files too, and the CDN is told of all of them."""
    world.add_job(text_job("texts"), FILES)
    world.run()

    result = world.run(Orders(force=True))

    assert result.jobs[0].outcome is Outcome.PUBLISHED
    assert [world.targets["memory"].writes(key) for key in FILES] == [2, 2, 2]
    assert world.untold() == set()


def test_dry_run_writes_nothing_and_plans_what_the_run_does(world: World) -> None:
    """A dry run makes only reads, and its plan id is the one that the run then carries out."""
    world.add_job(text_job("texts"), FILES)

    dry = world.run(Orders(dry_run=True))

    assert dry.jobs[0].outcome is Outcome.PLANNED
    assert world.wire.effects == []
    assert world.run().jobs[0].targets[0].plan.id == dry.jobs[0].targets[0].plan.id


@pytest.mark.parametrize("part_size", [None, 8 * 1024 * 1024], ids=["md5", "multipart"])
def test_bucket_filled_by_another_tool_is_adopted_without_a_put(world: World, part_size: int | None) -> None:
    """Objects that provably hold the right bytes enter the manifest as they are: no byte is uploaded."""
    body = b"x" * (8 * 1024 * 1024) + b"\n"
    world.add_job(text_job("texts"), {"big.txt": body})
    store = world.targets["memory"]
    store.seed("big.txt", body, part_size=part_size)

    result = world.run()

    assert (result.exit_code, result.jobs[0].targets[0].plan.puts) == (Exit.FINE, ())
    assert store.writes("big.txt") == 1
    assert world.manifest().files.keys() == {"big.txt"}
    assert world.run().jobs[0].outcome is Outcome.UNCHANGED


def test_newer_bytes_put_there_by_another_tool_are_adopted_and_the_cdn_is_told(world: World) -> None:
    """When somebody else uploaded what the source now has, it is not put again, but caches are told."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files["a.txt"] = b"new\n"
    world.targets["memory"].seed("a.txt", b"new\n")

    assert world.run().exit_code is Exit.FINE

    assert world.targets["memory"].writes("a.txt") == 2
    assert "/a.txt" in world.cdns["memory"].accepted["hubdata-run2-memory"].paths


def test_file_changed_after_it_was_checked_is_not_published(world: World) -> None:
    """Bytes that change in the spool between check and put are refused by the store's second digest."""
    source = world.add_job(text_job("texts"), FILES)
    spooled = source.fetch(dict).files[0].path

    def tamper() -> None:
        spooled.write_bytes(b"BAD\n")

    world.wire.on("PUT", ".hubdata/receipts.json", do=tamper)

    result = world.run()

    assert result.exit_code is Exit.TARGET
    assert world.targets["memory"].public() == {key: FILES[key] for key in ("b.txt", "sub/c.txt")}


def test_renamed_job_takes_over_its_files_without_a_write(world: World) -> None:
    """A job that gets another name adopts its files: no object is written and `changed_at` stays true."""
    source = world.add_job(text_job("old"), FILES)
    world.run()
    before = world.manifest().files["a.txt"].changed_at
    world.jobs = {"new": text_job("new")}
    world.sources = {"new": source}
    world.clock.set(world.clock.now().replace(year=2027))

    world.run()

    entry = world.manifest().files["a.txt"]
    assert (entry.job, entry.changed_at) == ("new", before)
    assert [world.targets["memory"].writes(key) for key in FILES] == [1, 1, 1]


def test_file_that_moves_from_one_job_to_another_is_never_deleted(world: World) -> None:
    """A pruning job that gives a file up does not delete what another job of the same run takes over."""
    world.add_job(replace(text_job("old"), prune=True), FILES)
    world.run()
    moved = {"a.txt": world.sources["old"].files.pop("a.txt")}
    world.add_job(text_job("new", "a.txt"), moved)

    assert world.run().exit_code is Exit.FINE

    assert world.manifest().files["a.txt"].job == "new"
    assert world.targets["memory"].public() == FILES
    assert world.targets["memory"].writes("a.txt") == 1
    world.sound()


def test_many_puts_at_once_are_all_confirmed(tmp_path: Path) -> None:
    """With concurrent puts every file is stored once and listed."""
    world = World(tmp_path)
    store = world.add_target(concurrency=8)
    files = {f"f{n:03}.txt": b"%d\n" % n for n in range(60)}
    world.add_job(text_job("texts"), files)

    assert world.run().exit_code is Exit.FINE
    assert store.public() == files
    assert {store.writes(key) for key in files} == {1}


def test_two_jobs_of_two_sources_that_disagree_on_nothing_share_one_generation(world: World) -> None:
    """All jobs of a run are one manifest swap and one invalidation at a target."""
    world.add_job(text_job("a", "a.txt"), {"a.txt": b"1\n"})
    world.add_job(text_job("b", "b.txt"), {"b.txt": b"1\n"})

    world.run()

    assert world.manifest().generation == 1
    assert len(world.cdns["memory"].accepted) == 1
    assert Call("memory", "PUT", "manifest.json") in world.wire.calls


def test_one_source_is_fetched_once_for_all_its_jobs(world: World) -> None:
    """Jobs on one source share one fetch, each publishes its own files, and an unclaimed one refuses only itself."""
    both = {"a.txt": b"1\n", "b.txt": b"2\n", "stray.bin": b"3\n", ".git/x": b"4\n"}
    source = world.add_job(text_job("a", "a.txt"), both)
    jobs = (text_job("a", "a.txt"), replace(text_job("b", "b.txt"), unit=Unit.JOB))
    place = Place(world.targets["memory"], world.cdns["memory"])

    def go(selected: frozenset[str]) -> RunResult:
        world.runs += 1
        feed = Feed(source, jobs, selected)
        return run(
            (feed,),
            (place,),
            lambda _: TextKind(),
            Orders(),
            run_id=f"r{world.runs}",
            clock=world.clock,
            reporter=world.events,
        )

    alone = go(frozenset({"b"}))

    assert [f.rule for f in alone.jobs[0].findings] == ["job.unclaimed"]
    assert alone.exit_code is Exit.REFUSED
    assert world.targets["memory"].public() == {"b.txt": b"2\n"}
    both_run = go(frozenset({"a", "b"}))
    assert source.fetches == 2
    assert [len(j.findings) for j in both_run.jobs] == [1, 0]
    assert world.targets["memory"].public() == {"a.txt": b"1\n", "b.txt": b"2\n"}
    assert go(frozenset()).jobs == ()
