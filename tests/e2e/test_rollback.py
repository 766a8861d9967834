"""Going back and forward, whole processes over a bucket with versions behind a strict CloudFront, and a directory."""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from hubdata.model.key import RESERVED
from tests.support.command import Ended
from tests.support.forks import Forks
from tests.support.guillotine import Guillotine
from tests.support.moto_server import shared
from tests.support.repos import Repo
from tests.support.small_world import OWN, SmallWorld, checked
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront

MANIFEST = "manifest.json"
A, B, LATE, KEPT = "words/a.txt", "words/b.txt", "words/late.txt", "words/kept.txt"
JOB = """\
prune = {prune}

[source]
type = "directory"
path = "../data"

[[files]]
match = "words/*.txt"
kind = "needle"
limits = {{ max_change = 0.2 }}
"""
BUCKET = f"""\
jobs = "jobs"
spool = "spool"

[targets.out]
type = "s3"
bucket = "{{bucket}}"
region = "us-east-1"
endpoint_url = "{{store}}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{DISTRIBUTION}"
endpoint_url = "{{url}}"
"""
DIRECTORY = """\
jobs = "jobs"
spool = "spool"

[targets.out]
type = "directory"
path = "mirror"
"""


class Store(Protocol):
    """What a test asks of a target from outside."""

    def files(self) -> dict[str, bytes]:
        """Return every public file."""
        ...

    def modified(self, key: str) -> datetime:
        """Return its Last-Modified."""
        ...

    def told(self) -> list[set[str]] | None:
        """Return the paths of every invalidation; None where there is no CDN."""
        ...

    def expire(self, key: str, sha256: str) -> None:
        """Have the store lose the past state of these bytes."""
        ...

    def writes(self) -> list[str]:
        """Return what would be different after any write at all."""
        ...


@dataclass
class BucketStore:
    """A bucket that keeps versions."""

    bucket: str
    edge: StrictCloudfront
    proxy: Guillotine

    def files(self) -> dict[str, bytes]:
        return {k: v for k, v in shared().objects(self.bucket).items() if not k.startswith(".hubdata/")}

    def modified(self, key: str) -> datetime:
        found: datetime = shared().client("s3").head_object(Bucket=self.bucket, Key=key)["LastModified"]
        return found

    def told(self) -> list[set[str]] | None:
        return [set(batch.paths) for batch in self.edge.batches]

    def expire(self, key: str, sha256: str) -> None:
        s3 = shared().client("s3")
        for state in s3.list_object_versions(Bucket=self.bucket, Prefix=key)["Versions"]:
            which = {"Bucket": self.bucket, "Key": key, "VersionId": state["VersionId"]}
            body = s3.get_object(**which)["Body"].read()
            if hashlib.sha256(body).hexdigest() == sha256:
                s3.delete_object(**which)

    def writes(self) -> list[str]:
        return [line for line in self.proxy.seen if not line.startswith(("GET ", "HEAD "))]


@dataclass
class DirectoryStore:
    """A directory, which keeps its past itself."""

    root: Path

    def files(self) -> dict[str, bytes]:
        found = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*") if path.is_file()}
        return {key: path.read_bytes() for key, path in found.items() if not key.startswith(".hubdata/")}

    def modified(self, key: str) -> datetime:
        return datetime.fromtimestamp((self.root / key).stat().st_mtime)  # noqa: DTZ006 - only compared

    def told(self) -> list[set[str]] | None:
        return None

    def expire(self, key: str, sha256: str) -> None:
        for path in (self.root / ".hubdata/versions").glob(f"*/{key}"):
            if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                path.unlink()

    def writes(self) -> list[str]:
        states = {path: path.lstat() for path in self.root.rglob("*") if path.is_file()}
        return sorted(f"{path} {state.st_ino} {state.st_mtime_ns}" for path, state in states.items())


@dataclass
class World:
    """A job that publishes words from a directory to one target, and what each generation held."""

    small: SmallWorld
    store: Store
    forks: Forks
    states: list[dict[str, bytes]] = field(default_factory=list)

    def offer(self, files: dict[str, bytes]) -> None:
        """Have the source hold exactly these files."""
        data = self.small.root / "data"
        for path in data.rglob("*.txt"):
            path.unlink()
        for key, body in files.items():
            self.small.write(f"data/{key}", body)

    def run(self, *arguments: str) -> Ended:
        """Return what one process said."""
        env = {**shared().env, "HOME": str(self.small.root)}
        return checked(self.forks.start(*arguments, cwd=self.small.root, env=env).ended())

    def sync(self, *flags: str) -> Ended:
        """Run everything."""
        return self.run("sync", "--once", "--format", "json", *flags)

    def publish(self, files: dict[str, bytes], *, generation: int) -> None:
        """Publish files however much they differ, and remember what is public then."""
        self.offer(files)
        ended = self.sync()
        if ended.code == 4:
            ended = self.sync("--approve", ended.job("words")["targets"][0]["plan_id"])
        assert ended.code == 0, ended.stdout + ended.stderr
        assert self.manifest()["generation"] == generation
        self.states.append(self.data())

    def rollback(self, to: int, *flags: str) -> Ended:
        """Go to a generation."""
        return self.run("rollback", "--to", str(to), "--format", "json", *flags)

    def data(self) -> dict[str, bytes]:
        """Return every public data file."""
        return {key: body for key, body in self.store.files().items() if key not in RESERVED}

    def manifest(self) -> Any:
        """Return the public manifest."""
        return json.loads(self.store.files()[MANIFEST])


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Give cheap processes."""
    with Forks() as one:
        yield one


@pytest.fixture(params=["bucket", "directory"])
def world(request: pytest.FixtureRequest, tmp_path: Path, forks: Forks) -> Iterator[World]:
    """Give a world in which nothing is published yet."""
    small = SmallWorld(tmp_path, Repo(tmp_path / "none"))
    small.write("jobs/words.toml", JOB.format(prune="false"))
    if request.param == "directory":
        small.write("hubdata.toml", DIRECTORY)
        yield World(small, DirectoryStore(tmp_path / "mirror"), forks)
        return
    bucket = shared().bucket(versioned=True)
    with StrictCloudfront() as edge, Guillotine((shared().url, edge.url)) as proxy:
        proxy.reset()
        small.write("hubdata.toml", BUCKET.format(bucket=bucket, store=proxy.urls[0], url=proxy.urls[1]))
        yield World(small, BucketStore(bucket, edge, proxy), forks)


bucket = pytest.mark.parametrize("world", ["bucket"], indirect=True)
directory = pytest.mark.parametrize("world", ["directory"], indirect=True)


def words(number: int, count: int = 4) -> bytes:
    """Return a list of needles."""
    return b"".join(b"/probe-%d-%d.php\n" % (number, line) for line in range(count))


def ten_generations(world: World) -> None:
    """Publish them: `a` changes each time, `b` every other time, `late` is there from the seventh on, `kept` is."""
    for number in range(1, 11):
        files = {A: words(number), B: words(number // 2, 3), KEPT: words(0)}
        if number >= 7:
            files[LATE] = words(number // 5)
        world.publish(files, generation=number)


def next_second() -> None:
    """Wait until stores that tell times in seconds tell another one."""
    time.sleep(1.02 - time.time() % 1)


def test_back_and_forward_over_ten_generations(world: World) -> None:
    """Bytes, manifest, Last-Modified and CDN are right each time, and what is the same is not touched."""
    ten_generations(world)
    generation = 10
    for to in (9, 7, 3, 1, 10, 5, 12, 2):
        then, before = world.states[to - 1], world.data()
        expected = {**before, **then}  # what was not there then stays: prune is off
        changed = {key for key in expected if before.get(key) != expected[key]}
        times = {key: world.store.modified(key) for key in before}
        told = world.store.told()
        next_second()

        ended = world.rollback(to, "--yes")

        assert ended.code == 0, ended.stdout + ended.stderr
        generation += 1
        (target,) = ended.job("words")["targets"]
        assert (set(target["puts"]), target["generation"]) == (changed, generation)
        assert ended.job("words")["source"] == {"type": "generation", "revision": str(to)}
        assert world.data() == expected
        world.states.append(expected)
        manifest = world.manifest()
        assert (manifest["generation"], manifest["files"].keys()) == (generation, expected.keys())
        for key, body in expected.items():
            assert manifest["files"][key]["sha256"] == hashlib.sha256(body).hexdigest()
            if key in changed:
                assert world.store.modified(key) > times[key]
            else:
                assert world.store.modified(key) == times[key]
        if told is not None:
            assert world.store.told() == [*told, {f"/{key}" for key in (*changed, *OWN)}]
    again = world.rollback(2, "--yes")
    assert (again.code, again.job("words")["outcome"]) == (0, "unchanged")
    assert world.manifest()["generation"] == generation


@directory
def test_a_plan_is_shown_first_and_carried_out_by_its_id(world: World) -> None:
    """Nothing is written without an order; the id is the same as long as nothing else is; another's does nothing."""
    world.publish({A: words(1), KEPT: words(0)}, generation=1)
    world.publish({A: words(2), KEPT: words(0)}, generation=2)
    before = world.store.writes()
    shown = world.run("rollback", "--to", "1")
    assert shown.code == 0
    plan = world.rollback(1)
    (target,) = plan.job("words")["targets"]
    assert (plan.job("words")["outcome"], target["puts"], target["unchanged"]) == ("planned", [A], 1)
    assert f"hubdata rollback --to 1 --approve {target['plan_id']}" in shown.stdout
    assert world.rollback(1, "--yes", "--dry-run").job("words")["outcome"] == "planned"
    wrong = world.rollback(1, "--approve", "0" * 64)
    assert wrong.code == 4
    assert world.store.writes() == before
    assert world.data() == world.states[1]
    ended = world.rollback(1, "--approve", target["plan_id"])
    assert ended.code == 0, ended.stdout + ended.stderr
    assert world.data() == world.states[0]


@pytest.mark.parametrize(("prune", "flags", "goes"), [(False, [], False), (False, ["--prune"], True), (True, [], True)])
def test_a_key_that_did_not_exist_then(world: World, flags: list[str], *, prune: bool, goes: bool) -> None:
    """It stays, unless the job prunes or the order says so; deleted, it is not put again by the next run."""
    world.publish({A: words(1), B: words(3), KEPT: words(0)}, generation=1)
    world.publish({A: words(2), B: words(3), KEPT: words(0), LATE: words(7)}, generation=2)
    world.small.write("jobs/words.toml", JOB.format(prune=str(prune).lower()))
    told = world.store.told()

    ended = world.rollback(1, "--yes", *flags)

    assert ended.code == 0, ended.stdout + ended.stderr
    assert ended.job("words")["targets"][0]["deletes"] == ([LATE] if goes else [])
    assert (LATE in world.data()) is not goes
    if told is not None:
        gone = {f"/{LATE}"} if goes else set()
        assert world.store.told() == [*told, {f"/{key}" for key in (A, *OWN)} | gone]
    after = world.sync()
    assert after.code == 4
    held = after.job("words")["targets"][0]["held"]["puts"]
    assert held == ([A, LATE] if goes else [A])


@directory
def test_too_many_deletions_are_held(world: World) -> None:
    """A rollback may go as far as it is asked to, but deletes no more at once than the job allows."""
    world.publish({A: words(1)}, generation=1)
    world.publish({A: words(1), B: words(3), LATE: words(7), KEPT: words(0)}, generation=2)
    ended = world.rollback(1, "--yes", "--prune")
    assert ended.code == 4
    assert {finding["rule"] for finding in ended.job("words")["findings"]} == {"limits.max-deletes"}
    assert world.data() == world.states[1]
    plan = ended.job("words")["targets"][0]["plan_id"]
    assert world.rollback(1, "--prune", "--approve", plan).code == 0
    assert world.data() == world.states[0]


def test_an_expired_version_is_refused_before_any_write(world: World) -> None:
    """By key, version and generation; not one request but reads is made, and the other job's files stay too."""
    world.publish({A: words(1), B: words(3)}, generation=1)
    entry = world.manifest()["files"][A]
    world.publish({A: words(2), B: words(4)}, generation=2)
    world.store.expire(A, entry["sha256"])
    if isinstance(world.store, BucketStore):
        world.store.proxy.reset()
    before = [] if isinstance(world.store, BucketStore) else world.store.writes()

    ended = world.rollback(1, "--yes")

    assert ended.code == 6, ended.stdout + ended.stderr
    problem = ended.job("words")["problem"]
    assert f"generation 1 is no longer whole: its store does not have {A} " in problem["message"]
    assert (entry["version_id"] or entry["etag"]) in problem["message"]
    assert world.store.writes() == before
    assert world.data() == world.states[1]


def test_a_generation_that_is_not_known_is_refused(world: World) -> None:
    """Whether it has yet to come, or its manifest has expired."""
    assert world.rollback(1, "--yes").code == 6
    world.publish({A: words(1)}, generation=1)
    manifest = hashlib.sha256(world.store.files()[MANIFEST]).hexdigest()
    world.publish({A: words(2)}, generation=2)
    assert "expected generation 3, found 2" in world.rollback(3, "--yes").stdout
    world.store.expire(MANIFEST, manifest)
    gone = world.rollback(1, "--yes")
    assert (gone.code, "its store no longer has it" in gone.stdout) == (6, True)


def test_what_was_rolled_back_comes_back_only_when_somebody_says_so(world: World) -> None:
    """The next run holds it, all else goes on; other bytes of the source go out by themselves."""
    world.publish({A: words(1), B: words(3)}, generation=1)
    world.publish({A: words(1, 5), B: words(3)}, generation=2)  # 25 % more: held, approved, and bad
    approved = world.sync("--dry-run").job("words")["targets"][0]["plan_id"]
    assert world.rollback(1, "--yes").code == 0
    digest = hashlib.sha256(words(1, 5)).hexdigest()
    assert world.manifest()["withdrawn"] == {A: [digest]}

    world.offer({A: words(1, 5), B: words(3) + b"/one-more.php\n"})
    ended = world.sync()
    assert ended.code == 4
    (target,) = ended.job("words")["targets"]
    assert target["held"]["puts"] == [A, B]
    assert "limits.withdrawn" in {f["rule"] for f in ended.job("words")["findings"] if f["key"] == A}
    assert world.data()[A] == words(1)
    assert world.sync("--approve", approved).code == 4  # what was approved before the rollback lets nothing out

    world.offer({A: words(1, 5), B: words(3)})
    assert world.sync("--allow-rollback", "--force").code == 4
    ended = world.sync()
    assert (ended.code, ended.job("words")["targets"][0]["held"]["puts"]) == (4, [A])
    ended = world.sync("--approve", ended.job("words")["targets"][0]["plan_id"])
    assert ended.code == 0, ended.stdout + ended.stderr
    assert world.data()[A] == words(1, 5)
    assert "withdrawn" not in world.manifest()
    assert world.sync().code == 0

    assert world.rollback(1, "--yes").code == 0
    world.offer({A: words(1)[:-1] + b"l\n", B: words(3)})  # the source has mended it
    ended = world.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    assert "withdrawn" not in world.manifest()


def test_a_file_that_the_source_deleted_and_a_rollback_brought_back_stays(world: World) -> None:
    """Though the job prunes: its deletion is held, until somebody approves it."""
    world.small.write("jobs/words.toml", JOB.format(prune="true"))
    world.publish({A: words(1), B: words(3), KEPT: words(0)}, generation=1)
    world.publish({A: words(1), KEPT: words(0)}, generation=2)
    assert B not in world.data()
    assert world.rollback(1, "--yes").code == 0
    ended = world.sync()
    assert (ended.code, ended.job("words")["targets"][0]["held"]["deletes"]) == (4, [B])
    assert world.data() == world.states[0]
    assert world.sync("--approve", ended.job("words")["targets"][0]["plan_id"]).code == 0
    assert world.data() == world.states[1]


@directory
def test_what_todays_rules_refuse_is_not_brought_back(world: World) -> None:
    """The job asks for more entries than there were then: that file stays, the others go back."""
    world.publish({A: words(1, 2), B: words(1, 9)}, generation=1)
    world.publish({A: words(2, 9), B: words(2, 9)}, generation=3)  # a's growth is approved after the rest
    world.small.edit("jobs/words.toml", "max_change = 0.2", "max_change = 0.2, min_entries = 5")
    ended = world.rollback(1, "--yes")
    assert ended.code == 3, ended.stdout + ended.stderr
    assert {(f["key"], f["rule"]) for f in ended.job("words")["findings"]} == {(A, "limits.min-entries")}
    assert world.data() == {A: words(2, 9), B: words(1, 9)}


@directory
def test_a_file_that_no_job_claims_any_more_is_left_alone(world: World) -> None:
    """Nobody can say what it must be; it is named, and the rest goes back."""
    world.publish({A: words(1), B: words(3)}, generation=1)
    world.publish({A: words(2), B: words(4)}, generation=2)
    world.small.edit("jobs/words.toml", "words/*.txt", "words/a*.txt")
    ended = world.rollback(1, "--yes")
    assert ended.code == 3, ended.stdout + ended.stderr
    assert {(f["key"], f["rule"]) for f in ended.job("words")["findings"]} == {(B, "job.unclaimed")}
    assert world.data() == {A: words(1), B: words(4)}


@directory
def test_one_job_goes_back_alone(world: World) -> None:
    """The other one's files are not even looked at."""
    world.small.write("jobs/others.toml", JOB.format(prune="true").replace("words/*", "others/*"))
    other = "others/x.txt"
    world.publish({A: words(1), other: words(1)}, generation=1)
    world.offer({A: words(2), other: words(2)})
    assert world.sync().code == 0
    assert world.rollback(1, "--yes", "--job", "words").code == 0
    assert world.data() == {A: words(1), other: words(2)}
    nothing = world.rollback(2, "--yes", "--job", "nowhere")
    assert nothing.code == 2


@bucket
@pytest.mark.parametrize("before_the_manifest", [True, False])
def test_a_rollback_that_is_killed_needs_no_person(world: World, *, before_the_manifest: bool) -> None:
    """Before its manifest is in place nothing was rolled back, and the next run mends it; afterwards it is told."""
    assert isinstance(world.store, BucketStore)
    world.publish({A: words(1), B: words(3)}, generation=1)
    world.publish({A: words(2), B: words(4)}, generation=2)
    proxy, edge = world.store.proxy, world.store.edge
    told = len(edge.batches)
    killed_at(world, "PUT", MANIFEST, side="before" if before_the_manifest else "after")
    assert world.data() == world.states[0]  # the files are there, one way or the other
    assert world.manifest()["generation"] == (2 if before_the_manifest else 3)
    proxy.reset()

    ended = world.sync()

    changed = {f"/{key}" for key in (A, B, *OWN)}
    assert changed in [set(batch.paths) for batch in edge.batches[told:]]
    if before_the_manifest:
        assert ended.code == 0, ended.stdout + ended.stderr
        assert world.data() == world.states[1]
        assert "withdrawn" not in world.manifest()
    else:
        assert (ended.code, ended.job("words")["targets"][0]["held"]["puts"]) == (4, [A, B])
        assert world.data() == world.states[0]
        assert world.manifest()["withdrawn"].keys() == {A, B}
    assert world.rollback(1, "--yes").code == 0
    assert world.data() == world.states[0]


def killed_at(world: World, method: str, key: str, side: str) -> None:
    """Roll back to the first generation in a process that dies at its first such request."""
    assert isinstance(world.store, BucketStore)
    proxy = world.store.proxy
    proxy.reset(10**9, side)
    env = {**shared().env, "HOME": str(world.small.root)}
    running = world.forks.start("rollback", "--to", "1", "--yes", cwd=world.small.root, env=env)

    def aim(asked: str, path: str) -> None:
        if asked == method and path.partition("?")[0].endswith(f"/{key}"):
            proxy.blade = (len(proxy.seen) + 1, side)

    proxy.gate = aim
    proxy.victim(running.pid)
    assert running.ended().code == -9, "it ended before it could be killed"
    proxy.gate = lambda method, path: None


def test_history_tells_generations_and_runs(world: World) -> None:
    """What each generation changed and which run made it; runs that changed nothing have left nothing."""
    world.publish({A: words(1), B: words(3)}, generation=1)
    world.publish({A: words(2), B: words(3), LATE: words(7)}, generation=2)
    assert world.sync().code == 0
    assert world.rollback(1, "--yes").code == 0

    text = world.run("history", "-v")
    ended = world.run("history", "--format", "json")

    assert (text.code, ended.code) == (0, 0), text.stderr + ended.stderr
    (target,) = ended.json["targets"]
    told = [(g["generation"], g["changed"], g["added"], g["removed"], g["jobs"]) for g in target["generations"]]
    assert told == [
        (3, [A], [], [], ["words"]),
        (2, [A], [LATE], [], ["words"]),
        (1, [], [A, B], [], ["words"]),
    ]
    runs = {run["run_id"]: run["record"] for run in target["runs"]}  # those of one second are in no order
    records = [runs.pop(g["run_id"]) for g in target["generations"]]
    assert not runs
    assert [record["command"] for record in records] == [
        ["rollback", "--to", "1"],
        ["sync", "--once"],
        ["sync", "--once"],
    ]
    assert [record["jobs"][0]["targets"][0]["generation"] for record in records] == [3, 2, 1]
    assert records[0]["jobs"][0]["targets"][0]["puts"] == [A]
    assert "rollback --to 1" in text.stdout
    assert f"+ {LATE}" in text.stdout


@directory
def test_several_targets_must_be_told_apart(world: World) -> None:
    """Each has generations of its own."""
    settings = (world.small.root / "hubdata.toml").read_text()
    world.small.write("hubdata.toml", settings + '\n[targets.second]\ntype = "directory"\npath = "second"\n')
    world.offer({A: words(1)})
    assert world.sync().code == 0
    ended = world.rollback(1)
    assert (ended.code, "--target" in ended.json["error"]["advice"]) == (2, True)
    assert world.rollback(1, "--target", "second").code == 0
