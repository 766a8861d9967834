"""Restarts and the thirty downloads a day: what one run had to download, no other run downloads again."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata.clock import SystemClock
from hubdata.errors import SourceError
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import SourceContext
from hubdata.sources.maxmind.options import MaxmindOptions
from hubdata.sources.maxmind.source import MaxmindSource
from hubdata.transfer import downloads
from tests.support.maxmind_server import DAILY_DOWNLOADS, MaxmindServer

CITY, ASN = "GeoLite2-City", "GeoLite2-ASN"
KEY = f"mmdb_update/{CITY}.mmdb"
BODY = b"not really a database" * 1000
ACCOUNT, SECRET = "7531902", "sentinel-license-key"


@pytest.fixture(autouse=True)
def quick_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of an account is slow on purpose, which tests need not wait for."""
    monkeypatch.setattr(downloads, "_ROUNDS", 10)


class Clock:
    """Time that passes when it is told to, or slept through."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, 0, tzinfo=UTC) + self.passed

    def sleep(self, duration: timedelta) -> None:
        self.passed += duration

    def monotonic(self) -> float:
        return self.passed.total_seconds()


class World:
    """A vendor, a spool that stays, and runs one after the other, each in a new workspace."""

    def __init__(self, server: MaxmindServer, root: Path) -> None:
        self.server, self.root, self.clock = server, root, Clock()
        self.environment = {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}

    def run(
        self, published: Provenance | None = None, *, force: bool = False, memory: str = "memory", **options: object
    ) -> Fetched:
        """Return what a new run fetches; its workspace is gone afterwards, as a crash or a failed put leaves it."""
        given = MaxmindOptions.model_validate({"editions": [CITY], "url": self.server.url, **options})
        workspace = self.root / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        context = SourceContext(workspace, self.environment, self.clock, force, self.root / memory)
        source = MaxmindSource(given, context, monotonic=self.clock.monotonic, random=lambda: 0.5)
        return source.fetch(lambda: {KEY: published} if published else {})

    def refused(self, **options: object) -> SourceError:
        """Return the error of a run that must fail."""
        with pytest.raises(SourceError) as caught:
            self.run(**options)  # type: ignore[arg-type]
        assert caught.value.advice
        return caught.value

    @property
    def downloads(self) -> int:
        """Return how many of the day's downloads are gone."""
        return self.server.count("download")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A vendor with two databases."""
    for edition, body in ((CITY, BODY), (ASN, BODY[::-1])):
        (tmp_path / edition).write_bytes(body)
    with MaxmindServer({e: tmp_path / e for e in (CITY, ASN)}, account=ACCOUNT, key=SECRET) as server:
        yield World(server, tmp_path)


def release(world: World, body: bytes, date: str) -> None:
    """Have the vendor publish a new City."""
    path = world.root / f"{CITY}-{date}"
    path.write_bytes(body)
    world.server.publish(CITY, path, date=date)


def test_forty_restarts_cost_one_download(world: World) -> None:
    """Nothing is ever published: each run finds the copy that the first one left, the same bytes and provenance."""
    first = world.run()
    provenance = first.files[0].source
    for _ in range(39):
        (file,) = world.run().files
        assert file.path.read_bytes() == BODY
        assert (file.source, file.size, file.key) == (provenance, len(BODY), KEY)
    assert (world.downloads, world.server.count("metadata")) == (1, 40)


def test_a_new_release_is_downloaded_and_takes_the_old_ones_place(world: World) -> None:
    """One copy an edition."""
    world.run(editions=[CITY, ASN])
    release(world, BODY + b"new", "2026-11-24")
    (city, _) = world.run(editions=[CITY, ASN]).files
    assert city.path.read_bytes() == BODY + b"new"
    assert city.source["date"] == "2026-11-24"
    assert world.downloads == 3
    assert len(list((world.root / "memory/releases").glob("*~*"))) == 2


@pytest.mark.parametrize("damage", [b"", BODY[:-1], b"X" + BODY[1:]], ids=["empty", "cut", "changed"])
def test_a_copy_that_was_damaged_is_downloaded_anew(world: World, damage: bytes) -> None:
    """It is compared with its digests before it is used."""
    world.run()
    (copy,) = (world.root / "memory/releases").glob("*~*")
    copy.unlink()
    copy.write_bytes(damage)
    (file,) = world.run().files
    assert file.path.read_bytes() == BODY
    assert world.downloads == 2


def test_a_copy_under_a_forged_name_is_not_the_release(world: World) -> None:
    """Its SHA-256 may be right: the MD5 that the vendor announces has the last word."""
    world.run()
    (copy,) = (world.root / "memory/releases").glob("*~*")
    forged = b"other bytes"
    copy.with_name(f"{copy.name.rpartition('~')[0]}~{hashlib.sha256(forged).hexdigest()}").write_bytes(forged)
    copy.unlink()
    assert world.run().files[0].path.read_bytes() == BODY
    assert world.downloads == 2


def test_what_came_before_another_edition_failed_is_not_lost(world: World) -> None:
    """The source fails as a whole; the next run downloads only what is missing."""
    world.server.fail("object", edition=ASN, status=404, times=1)
    world.refused(editions=[CITY, ASN])
    assert world.downloads == 2
    assert len(world.run(editions=[CITY, ASN]).files) == 2
    assert world.downloads == 3


def test_a_forced_run_downloads_anew_and_is_counted(world: World) -> None:
    """Even what lies here and is published; thirty times, and not once more, whatever is asked."""
    (file,) = world.run().files
    for _ in range(DAILY_DOWNLOADS - 1):
        world.run(file.source, force=True)
    assert world.downloads == DAILY_DOWNLOADS
    for _ in range(10):
        error = world.refused(published=file.source, force=True)
    assert "no download before 2026-11-21 12:00 UTC: 30 downloads were made within 24 hours" in str(error)
    assert "`--force` changes nothing here" in error.advice
    assert not error.retryable
    assert world.downloads == DAILY_DOWNLOADS
    assert world.server.downloads_left == 0


def test_the_day_is_one_of_24_hours_and_not_of_the_calendar(world: World) -> None:
    """As the first downloads come of age, so many are free again."""
    world.run()
    world.clock.passed += timedelta(hours=10)
    for _ in range(29):
        world.run(force=True)
    world.server.downloads_left = 100
    world.clock.passed += timedelta(hours=13, minutes=59)
    world.refused(force=True)
    world.clock.passed += timedelta(minutes=1)
    world.run(force=True)
    assert "2026-11-21 22:00 UTC" in str(world.refused(force=True))


def test_schedules_leave_a_sixth_to_people(world: World) -> None:
    """25 new releases in a day are fetched, the next waits; a person may force it."""
    for number in range(26):
        release(world, BODY + b"%d" % number, "2026-11-24")
        if number < 25:
            world.run()
    error = world.refused()
    assert "25 downloads were made within 24 hours and 5 more are kept for people who force one" in str(error)
    assert "`--force` downloads now" in error.advice
    world.run(force=True)
    assert world.downloads == 26


def test_an_account_that_may_more_says_so_in_the_job(world: World) -> None:
    """Paying customers have other limits."""
    world.server.downloads_left = 1000
    for _ in range(40):
        world.run(force=True, daily_downloads=2000)
    assert world.downloads == 40


@pytest.mark.parametrize(("asked", "wait_s"), [("5400", 5400), (None, 3600), ("999999999", 86_400)])
def test_a_429_is_remembered_by_the_runs_after(world: World, asked: str | None, wait_s: int) -> None:
    """No download before its time, forced or not; asking what is current goes on, and an unchanged one is fine."""
    headers = {"Retry-After": asked} if asked else {}
    world.server.fail("download", status=429, headers=headers, times=1)
    world.refused()
    begun = world.clock.passed
    for force in (False, True, False):
        assert "the server answered 429" in str(world.refused(force=force))
    assert world.downloads == 1
    current = {"type": "maxmind", "edition": CITY, "md5": hashlib.md5(BODY).hexdigest(), "date": "2026-11-20"}
    assert world.run(current).kept == (KEY,)
    world.clock.passed = timedelta(seconds=wait_s - 2)
    world.refused()
    world.clock.passed = begun + timedelta(seconds=wait_s + 2)
    assert len(world.run().files) == 1
    assert world.downloads == 2


def test_a_short_wait_after_a_429_is_waited_for_in_the_run(world: World) -> None:
    """When the server names a time that the budget allows."""
    world.server.fail("download", status=429, headers={"Retry-After": "20"}, times=1)
    assert len(world.run().files) == 1
    assert world.downloads == 2


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"cut": 100}, {"body": b"<html>"}, {"reset": True}],
    ids=["503", "cut", "page", "reset"],
)
def test_a_store_that_is_broken_all_day_never_uses_up_the_day(world: World, fault: dict[str, object]) -> None:
    """Restarted every ten minutes for 24 hours: it is tried less and less often, and works once it can."""
    world.server.fail("object", **fault)
    for _ in range(24 * 6):
        world.clock.passed += timedelta(minutes=10)
        world.refused()
    assert 8 < world.downloads < 16
    world.server._faults.clear()
    world.clock.passed += timedelta(hours=4)
    assert len(world.run().files) == 1


def test_a_release_that_is_never_what_was_announced_is_tried_less_and_less(world: World) -> None:
    """A vendor's mistake must not cost the day; the release that mends it is fetched at once."""
    world.server.announce_md5(CITY, "0" * 32)
    for _ in range(40):
        world.refused()
    assert world.downloads == 2
    world.server._announced_md5.clear()
    assert len(world.run().files) == 1


def test_runs_at_once_share_one_download(world: World) -> None:
    """Six workers of one spool: the first downloads, the others wait and take its copy."""
    world.server.fail("object", edition=CITY, drip_s=0.0, times=1)  # byte by byte: they overlap

    def one(number: int) -> bytes:
        given = MaxmindOptions.model_validate({"editions": [CITY], "url": world.server.url})
        memory, workspace = world.root / "memory", world.root / f"workspace{number}"
        context = SourceContext(workspace, world.environment, SystemClock(), memory=memory)
        return MaxmindSource(given, context).fetch(dict).files[0].path.read_bytes()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(one, range(6))) == {BODY}
    assert world.downloads == 1


def test_two_spools_or_none_remember_nothing_of_each_other(world: World) -> None:
    """A fresh container: what is published is the only memory, and enough for every run that ends well."""
    (file,) = world.run(memory="first").files
    world.run(memory="second")
    assert world.downloads == 2
    for number in range(10):
        assert world.run(file.source, memory=f"fresh{number}").kept == (KEY,)
    assert world.downloads == 2


def test_nothing_secret_is_remembered(world: World) -> None:
    """Neither account nor key, in no file and no name."""
    world.run()
    for path in (world.root / "memory").rglob("*"):
        assert ACCOUNT not in path.name
        body = path.read_bytes() if path.is_file() else b""
        assert ACCOUNT.encode() not in body
        assert SECRET.encode() not in body
    assert json.loads((world.root / "memory/downloads.json").read_text())["schema"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b'{"accounts": []}', bytes(3_000_000)], ids=lambda body: str(len(body)))
def test_a_damaged_ledger_stops_no_run(world: World, body: bytes) -> None:
    """It is as if there were none, and is whole afterwards."""
    world.run()
    (world.root / "memory/downloads.json").write_bytes(body)
    world.run(force=True)
    ledger = json.loads((world.root / "memory/downloads.json").read_text())
    assert [len(past["downloads"]) for past in ledger["accounts"].values()] == [1]
