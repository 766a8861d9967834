"""What every test of the git source begins with."""

from pathlib import Path

import pytest

from tests.support.repos import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Give a small repository with one commit."""
    repo = Repo.create(tmp_path / "upstream")
    repo.commit({"b.txt": "two\n", "a/list.txt": "192.0.2.0/24\n", ".github/x.yml": "on: push\n", "empty": ""})
    return repo


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Give a directory of the spool."""
    path = tmp_path / "spool"
    path.mkdir()
    return path
