"""Whole runs in the simulator: crashes at every call, races, failures on every side, and the least possible writing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError, TargetError
from hubdata.model.finding import Severity
from hubdata.model.job import FileRule, Limits, Unit
from hubdata.model.run import Outcome, RunResult
from hubdata.pipeline import run
from hubdata.reading import Feed
from hubdata.visiting import Orders, Place
from tests.simulator.source import TextKind
from tests.simulator.wire import Call, Killed, When
from tests.simulator.world import World, text_job

FILES = {"a.txt": b"one\n", "b.txt": b"two\n", "sub/c.txt": b"three\n"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one target and nothing to publish yet."""
    world = World(tmp_path)
    world.add_target()
    return world


def sound(world: World, target: str = "memory") -> None:
    """Hold the target to what must be true whenever nothing runs: every listed file is there, and is those bytes."""
    store = world.targets[target]
    for key, entry in world.manifest(target).files.items():
        stored = store.stat(key)
        assert stored is not None, f"{key} is in the manifest but not in the store"
        assert (stored.etag, stored.size) == (entry.etag, entry.size)


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
    sound(world)


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


def test_changes_go_out_as_receipt_puts_manifest_deletes_cdn_receipt(world: World) -> None:
    """The order of an apply is the one that is safe for readers, whatever the keys sort like."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    source.files = {"b.txt": b"new\n", "sub/c.txt": b"three\n", "z.txt": b"z\n"}
    calls = len(world.wire.calls)

    world.run()

    assert [str(c) for c in world.wire.calls[calls:] if c.method not in ("GET", "LIST")] == [
        "memory PUT .hubdata/receipts.json",
        "memory PUT b.txt",
        "memory PUT z.txt",
        "memory PUT manifest.json",
        "memory DELETE a.txt",
        "cdn-memory INVALIDATE hubdata-run2-memory",
        "memory PUT .hubdata/receipts.json",
    ]


def _small_change(world: World) -> None:
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    source.files = {"b.txt": b"new\n", "sub/c.txt": b"three\n", "z.txt": b"z\n"}


def _calls_of_one_run(tmp_path: Path, silent_cdn: bool) -> int:
    world = World(tmp_path)
    world.add_target(silent_cdn=silent_cdn)
    _small_change(world)
    before = len(world.wire.calls)
    world.run()
    return len(world.wire.calls) - before


@pytest.mark.parametrize("silent_cdn", [False, True], ids=["cdn", "no-cdn"])
@pytest.mark.parametrize("when", list(When))
def test_crash_at_every_call_boundary_is_mended_by_the_next_run(tmp_path: Path, when: When, silent_cdn: bool) -> None:
    """Killed before or after any call of a run, the next run converges: same data, no needless write, the CDN told."""
    total = _calls_of_one_run(tmp_path, silent_cdn)
    assert total >= (8 if silent_cdn else 10)
    for number in range(total):
        world = World(tmp_path)
        store = world.add_target(silent_cdn=silent_cdn)
        _small_change(world)
        world.wire.kill_at(len(world.wire.calls) + number, when)

        with pytest.raises(Killed):
            world.run()
        died_at = str(world.wire.calls[-1])
        sound_manifest = world.manifest()
        for key, entry in sound_manifest.files.items():
            assert store.body(key) is not None, f"killed {when} {died_at}: {entry} is listed but gone"
        world.wire.revive()
        second = world.run()

        assert second.exit_code is Exit.FINE, died_at
        assert store.public() == world.sources["texts"].files, f"killed {when} {died_at}"
        assert world.manifest().files.keys() == world.sources["texts"].files.keys(), died_at
        assert [store.writes(k) for k in ("b.txt", "sub/c.txt", "z.txt")] == [2, 1, 1], f"killed {when} {died_at}"
        if not silent_cdn:
            assert world.untold() == set(), f"killed {when} {died_at}"
        sound(world)
        calls = len(world.wire.calls)
        assert world.run().jobs[0].outcome is Outcome.UNCHANGED, died_at
        assert {c.method for c in world.wire.calls[calls:]} == {"LIST", "GET"}, died_at


def test_resumed_invalidation_keeps_its_reference(world: World) -> None:
    """A run killed after the CDN heard it is resumed under the same reference, so nothing is invalidated twice."""
    world.add_job(text_job("texts"), FILES)
    world.wire.on("INVALIDATE", do=world.wire.kill, when=When.AFTER)
    with pytest.raises(Killed):
        world.run()
    world.wire.revive()

    world.run()

    asked = [c.key for c in world.wire.calls if c.method == "INVALIDATE"]
    assert asked == ["hubdata-run1-memory", "hubdata-run1-memory"]
    assert len(world.cdns["memory"].accepted) == 1


def test_refusing_cdn_is_pending_and_the_next_run_tells_it(world: World) -> None:
    """A CDN that refuses leaves the data published, exit code 7, and is told by a later run that changes nothing."""
    world.add_job(text_job("texts"), FILES)
    cdn = world.cdns["memory"]
    cdn.refusing = True

    first, second = world.run(), world.run()
    cdn.refusing = False
    third = world.run()

    assert [r.exit_code for r in (first, second, third)] == [Exit.CDN_PENDING, Exit.CDN_PENDING, Exit.FINE]
    assert first.jobs[0].outcome is Outcome.PUBLISHED
    assert world.targets["memory"].public() == FILES
    assert list(cdn.accepted) == ["hubdata-run1-memory"]
    assert world.untold() == set()


def test_older_invalidation_still_refused_is_not_hidden_by_a_newer_accepted_one(world: World) -> None:
    """While any invalidation is pending the exit code says so, even if this run's own was accepted."""
    source = world.add_job(text_job("texts"), FILES)
    cdn = world.cdns["memory"]
    cdn.refusing = True
    world.run()
    source.files["a.txt"] = b"more\n"

    def relent() -> None:
        cdn.refusing = False

    world.wire.on("PUT", "a.txt", do=relent)
    second = world.run()

    assert second.exit_code is Exit.CDN_PENDING
    assert world.run().exit_code is Exit.FINE
    assert world.untold() == set()


def _two_jobs_with_news(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.add_target()
    world.add_job(replace(text_job("mine", "mine/*"), prune=True), {"mine/a": b"1\n", "mine/b": b"2\n"})
    world.add_job(replace(text_job("theirs", "theirs/*"), prune=True), {"theirs/a": b"3\n", "theirs/b": b"4\n"})
    world.run()
    world.sources["mine"].files = {"mine/a": b"new\n", "mine/c": b"5\n"}
    world.sources["theirs"].files = {"theirs/a": b"new\n", "theirs/c": b"6\n"}
    return world


@pytest.mark.parametrize("when", list(When))
def test_two_jobs_interleaved_at_any_call_lose_nothing(tmp_path: Path, when: When) -> None:
    """A whole run of another job at any point of this one: all files are right and listed, and the CDN knows of all."""
    world = _two_jobs_with_news(tmp_path)
    before = len(world.wire.calls)
    world.run(only="mine")
    total = len(world.wire.calls) - before
    for number in range(total):
        world = _two_jobs_with_news(tmp_path)
        others: list[Exit] = []

        def intrude(world: World = world, others: list[Exit] = others) -> None:
            others.append(world.run(only="theirs").exit_code)

        world.wire.at(len(world.wire.calls) + number, when, intrude)

        mine = world.run(only="mine").exit_code

        where = f"{when} call {number}: {world.wire.calls[before + number]}"
        assert (mine, others) == (Exit.FINE, [Exit.FINE]), where
        wanted = {**world.sources["mine"].files, **world.sources["theirs"].files}
        assert world.targets["memory"].public() == wanted, where
        assert world.manifest().files.keys() == wanted.keys(), where
        assert world.manifest().generation == 3, where
        assert world.untold() == set(), where
        sound(world)
        assert {job.outcome for job in world.run().jobs} == {Outcome.UNCHANGED}, where


def test_put_that_meets_another_writer_fails_alone(world: World) -> None:
    """An object overwritten after planning is not overwritten back; the rest goes out, and the run says exit 6."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files |= {"a.txt": b"mine\n", "b.txt": b"mine\n"}
    store = world.targets["memory"]
    world.wire.on("PUT", "a.txt", do=lambda: store.seed("a.txt", b"theirs\n"))

    result = world.run()

    assert result.exit_code is Exit.TARGET
    assert result.jobs[0].outcome is Outcome.FAILED
    assert store.body("a.txt") == b"theirs\n"
    assert store.body("b.txt") == b"mine\n"
    assert world.run().exit_code is Exit.FINE
    assert store.body("a.txt") == b"mine\n"
    assert store.writes("b.txt") == 2


def test_lost_answer_of_a_put_is_found_out_without_a_second_write(world: World) -> None:
    """A put that took effect but failed to say so is adopted by the next run, and the CDN told."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files["a.txt"] = b"new\n"
    world.wire.fail("PUT", "a.txt", error=TargetError("the line broke"), when=When.AFTER)

    assert world.run().exit_code is Exit.TARGET
    assert world.run().exit_code is Exit.FINE

    assert world.targets["memory"].writes("a.txt") == 2
    assert world.manifest().files["a.txt"].size == 4
    assert world.untold() == set()
    sound(world)


def test_failed_put_of_one_job_does_not_swallow_what_another_job_only_adopts(world: World) -> None:
    """When a job's only put fails, a job that merely adopts is committed all the same, not just reported so."""
    world.add_job(text_job("broken", "broken.txt"), {"broken.txt": b"1\n"})
    world.add_job(text_job("adopting", "there.txt"), {"there.txt": b"2\n"})
    world.targets["memory"].seed("there.txt", b"2\n")
    world.wire.fail("PUT", "broken.txt", error=TargetError("no"))

    result = world.run()

    assert {j.job: j.outcome for j in result.jobs} == {"adopting": Outcome.PUBLISHED, "broken": Outcome.FAILED}
    assert world.manifest().files.keys() == {"there.txt"}


def test_rename_whose_new_name_cannot_be_stored_keeps_the_old_one(world: World) -> None:
    """A job with a failed put deletes nothing in that run: a renamed file must not vanish under both names."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    source.files["new.txt"] = source.files.pop("a.txt")
    source.files["b.txt"] = b"changed\n"
    world.wire.fail("PUT", "new.txt", error=TargetError("no"))

    assert world.run().exit_code is Exit.TARGET

    assert world.targets["memory"].body("a.txt") == b"one\n"
    assert "a.txt" in world.manifest().files
    assert world.run().exit_code is Exit.FINE
    assert world.targets["memory"].public() == source.files
    assert world.untold() == set()


def test_failed_delete_is_tried_again_by_the_next_run(world: World) -> None:
    """An object that could not be deleted is no longer listed, and goes in the next run with the CDN told of it."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    del source.files["a.txt"]
    world.wire.fail("DELETE", "a.txt", error=TargetError("no"))

    assert world.run().exit_code is Exit.TARGET
    assert "a.txt" not in world.manifest().files
    assert world.run().exit_code is Exit.FINE

    assert world.targets["memory"].public() == source.files
    assert world.untold() == set()


def test_file_that_came_back_is_not_deleted_by_a_resumed_receipt(world: World) -> None:
    """A delete left over from a crash is dropped when the source has the file again."""
    source = world.add_job(replace(text_job("texts"), prune=True), FILES)
    world.run()
    del source.files["a.txt"]
    world.wire.on("DELETE", "a.txt", do=world.wire.kill)
    with pytest.raises(Killed):
        world.run()
    world.wire.revive()
    source.files["a.txt"] = FILES["a.txt"]

    assert world.run().exit_code is Exit.FINE

    assert world.targets["memory"].public() == FILES
    assert world.manifest().files.keys() == FILES.keys()
    assert world.targets["memory"].writes("a.txt") == 1
    sound(world)


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


def _overwrite(world: World) -> None:
    world.targets["memory"].seed("a.txt", b"evil\n")


def _lose(world: World) -> None:
    world.targets["memory"].lose("a.txt")


@pytest.mark.parametrize("harm", [_overwrite, _lose], ids=["drifted", "deleted"])
def test_harmed_object_is_repaired(world: World, harm: Callable[[World], None]) -> None:
    """An object overwritten or deleted behind our back is put right, it alone, and the CDN is told."""
    world.add_job(text_job("texts"), FILES)
    world.run()
    harm(world)

    result = world.run()

    assert [c.key for c in result.jobs[0].targets[0].plan.puts] == ["a.txt"]
    assert world.targets["memory"].public() == FILES
    assert world.cdns["memory"].accepted["hubdata-run2-memory"].paths == ("/a.txt", "/manifest.json")
    sound(world)


def test_failing_source_fails_its_job_only(world: World) -> None:
    """One upstream down: its job fails with exit 5 and keeps what is public, the other job is published."""
    world.add_job(text_job("down", "down.txt"), {"down.txt": b"1\n"})
    world.add_job(text_job("up", "up.txt"), {"up.txt": b"1\n"})
    world.run()
    world.sources["down"].error = SourceError("no route", advice="wait")
    world.sources["up"].files["up.txt"] = b"2\n"

    result = world.run()

    assert result.exit_code is Exit.SOURCE
    assert {j.job: j.outcome for j in result.jobs} == {"down": Outcome.FAILED, "up": Outcome.PUBLISHED}
    assert world.targets["memory"].public() == {"down.txt": b"1\n", "up.txt": b"2\n"}


@pytest.mark.parametrize("method", ["LIST", "GET", "PUT"])
def test_failing_target_fails_alone_and_catches_up(world: World, method: str) -> None:
    """One store down: the other is published, exit code 6, and the next run completes only what is missing."""
    world.add_target("second")
    world.add_job(text_job("texts"), FILES)
    world.wire.fail(method, error=TargetError("down"), times=99, actor="second")

    result = world.run()

    assert result.exit_code is Exit.TARGET
    assert world.targets["memory"].public() == FILES
    assert world.targets["second"].public() == {}
    world.wire.revive()
    assert world.run().exit_code is Exit.FINE
    assert world.targets["second"].public() == FILES
    assert [world.targets["memory"].writes(key) for key in FILES] == [1, 1, 1]


@pytest.mark.parametrize("body", [b'{"schema": 2, "generation": 9}', b"<html>", b"", b"[" * 100_000])
def test_foreign_manifest_stops_the_run_and_nothing_is_written(world: World, body: bytes) -> None:
    """A manifest of another schema, or none at all, is an error of the target: nothing is planned or written."""
    world.add_job(text_job("texts"), FILES)
    world.targets["memory"].seed("manifest.json", body)

    result = world.run()

    assert result.exit_code is Exit.TARGET
    problem = result.jobs[0].targets[0].problem
    assert problem is not None
    assert "manifest.json" in problem.message
    assert problem.advice
    assert world.wire.effects == []


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
    sound(world)


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
