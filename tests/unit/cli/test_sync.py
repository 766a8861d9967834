"""`sync --once`, `plan` and `--approve` through the whole house: a directory of lists published into a directory."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hubdata.cli.root import root

JOB = """\
[source]
type = "directory"
path = "../data"
[[files]]
match = "*.txt"
kind = "cidr"
limits = { max_change = 0.5, floor_entries = 0 }
"""
SETTINGS = """\
jobs = "lists"
spool = "spool"
[targets.disk]
type = "directory"
path = "public"
"""


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with settings, one job and two lists, and stand in it."""
    for name, text in {
        "hubdata.toml": SETTINGS,
        "lists/nets.toml": JOB,
        "data/a.txt": "8.8.8.0/24\n",
        "data/b.txt": "1.1.1.0/24\n9.9.9.0/24\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _sync(runner: CliRunner, *flags: str, command: tuple[str, ...] = ("sync", "--once")) -> dict[str, Any]:
    """Return what a run says in JSON, once its exit code is the process's too."""
    done = runner.invoke(root, [*command, "--format", "json", *flags])
    result: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == result["exit_code"], done.stderr
    return result


def test_a_run_publishes_and_the_next_has_nothing_to_do(runner: CliRunner, workspace: Path) -> None:
    """First both files go out; then none does, and the text says so in its last line."""
    first = _sync(runner)["jobs"][0]
    assert (first["outcome"], first["targets"][0]["puts"]) == ("published", ["a.txt", "b.txt"])
    assert (workspace / "public" / "a.txt").read_text() == "8.8.8.0/24\n"
    second = _sync(runner)["jobs"][0]
    assert (second["outcome"], second["targets"][0]["puts"], second["targets"][0]["bytes"]) == ("unchanged", [], 0)
    text = runner.invoke(root, ["sync", "--once"]).stdout
    assert text.splitlines()[-1].startswith("Nothing changed, 2 files up to date")


@pytest.mark.parametrize("command", [("plan",), ("sync", "--once", "--dry-run")])
def test_a_plan_lists_its_puts_and_writes_nothing(runner: CliRunner, workspace: Path, command: tuple[str, ...]) -> None:
    """What would go out is listed, `applied` is false, and the target does not even come into being."""
    result = _sync(runner, command=command)
    target = result["jobs"][0]["targets"][0]
    assert (result["dry_run"], target["applied"], target["puts"]) == (True, False, ["a.txt", "b.txt"])
    assert not (workspace / "public" / "a.txt").exists()
    text = runner.invoke(root, list(command)).stdout
    assert f"plan {target['plan_id']}" in text
    assert "nothing was written" in text


def test_a_poisoned_file_is_refused_and_the_other_goes_out(runner: CliRunner, workspace: Path) -> None:
    """Exit 3: the finding names file and line, the last good version stays public, the good change goes out."""
    _sync(runner)
    (workspace / "data" / "a.txt").write_text("8.8.8.0/24\n0.0.0.0/0\n")
    (workspace / "data" / "b.txt").write_text("1.1.1.0/24\n9.9.10.0/24\n")
    result = _sync(runner)
    assert result["exit_code"] == 3
    assert {(f["key"], f["line"]) for f in result["jobs"][0]["findings"] if f["severity"] == "error"} == {("a.txt", 2)}
    assert result["jobs"][0]["targets"][0]["puts"] == ["b.txt"]
    assert (workspace / "public" / "a.txt").read_text() == "8.8.8.0/24\n"


def test_a_held_plan_goes_out_with_the_id_that_the_report_names(runner: CliRunner, workspace: Path) -> None:
    """Exit 4 with a plan id; another id changes nothing; that id, given to `--approve`, publishes it."""
    _sync(runner)
    (workspace / "data" / "a.txt").write_text("8.8.8.0/24\n8.8.4.0/24\n1.0.0.0/24\n")
    held = _sync(runner)
    target = held["jobs"][0]["targets"][0]
    assert (held["exit_code"], held["jobs"][0]["outcome"], target["puts"]) == (4, "held", [])
    assert target["held"]["puts"] == ["a.txt"]
    stale = _sync(runner, "--approve", "0" * 64)
    assert (stale["exit_code"], stale["unknown_plans"]) == (4, ["0" * 64])
    assert f"held are: {target['plan_id']} (nets to disk)" in stale["problem"]["message"]
    assert target["plan_id"] in runner.invoke(root, ["plan"]).stdout
    approved = _sync(runner, "--approve", target["plan_id"])
    assert (approved["exit_code"], approved["jobs"][0]["targets"][0]["puts"]) == (0, ["a.txt"])


def test_the_printed_command_publishes_what_is_held_and_nothing_else(runner: CliRunner, workspace: Path) -> None:
    """Pasted as it stands, flags and all: the held file goes out, and a change made meanwhile is left and told."""
    _sync(runner)
    (workspace / "hubdata.toml").rename(workspace / "my settings.toml")
    (workspace / "data" / "a.txt").write_text("8.8.8.0/24\n8.8.4.0/24\n1.0.0.0/24\n")
    flags = ["--config", "my settings.toml", "--target", "disk", "--force"]
    text = runner.invoke(root, ["sync", "--once", *flags]).stdout
    (command,) = [line for line in text.splitlines() if "--approve" in line]
    (workspace / "data" / "b.txt").write_text("1.1.1.0/24\n9.9.10.0/24\n")
    program, *arguments = shlex.split(command)
    assert program == "hubdata"
    assert arguments[:-1] == ["sync", "--once", *flags, "--approve"]

    done = runner.invoke(root, arguments)

    assert done.exit_code == 0, done.stdout + done.stderr
    assert "left 1 change that nobody approved to the next run" in done.stdout
    assert (workspace / "public" / "a.txt").read_text() == (workspace / "data" / "a.txt").read_text()
    assert (workspace / "public" / "b.txt").read_text() == "1.1.1.0/24\n9.9.9.0/24\n"
    again = runner.invoke(root, arguments)
    assert again.exit_code == 4
    assert "no plan of this run has the id" in " ".join(again.stdout.split())


@pytest.mark.parametrize("id_", ["abc", "0" * 63, "G" * 64, "0" * 65])
def test_an_approval_of_no_id_ends_with_two_before_anything_is_read(
    runner: CliRunner, workspace: Path, id_: str
) -> None:
    """A part of an id approves nothing: it is told at once where a whole one is to be had."""
    done = runner.invoke(root, ["sync", "--once", "--approve", id_])
    assert done.exit_code == 2
    assert "64 hexadecimal digits" in done.stderr
    assert not (workspace / "public").exists()


def test_a_job_that_runs_alone_deletes_no_file_that_another_may_own(runner: CliRunner, workspace: Path) -> None:
    """A list moves to a job that takes no part in this run: it stays public until that job has spoken."""
    (workspace / "lists" / "nets.toml").write_text(JOB.replace("[source]", "prune = true\n[source]"))
    _sync(runner)
    moved = JOB.replace("../data", "../more").replace("*.txt", "b.*")
    (workspace / "lists" / "more.toml").write_text(moved)
    (workspace / "more").mkdir()
    (workspace / "data" / "b.txt").rename(workspace / "more" / "b.txt")

    assert _sync(runner, "--job", "nets")["jobs"][0]["targets"][0]["deletes"] == []

    assert (workspace / "public" / "b.txt").exists()
    assert _sync(runner)["exit_code"] == 0
    assert (workspace / "public" / "b.txt").exists()


def test_a_missing_source_ends_with_five_and_advice(runner: CliRunner, workspace: Path) -> None:
    """An upstream that is gone is told with advice; what is public stays."""
    _sync(runner)
    (workspace / "data").rename(workspace / "elsewhere")
    result = _sync(runner)
    assert result["exit_code"] == 5
    assert result["jobs"][0]["problem"]["advice"]
    assert (workspace / "public" / "a.txt").exists()


@pytest.mark.parametrize(
    ("flags", "near"), [(["--job", "netz"], "nets"), (["--target", "disc"], "disk"), (["-c", "absent.toml"], "")]
)
def test_names_that_do_not_exist_end_with_two(runner: CliRunner, flags: list[str], near: str) -> None:
    """A job, target or settings file that is not there is one line, with the names that are."""
    done = runner.invoke(root, ["sync", "--once", *flags])
    assert done.exit_code == 2
    assert done.stderr.startswith("hubdata: error: ")
    assert flags[1] in done.stderr
    assert near in done.stderr


def test_events_are_logged_with_v(runner: CliRunner) -> None:
    """`-v` tells each step on stderr as an event with fields."""
    done = runner.invoke(root, ["sync", "--once", "-v"])
    assert "plan.made job=nets target=disk puts=2" in done.stderr
    assert "put.done target=disk key=a.txt" in done.stderr
