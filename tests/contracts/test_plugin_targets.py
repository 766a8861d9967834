"""The example package's target keeps every promise that the built-in ones do."""

from pathlib import Path

import pytest

from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Target
from tests.contracts import test_targets
from tests.support.contracts import adopt
from tests.support.plugin_example import installed


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Give an empty database, found as a run would find it: by its word."""
    monkeypatch.syspath_prepend(str(installed(tmp_path / "site")))
    options = parse_options(Seam.TARGET, "sqlite", {"path": str(tmp_path / "objects.db")})
    made: Target = load(Seam.TARGET, "sqlite")("dir", options)
    return made


make = test_targets.make
adopt(test_targets, globals(), without=["test_more_than_a_thousand_objects_are_all_listed"])
