"""What the command line's tests share."""

import logging
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from hubdata.report import redaction


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test what a new process has: its own secrets, no logging, no GitHub around it; then tidy up."""
    monkeypatch.setattr(redaction, "_shared", None)
    for name in ("GITHUB_STEP_SUMMARY", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    root, own = logging.getLogger(), logging.getLogger("hubdata")
    handlers, levels = root.handlers[:], (root.level, own.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])


@pytest.fixture
def runner() -> CliRunner:
    """Return a runner that keeps stdout and stderr apart."""
    return CliRunner()
