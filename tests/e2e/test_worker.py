"""The real worker in a process of its own: started, asked, stopped, killed, and started again.

Nothing waits for a minute of a cron expression: runs are begun by the start, by SIGUSR1, or because one was missed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.faulty_server import Answer, FaultyServer, Request
from tests.support.moto_server import shared
from tests.support.small_world import GOOD, NEW, WORDS, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, Fault, StrictS3

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "sentinel",
    "AWS_EC2_METADATA_DISABLED": "true",
}
LONG = bool(os.environ.get("HUBDATA_TESTS_LONG"))  # read now: a test's environment has nothing of ours
HUNG_S = 120.0
"""Longer than any test has patience for: nobody who waits for it ends in time."""
WITHIN_S = 30.0
"""Ten seconds are what is promised (tests/unit/worker holds the worker's own limits to it), and patience."""


def _schedules() -> tuple[str, str]:
    """Return times that come once a year and once an hour, none of them while these tests go on."""
    half_an_hour_ago, half_a_year_ago = (
        datetime.now(UTC) - timedelta(**ago) for ago in ({"minutes": 30}, {"days": 183})
    )
    yearly = f"{half_a_year_ago.minute} {half_a_year_ago.hour} 15 {half_a_year_ago.month} *"
    return f'schedule = "{yearly}"\n', f'schedule = "{half_an_hour_ago.minute} * * * *"\n'


YEARLY, HOURLY = _schedules()
RECORD = "mirror/.hubdata/last/words.json"


class Worker:
    """A worker process. What it says is read as it comes."""

    def __init__(
        self, world: SmallWorld, *flags: str, within: Sequence[str] = (), env: Mapping[str, str] = KEYS
    ) -> None:
        self.err = world.root / f"worker-{time.monotonic_ns()}.err"
        self.out = self.err.with_suffix(".out")
        with self.err.open("wb") as err, self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "hubdata", "sync", "--format", "json", *flags],
                cwd=world.root,
                env={"PATH": os.environ["PATH"], "HOME": str(world.root), **env},
                stdout=out,
                stderr=err,
            )
        self.pid = self.process.pid

    def says(self, *words: str, times: int = 1) -> None:
        """Return once that many lines of its log have all `words`."""
        until(lambda: len(self.lines(*words)) >= times, self.log)

    def lines(self, *words: str) -> list[str]:
        """Return the lines of its log that have all `words`."""
        return [line for line in self.log().splitlines() if all(word in line for word in words)]

    def log(self) -> str:
        """Return what it has logged so far."""
        return self.err.read_text()

    def results(self) -> list[Any]:
        """Return what it has said of runs that ended, each a whole object on a line of its own."""
        return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the worker itself."""
        os.kill(self.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Return the seconds it took to end, having asserted that it ended with 0."""
        sent = time.monotonic()
        self.send(number)
        assert self.process.wait(60) == 0, self.log()
        assert "Traceback" not in self.log(), self.log()
        return time.monotonic() - sent


def until(reached: Callable[[], bool], said: Callable[[], str] = str) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)


@contextmanager
def worker(
    world: SmallWorld, *flags: str, within: Sequence[str] = (), env: Mapping[str, str] = KEYS
) -> Iterator[Worker]:
    """Give a running worker; it is killed if the test leaves it behind."""
    running = Worker(world, *flags, within=within, env=env)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def scheduled(small: SmallWorld, job: str, line: str) -> None:
    """Give a job times, at the top of its file."""
    path = f"jobs/{job}.toml"
    small.write(path, line + (small.root / path).read_text())


def test_what_was_missed_is_made_up_for_after_a_kill(small: SmallWorld) -> None:
    """A job without a success runs at once; after SIGKILL only one whose success is too old does; each says why."""
    scheduled(small, "words", HOURLY)
    with worker(small) as first:
        first.says("job.ended job=words outcome=unchanged")
        until(lambda: len(first.results()) == 1)
        until((small.root / RECORD).exists)
        first.send(signal.SIGKILL)
        first.process.wait()
        assert [(each["job"], each["cause"]) for each in first.results()] == [("words", "catch-up")]
    kept = json.loads((small.root / RECORD).read_text())
    (small.root / RECORD).write_text(json.dumps({**kept, "started_at": "2020-01-01T00:17:00Z"}))
    with worker(small) as second:
        second.says("job.ended job=words")
        second.end()
        assert second.results()[0]["cause"] == "catch-up"
    assert json.loads((small.root / RECORD).read_text())["started_at"] > "2026"
    small.edit("jobs/words.toml", HOURLY, YEARLY)
    with worker(small) as third:
        third.says("job.scheduled job=words")
        third.send(signal.SIGUSR1)
        third.says("job.ended", times=2)
        third.end()
        assert {each["cause"] for each in third.results()} == {"signal"}, (
            "nothing was missed since the last of its times"
        )


def test_files_are_read_again_on_sighup_and_when_they_change(small: SmallWorld) -> None:
    """A broken file keeps its last good version and is told; mended, it is in force; one that goes needs no signal."""
    with worker(small) as running:
        running.says("job.scheduled job=words")
        good = (small.root / "jobs/words.toml").read_text()
        small.write("jobs/words.toml", good + "bogus = 1\n")
        running.send(signal.SIGHUP)
        running.says("job.broken job=words", "last good version", "bogus")
        small.write(f"data/{WORDS}", "/wp-login.php\n/.env\n")
        running.send(signal.SIGUSR1)
        running.says("job.ended job=words outcome=published")
        assert small.public()[WORDS] == b"/wp-login.php\n/.env\n"

        small.write("jobs/words.toml", YEARLY + good)
        running.send(signal.SIGHUP)
        running.says("jobs.read because=SIGHUP", times=2)
        assert len(running.lines("job.broken")) == 1

        (small.root / "jobs/lists.toml").unlink()  # noticed without a signal
        running.says("job.unscheduled job=lists")
        running.end(signal.SIGINT)


def test_a_run_that_goes_already_is_told_to_whoever_asks(small: SmallWorld) -> None:
    """Asked again amid a put that takes its time, the worker says so, and begins no second run beside it."""
    release, slow = threading.Event(), threading.Event()

    def hold() -> None:
        slow.set()
        release.wait(HUNG_S)

    with StrictS3() as store:
        to_bucket(small, store)
        store.faults.append(Fault("PUT", before=hold, key=GOOD))
        with worker(small, "--job", "lists") as running:
            running.says("job.scheduled job=lists")
            running.send(signal.SIGUSR1)
            until(slow.is_set, running.log)
            running.send(signal.SIGUSR1)
            running.says("job.not_begun job=lists", "already running")
            release.set()
            running.says("job.ended job=lists")
            running.end()
            assert len(running.results()) == 1


def to_bucket(small: SmallWorld, store: StrictS3) -> None:
    """Let the world publish into `store` alone."""
    text = (small.root / "hubdata.toml").read_text().partition("[targets")[0]
    text += f'[targets.aws]\ntype = "s3"\nbucket = "{S3_BUCKET}"\nregion = "us-east-1"\nendpoint_url = "{store.url}"\n'
    small.write("hubdata.toml", text)


@pytest.mark.parametrize("hangs", [False, True], ids=["a slow store", "a store that hangs"])
def test_sigterm_amid_a_put(small: SmallWorld, *, hangs: bool) -> None:
    """It ends with 0 in time, nothing is committed, the lease is given back, and the next run does the rest."""
    release, slow = threading.Event(), threading.Event()

    def hold() -> None:
        slow.set()
        release.wait(HUNG_S)

    with StrictS3() as store:
        to_bucket(small, store)
        store.faults.append(Fault("PUT", before=hold, key=GOOD))
        with worker(small) as running:
            running.says("job.scheduled job=lists")
            running.send(signal.SIGUSR1)
            until(slow.is_set, running.log)
            lease = json.loads(store.objects[".hubdata/lease.json"].body)
            assert lease["expires_at"] > lease["acquired_at"], "it is held"
            sent = time.monotonic()
            running.send(signal.SIGTERM)
            running.says("worker.ending")
            if not hangs:
                release.set()
            assert running.process.wait(60) == 0, running.log()
            assert time.monotonic() - sent < WITHIN_S
            assert "Traceback" not in running.log(), running.log()
            assert running.lines("worker.ended", "broken off" if hangs else "runs=ended")
        lease = json.loads(store.objects[".hubdata/lease.json"].body)
        assert lease["expires_at"] == lease["acquired_at"], "it was given back"
        assert GOOD not in manifest_keys(store)
        release.set()
        done = small.sync(env=KEYS)
        assert done.code == 0, done.stdout
        assert GOOD in manifest_keys(store)


class Trickle(FaultyServer):
    """An upstream whose file comes a byte at a time, and never to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def answer(self, request: Request) -> Answer:
        """Begin to send a list."""
        self.asked.set()
        return Answer("list", body=b"8.8.8.0/24\n" * 100_000)


def test_sigterm_amid_a_download(small: SmallWorld) -> None:
    """An upstream that trickles is let go of: it ends with 0 in time, publishes nothing, and the next run is well."""
    with Trickle() as upstream:
        upstream.fail("list", drip_s=0.2)
        slow = (
            f'[source]\ntype = "url"\nurl = "{upstream.origin}/list"\nkey = "lists/slow.txt"\nsha256 = "{"0" * 64}"\n'
        )
        small.write("jobs/slow.toml", slow + '[[files]]\nmatch = "lists/slow.txt"\nkind = "cidr"\n')
        before = small.untouched()
        with worker(small, "--job", "slow") as running:
            running.says("job.scheduled job=slow")
            running.send(signal.SIGUSR1)
            until(upstream.asked.is_set, running.log)
            running.says("run.began")
            assert running.end() < WITHIN_S
            assert running.lines("worker.ended")
        assert small.untouched() == before
    assert small.sync("--job", "words").code == 0


def test_sigterm_amid_a_fetch_by_git(small: SmallWorld) -> None:
    """git and all that it has started are ended at once."""
    stuck = small.root / "stuck-git"
    pids = small.root / "git.pids"
    stuck.write_text(f"#!/bin/sh\necho $$ >> '{pids}'\nexec sleep 600\n")
    stuck.chmod(0o755)
    (small.root / "bin").mkdir()
    (small.root / "bin/git").symlink_to(stuck)
    path = f"{small.root}/bin:{os.environ['PATH']}"
    with worker(small, "--job", "lists", env={**KEYS, "PATH": path}) as running:
        running.says("job.scheduled job=lists")
        running.send(signal.SIGUSR1)
        until(lambda: pids.exists() and pids.read_text().endswith("\n"), running.log)
        assert running.end() < WITHIN_S
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split()))


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(small: SmallWorld, second: signal.Signals) -> None:
    """Amid a put that hangs, nobody has to wait for the grace of the first one; the next worker finishes it."""
    release, slow = threading.Event(), threading.Event()

    def hold() -> None:
        slow.set()
        release.wait(HUNG_S)

    with StrictS3() as store:
        to_bucket(small, store)
        store.faults.append(Fault("PUT", before=hold, key=GOOD))
        with worker(small, "--job", "lists") as running:
            running.says("job.scheduled job=lists")
            running.send(signal.SIGUSR1)
            until(slow.is_set, running.log)
            running.send(signal.SIGTERM)
            running.says("worker.ending")
            running.send(second)
            assert running.process.wait(60) == 128 + second
            assert not running.lines("worker.ended"), "it has not waited for the call"
        release.set()
        with worker(small, "--job", "lists") as running:
            running.says("job.scheduled job=lists")
            running.send(signal.SIGUSR1)
            running.says("job.ended job=lists outcome=published")
            running.end()
        assert GOOD in manifest_keys(store)


def test_a_worker_that_is_killed_amid_a_put_leaves_nothing_to_do(small: SmallWorld) -> None:
    """The next one on the same machine takes the lease of the dead at once, and publishes what was to be."""
    release, slow = threading.Event(), threading.Event()

    def hold() -> None:
        slow.set()
        release.wait(HUNG_S)

    with StrictS3() as store:
        to_bucket(small, store)
        scheduled(small, "lists", HOURLY)
        store.faults.append(Fault("PUT", before=hold, key=GOOD))
        with worker(small, "--job", "lists") as first:
            until(slow.is_set, first.log)
            first.send(signal.SIGKILL)
            first.process.wait()
        release.set()
        with worker(small, "--job", "lists") as running:
            until(lambda: [each["cause"] for each in running.results()] == ["catch-up"], running.log)
            assert not running.lines("lease.waiting")
            running.end()
        assert GOOD in manifest_keys(store)
        lease = json.loads(store.objects[".hubdata/lease.json"].body)
        assert lease["expires_at"] == lease["acquired_at"], "it was given back"


def manifest_keys(store: StrictS3) -> set[str]:
    """Return the keys that are published."""
    held = store.objects.get("manifest.json")
    return set() if held is None else set(json.loads(held.body)["files"])


def test_as_the_first_process_of_a_container(small: SmallWorld) -> None:
    """With number 1 in a namespace of its own it heeds the same signals, and ends with 0."""
    within = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    if (
        shutil.which("unshare") is None
        or subprocess.run([*within, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no process namespace can be made here")
    small.repo.commit({GOOD: NEW})
    with worker(small, within=within) as running:
        running.says("worker.started")
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text()
        running.pid = int(children.split()[0])
        running.send(signal.SIGHUP)
        running.says("jobs.read because=SIGHUP")
        running.send(signal.SIGUSR1)
        running.says("job.ended", times=2)
        assert small.public()[GOOD] == NEW
        assert running.end() < WITHIN_S


def test_a_generation_goes_on_as_soon_as_it_has_soaked(small: SmallWorld) -> None:
    """No job is due for months; what was published a moment ago is promoted when its five seconds are over.

    What the worker begins at its start has ended by then: a run that waits for another's lease may promote it itself.
    """
    settings = (small.root / "hubdata.toml").read_text()
    stage = '[targets.production]\ntype = "directory"\npath = "production"\nafter = "mirror"\nsoak = "5s"\n'
    small.write("hubdata.toml", settings + stage)
    scheduled(small, "words", YEARLY)
    with worker(small) as running:
        running.says("job.ended job=words")
        running.says("job.ended job=lists")
        until(lambda: len(running.lines(" job.begun ")) == len(running.lines(" job.ended ")), running.log)
        before = len(running.results())
        small.write(f"data/{WORDS}", "/wp-login.php\n/soaked\n")
        running.send(signal.SIGUSR1)
        running.says("stage.awaited target=production")
        there = small.root / "production" / WORDS
        until(lambda: there.exists() and b"/soaked" in there.read_bytes(), running.log)
        until(lambda: "soak" in [each["cause"] for each in running.results()[before:]], running.log)
        running.end()
        soaked = [each for each in running.results() if each["cause"] == "soak"]
        visited = {target["target"] for each in soaked for job in each["jobs"] for target in job["targets"]}
        assert visited == {"production"}, "no source was asked for anything"


def state_of(pid: int) -> tuple[float, int, int]:
    """Return a process's resident set in MB, its open files, and its threads."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return (
        int(status["VmRSS"].split()[0]) / 1024,
        sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        int(status["Threads"]),
    )


@pytest.mark.parametrize("bucket", [False, True], ids=["directory", "bucket"])
def test_run_after_run_leaves_nothing_behind(small: SmallWorld, *, bucket: bool) -> None:
    """Once warm, memory stays where it is, and so do open files, threads and the spool, however often a job runs.

    Every tenth run publishes. HUBDATA_TESTS_LONG makes it a thousand runs.
    """
    runs = 1000 if LONG else 150
    warm = runs // 3
    keys = dict(KEYS)
    if bucket:
        moto = shared()
        keys |= {name: value for name, value in moto.env.items() if name.startswith("AWS_")}
        settings = (small.root / "hubdata.toml").read_text().partition("[targets")[0]
        place = f'type = "s3"\nbucket = "{moto.bucket()}"\nregion = "us-east-1"\nendpoint_url = "{moto.url}"\n'
        small.write("hubdata.toml", f"{settings}[targets.aws]\n{place}")
    with worker(small, "--job", "words", "-q", env=keys) as running:
        seen: list[tuple[float, int, int]] = []
        until(lambda: b"hubdata" in Path(f"/proc/{running.pid}/cmdline").read_bytes())
        until(lambda: handles_usr1(running.pid))
        for number in range(1, runs + 1):
            if number % 10 == 0:
                small.write(f"data/{WORDS}", f"/wp-login.php\n/probe-{number}\n")
            running.send(signal.SIGUSR1)
            until(lambda wanted=number: running.out.read_bytes().count(b"\n") >= wanted, running.log)  # type: ignore[misc]
            seen.append(state_of(running.pid))
        outcomes = [each["outcome"] for each in running.results()]
        running.end()
    assert outcomes.count("published") >= runs // 10, outcomes
    assert set(outcomes) == {"published", "unchanged"}
    before, after = (max(mb for mb, _, _ in part) for part in (seen[:warm], seen[warm:]))
    print(f"{runs} runs: {before:.1f} MB in the first {warm}, {after:.1f} MB since; files, threads {seen[-1][1:]}")
    assert after - before < 5
    for column in (1, 2):
        assert max(each[column] for each in seen[warm:]) <= max(each[column] for each in seen[:warm]) + 2
    assert small.left_over() == []


def handles_usr1(pid: int) -> bool:
    """Tell whether a process has a handler for SIGUSR1 by now: before, it would end it."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigCgt"], 16) >> (signal.SIGUSR1 - 1) & 1)


@pytest.mark.parametrize(
    ("flags", "word"), [(("--job", "lisst"), "lists"), (("--target", "miror"), "mirror"), (("--jobs", "gone"), "gone")]
)
def test_what_cannot_ever_work_ends_the_worker_at_once(small: SmallWorld, flags: tuple[str, ...], word: str) -> None:
    """A name that is mistyped is no matter for years of failing runs: exit code 2, and what may have been meant."""
    ended = small.run("sync", *flags)
    assert ended.code == 2
    assert word in ended.stderr
