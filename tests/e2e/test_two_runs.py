"""Runs that meet at one target: one writes, the other waits, and a run that died holds nobody up for long."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command import Ended, hubdata
from tests.support.small_world import LISTS, WORDS, SmallWorld, problem

LEASE = ".hubdata/lease.json"


@pytest.fixture
def small(tmp_path: Path) -> SmallWorld:
    """Give a small world whose runs wait for a second."""
    world = SmallWorld.create(tmp_path)
    world.edit("hubdata.toml", "[targets", "[lease]\nwaits_s = 1\n\n[targets")
    return world


def lease(until: timedelta) -> str:
    """Return the lease of a run on another machine that ends at `until` from now."""
    now = datetime.now(UTC)
    held = {
        "schema": 1,
        "fence": 41,
        "run_id": "20261122T054300Z-abc123",
        "holder": "worker-7, process 12",
        "process": "another-boot/1:12:345",
        "acquired_at": f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
        "expires_at": f"{now + until:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps(held)


def test_target_that_another_machine_writes_to_is_left_alone(small: SmallWorld) -> None:
    """After its wait the run ends with 6 and names the run and the machine; it said at once what it waits for."""
    small.write(f"mirror/{LEASE}", lease(timedelta(minutes=10)))
    ended = hubdata("sync", "--once", "--format", "json", cwd=small.root)
    problem(ended, "lists", 6, "20261122T054300Z-abc123 on worker-7, process 12")
    assert 'lease.waiting target=mirror holder="worker-7, process 12"' in ended.stderr
    assert small.public() == {}
    assert json.loads(small.mirror_files()[LEASE])["fence"] == 41


def test_lease_of_a_run_that_died_elsewhere_is_taken_over_when_its_time_is_up(small: SmallWorld) -> None:
    """Its number goes on, and the lease is given back at the end."""
    small.write(f"mirror/{LEASE}", lease(timedelta(seconds=-10)))
    ended = small.sync()
    assert ended.code == 0
    assert small.public().keys() == {*LISTS, WORDS}
    left = json.loads(small.mirror_files()[LEASE])
    assert (left["fence"], left["expires_at"]) == (42, left["acquired_at"])


def test_run_with_nothing_to_write_asks_nobody(small: SmallWorld) -> None:
    """It needs no lease, so it neither waits nor writes."""
    small.sync()
    small.write(f"mirror/{LEASE}", lease(timedelta(minutes=10)))
    before = small.mirror_files()
    ended = small.sync()
    assert (ended.code, ended.job("lists")["outcome"]) == (0, "unchanged")
    assert small.mirror_files() == before


def test_two_jobs_in_two_processes_share_one_target(small: SmallWorld) -> None:
    """Each waits for the other where it must; both are in the manifest, one generation each."""
    small.edit("hubdata.toml", "waits_s = 1", "waits_s = 60")

    def sync(job: str) -> Ended:
        return hubdata("sync", "--once", "--format", "json", "--job", job, cwd=small.root)

    with ThreadPoolExecutor(2) as both:
        ends = list(both.map(sync, ("lists", "words")))
    assert [ended.code for ended in ends] == [0, 0]
    assert sorted(ended.json["jobs"][0]["targets"][0]["generation"] for ended in ends) == [1, 2]
    manifest = json.loads(small.mirror_files()["manifest.json"])
    assert manifest["files"].keys() == {*LISTS, WORDS}
    assert (manifest["generation"], json.loads(small.mirror_files()[LEASE])["fence"]) == (2, 2)
