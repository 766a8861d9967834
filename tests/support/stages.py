"""Worlds of two stages in the simulator: a canary, a production after it, and a clock that is moved."""

from datetime import timedelta
from pathlib import Path

from hubdata.model.run import RunResult, TargetResult
from hubdata.model.stage import StageResult
from tests.simulator.world import World, text_job

SOAK = timedelta(minutes=30)
FILES = {"a.txt": b"one\n", "b.txt": b"two\n"}
NEW = {"a.txt": b"one\nmore\n", "b.txt": b"two\n"}


def make(tmp_path: Path) -> World:
    """Return such a world."""
    world = World(tmp_path)
    world.add_target("canary")
    world.add_stage("production", after="canary", soak=SOAK)
    world.add_job(text_job("texts"), FILES)
    return world


def later(world: World, minutes: float = 30) -> None:
    """Let time pass."""
    world.clock.sleep(timedelta(minutes=minutes))


def promoted(world: World) -> World:
    """Return `world` after its first generation was promoted, and a second one published at the canary just now."""
    world.run()
    later(world)
    world.run()
    world.sources["texts"].files = dict(NEW)
    world.run()
    return world


def production(result: RunResult, job: str = "texts") -> TargetResult:
    """Return what came of a job at production."""
    return next(t for each in result.jobs if each.job == job for t in each.targets if t.target == "production")


def stage(result: RunResult) -> StageResult:
    """Return how the one stage stands."""
    (only,) = result.stages
    return only


def public(world: World, target: str = "production") -> dict[str, bytes]:
    """Return the data files that readers get."""
    world.sound(target)
    return world.targets[target].public()
