"""What each command line asks the application for, and how it shows what comes back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from hubdata import app
from hubdata.asking import checking
from hubdata.cli.root import COMMANDS, root
from hubdata.errors import Exit
from hubdata.model.event import Event
from hubdata.model.run import RunResult
from hubdata.model.validation import ValidationResult
from hubdata.ports import Reporter
from tests.unit.report import samples


class Asked:
    """Stands in for the application: keeps what it was asked, answers with a result made by hand."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, app.Choices]] = []
        self.validated: tuple[Any, ...] = ()
        self.narrowed: Mapping[str, Any] = {}
        self.result: RunResult = samples.FINE
        self.validation: ValidationResult = samples.CLEAN

    def sync(self, choices: app.Choices, reporter: Reporter) -> RunResult:
        """Answer a run."""
        reporter.emit(Event("plan.made", {"job": "allowlists", "puts": 3}))
        self.calls.append(("sync", choices))
        return self.result

    def geoip_refresh(self, choices: app.Choices, reporter: Reporter) -> RunResult:
        """Answer a GeoIP run."""
        self.calls.append(("geoip", choices))
        return self.result

    def validate_paths(
        self, choices: app.Choices, paths: tuple[Path, ...], kind: str | None, options: Mapping[str, Any], **more: Any
    ) -> ValidationResult:
        """Answer a validation."""
        self.calls.append(("validate", choices))
        self.validated = (paths, kind, dict(options))
        self.narrowed = more
        return self.validation


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Return the stand-in, in place of the application."""
    stand_in = Asked()
    for name in ("sync", "geoip_refresh"):
        monkeypatch.setattr(app, name, getattr(stand_in, name))
    monkeypatch.setattr(checking, "validate_paths", stand_in.validate_paths)
    return stand_in


def _commands(command: click.Command, *path: str) -> list[tuple[str, ...]]:
    """Return every command below `command`, groups too."""
    found = [path]
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            found += _commands(inner, *path, name)
    return found


@pytest.mark.parametrize("path", _commands(root), ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(runner: CliRunner, path: tuple[str, ...], flag: str) -> None:
    """Both flags print help on stdout and end with 0, at any depth."""
    done = runner.invoke(root, [*path, flag])
    assert done.exit_code == 0
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == ""


@pytest.mark.parametrize("path", [p for p in _commands(root) if p], ids=" ".join)
def test_every_command_and_flag_is_described(path: tuple[str, ...]) -> None:
    """Nothing in a help page is left for the reader to guess."""
    command: click.Command = root
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    assert command.help
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_help_lists_every_command(runner: CliRunner) -> None:
    """What the table has, help shows."""
    text = runner.invoke(root, ["--help"]).stdout
    for name in COMMANDS:
        assert f"\n  {name} " in text


@pytest.mark.parametrize("args", [["--version"], ["-V"]])
def test_version_is_printed(runner: CliRunner, args: list[str]) -> None:
    """The version is on stdout, after the program's name."""
    from hubdata import __version__

    assert runner.invoke(root, args).stdout == f"hubdata {__version__}\n"


def test_sync_flags_become_choices(runner: CliRunner, asked: Asked, tmp_path: Path) -> None:
    """Each flag of `sync --once` arrives where the application reads it."""
    line = ["sync", "--once", "-c", "x.toml", "--jobs", str(tmp_path), "--job", "a", "--job", "b", "--target", "aws"]
    line += ["--checkout", "../lists", "--dry-run", "--force", "--approve", "abc", "--allow-rollback", "--wait"]
    assert runner.invoke(root, line).exit_code == 0
    assert asked.calls == [
        (
            "sync",
            app.Choices(
                config=Path("x.toml"),
                jobs_dir=tmp_path,
                jobs=("a", "b"),
                targets=("aws",),
                checkouts=("../lists",),
                dry_run=True,
                force=True,
                approve=("abc",),
                allow_rollback=True,
                wait=True,
            ),
        )
    ]


def test_plain_sync_chooses_nothing(runner: CliRunner, asked: Asked) -> None:
    """Without flags the application's own defaults hold."""
    runner.invoke(root, ["sync", "--once"])
    assert asked.calls == [("sync", app.Choices())]


@pytest.mark.parametrize(
    "flag", ["--dry-run", "--force", "--allow-rollback", "--wait", "--approve=x", "--format=github"]
)
def test_what_is_right_for_one_run_alone_is_refused_to_the_worker(runner: CliRunner, asked: Asked, flag: str) -> None:
    """A worker that forces or lets out each time would do so for years: a usage error says what is missing."""
    done = runner.invoke(root, ["sync", flag])
    assert done.exit_code == Exit.CONFIG
    assert "add --once" in done.stderr
    assert asked.calls == []


def test_plan_is_a_dry_run(runner: CliRunner, asked: Asked) -> None:
    """`plan` asks for the same run with nothing written, and shows ids in full."""
    asked.result = RunResult("r", (samples.HELD,), 0.1, dry_run=True)
    done = runner.invoke(root, ["plan", "--job", "geoip"])
    assert asked.calls == [("sync", app.Choices(jobs=("geoip",), dry_run=True))]
    assert samples.HELD_PLAN.id in done.stdout
    assert "nothing was written" in done.stdout


def test_geoip_refresh_flags_become_choices(runner: CliRunner, asked: Asked) -> None:
    """`--force` and the editions arrive."""
    runner.invoke(root, ["geoip", "refresh", "--force", "--edition", "GeoLite2-City", "--edition", "GeoLite2-ASN"])
    assert asked.calls == [("geoip", app.Choices(force=True, editions=("GeoLite2-City", "GeoLite2-ASN")))]


def test_validate_passes_paths_kind_and_its_settings(runner: CliRunner, asked: Asked, tmp_path: Path) -> None:
    """Paths arrive as paths, `--option` as a mapping; only the first `=` parts name and value."""
    file = tmp_path / "a.txt"
    file.touch()
    done = runner.invoke(root, ["validate", str(file), "--kind", "cidr", "--option", "a=b=c", "--option", "d="])
    assert done.exit_code == 0
    assert asked.validated == ((file,), "cidr", {"a": "b=c", "d": ""})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["verify", "--url", "localhost:8080"], "expected https:// or http:// and a host"),
        (["verify", "--url", "data.example.net"], "as in https://data.example.net"),
        (["validate", ".", "--kind", "cidr"], "leave it out to judge a checkout by the job files"),
    ],
)
def test_a_near_miss_is_told_what_to_write(runner: CliRunner, asked: Asked, line: list[str], words: str) -> None:
    """A URL without its scheme, a directory where a file is wanted: the usage error says what would be right."""
    done = runner.invoke(root, line)
    assert (done.exit_code, asked.calls) == (2, [])
    assert words in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "line",
    [
        ["validate"],
        ["validate", "/nonexistent/file"],
        ["validate", ".", "--option", "a=b"],
        ["validate", "-"],
        ["validate", "-", ".", "--kind", "cidr"],
        ["validate", ".", "--name", "a.txt"],
        ["validate", "-", "--name", ""],
        ["validate", ".", "--since", "HEAD", "--kind", "cidr"],
        ["sync", "--once", "--format", "sarif"],
        ["validate", ".", "--kind", "cidr", "--option", "ab"],
        ["sync", "--once", "--format", "xml"],
        ["sync", "--once", "--bogus"],
        ["sync", "--once", "extra"],
        ["geoip"],
        ["geoip", "nonsense"],
        ["completion", "tcsh"],
        ["nonsense"],
        [],
    ],
)
def test_wrong_command_lines_end_with_two(runner: CliRunner, asked: Asked, line: list[str]) -> None:
    """A usage error ends with 2, tells why on stderr, leaves stdout to results, and runs nothing."""
    done = runner.invoke(root, line)
    assert done.exit_code == Exit.CONFIG
    assert done.stderr
    assert done.stdout == ""
    assert asked.calls == []


def test_a_near_miss_is_told_what_it_may_have_meant(runner: CliRunner) -> None:
    """`hubdata snyc` is answered with `sync`."""
    assert "Did you mean 'sync'?" in runner.invoke(root, ["snyc"]).stderr


@pytest.mark.parametrize("job", samples.EVERYTHING.jobs, ids=lambda job: job.job)
@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_the_exit_code_is_the_results(runner: CliRunner, asked: Asked, job: Any, form: str) -> None:
    """Whatever the format, the process ends with the run's own code."""
    asked.result = RunResult("r", (job,), 0.1)
    assert runner.invoke(root, ["sync", "--once", "--format", form]).exit_code == job.exit_code


def test_json_is_all_there_is_on_stdout(runner: CliRunner, asked: Asked) -> None:
    """A program parses stdout as it is, even with `-v`; the log is on stderr."""
    done = runner.invoke(root, ["sync", "--once", "--format", "json", "-v"])
    assert json.loads(done.stdout)["run_id"] == samples.FINE.run_id
    assert "plan.made job=allowlists puts=3" in done.stderr


def test_the_log_is_silent_by_default(runner: CliRunner, asked: Asked) -> None:
    """Without `-v`, and with no terminal, stderr stays empty."""
    assert runner.invoke(root, ["sync", "--once"]).stderr == ""


def test_quiet_prints_nothing_when_all_is_well(runner: CliRunner, asked: Asked) -> None:
    """`-q` suits cron: no output, no mail."""
    done = runner.invoke(root, ["sync", "--once", "-q"])
    assert (done.exit_code, done.output) == (0, "")


def test_github_gets_annotations_and_a_summary(
    runner: CliRunner, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--format github` prints workflow commands and appends the table to the step's summary."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    asked.validation = samples.CHECKED
    done = runner.invoke(root, ["validate", str(tmp_path), "--format", "github"])
    assert done.exit_code == Exit.REFUSED
    assert done.stdout.startswith("::error file=whitelists/a.txt,line=3,title=cidr.host-bits::")
    assert "| error | whitelists/a.txt | 3 |" in (tmp_path / "summary.md").read_text()
    asked.result = samples.EVERYTHING
    runner.invoke(root, ["sync", "--once", "--format", "github"])
    assert "### hubdata sync" in (tmp_path / "summary.md").read_text()


def test_validation_as_json(runner: CliRunner, asked: Asked, tmp_path: Path) -> None:
    """`validate --format json` prints exit code, files and findings."""
    asked.validation = samples.CHECKED
    done = runner.invoke(root, ["validate", str(tmp_path), "--format", "json"])
    assert {"exit_code", "files", "findings"} <= set(json.loads(done.stdout))


def test_no_colours_where_there_is_no_terminal(runner: CliRunner, asked: Asked) -> None:
    """A file or a pipe gets plain text."""
    asked.result = samples.EVERYTHING
    assert "\x1b" not in runner.invoke(root, ["sync", "--once"], color=True).output


@pytest.mark.parametrize(("shell", "says"), [("bash", "complete "), ("zsh", "#compdef hubdata"), ("fish", "complete ")])
def test_completion_prints_a_script(runner: CliRunner, shell: str, says: str) -> None:
    """Each shell gets a script that asks hubdata for what may come next."""
    done = runner.invoke(root, ["completion", shell])
    assert done.exit_code == 0
    assert says in done.stdout
    assert "_HUBDATA_COMPLETE" in done.stdout


def test_job_names_are_completed_from_the_directory_at_hand(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `--job` a shell offers the job files of `--jobs DIR`, by their names."""
    for name in ("allowlists", "appsec", "geoip"):
        (tmp_path / f"{name}.toml").touch()
    words = f"hubdata sync --jobs {tmp_path} --job a"
    environment = {"_HUBDATA_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "5"}
    done = runner.invoke(root, [], prog_name="hubdata", env=environment)
    assert done.stdout.split() == ["plain,allowlists", "plain,appsec"]
