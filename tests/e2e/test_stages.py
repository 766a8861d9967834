"""`after` and `soak`: production gets what canary has held for long enough, in processes of their own, on real stores."""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, hubdata
from tests.support.moto_server import shared
from tests.support.shared_target import KEYS, SYNC, Bucket, SharedWorld, directory, lines, public, s3, sound

SOAK_S = 3


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

    def sync(self, *flags: str, codes: tuple[int, ...] = (0,), **env: str) -> Ended:
        """Run once."""
        return sound(hubdata(*SYNC, *flags, cwd=self.world.root, env=env), *codes)

    def held(self, target: str) -> dict[str, bytes]:
        """Return the data files of a directory target."""
        return public(self.world.mirror(target))

    def manifest(self, target: str = "production") -> Any:
        """Return a directory target's manifest."""
        return json.loads((self.world.root / target / "manifest.json").read_bytes())

    def wait(self, ended: Ended) -> None:
        """Wait until what soaks is due, as the run has said."""
        (stage,) = ended.json["stages"]
        time.sleep(stage["next"]["in_s"] + 0.1)


def at(ended: Ended, job: str, target: str = "production") -> Any:
    """Return what the result says of a job at a target."""
    return next(t for t in ended.job(job)["targets"] if t["target"] == target)


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
    stages.wait(first)
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
    stages.wait(third)
    assert at(stages.sync(), "job0")["puts"] == ["job0/a.txt"]
    assert stages.held("production") == stages.world.offered()
    assert stages.manifest()["promoted"] == {"from": "canary", "generation": 2}
