"""docs/house.md is a map of the tree as it is: what it names is there, and what is there has its place on it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([a-z][\w/]*(?:\.py|/))`", PAGE)) | set(re.findall(r"`([a-z]+/[a-z_]+)`", PAGE))
ROOMS = (".", "hubdata", "hubdata/targets/s3", "hubdata/transfer", "tests/support", "tests/simulator")
"""Where a name on the page may be meant to lie."""


def test_everything_that_is_named_is_there() -> None:
    """A file that was moved or taken out leaves no trace on the map."""
    assert len(NAMED) > 60
    gone = {name for name in NAMED if not any((ROOT / room / name).exists() for room in ROOMS)}
    assert gone == set()


@pytest.mark.parametrize("room", ["hubdata", "hubdata/publishing", "hubdata/targets/s3", "tests"])
def test_everything_of_a_room_has_its_place_on_the_map(room: str) -> None:
    """A module or package that is new is told of; those that a newcomer meets first are, at least."""
    skipped = {"__init__.py", "__main__.py", "conftest.py", "__pycache__"}
    present = {
        path.name
        for path in (ROOT / room).iterdir()
        if path.suffix == ".py"
        or (path / "__init__.py").exists()
        or (room == "tests" and path.is_dir() and path.name[0] != ".")
    }
    named = {part for name in NAMED for part in name.split("/")} | set(re.findall(r"`(\w+\.py)`", PAGE))
    assert len(present - skipped) >= 5
    assert present - skipped - named == set()
