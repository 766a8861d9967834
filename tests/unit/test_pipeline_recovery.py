"""Runs that go wrong in the simulator: killed, raced and refused at every call, then mended."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError, TargetError
from hubdata.model.run import Outcome, RunResult
from hubdata.running.reading import Feed, read
from tests.simulator.source import TextKind
from tests.simulator.wire import Killed, When
from tests.simulator.world import World, text_job

FILES = {"a.txt": b"one\n", "b.txt": b"two\n", "sub/c.txt": b"three\n"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one target and nothing to publish yet."""
    world = World(tmp_path)
    world.add_target()
    return world


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
        world.sound()
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
    """A whole run of another job at any point of this one, which stands still meanwhile.

    While this one holds the lease the other waits until its time is up, takes it over, and this one stops with exit 6
    before it commits. Whatever happened, nothing listed is missing, and one more run of both makes all right.
    """
    world = _two_jobs_with_news(tmp_path)
    before = len(world.wire.calls)
    world.run(only="mine")
    total = len(world.wire.calls) - before
    ends = set()
    for number in range(total):
        world = _two_jobs_with_news(tmp_path)
        others: list[Exit] = []

        def intrude(world: World = world, others: list[Exit] = others) -> None:
            others.append(world.run(only="theirs").exit_code)

        world.wire.at(len(world.wire.calls) + number, when, intrude)

        mine = world.run(only="mine").exit_code

        where = f"{when} call {number}: {world.wire.calls[before + number]}"
        assert others == [Exit.FINE], where
        assert mine in (Exit.FINE, Exit.TARGET), where
        ends.add(mine)
        assert all(world.targets["memory"].body(key) is not None for key in world.manifest().files), where
        assert world.run().exit_code is Exit.FINE, where
        wanted = {**world.sources["mine"].files, **world.sources["theirs"].files}
        assert world.targets["memory"].public() == wanted, where
        assert world.manifest().files.keys() == wanted.keys(), where
        assert world.manifest().generation == 3, where
        assert [world.targets["memory"].writes(key) for key in sorted(wanted)] == [2, 1, 2, 1], where
        assert world.untold() == set(), where
        world.sound()
        assert {job.outcome for job in world.run().jobs} == {Outcome.UNCHANGED}, where
    assert ends == {Exit.FINE, Exit.TARGET}


def test_run_that_waited_plans_on_what_the_other_left(world: World) -> None:
    """A job that another run has just published, under the very same state of its source, is then unchanged."""
    world.add_job(text_job("texts"), FILES)

    def publish() -> None:
        world.run()

    world.wire.on("PUT", ".hubdata/lease.json", do=publish)

    second = world.run()

    assert second.jobs[0].outcome is Outcome.UNCHANGED
    assert [world.targets["memory"].writes(key) for key in FILES] == [1, 1, 1]
    assert world.manifest().generation == 1
    assert len(world.cdns["memory"].accepted) == 1


def _overtaken(world: World, newest: dict[str, bytes], error: SourceError | None = None) -> RunResult:
    """Return what becomes of a run that read its source, then waited for one that found newer data and published it."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files = {**FILES, "a.txt": b"newer\n", "b.txt": b"newer\n"}

    def publish() -> None:
        source.files = {**FILES, "a.txt": b"newest\n"}
        assert world.run().exit_code is Exit.FINE
        source.files, source.error = newest, error

    world.wire.on("PUT", ".hubdata/lease.json", do=publish)
    return world.run()


def test_run_that_was_overtaken_does_not_take_data_back(world: World) -> None:
    """It reads its source once more, finds what the other run has published, and writes nothing."""
    newest = {**FILES, "a.txt": b"newest\n"}

    result = _overtaken(world, newest)

    assert (result.exit_code, result.jobs[0].outcome) == (Exit.FINE, Outcome.UNCHANGED)
    assert world.targets["memory"].public() == newest
    assert [world.targets["memory"].writes(key) for key in FILES] == [2, 1, 1]
    assert "source.again" in world.events.names()


def test_run_that_was_overtaken_publishes_what_is_newer_still(world: World) -> None:
    """What its source holds by now goes out, judged and reported as if it had been read so at first."""
    result = _overtaken(world, {**FILES, "a.txt": b"BAD\n", "sub/c.txt": b"newest of all\n"})

    assert (result.exit_code, [f.key for f in result.jobs[0].findings]) == (Exit.REFUSED, ["a.txt"])
    assert world.targets["memory"].public() == {**FILES, "a.txt": b"newest\n", "sub/c.txt": b"newest of all\n"}


def test_run_that_was_overtaken_and_cannot_read_again_changes_nothing(world: World) -> None:
    """Nobody knows whether what it had read is newer or older than what is public."""
    result = _overtaken(world, {}, SourceError("no route", advice="wait"))

    assert (result.exit_code, result.jobs[0].outcome) == (Exit.SOURCE, Outcome.FAILED)
    assert world.targets["memory"].public() == {**FILES, "a.txt": b"newest\n"}


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
    assert [change.key for change in result.jobs[0].targets[0].done.puts] == ["b.txt"], "what failed was not put"
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
    world.sound()


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
    world.sound()


def test_object_of_a_broken_off_run_goes_as_soon_as_its_own_job_says_so(world: World) -> None:
    """Another job's runs leave it alone, and write nothing for it; they do not make anybody forget it either."""
    source = world.add_job(text_job("texts", "texts/*"), {"texts/a": b"1\n"})
    world.add_job(text_job("other", "other/*"), {"other/a": b"1\n"})
    world.run()
    source.files["texts/new"] = b"1\n"
    world.wire.on("PUT", "texts/new", do=world.wire.kill, when=When.AFTER)
    with pytest.raises(Killed):
        world.run()
    world.wire.revive()
    del source.files["texts/new"]
    assert world.run(only="other").exit_code is Exit.FINE
    calls = len(world.wire.calls)
    assert world.run(only="other").exit_code is Exit.FINE
    assert {call.method for call in world.wire.calls[calls:]} == {"LIST", "GET"}
    assert "texts/new" in world.targets["memory"].public()

    assert world.run().exit_code is Exit.FINE

    assert "texts/new" not in world.targets["memory"].public()
    assert world.untold() == set()
    assert world.run().jobs[0].outcome is Outcome.UNCHANGED


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
    world.sound()


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


def test_run_that_broke_off_after_its_put_leaves_no_lie_behind_when_the_source_drops_the_file(world: World) -> None:
    """New bytes are in place, the manifest tells of the old ones, and the source has neither: it is not listed."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    source.files["a.txt"] = b"newer\n"
    world.wire.fail("PUT", "manifest.json", error=TargetError("down"))
    assert world.run().exit_code is Exit.TARGET
    del source.files["a.txt"]

    result = world.run()

    assert result.exit_code is Exit.FINE
    assert world.manifest().files.keys() == FILES.keys() - {"a.txt"}
    assert world.targets["memory"].body("a.txt") == b"newer\n", "without prune nothing is deleted"
    assert not world.untold()
    world.sound()
    assert world.run().jobs[0].outcome is Outcome.UNCHANGED


def test_run_for_some_files_forgets_none_of_the_others(world: World) -> None:
    """It has not looked whether the source still has them."""
    source = world.add_job(text_job("texts"), FILES)
    world.run()
    world.targets["memory"].seed("a.txt", b"theirs\n")
    feed = Feed(source, (world.jobs["texts"],), frozenset({"texts"}), keys=frozenset({"b.txt"}))

    (reading,) = read(feed, dict, lambda _: TextKind(), now=world.clock.now(), reporter=world.events)

    assert not reading.snapshot.whole
    assert reading.snapshot.artifacts.keys() == {"b.txt"}


@pytest.mark.parametrize("prune", [True, False])
def test_what_a_broken_off_run_wrote_over_an_unlisted_object_is_cleared_away_too(world: World, prune: bool) -> None:
    """No manifest named what lay there, so whatever was put over it is as good as new: if nobody wants it, it goes."""
    source = world.add_job(replace(text_job("a"), prune=prune), {"a": b"1\n"})
    world.run()
    world.targets["memory"].seed("b", b"theirs\n")  # or: what a run was to delete, and could not
    source.files["b"] = b"1\n2\n"
    world.wire.on("PUT", "b", do=world.wire.kill, when=When.AFTER)
    with pytest.raises(Killed):
        world.run()
    world.wire.revive()
    del source.files["b"]

    world.run()

    assert world.targets["memory"].body("b") is None
