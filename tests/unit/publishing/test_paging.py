"""The status page beside the data: there with every generation, mended when it is lost, never at the data's cost."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hubdata.errors import CdnError, Exit, SourceError, TargetError
from hubdata.model.lease import Terms
from hubdata.model.run import Outcome, RunResult
from hubdata.model.success import Success, key_of
from hubdata.publishing import ledger, paging
from hubdata.publishing.pages import KEYS
from hubdata.publishing.paging import MEMORY, Told
from hubdata.report.pager import StatusPager
from hubdata.running.visiting import Orders
from tests.simulator.wire import Killed, When
from tests.simulator.world import World, text_job

FILES = {"a.txt": b"one\n", "b.txt": b"two\n"}
PAGE, STATUS = KEYS
UNCHANGED = ["GET .hubdata/receipts.json", "GET manifest.json", "LIST"]
THEIRS = b"<h1>Our own</h1>\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one target that has a page, and something to publish."""
    return paged(tmp_path)


def paged(tmp_path: Path, *, silent_cdn: bool = False) -> World:
    """Return a world with one target that has a page."""
    world = World(tmp_path, pager=StatusPager())
    world.add_target(silent_cdn=silent_cdn)
    world.add_job(replace(text_job("texts"), prune=True, description="Texts", max_age=timedelta(hours=3)), FILES)
    return world


def status(world: World, target: str = "memory") -> Any:
    """Return what `status.json` says."""
    return json.loads(world.targets[target].body(STATUS) or b"{}")


def calls(world: World, before: int) -> list[str]:
    """Return the calls since `before`, without the target's name."""
    return sorted(str(call).partition(" ")[2] for call in world.wire.calls[before:])


def in_force(world: World) -> bool:
    """Tell whether page and `status.json` are of the manifest in force."""
    number = world.manifest().generation
    page = world.targets["memory"].body(PAGE) or b""
    return status(world).get("generation") == number and f"Generation {number}".encode() in page


def remarks(result: RunResult) -> list[str]:
    """Return what the run says of pages."""
    return [target.remark for job in result.jobs for target in job.targets if target.remark]


def told(world: World) -> list[set[str]]:
    """Return what the CDN was told, each time."""
    return [set(effect.paths) for effect in world.wire.effects if effect.paths]


def change(world: World, text: bytes) -> None:
    """Let the source have other bytes."""
    world.sources["texts"].files = {**world.sources["texts"].files, "a.txt": text}


def test_each_generation_has_its_page(world: World) -> None:
    """Written after the swap and before the CDN is told of it, with the type and the short life that readers need."""
    for number, text in enumerate((b"one\n", b"other\n", b"third\n"), start=1):
        change(world, text)
        assert world.run().jobs[0].outcome is Outcome.PUBLISHED
        assert world.manifest().generation == number
        assert in_force(world)
    store = world.targets["memory"]
    written = [effect.call.key for effect in world.wire.effects if effect.call.method == "PUT"]
    assert written.index("manifest.json") < min(written.index(key) for key in (*KEYS, MEMORY))
    kinds = {key: store.versions[key][-1].headers["content_type"] for key in KEYS}
    assert kinds == {PAGE: "text/html; charset=utf-8", STATUS: "application/json"}
    for key in KEYS:
        assert store.versions[key][-1].headers["cache_control"].startswith("public, max-age=60, stale")
    assert "no-store" in store.versions[MEMORY][-1].headers["cache_control"]
    assert set().union(*told(world)) == {"/a.txt", "/b.txt", "/manifest.json", f"/{PAGE}", "/"}
    steps = ["told" if effect.paths else effect.call.key for effect in world.wire.effects]
    assert [step for step in steps if step in {"manifest.json", PAGE, "told"}] == ["manifest.json", PAGE, "told"] * 3
    said = status(world)
    assert (said["state"], said["jobs"][0]["freshness"], said["jobs"][0]["description"]) == ("good", "fresh", "Texts")
    assert [run["jobs"][0]["puts"] for run in said["runs"]] == [1, 1, 2]


def test_an_unchanged_run_sends_three_requests(world: World) -> None:
    """The ledger has the page's ETags, and the listing those of today."""
    world.run()
    before = len(world.wire.calls)

    assert world.run().jobs[0].outcome is Outcome.UNCHANGED
    assert calls(world, before) == UNCHANGED


@pytest.mark.parametrize("silent_cdn", [False, True], ids=["cdn", "no-cdn"])
def test_a_page_costs_one_get_and_three_puts(tmp_path: Path, silent_cdn: bool) -> None:
    """And where no CDN is told, the ledger, which then is not written otherwise."""
    sent = []
    for pager in (None, StatusPager()):
        (tmp_path / str(pager is None)).mkdir()
        world = paged(tmp_path / str(pager is None), silent_cdn=silent_cdn)
        world.pager = pager
        world.run()
        change(world, b"other\n")
        before = len(world.wire.calls)
        world.run()
        sent.append(calls(world, before))
    bare, whole = sent
    more = list(whole)
    for call in bare:
        more.remove(call)
    own = [f"GET {MEMORY}", f"PUT {MEMORY}", f"PUT {PAGE}", f"PUT {STATUS}"]
    assert more == sorted([*own, *(["PUT .hubdata/receipts.json"] if silent_cdn else [])])


def _calls_of_one_run(world: World) -> int:
    world.run()
    change(world, b"other\n")
    before = len(world.wire.calls)
    world.run()
    return len(world.wire.calls) - before


@pytest.mark.parametrize("silent_cdn", [False, True], ids=["cdn", "no-cdn"])
@pytest.mark.parametrize("when", list(When))
def test_a_crash_at_any_call_is_mended_by_the_next_run(tmp_path: Path, when: When, silent_cdn: bool) -> None:
    """Meanwhile the page is of this generation or of the one before; then all is whole, and a third run sends three."""
    (tmp_path / "count").mkdir()
    for number in range(_calls_of_one_run(paged(tmp_path / "count", silent_cdn=silent_cdn))):
        spool = tmp_path / str(number)
        spool.mkdir()
        world = paged(spool, silent_cdn=silent_cdn)
        world.run()
        change(world, b"other\n")
        world.wire.kill_at(len(world.wire.calls) + number, when)
        with pytest.raises(Killed):
            world.run()
        died_at = f"{when} {world.wire.calls[-1]}"
        assert world.manifest().generation - status(world)["generation"] in (0, 1), died_at
        world.wire.revive()
        world.clock.sleep(timedelta(seconds=70))  # whoever was killed holds the lease no more

        assert world.run().exit_code is Exit.FINE, died_at
        assert in_force(world), died_at
        assert world.manifest().generation == 2, died_at
        before = len(world.wire.calls)
        world.run()
        assert calls(world, before) == UNCHANGED, died_at


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("lost", [True, False], ids=["deleted", "overwritten"])
def test_a_page_that_somebody_broke_is_mended_without_a_generation(world: World, key: str, lost: bool) -> None:
    """A listing shows it. Nothing public is written but the page, and the CDN is told nothing."""
    world.run()
    store = world.targets["memory"]
    if lost:
        store.lose(key)
    else:
        store.seed(key, THEIRS)
    before = len(world.wire.effects)

    assert world.run().jobs[0].outcome is Outcome.UNCHANGED

    assert in_force(world)
    assert world.manifest().generation == 1
    public = {e.call.key for e in world.wire.effects[before:] if not e.call.key.startswith(".hubdata/")}
    assert public == set(KEYS)
    assert not any(effect.paths for effect in world.wire.effects[before:])


def test_a_page_of_somebody_else_stays(world: World) -> None:
    """It lay there before hubdata came: the run says how to have it replaced; that costs one GET, once."""
    store = world.targets["memory"]
    store.seed(PAGE, THEIRS)

    result = world.run()

    assert result.exit_code is Exit.FINE
    assert store.body(PAGE) == THEIRS
    assert status(world)["generation"] == 1
    (remark,) = remarks(result)
    assert remark.startswith("target memory: index.html there is not hubdata's and stays as it is: remove it")
    assert "publish = false" in remark
    before = len(world.wire.calls)
    assert remarks(world.run()) == []
    assert calls(world, before) == UNCHANGED
    change(world, b"other\n")
    before = len(world.wire.calls)
    assert remarks(world.run()) == [remark]
    assert f"GET {PAGE}" not in calls(world, before)
    assert store.body(PAGE) == THEIRS
    assert told(world)[-1] == {"/a.txt", "/manifest.json"}

    store.lose(PAGE)
    assert remarks(world.run()) == []
    assert in_force(world)


def test_two_foreign_files_cost_no_request(world: World) -> None:
    """Where neither can be written, no run has anything to mend."""
    store = world.targets["memory"]
    for key in KEYS:
        store.seed(key, THEIRS)
    world.run()
    change(world, b"other\n")
    world.run()
    before = len(world.wire.calls)
    world.run()
    assert calls(world, before) == UNCHANGED
    assert [store.body(key) for key in KEYS] == [THEIRS, THEIRS]


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_foreign_page_that_comes_while_a_run_writes_stays(world: World, first: bool) -> None:
    """Where hubdata had none before, it is theirs; over a page of ours it is a page that somebody broke."""
    store = world.targets["memory"]
    if not first:
        world.run()
        change(world, b"other\n")
    world.wire.on("PUT", PAGE, do=lambda: store.seed(PAGE, THEIRS))

    assert world.run().exit_code is Exit.FINE

    assert (store.body(PAGE) == THEIRS) is first


def test_a_page_is_known_again_when_the_ledger_is_lost(world: World) -> None:
    """By what stands in it: it is ours, and written over."""
    world.run()
    world.targets["memory"].lose(".hubdata/receipts.json")
    change(world, b"other\n")

    assert remarks(world.run()) == []
    assert in_force(world)


@pytest.mark.parametrize("key", [*KEYS, MEMORY])
@pytest.mark.parametrize("when", list(When))
def test_a_page_that_cannot_be_written_fails_nothing(world: World, key: str, when: When) -> None:
    """The data is out and told; the run says what it lacks, and the next one mends it."""
    world.run()
    change(world, b"other\n")
    world.wire.fail("PUT", key, error=TargetError("no room", advice="make some"), when=when)

    result = world.run()

    assert (result.exit_code, result.jobs[0].outcome) == (Exit.FINE, Outcome.PUBLISHED)
    assert world.untold() == set()
    said = "target memory: the status page could not be written: no room (make some); the next run tries again"
    assert remarks(result) == ([said] if key in KEYS else [])
    assert world.run().exit_code is Exit.FINE
    assert in_force(world)
    before = len(world.wire.calls)
    world.run()
    assert calls(world, before) == UNCHANGED


def test_the_cdn_does_not_wait_for_a_page_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data come first: a store that hangs over the page alone delays what is told of the data, and no more."""
    monkeypatch.setattr(paging, "PATIENCE_S", 0.05)

    def hang() -> None:
        until = time.monotonic() + 60
        while not told(world):
            assert time.monotonic() < until, "the CDN waits for the page, and the page for the CDN"
            time.sleep(0.005)

    world.wire.on("PUT", PAGE, do=hang)

    assert world.run().exit_code is Exit.FINE
    assert told(world) == [{"/a.txt", "/b.txt", "/manifest.json", f"/{PAGE}", "/"}]
    assert in_force(world)


def test_a_page_that_can_never_be_written_fails_no_run(world: World) -> None:
    """Each run tries again and says so; data that does not change stays unchanged."""
    world.wire.fail("PUT", PAGE, error=TargetError("denied", advice="allow it"), times=100)
    for outcome in (Outcome.PUBLISHED, Outcome.UNCHANGED, Outcome.UNCHANGED):
        result = world.run()
        assert (result.exit_code, result.jobs[0].outcome) == (Exit.FINE, outcome)
        assert len(remarks(result)) == 1


class _Broken(StatusPager):
    def drawn(self, told: Told) -> Mapping[str, bytes]:
        """Raise what nobody foresaw."""
        raise ZeroDivisionError("by zero")


def test_a_page_that_cannot_be_drawn_fails_no_run(world: World) -> None:
    """Even a bug in it must not keep the CDN from being told: the next run would meet it again."""
    world.pager = _Broken()

    result = world.run()

    assert (result.exit_code, result.jobs[0].outcome) == (Exit.FINE, Outcome.PUBLISHED)
    assert world.untold() == set()
    assert "could not be written: ZeroDivisionError: by zero (report this as a bug in hubdata)" in remarks(result)[0]
    world.pager = StatusPager()
    world.run()
    assert in_force(world)


def test_mending_a_page_waits_for_nobody(world: World) -> None:
    """Another run holds the lease: it will write the page, or the next one does; this one has nothing else to do."""
    world.run()
    store = world.targets["memory"]
    store.lose(PAGE)
    store.seed(
        ".hubdata/lease.json",
        b'{"fence": 9, "run_id": "x", "holder": "elsewhere", "process": "b/n:1:1", "acquired_at":'
        b' "2030-01-01T00:00:00Z", "expires_at": "2099-01-01T00:00:00Z"}',
    )
    started = world.clock.now()

    result = world.run(Orders(lease=Terms(waits=timedelta(minutes=5))))

    assert result.exit_code is Exit.FINE
    assert world.clock.now() == started
    assert remarks(result) == []
    assert "page.failed" in world.events.names()


def test_a_cdn_that_refuses_does_not_keep_the_page_back(world: World) -> None:
    """It is written meanwhile; the run that tells the CDN at last finds it whole enough, or mends it."""
    world.wire.fail("INVALIDATE", error=CdnError("busy"))
    assert world.run().exit_code is Exit.CDN_PENDING
    assert in_force(world)
    assert world.run().exit_code is Exit.FINE
    assert in_force(world)
    before = len(world.wire.calls)
    world.run()
    assert calls(world, before) == UNCHANGED


def test_switched_off_there_is_no_page(world: World) -> None:
    """And what lies there is nobody's business."""
    world.pager = None
    world.targets["memory"].seed(PAGE, THEIRS)
    world.run()
    assert [world.targets["memory"].body(key) for key in (*KEYS, MEMORY)] == [THEIRS, None, None]
    assert ledger.read(world.targets["memory"]).page is None


def test_the_page_tells_what_was_refused_and_who_failed_but_no_secret_of_it(world: World) -> None:
    """A refused file with its reason; of a failed job its kind alone: messages name hosts, buckets and paths."""
    world.add_job(text_job("others", "o*")).error = SourceError(
        "git at https://internal.example/x: refused", advice="ask bob"
    )
    world.change_job("texts", files=text_job("texts", "[ab]*").files)
    world.sources["texts"].files = {"a.txt": b"one\n", "b.txt": b"BAD\n"}

    world.run()

    store = world.targets["memory"]
    told = {(each["state"], each["job"], each["key"]) for each in status(world)["troubles"]}
    assert told == {("failed", "others", ""), ("refused", "texts", "b.txt")}
    for key in (*KEYS, MEMORY):
        assert b"internal.example" not in (store.body(key) or b"")
        assert b"ask bob" not in (store.body(key) or b"")


def test_a_stage_has_a_page_of_its_own(world: World) -> None:
    """Each target tells of itself."""
    world.add_stage("later", after="memory", soak=timedelta(minutes=5))
    world.run()
    assert world.targets["later"].body(STATUS) is None
    world.clock.sleep(timedelta(minutes=6))
    world.run()
    assert status(world, "later")["counts"]["files"] == 2


def test_a_memory_that_somebody_broke_only_begins_the_charts_anew(world: World) -> None:
    """Garbage, another schema, or nothing: the page is there, and remembers from now on."""
    world.run()
    for number, garbage in enumerate((b"[]", b"{", b'{"schema": 2}', b"\xff", None), start=1):
        if garbage is None:
            world.targets["memory"].lose(MEMORY)
        else:
            world.targets["memory"].seed(MEMORY, garbage)
        change(world, f"state {number}\n".encode())
        assert world.run().exit_code is Exit.FINE
        assert in_force(world)
        assert len(status(world)["runs"]) == 1


def test_a_job_that_took_no_part_is_as_fresh_as_its_worker_knows(world: World) -> None:
    """Its own unchanged runs write no page; where it would be called stale, its last success is asked for, once."""
    world.add_job(replace(text_job("others", "o*"), max_age=timedelta(hours=1)), {"o.txt": b"o\n"})
    world.change_job("texts", files=text_job("texts", "[ab]*").files)
    world.run()
    world.clock.sleep(timedelta(hours=2))
    store, now = world.targets["memory"], world.clock.now()
    change(world, b"other\n")
    world.run(only="texts")
    assert {job["job"]: job["freshness"] for job in status(world)["jobs"]} == {"others": "stale", "texts": "fresh"}

    store.seed(key_of("others"), Success("others", "r", now, now).to_bytes())
    change(world, b"third\n")
    before = len(world.wire.calls)
    world.run(only="texts")
    assert calls(world, before).count(f"GET {key_of('others')}") == 1
    assert {job["job"]: job["freshness"] for job in status(world)["jobs"]} == {"others": "fresh", "texts": "fresh"}
    change(world, b"fourth\n")
    before = len(world.wire.calls)
    world.run(only="texts")
    assert f"GET {key_of('others')}" not in calls(world, before)


def test_charts_follow_what_changed(world: World) -> None:
    """Three generations later the page draws the one file that changed, and not the other."""
    for text in (b"1\n", b"1\n2\n", b"1\n2\n3\n"):
        change(world, text)
        world.run()
    page = (world.targets["memory"].body(PAGE) or b"").decode()
    _, _, growth = page.partition('id="growth"')
    assert "<figcaption>a.txt</figcaption>" in growth
    assert "b.txt" not in growth
    assert "entries 1 to 3: generations 1 to 3" in growth
