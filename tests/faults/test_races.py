"""Processes that race at one target, round after round: no file is lost, and everything happens one after the other.

Two and eight runs at once, of different jobs and of the same job, at a real S3 server and at a directory. Before each
round files change, appear and disappear. The bucket keeps its past, so every manifest and every lease that ever was
public is held to account. Most runs are forks that look for a free lease every few hundredths of a second; some rounds
are whole processes with the terms of the settings. HUBDATA_TESTS_LONG=1 makes all rounds fifty.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import shared_target as there
from tests.support.command import Ended, hubdata
from tests.support.forks import Forks
from tests.support.moto_server import shared
from tests.support.repos import Repo
from tests.support.shared_target import KEYS, LEASE, MANIFEST, SYNC, Bucket, SharedWorld, lines, sound

LONG = bool(os.environ.get("HUBDATA_TESTS_LONG"))
ROUNDS = 50
POLL_S = 0.05
NO_PAGE = "\n[page]\npublish = false\n"
"""Status pages are raced for by two; for eight they would be half of all that is written."""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Give cheap processes."""
    with Forks() as one:
        yield one


class Race:
    """Rounds of runs that all start at once: of `jobs` jobs, `each` of each; all to one bucket and one directory."""

    def __init__(self, root: Path, *, jobs: int, each: int, terms: str = "") -> None:
        self.bucket = Bucket(shared())
        settings = there.s3(self.bucket.name, self.bucket.cloud.url) + there.directory() + terms
        self.world = SharedWorld.create(root, settings, jobs)
        self._orders = [job for job in self.world.jobs for _ in range(each)]
        self._round = 0
        self.ends: list[Ended] = []

    def change(self) -> None:
        """Give every job a file that is changed and one that is new, and take the new one of the last round away."""
        self._round += 1
        for number, job in enumerate(self.world.jobs):
            once = self._round * 20 + number * 2
            self.world.offer(f"{job}/changing.txt", lines(once))
            self.world.offer(f"{job}/new-{self._round}.txt", lines(once + 1))
            if self._round > 1:
                self.world.withdraw(f"{job}/new-{self._round - 1}.txt")

    def forked(self, forks: Forks) -> list[Ended]:
        """Return how the runs of one round ended."""
        root, env = self.world.root, {**KEYS, "HOME": str(self.world.root.parent)}
        running = [forks.start(*SYNC, "-v", "--job", job, cwd=root, env=env, poll_s=POLL_S) for job in self._orders]
        return self._held_to([one.ended(120) for one in running])

    def whole(self) -> list[Ended]:
        """Return how the runs of one round ended, each a Python of its own."""

        def run(job: str) -> Ended:
            return hubdata(*SYNC, "-v", "--job", job, cwd=self.world.root, env=KEYS, alone=True)

        with ThreadPoolExecutor(len(self._orders)) as pool:
            return self._held_to(list(pool.map(run, self._orders)))

    def _held_to(self, ends: list[Ended]) -> list[Ended]:
        for ended in ends:
            sound(ended, 0, 6)
            if ended.code == 6:
                assert "another run" in ended.stdout, ended.stdout
        self.ends += ends
        return ends

    def published(self, name: str) -> list[int]:
        """Return the generation of every run that published to the target of this name."""
        return sorted(
            target["generation"]
            for ended in self.ends
            for job in ended.json["jobs"]
            for target in job["targets"]
            if target["applied"] and target["target"] == name
        )

    def fences(self, name: str) -> list[int]:
        """Return the number of every lease of the target of this name that a run says it took."""
        taken = f" lease.taken target={name} fence="
        told = (line.partition(taken)[2] for ended in self.ends for line in ended.stderr.splitlines())
        return sorted(int(number.split()[0]) for number in told if number)


def one_to(last: int) -> list[int]:
    """Return all numbers from 1 to `last`."""
    return list(range(1, last + 1))


def test_run_that_had_to_wait_takes_nothing_back(tmp_path: Path, forks: Forks) -> None:
    """It read the source before another run of the same job read newer data and published it: it looks once more."""
    repo = Repo.create(tmp_path / "upstream")
    repo.commit({"job0/list.txt": lines(1)})
    world = SharedWorld.create(tmp_path, there.directory())
    source = f'[source]\ntype = "git"\nurl = "{repo.url}"\nref = "master"\n'
    world.write("jobs/job0.toml", f'{source}[[files]]\nmatch = "job0/*.txt"\nkind = "cidr"\n'.encode())
    sound(forks.run(*SYNC, cwd=world.root))

    free = world.mirror()[LEASE]
    taken = json.loads(free) | {"process": "another/1:1:1", "expires_at": "2999-01-01T00:00:00Z"}
    world.write(f"mirror/{LEASE}", json.dumps(taken).encode())
    repo.commit({"job0/list.txt": lines(2)})
    slow = forks.start(*SYNC, "-v", cwd=world.root, poll_s=2)
    slow.says("lease.waiting")
    repo.commit({"job0/list.txt": lines(3)})
    quick = forks.start(*SYNC, "-v", cwd=world.root, poll_s=0.01)
    quick.says("lease.waiting")
    world.write(f"mirror/{LEASE}", free)
    ends = [sound(one.ended()) for one in (quick, slow)]
    there.assert_holds(world.mirror(), {"job0/list.txt": lines(3)})
    assert all("lease.taken" in ended.stderr for ended in ends)


@pytest.mark.parametrize("runs", [2, 8])
def test_races(tmp_path: Path, forks: Forks, runs: int) -> None:
    """After each round all that was wanted is public; each publication was one generation and one lease.

    Two races go on side by side: one of as many jobs as runs, one of runs that all publish the same job.
    """
    terms = "" if runs == 2 else NO_PAGE
    races = (
        Race(tmp_path / "jobs", jobs=runs, each=1, terms=terms),
        Race(tmp_path / "one", jobs=1, each=runs, terms=terms),
    )
    with ThreadPoolExecutor(len(races)) as pool:
        list(pool.map(lambda race: raced(race, forks), races))


def raced(race: Race, forks: Forks) -> None:
    """Let all rounds go by, the first with whole processes, and assert after each what has to be."""
    jobs = len(race.world.jobs)
    for number in range(ROUNDS):
        race.change()
        ends = race.forked(forks) if number else race.whole()
        assert {ended.code for ended in ends} == {0}
        files = race.world.mirror()
        there.assert_holds(files, race.world.offered(), generation=(number + 1) * jobs)
        there.assert_settled(files)
        if LONG or number % 5 == 0:
            assert there.public(race.bucket.files()) == race.world.offered(), "nothing is lost, nothing is left"
    assert race.published("mirror") == one_to(ROUNDS * jobs)
    assert race.fences("mirror") == one_to(json.loads(race.world.mirror()[LEASE])["fence"])
    assert_past(race, jobs)


def assert_past(race: Race, jobs: int) -> None:
    """Assert that the bucket holds what is wanted, and that everything it has ever held came once and in order."""
    files = race.bucket.files()
    there.assert_holds(files, race.world.offered(), generation=ROUNDS * jobs)
    there.assert_settled(files)
    manifests, leases = race.bucket.past(MANIFEST), race.bucket.past(LEASE)
    there.assert_one_after_the_other(manifests, leases)
    assert race.published("aws") == one_to(len(manifests))
    assert race.fences("aws") == one_to(leases[-1]["fence"])
    counted = race.bucket.count("job")
    for job in race.world.jobs:
        assert counted[f"{job}/changing.txt"] == (ROUNDS, 0), "once a round, whoever did it"
        assert {counted[f"{job}/new-{n}.txt"] for n in range(1, ROUNDS)} == {(1, 1)}


def test_race_of_runs_that_do_not_wait(tmp_path: Path, forks: Forks) -> None:
    """Whoever meets another run and may not wait leaves with 6; what it wanted to publish comes with the next run."""
    race = Race(tmp_path, jobs=8, each=1, terms="\n[lease]\nwaits_s = 0\n")
    codes: Counter[int] = Counter()
    for number in range(10):
        if number > 1 and codes[0] and codes[6] and not LONG:
            break
        race.change()
        codes.update(ended.code for ended in race.forked(forks))
        sound(forks.run(*SYNC, cwd=race.world.root, env=KEYS))
        assert there.public(race.bucket.files()) == race.world.offered()
        assert there.public(race.world.mirror()) == race.world.offered()
    assert codes[0]
    assert codes[6]
    there.assert_one_after_the_other(race.bucket.past(MANIFEST), race.bucket.past(LEASE))
    there.assert_settled(race.bucket.files())
    there.assert_settled(race.world.mirror())
