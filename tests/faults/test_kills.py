"""Runs that are killed at every boundary of their work: readers find good files, and one more run sets all right.

Between a run and its store (a real S3 server) and its CDN stands a proxy that kills the run, by SIGKILL, at the N-th
request: before the server hears of it, or after the work but before the answer. For a directory, the run is killed
before and after each of its calls that change a file system. HUBDATA_TESTS_LONG=1 adds the runs that mend: each of
them is killed at every one of its own boundaries too. Half of the killed runs are whole processes, the others forks.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import shared_target as there
from tests.support.forks import Forks
from tests.support.guillotine import Guillotine
from tests.support.moto_server import MotoServer, shared
from tests.support.shared_target import KEYS, LEASE, MANIFEST, PAGE, SYNC, Bucket, SharedWorld, lines, sound
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront

CHANGED, GONE, KEPT, ADDED = "job0/changed.txt", "job0/gone.txt", "job0/kept.txt", "job0/added.txt"
BEFORE = {CHANGED: lines(1), GONE: lines(2), KEPT: lines(3)}
AFTER = {CHANGED: lines(4), KEPT: lines(3), ADDED: lines(5)}
LONG = bool(os.environ.get("HUBDATA_TESTS_LONG"))
SIDES = pytest.mark.parametrize("side", ["before", "after"])


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Give cheap processes."""
    with Forks() as one:
        yield one


@dataclass(frozen=True, slots=True)
class Stage:
    """A bucket with a CDN before it, both behind the proxy that kills, and the world that publishes there."""

    world: SharedWorld
    bucket: Bucket
    cdn: StrictCloudfront
    proxy: Guillotine
    forks: Forks

    def sync(self) -> None:
        """Run to the end, and well."""
        sound(self.forks.run(*SYNC, cwd=self.world.root, env=KEYS))

    def killed(self, number: int, side: str, *, whole: bool = False) -> None:
        """Run until the proxy kills; with `whole` a Python of its own."""
        self.proxy.reset(number, side)
        if not whole:
            running = self.forks.start(*SYNC, cwd=self.world.root, env=KEYS)
            self.proxy.victim(running.pid)
            assert running.ended().code == -9, "it ended before it could be killed"
            return
        process = subprocess.Popen(
            [sys.executable, "-m", "hubdata", *SYNC],
            cwd=self.world.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.world.root), **KEYS},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.proxy.victim(process.pid)
        assert process.wait(60) == -9, "it ended before it could be killed"


@pytest.fixture
def stage(tmp_path: Path, forks: Forks) -> Iterator[Callable[[], Stage]]:
    """Give a maker of stages in which BEFORE is published and AFTER is wanted: each with a bucket of its own."""
    cloud: MotoServer = shared()
    with StrictCloudfront() as cdn, Guillotine((cloud.url, cdn.url)) as proxy:
        world = SharedWorld.create(tmp_path, "")

        def made() -> Stage:
            cdn.batches.clear()
            proxy.reset()
            bucket = Bucket(cloud)
            edge = there.cloudfront(DISTRIBUTION, proxy.urls[1])
            world.settle(there.s3(bucket.name, proxy.urls[0], cdn="edge") + edge)
            one = Stage(world, bucket, cdn, proxy, forks)
            offer(world, BEFORE)
            one.sync()
            offer(world, AFTER)
            cdn.batches.clear()
            proxy.done.clear()
            return one

        yield made


def offer(world: SharedWorld, files: dict[str, bytes]) -> None:
    """Have the world hold these files and no others."""
    for key in world.offered().keys() - files.keys():
        world.withdraw(key)
    for key, body in files.items():
        world.offer(key, body)


def boundaries(stage: Stage) -> list[str]:
    """Return the requests of the run that publishes AFTER, in order, the bucket's name left out."""
    stage.proxy.reset()
    stage.sync()
    return named(stage)


def named(stage: Stage) -> list[str]:
    """Return the requests since the last reset, without the bucket's name."""
    return [line.replace(f"/{stage.bucket.name}", "") for line in stage.proxy.seen]


def assert_good(files: dict[str, bytes]) -> None:
    """Assert what readers are owed at any moment: every file that the manifest names is there, in a form that was
    proved; and what has not changed is as it was.
    """
    for key in json.loads(files[MANIFEST])["files"]:
        assert files[key] in (BEFORE.get(key), AFTER.get(key)), key


def assert_all_right(stage: Stage) -> None:
    """Assert that the bucket is as if no run had ever been killed: every object put once, every record right."""
    files = stage.bucket.files()
    there.assert_holds(files, AFTER, generation=2)
    there.assert_settled(files)
    there.assert_page(files)
    counted = {key: count for key, count in stage.bucket.count().items() if not key.startswith(".hubdata/")}
    assert {counted.pop(key) for key in PAGE} <= {(2, 0), (3, 0)}  # three times, if killed before the ledger knew
    assert counted == {CHANGED: (2, 0), GONE: (1, 1), KEPT: (1, 0), ADDED: (1, 0), MANIFEST: (2, 0)}
    there.assert_one_after_the_other(stage.bucket.past(MANIFEST), stage.bucket.past(LEASE))
    assert_told_last(stage, {CHANGED, GONE, ADDED, MANIFEST})


def assert_told_last(stage: Stage, keys: set[str]) -> None:
    """Assert that the CDN was told of each of these keys when the last write to it was done."""
    done = stage.proxy.done
    for key in keys:
        path = f"/{stage.bucket.name}/{key}"
        last = max(n for n, (method, at, _) in enumerate(done) if method in ("PUT", "DELETE") and at == path)
        assert any(f"<Path>/{key}</Path>".encode() in body for method, _, body in done[last:] if method == "POST"), key


@SIDES
def test_run_that_is_killed_at_any_request_is_made_good_by_the_next(stage: Callable[[], Stage], side: str) -> None:
    """Whichever request it was: one run later every object is right, put once, and the CDN told of the change."""
    requests = boundaries(stage())
    puts = [f"PUT /{key}" for key in (LEASE, there.LEDGER, CHANGED, ADDED, MANIFEST)]
    assert {*puts, f"DELETE /{GONE}", f"POST /2020-05-31/distribution/{DISTRIBUTION}/invalidation"} <= {*requests}
    assert len(requests) >= 13
    for number in range(1, len(requests) + 1):
        one = stage()
        one.killed(number, side, whole=LONG or number % 2 == 0)
        assert len(one.proxy.seen) == number
        assert_good(one.bucket.files())
        one.proxy.reset()
        one.sync()
        assert_all_right(one)
        assert len(one.cdn.batches) == 1, "the CDN is told of the change once"
        one.proxy.reset()
        one.sync()
        assert {line.split()[0] for line in one.proxy.seen} == {"GET"}, "and the one after that has nothing to do"


@SIDES
def test_first_publication_that_is_killed_at_any_request(stage: Callable[[], Stage], side: str) -> None:
    """Nothing was there before, so all is created: whoever comes next finds what is there already and adds the rest."""
    number, more = 0, True
    while more:
        number += 1
        used = stage()
        one = replace(used, bucket=Bucket(used.bucket.cloud))
        bucket = one.bucket
        one.world.edit("hubdata.toml", used.bucket.name, bucket.name)
        one.proxy.reset(number, side)
        running = one.forks.start(*SYNC, cwd=one.world.root, env=KEYS)
        one.proxy.victim(running.pid)
        more = running.ended().code == -9
        for key in json.loads(bucket.files().get(MANIFEST, b'{"files": []}'))["files"]:
            assert bucket.files()[key] == AFTER[key]
        one.proxy.reset()
        one.sync()
        there.assert_holds(bucket.files(), AFTER, generation=1)
        there.assert_settled(bucket.files())
        assert {bucket.count()[key] for key in (*AFTER, MANIFEST)} == {(1, 0)}
        there.assert_one_after_the_other(bucket.past(MANIFEST), bucket.past(LEASE))
        assert_told_last(one, {*AFTER, MANIFEST})
    assert number >= 14, "thirteen requests at least, and a run that was left alone"


@pytest.mark.parametrize(
    ("number", "side"), [(n, s) for n in range(5, 14) for s in ("before", "after")] if LONG else [(8, "after")]
)
def test_run_that_mends_is_killed_too(stage: Callable[[], Stage], number: int, side: str) -> None:
    """Two deaths in a row, the second wherever it may be: the third run makes all good, and nothing is put twice."""
    second, more = 0, True
    while more:
        second += 1 if LONG else 3
        one = stage()
        one.killed(number, side)
        assert one.proxy.fell
        one.proxy.reset(second, side)
        running = one.forks.start(*SYNC, cwd=one.world.root, env=KEYS)
        one.proxy.victim(running.pid)
        more = running.ended().code == -9
        assert_good(one.bucket.files())
        one.proxy.reset()
        one.sync()
        assert_all_right(one)
    assert second > 3


def test_run_that_died_on_another_machine_is_waited_for(stage: Callable[[], Stage]) -> None:
    """Nobody here can see that it is gone: its lease has to run out by the store's clock; then all is made good."""
    one = stage()
    one.world.edit("hubdata.toml", "spool =", "lease.holds_s = 5\nspool =")
    one.killed(7, "after")
    lease = json.loads(one.bucket.files()[LEASE])
    assert lease["expires_at"] > lease["acquired_at"]
    lease["expires_at"] = f"{datetime.now(UTC) + timedelta(seconds=6):%Y-%m-%dT%H:%M:%SZ}"  # renewed
    one.bucket.put(LEASE, json.dumps(lease | {"holder": "elsewhere, process 1", "process": "another/1:1:1"}).encode())
    one.proxy.reset()
    ended = sound(one.forks.start(*SYNC, "-v", cwd=one.world.root, env=KEYS, poll_s=0.2).ended())
    assert 'lease.waiting target=aws holder="elsewhere, process 1"' in ended.stderr
    seen = [lease["run_id"] for lease in one.bucket.past(LEASE)]
    assert seen[-1] == ended.json["run_id"]
    over = datetime.strptime(lease["expires_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    taken = datetime.strptime(one.bucket.past(LEASE)[-1]["acquired_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert taken > over + timedelta(seconds=1), "not before the lease was over"
    assert_all_right(one)


# --- A directory ------------------------------------------------------------------------------------------------------


def published(root: Path, forks: Forks) -> SharedWorld:
    """Return a world whose mirror holds BEFORE and is wanted to hold AFTER."""
    world = SharedWorld.create(root, there.directory())
    offer(world, BEFORE)
    sound(forks.run(*SYNC, cwd=root))
    offer(world, AFTER)
    return world


@SIDES
def test_directory_whose_writer_is_killed_at_any_call(tmp_path: Path, forks: Forks, side: str) -> None:
    """Readers find good files at every moment; one more run writes just what is missing and leaves no draft behind."""
    template = published(tmp_path / "template", forks)
    number, more, seen = 0, True, set()
    while more:
        number += 3 if side == "after" and not LONG else 1  # after one call is, but for threads, before the next
        world = SharedWorld(tmp_path / f"world{number}", template.jobs)
        shutil.copytree(template.root, world.root, symlinks=True)
        more = forks.run(*SYNC, cwd=world.root, trip=(number, side)).code == -9
        files = world.mirror()
        assert_good({key: body for key, body in files.items() if not key.startswith(".hubdata/tmp/")})
        seen.add(json.loads(files[MANIFEST])["generation"])
        right = {key: state(world, key) for key, body in AFTER.items() if files.get(key) == body}
        sound(forks.run(*SYNC, cwd=world.root))
        there.assert_holds({k: v for k, v in world.mirror().items() if "/tmp/" not in k}, AFTER, generation=2)
        there.assert_settled(world.mirror())
        assert {key: state(world, key) for key in right} == right, "what was in place already is not written again"
        before = {key: state(world, key) for key in world.mirror()}
        ended = sound(forks.run(*SYNC, cwd=world.root))
        assert ended.job("job0")["outcome"] == "unchanged"
        assert {key: state(world, key) for key in world.mirror()} == before, "the next one has nothing to do"
        shutil.rmtree(world.root)
    assert seen == {1, 2}
    assert number > 30, "every file takes a draft, a sync, a rename and another sync"


def state(world: SharedWorld, key: str) -> tuple[int, int]:
    """Return what is another after a file was written."""
    now = (world.root / "mirror" / key).stat()
    return now.st_ino, now.st_mtime_ns
