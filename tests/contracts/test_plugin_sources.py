"""The example package's source keeps every promise that the built-in ones do."""

from pathlib import Path

import pytest

from tests.contracts import test_sources
from tests.contracts.test_sources import NEW, OLD, Kit, Upstream
from tests.support.contracts import adopt
from tests.support.plugin_example import installed


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Give the source with a list that changes when its job file does."""
    monkeypatch.syspath_prepend(str(installed(tmp_path / "site")))
    options: dict[str, object] = {"key": "lists/own.txt", "lines": OLD.decode().splitlines()}
    upstream = Upstream(options, lambda: options.update(lines=NEW.decode().splitlines()), {"lines": []})
    return Kit("inline", upstream, tmp_path)


adopt(test_sources, globals(), without=["test_every_source_is_held_to_this"])
