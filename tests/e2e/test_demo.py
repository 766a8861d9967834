"""The demo as a newcomer meets it: one command, a story that ends well, and a directory to go on with."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import hubdata
from tests.support.repos import Repo

NO_VENV = "/usr/local/bin:/usr/bin:/bin"
"""Where git is, and hubdata is not."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give the directory in which the demo has run, and what it said."""
    cwd = tmp_path_factory.mktemp("demo")
    ended = hubdata("demo", cwd=cwd, env={"PATH": NO_VENV}, alone=True)
    assert ended.code == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    return cwd, ended.stdout


def test_the_story_shows_all_five_runs(told: tuple[Path, str]) -> None:
    """First everything goes up, then nothing, then one line's file; the poison is refused by rule and line."""
    _, text = told
    assert [line[3] for line in text.splitlines() if line.startswith("== ") and line[3].isdigit()] == list("12345")
    assert "Published 7 files" in text
    assert text.count("Nothing changed, 7 files up to date") == 2
    assert "Published 1 file " in text
    assert "line 8 [cidr.too-wide]" in text


def test_the_directory_survives_and_its_last_advice_works(told: tuple[Path, str]) -> None:
    """An edit, a commit and the command that the demo names publish exactly that file into the directory."""
    cwd, text = told
    root = cwd / "hubdata-demo"
    assert "hubdata sync --once -c hubdata-demo/hubdata.toml" in text
    key = "whitelists/registries_ipv4.txt"
    before = json.loads((root / "public" / "manifest.json").read_text())
    path = root / "data" / key
    path.write_text(path.read_text() + "185.199.108.0/22\n")
    Repo(root / "data").commit(message="My change")
    ended = hubdata("sync", "--once", "--format", "json", "-c", "hubdata-demo/hubdata.toml", cwd=cwd)
    assert ended.code == 0, ended.stdout + ended.stderr
    assert ended.puts("local") == [key]
    assert (root / "public" / key).read_bytes() == path.read_bytes()
    after = json.loads((root / "public" / "manifest.json").read_text())
    assert after["generation"] == before["generation"] + 1


def test_its_last_advice_can_be_typed_where_hubdata_is_not_on_the_path(told: tuple[Path, str]) -> None:
    """From a virtual environment that is not active, the line that is shown runs as it stands."""
    cwd, text = told
    line = next(line.strip() for line in text.splitlines() if "sync --once" in line)
    environment = {"PATH": NO_VENV, "HOME": str(cwd)}
    ended = subprocess.run(["sh", "-c", line], cwd=cwd, env=environment, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_second_demo_does_not_write_over_the_first(told: tuple[Path, str]) -> None:
    """With the directory taken, the demo says so and ends with 2; another name works."""
    cwd, _ = told
    ended = hubdata("demo", cwd=cwd, alone=True)
    assert ended.code == 2
    assert "hubdata-demo is there already" in ended.stderr
    assert "--dir" in ended.stderr


def test_without_git_the_demo_says_what_is_missing(tmp_path: Path) -> None:
    """A machine without git gets one line with advice, no traceback."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name in ("timeout",):
        (bin_dir / name).symlink_to(shutil.which(name) or name)
    ended = hubdata("demo", cwd=tmp_path, env={"PATH": str(bin_dir)}, alone=True)
    assert ended.code == 2
    assert "git" in ended.stderr
    assert "Traceback" not in ended.stderr
