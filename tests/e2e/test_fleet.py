"""With `[fleet]` a plan says before anything is written what every engine will have to download, and what it costs."""

from pathlib import Path

from tests.support.command import hubdata
from tests.support.small_world import SETTINGS, SmallWorld

FLEET = "\n[fleet]\nengines = 1000000000\n"


def test_plan_prices_itself(tmp_path: Path) -> None:
    """Both files of the first publication, for a billion engines; an unchanged tree costs nobody anything."""
    world = SmallWorld.create(tmp_path)
    world.write("hubdata.toml", SETTINGS + FLEET)
    first = hubdata("plan", "--job", "lists", cwd=world.root)
    assert first.code == 0, first.stderr
    assert "1,000,000,000 engines download 33 B each, 33.0 GB in all (2.81 USD), at most" in first.stdout

    hubdata("sync", "--once", cwd=world.root)
    again = hubdata("plan", "--format", "json", cwd=world.root)

    assert [target["downloads"] for job in again.json["jobs"] for target in job["targets"]] == [{}, {}]


def test_a_fleet_of_nobody_is_a_mistake(tmp_path: Path) -> None:
    """The settings are refused by file, key and line."""
    world = SmallWorld.create(tmp_path)
    world.write("hubdata.toml", SETTINGS + FLEET.replace("1000000000", "0"))

    ended = hubdata("plan", cwd=world.root)

    assert ended.code == 2
    assert "hubdata.toml" in ended.stderr
    assert "fleet.engines" in ended.stderr
