"""The small world that bad input is thrown at."""

from pathlib import Path

import pytest

from tests.support.small_world import SmallWorld


@pytest.fixture(scope="session")
def published_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give a world whose first run went well; only ever copied."""
    world = SmallWorld.create(tmp_path_factory.mktemp("published"))
    ended = world.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    return world


@pytest.fixture
def small(published_world: SmallWorld, tmp_path: Path) -> SmallWorld:
    """Give a world of the test's own in which everything is published and well."""
    return published_world.copied(tmp_path / "world")
