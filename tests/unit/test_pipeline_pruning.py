"""Pruning with jobs that say nothing: a file that may be theirs is deleted by nobody."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError
from tests.simulator.world import World, text_job


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which `moving.txt` has just left the pruning job `old` for the job `new`."""
    world = World(tmp_path)
    world.add_target()
    source = world.add_job(
        replace(text_job("old"), prune=True, max_deletes=1.0), {"moving.txt": b"m\n", "a.txt": b"a\n", "b.txt": b"b\n"}
    )
    world.run()
    del source.files["moving.txt"], source.files["b.txt"]
    world.add_job(text_job("new", "moving.*"), {"moving.txt": b"m\n"})
    world.change_job("old", files=text_job("old", "[ab].txt").files)
    return world


def test_a_file_of_a_job_that_failed_is_not_deleted(world: World) -> None:
    """Its new owner could not be read in this run: the file stays until somebody knows better; others are pruned."""
    world.sources["new"].error = SourceError("down")

    assert world.run().exit_code is Exit.SOURCE

    assert world.targets["memory"].public() == {"moving.txt": b"m\n", "a.txt": b"a\n"}


def test_a_file_of_a_job_that_takes_no_part_is_not_deleted(world: World) -> None:
    """`--job old` alone must not delete what another job publishes."""
    assert world.run(only="old").exit_code is Exit.FINE

    assert world.targets["memory"].public() == {"moving.txt": b"m\n", "a.txt": b"a\n"}


def test_it_is_deleted_once_every_job_has_spoken(world: World) -> None:
    """The new owner does not have it either: now it goes."""
    del world.sources["new"].files["moving.txt"]
    world.sources["new"].files["moving.other"] = b"x\n"

    assert world.run().exit_code is Exit.FINE

    assert world.targets["memory"].public() == {"a.txt": b"a\n", "moving.other": b"x\n"}
