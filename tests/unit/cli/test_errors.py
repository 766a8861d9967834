"""How every failure ends: a line, a piece of advice, an exit code, and no secret."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from hubdata import app
from hubdata.cli.errors import INTERRUPTED, TERMINATED, Terminated
from hubdata.cli.root import root
from hubdata.errors import CdnError, ConfigError, Conflict, Exit, HubdataError, SourceError, TargetError
from hubdata.model.run import RunResult
from hubdata.ports import Reporter

SENTINEL = "s3ntinel-Zx97Q"
Failing = Callable[[BaseException], None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Return a function that makes every run raise what it is given."""

    def make(error: BaseException) -> None:
        def sync(choices: app.Choices, reporter: Reporter) -> RunResult:
            raise error

        monkeypatch.setattr(app, "sync", sync)

    return make


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("no job `x`", advice="see config show"), 2),
        (SourceError("no job `x`", advice="see config show"), 5),
        (TargetError("no job `x`", advice="see config show"), 6),
        (Conflict("no job `x`", advice="see config show"), 6),
        (CdnError("no job `x`", advice="see config show"), 7),
        (HubdataError("no job `x`", advice="see config show"), 1),
    ],
)
def test_an_error_is_a_line_with_advice_and_its_code(
    runner: CliRunner, failing: Failing, error: HubdataError, code: int
) -> None:
    """Errors of our own tree print what happened and what to do; nothing else, and nothing on stdout."""
    failing(error)
    done = runner.invoke(root, ["sync", "--once"])
    assert done.exit_code == code
    assert done.stderr == "hubdata: error: no job `x`\n  advice: see config show\n"
    assert done.stdout == ""


def test_several_problems_stay_several_lines(runner: CliRunner, failing: Failing) -> None:
    """An error that lists three mistakes keeps them apart, set in under the first; no advice, no advice line."""
    failing(ConfigError("a.toml:1: x\nb.toml:2: y"))
    assert runner.invoke(root, ["sync", "--once"]).stderr == "hubdata: error: a.toml:1: x\n  b.toml:2: y\n"


@pytest.mark.parametrize("flag", [["--format", "json"], ["--format=json"]])
def test_json_is_answered_with_json(runner: CliRunner, failing: Failing, flag: list[str]) -> None:
    """Who asked for JSON finds an object on stdout with the error in it, and the line on stderr as well."""
    failing(SourceError("gone", advice="look"))
    done = runner.invoke(root, ["sync", "--once", *flag])
    assert json.loads(done.stdout) == {"exit_code": 5, "error": {"message": "gone", "advice": "look"}}
    assert "hubdata: error: gone" in done.stderr


def test_even_a_wrong_command_line_is_answered_with_json(runner: CliRunner) -> None:
    """The flag counts although the line as a whole cannot be understood."""
    done = runner.invoke(root, ["sync", "--bogus", "--format", "json"])
    assert done.exit_code == Exit.CONFIG
    assert "--bogus" in json.loads(done.stdout)["error"]["message"]


def test_a_bug_is_one_line_that_says_so(runner: CliRunner, failing: Failing) -> None:
    """An exception nobody foresaw ends with 1, without a traceback."""
    failing(ZeroDivisionError("division by zero"))
    done = runner.invoke(root, ["sync", "--once"])
    assert done.exit_code == Exit.BUG
    assert "bug in hubdata: ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), SourceError("x")])
def test_verbose_shows_the_traceback(runner: CliRunner, failing: Failing, error: Exception) -> None:
    """With `-v` the traceback follows on stderr, for a bug and for an error alike."""
    failing(error)
    done = runner.invoke(root, ["sync", "--once", "-v"])
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("flags", [[], ["-v"], ["-vv"], ["--format", "json"]])
def test_no_error_shows_a_secret(
    runner: CliRunner, failing: Failing, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    """A secret in a message, in advice, or in the traceback of a cause is masked wherever it is printed."""
    monkeypatch.setenv("MAXMIND_LICENSE_KEY", SENTINEL)
    error = SourceError(f"401 for key {SENTINEL}", advice=f"is {SENTINEL} right?")
    error.__cause__ = ValueError(f"Authorization: Basic {SENTINEL}")
    failing(error)
    done = runner.invoke(root, ["sync", "--once", *flags])
    assert done.exit_code == Exit.SOURCE
    assert SENTINEL not in done.output
    assert "401 for key ***" in done.stderr


def test_an_error_cannot_command_the_terminal(runner: CliRunner, failing: Failing) -> None:
    """Control characters in a message are escaped."""
    failing(SourceError("\x1b[2Jgone"))
    assert runner.invoke(root, ["sync", "--once"]).stderr == "hubdata: error: \\x1b[2Jgone\n"


@pytest.mark.parametrize(
    ("end", "code", "word"),
    [(KeyboardInterrupt(), INTERRUPTED, "interrupted"), (Terminated(), TERMINATED, "terminated")],
)
@pytest.mark.parametrize("flags", [[], ["--format", "json"]])
def test_a_signal_ends_as_shells_expect(
    runner: CliRunner, failing: Failing, end: BaseException, code: int, word: str, flags: list[str]
) -> None:
    """Ctrl-C and SIGTERM end with 130 and 143, with a word on what that means for the data, also as JSON."""
    failing(end)
    done = runner.invoke(root, ["sync", "--once", *flags])
    assert done.exit_code == code
    assert f"hubdata: {word}; " in done.stderr
    assert "Traceback" not in done.output
    if flags:
        assert json.loads(done.stdout)["exit_code"] == code
