"""`hubdata config`: what is set, what is wrong, what may be written. With real settings and job files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubdata.cli.root import root

SENTINEL = "s3ntinel-Zx97Q"
SETTINGS = """\
jobs = "lists"
[targets.disk]
type = "directory"
path = "public"
"""
JOB = """\
[source]
type = "directory"
path = "."
[[files]]
match = "*.txt"
kind = "cidr"
"""


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with settings and one job, and stand in it."""
    (tmp_path / "hubdata.toml").write_text(SETTINGS)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "nets.toml").write_text(JOB)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_show_tells_each_value_and_its_origin(runner: CliRunner) -> None:
    """A setting from the file names its line; one that nobody set says default."""
    done = runner.invoke(root, ["config", "show"], env={"COLUMNS": "300"})
    assert done.exit_code == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "hubdata.toml:3" in rows["targets.disk.type"]
    assert rows["targets.disk.cdn"].endswith("default")


def test_show_as_json_has_the_same_rows(runner: CliRunner) -> None:
    """A program finds key, value and origin."""
    rows = json.loads(runner.invoke(root, ["config", "show", "--format", "json"]).stdout)
    assert {"key": "targets.disk.type", "value": "directory", "origin": "hubdata.toml:3"} in rows


def test_show_fits_a_narrow_screen(runner: CliRunner) -> None:
    """Where the table is too wide, each setting has its own lines; the value is whole."""
    done = runner.invoke(root, ["config", "show"], env={"COLUMNS": "30"})
    assert "targets.disk.type = directory\n  from hubdata.toml:3\n" in done.stdout


@pytest.mark.parametrize("form", ["text", "json"])
def test_show_hides_secrets(runner: CliRunner, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """A credential in the environment is named, never shown."""
    monkeypatch.setenv("MAXMIND_LICENSE_KEY", SENTINEL)
    done = runner.invoke(root, ["config", "show", "--format", form])
    assert "MAXMIND_LICENSE_KEY" in done.stdout
    assert SENTINEL not in done.output


def test_check_is_fine_with_sound_files(runner: CliRunner) -> None:
    """Nothing wrong: a word for a person, nothing under `-q`, an empty list for a program; 0 each time."""
    assert runner.invoke(root, ["config", "check"]).stdout == "The settings and job files are fine\n"
    assert runner.invoke(root, ["config", "check", "-q"]).stdout == ""
    done = runner.invoke(root, ["config", "check", "--format", "json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"exit_code": 0, "problems": []})


def test_check_tells_every_problem_at_once(runner: CliRunner, workspace: Path) -> None:
    """Two mistakes in two files are both told, with file and line; the end is 2."""
    (workspace / "hubdata.toml").write_text(SETTINGS + "colour = 1\n")
    (workspace / "lists" / "nets.toml").write_text(JOB.replace('"cidr"', '"cidrr"'))
    done = runner.invoke(root, ["config", "check"])
    assert done.exit_code == 2
    assert "hubdata.toml:5: " in done.stdout
    assert "nets.toml:6: " in done.stdout
    problems = json.loads(runner.invoke(root, ["config", "check", "--format", "json"]).stdout)["problems"]
    assert {(Path(p["file"]).name, p["line"], p["level"]) for p in problems} == {
        ("hubdata.toml", 5, "error"),
        ("nets.toml", 6, "error"),
    }


def test_check_annotates_a_pull_request(runner: CliRunner, workspace: Path) -> None:
    """Under `--format github` each problem is an annotation at its line."""
    (workspace / "lists" / "nets.toml").write_text(JOB.replace('"cidr"', '"cidrr"'))
    done = runner.invoke(root, ["config", "check", "--format", "github"])
    assert done.exit_code == 2
    assert done.stdout.startswith("::error file=")
    assert "nets.toml,line=6,title=" in done.stdout


def test_show_with_broken_settings_ends_with_two(runner: CliRunner, workspace: Path) -> None:
    """Settings that cannot be used are an error with its place, not a half-true table."""
    (workspace / "hubdata.toml").write_text("[targets.disk]\ntype = 's4'\n")
    done = runner.invoke(root, ["config", "show"])
    assert done.exit_code == 2
    assert "hubdata.toml:2" in done.stderr
    assert done.stdout == ""


def test_schemas_are_printed_together_or_alone(runner: CliRunner) -> None:
    """Editors take one schema; without a name both come, by name."""
    both = json.loads(runner.invoke(root, ["config", "schema"]).stdout)
    assert set(both) == {"hubdata.toml", "job"}
    assert json.loads(runner.invoke(root, ["config", "schema", "job"]).stdout) == both["job"]
