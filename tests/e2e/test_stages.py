"""`after` and `soak`: production gets what canary has held for long enough, by real processes at real stores.

One test lets real time pass. The others say of a generation that it was published half an hour earlier than it was:
then nothing depends on how fast the machine is.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.command import Ended, hubdata
from tests.support.forks import Forks
from tests.support.guillotine import Guillotine
from tests.support.moto_server import shared
from tests.support.shared_target import KEYS, PAGE, SYNC, Bucket, SharedWorld, directory, lines, public, s3, sound

SOAK_S = 1800


def staged(canary: str, production: str, soak: str = f"{SOAK_S}s", more: str = "") -> str:
    """Return settings of a production after a canary."""
    return f'{canary}\n{production}after = "canary"\nsoak = "{soak}"\n{more}'


@dataclass(frozen=True, slots=True)
class Stages:
    """A world of two jobs, a canary and a production."""

    world: SharedWorld

    @classmethod
    def create(cls, root: Path, settings: str = "") -> "Stages":
        """Return a new one, with a list for each job to publish; directories unless `settings` say otherwise."""
        world = SharedWorld.create(root, settings or staged(directory("canary"), directory("production")), jobs=2)
        world.offer("job0/a.txt", lines(1))
        world.offer("job1/b.txt", lines(2))
        return cls(world)

    def sync(self, *flags: str, codes: tuple[int, ...] = (0,)) -> Ended:
        """Run once."""
        return sound(hubdata(*SYNC, *flags, cwd=self.world.root, env=KEYS), *codes)

    def held(self, target: str) -> dict[str, bytes]:
        """Return the data files of a directory target."""
        return public(self.world.mirror(target))

    def manifest(self, target: str = "production") -> Any:
        """Return a directory target's manifest."""
        return json.loads((self.world.root / target / "manifest.json").read_bytes())

    def soaked(self, canary: Bucket | None = None) -> None:
        """Let what is in force at the canary have been so for as long as it takes."""
        manifest = self.manifest("canary") if canary is None else json.loads(canary.files()["manifest.json"])
        published_at = datetime.fromisoformat(manifest["published_at"]) - timedelta(seconds=SOAK_S)
        body = json.dumps({**manifest, "published_at": f"{published_at:%Y-%m-%dT%H:%M:%SZ}"}).encode()
        if canary is None:
            self.world.write("canary/manifest.json", body)
        else:
            canary.put("manifest.json", body)


def at(ended: Ended, job: str, target: str = "production") -> Any:
    """Return what the result says of a job at a target."""
    return next(t for t in ended.job(job)["targets"] if t["target"] == target)


def test_time_passes_at_the_store(tmp_path: Path) -> None:
    """The run says when what soaks will be due; then, and not before, it is."""
    stages = Stages.create(tmp_path, staged(directory("canary"), directory("production"), "8s"))
    (stage,) = stages.sync().json["stages"]
    assert 0 < stage["next"]["in_s"] <= 8
    assert not (tmp_path / "production").exists()
    time.sleep(stage["next"]["in_s"])
    stages.sync()
    assert stages.held("production") == stages.world.offered()


def test_production_gets_what_has_soaked_and_nothing_else(tmp_path: Path) -> None:
    """The first run feeds the canary and says when the rest is due; a later one promotes exactly that, and no more."""
    stages = Stages.create(tmp_path)
    first = stages.sync()
    assert stages.held("canary") == stages.world.offered()
    assert not (tmp_path / "production").exists()
    (stage,) = first.json["stages"]
    assert (stage["target"], stage["after"], stage["soak_s"]) == ("production", "canary", SOAK_S)
    assert (stage["promoted"], stage["due"], stage["next"]["generation"]) == (None, None, 1)
    due = datetime.fromisoformat(stage["next"]["due_at"])
    published = datetime.fromisoformat(stages.manifest("canary")["published_at"])
    assert due - published == timedelta(seconds=SOAK_S)
    (notice,) = first.json["notices"]
    assert f"generation 1 of canary is due at {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" in notice

    old = stages.world.offered()
    stages.soaked()
    stages.world.offer("job0/a.txt", lines(3))
    second = stages.sync()
    assert stages.held("production") == old
    assert stages.held("canary") == stages.world.offered() != old
    manifest = stages.manifest()
    assert manifest["promoted"] == {"from": "canary", "generation": 1}
    assert {key: entry["source"] for key, entry in manifest["files"].items()} == {
        key: entry["source"] for key, entry in stages.manifest("canary")["files"].items()
    }
    assert at(second, "job0")["promoted"] == {"from": "canary", "generation": 1, "partial": False}
    (stage,) = second.json["stages"]
    assert (stage["promoted"]["generation"], stage["due"], stage["next"]["generation"]) == (1, 1, 2)

    untouched = {path: path.stat().st_mtime_ns for path in (tmp_path / "production").rglob("*") if path.is_file()}
    third = stages.sync()
    assert at(third, "job0")["puts"] == []
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "production").rglob("*") if p.is_file()} == untouched
    stages.soaked()
    assert at(stages.sync(), "job0")["puts"] == ["job0/a.txt"]
    assert stages.held("production") == stages.world.offered()
    assert stages.manifest()["promoted"] == {"from": "canary", "generation": 2}


def test_on_buckets_exactly_what_soaked_comes_from_their_versions(tmp_path: Path) -> None:
    """Canary has moved on twice since: what soaked is fetched as it was, put once, and nothing else is."""
    cloud = shared()
    canary, production = Bucket(cloud), Bucket(cloud)
    settings = staged(s3(canary.name, cloud.url, name="canary"), s3(production.name, cloud.url, name="production"))
    stages = Stages.create(tmp_path, settings)
    stages.sync()
    soaked = stages.world.offered()
    stages.soaked(canary)
    stages.world.offer("job0/a.txt", lines(3))
    stages.sync("--target", "canary")
    stages.world.offer("job0/a.txt", lines(4))
    stages.world.offer("job1/new.txt", lines(5))
    second = stages.sync()
    assert public(production.files()) == soaked
    assert public(canary.files()) == stages.world.offered()
    assert json.loads(production.files()["manifest.json"])["promoted"] == {"from": "canary", "generation": 1}
    assert second.requests("production")["PUT"] > 0

    stages.soaked(canary)
    assert stages.sync().puts("production") == ["job0/a.txt", "job1/new.txt"]
    assert public(production.files()) == stages.world.offered()
    counted = {key: count for key, count in production.count().items() if not key.startswith(".hubdata/")}
    assert [counted.pop(key) for key in PAGE] == [(2, 0), (2, 0)]
    assert counted == {"job0/a.txt": (2, 0), "job1/b.txt": (1, 0), "job1/new.txt": (1, 0), "manifest.json": (2, 0)}
    idle = stages.sync().requests("production")
    assert (idle["PUT"], idle["DELETE"], idle["LIST"] + idle["GET"] <= 3) == (0, 0, True)


def test_what_is_rolled_back_at_the_canary_never_reaches_production(tmp_path: Path) -> None:
    """Neither during its soak nor when it had soaked already; the rollback soaks for itself."""
    stages = Stages.create(tmp_path)
    stages.sync()
    stages.soaked()
    stages.sync()
    good = stages.held("production")

    back = ("rollback", "--to", "1", "--target", "canary", "--yes", "--format", "json")
    stages.world.offer("job0/a.txt", lines(66))
    stages.sync()
    sound(hubdata(*back, cwd=tmp_path))
    assert stages.held("canary") == good
    stages.soaked()
    ended = stages.sync(codes=(4,))  # the source has it still: held at the canary, as whoever rolled back wants it
    assert stages.held("production") == good
    assert ended.json["stages"][0]["promoted"]["generation"] == 1

    stages.world.offer("job0/a.txt", lines(67))
    stages.sync()
    stages.soaked()  # it has soaked, and is due; somebody sees in time that it is bad
    sound(hubdata(*back, cwd=tmp_path))
    assert stages.sync(codes=(4,)).puts("production") == []
    assert stages.held("production") == good


def test_a_rollback_at_production_stays(tmp_path: Path) -> None:
    """What was promoted whole is done: later runs leave the older bytes there, until something newer has soaked."""
    stages = Stages.create(tmp_path)
    stages.sync()
    stages.soaked()
    stages.sync()
    old = stages.held("production")
    stages.world.offer("job0/a.txt", lines(3))
    stages.sync()
    stages.soaked()
    stages.sync()
    assert stages.held("production") != old
    sound(hubdata("rollback", "--to", "1", "--target", "production", "--yes", cwd=tmp_path))
    assert stages.held("production") == old
    again = stages.sync()
    assert (again.puts("production"), stages.held("production")) == ([], old)
    assert stages.manifest()["promoted"] == {"from": "canary", "generation": 2}
    stages.world.offer("job0/a.txt", lines(4))
    stages.sync()
    stages.soaked()
    stages.sync()
    assert stages.held("production") == stages.world.offered()


def test_a_held_promotion_is_reviewed_and_approved_by_its_id(tmp_path: Path) -> None:
    """`plan` names the generation and the id; the approval lets out just that, at that target."""
    stages = Stages.create(tmp_path)
    stages.sync()
    stages.soaked()
    stages.sync()
    stages.world.edit("jobs/job0.toml", 'kind = "cidr"', 'kind = "cidr"\nlimits = { max_change = 0.1 }')
    stages.world.offer("job0/a.txt", lines(1) + lines(500) + b"8.8.8.0/24\n")
    at_canary = stages.sync(codes=(4,))
    (id_,) = [t["plan_id"] for t in at_canary.job("job0")["targets"] if t["target"] == "canary"]
    stages.sync("--approve", id_)
    stages.soaked()

    text = hubdata("plan", cwd=tmp_path)
    assert text.code == 4
    assert "job0 -> production (generation 2 of canary)" in text.stdout
    before = stages.held("production")
    held = stages.sync(codes=(4,))
    plan_id = at(held, "job0")["plan_id"]
    assert plan_id in text.stdout
    assert plan_id != id_
    assert stages.held("production") == before
    approved = stages.sync("--approve", plan_id)
    assert approved.puts("production") == ["job0/a.txt"]
    assert stages.held("production") == stages.world.offered()
    assert stages.manifest()["promoted"] == {"from": "canary", "generation": 2}


def test_a_run_that_is_killed_between_canary_and_promotion_is_made_good_by_the_next(tmp_path: Path) -> None:
    """The gate of production kills it: the canary has the new generation, and the older one is promoted next."""
    gate = tmp_path / "gate"
    gate.write_text('#!/bin/sh\n[ -e "$HOME/armed" ] && rm "$HOME/armed" && kill -9 $PPID\nexit 0\n')
    gate.chmod(0o755)
    more = f'gate = ["{gate}"]\n'
    stages = Stages.create(tmp_path, staged(directory("canary"), directory("production"), more=more))
    stages.sync()
    old = stages.world.offered()
    stages.soaked()
    stages.world.offer("job0/a.txt", lines(3))
    (tmp_path / "armed").touch()
    died = hubdata(*SYNC, cwd=tmp_path)
    assert died.code == -9, died.stdout + died.stderr
    assert not (tmp_path / "armed").exists()
    assert stages.held("canary") == stages.world.offered()
    assert not (tmp_path / "production").exists()
    mended = stages.sync()
    assert stages.held("production") == old
    assert at(mended, "job0", "canary")["puts"] == []
    assert (stages.manifest("canary")["generation"], stages.manifest()["generation"]) == (2, 1)


def test_a_run_that_is_killed_amid_a_promotion_is_made_good_by_the_next(tmp_path: Path) -> None:
    """At every write to production, before or after it: whole generations only, each object put once."""
    cloud = shared()
    with Guillotine((cloud.url,)) as proxy, Forks() as forks:
        stages = Stages.create(tmp_path)
        canary = directory("canary")
        stages.sync()
        stages.soaked()

        def fresh() -> Bucket:
            bucket = Bucket(cloud)
            stages.world.settle(staged(canary, s3(bucket.name, proxy.urls[0], name="production")))
            proxy.reset()
            return bucket

        fresh()
        sound(forks.run(*SYNC, cwd=tmp_path, env=KEYS))
        writes = [n for n, line in enumerate(proxy.seen, 1) if line.startswith("PUT") and "probe" not in line]
        assert len(writes) >= 4
        for number in writes:
            bucket = fresh()
            proxy.reset(number, "before" if number % 2 else "after")
            running = forks.start(*SYNC, cwd=tmp_path, env=KEYS)
            proxy.victim(running.pid)
            assert running.ended().code == -9
            listed = json.loads(bucket.files().get("manifest.json", b'{"files": {}}'))["files"]
            assert set(listed) in (set(), set(stages.world.offered()))
            proxy.reset()
            sound(forks.run(*SYNC, cwd=tmp_path, env=KEYS))
            assert public(bucket.files()) == stages.world.offered()
            counted = {key: count for key, count in bucket.count().items() if not key.startswith(".hubdata/")}
            assert {counted.pop(key) for key in PAGE} <= {(1, 0), (2, 0)}  # twice, if killed before the ledger knew
            assert counted == {"job0/a.txt": (1, 0), "job1/b.txt": (1, 0), "manifest.json": (1, 0)}
            promoted = json.loads(bucket.files()["manifest.json"])["promoted"]
            assert promoted == {"from": "canary", "generation": 1}


def test_two_runs_that_promote_at_once_promote_once(tmp_path: Path) -> None:
    """The second finds it done when it has the lease."""
    stages = Stages.create(tmp_path)
    stages.sync()
    stages.soaked()
    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(lambda _: stages.sync(), range(3)))
    assert sorted(len(ended.puts("production")) for ended in ends) == [0, 0, 2]
    assert (stages.manifest()["generation"], stages.held("production")) == (1, stages.world.offered())


def test_a_directory_that_keeps_no_past_promotes_what_is_in_force(tmp_path: Path) -> None:
    """Without older generations nothing else can be: what was superseded is waited for no more, and nothing fails."""
    forgetful = directory("canary").rstrip("\n") + "\nkeep_generations = 0\n"
    stages = Stages.create(tmp_path, staged(forgetful, directory("production")))
    stages.sync()
    stages.soaked()
    stages.world.offer("job0/a.txt", lines(3))
    stages.sync()  # generation 1 had soaked, but its bytes are gone by now
    assert not (tmp_path / "production").exists()
    stages.soaked()
    stages.sync()
    assert stages.held("production") == stages.world.offered()
