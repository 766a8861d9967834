"""The README tells the truth: its first command works word for word in a clean clone, and its example is valid."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from hubdata.errors import Exit
from tests.support.command import hubdata

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)


def test_there_are_exactly_two_commands_of_one_line() -> None:
    """The first runs the demo, the second the tests; .ci/run takes the second from here."""
    assert [("demo" in line, "pytest" in line) for line in COMMANDS] == [(True, False), (False, True)]


@pytest.mark.slow
def test_the_first_command_works_in_a_clean_clone(tmp_path: Path) -> None:
    """In a clone of what is committed, the line as it stands leaves the demo's workspace. Needs the package index."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True, timeout=60)
    ended = subprocess.run(
        ["bash", "-c", COMMANDS[0]], cwd=clone, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (clone / "hubdata-demo" / "public" / "manifest.json").is_file()


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    """`config check` has nothing to say about the README's hubdata.toml (with the built-in jobs)."""
    (example,) = re.findall(r"^```toml\n(.+?)^```", README, re.MULTILINE | re.DOTALL)
    assert tomllib.loads(example)["targets"]["aws"]["bucket"] == "hub-data"
    (tmp_path / "hubdata.toml").write_text(re.sub(r"^jobs = .*\n", "", example, flags=re.MULTILINE))
    ended = hubdata("config", "check", cwd=tmp_path)
    assert ended.code == 0, ended.stdout + ended.stderr


def test_the_table_of_exit_codes_is_the_codes() -> None:
    """Every code but the bug's is in the table."""
    told = {int(code) for code in re.findall(r"^\| (\d) \|", README, re.MULTILINE)}
    assert told == {int(code) for code in Exit} - {Exit.BUG}


@pytest.mark.parametrize("path", sorted({m for m in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in m}))
def test_every_link_leads_somewhere(path: str) -> None:
    """Files that the README names exist."""
    assert (ROOT / path).exists()
