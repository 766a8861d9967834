"""A command, a flag or a name with a wrong letter is found again: what was meant is told, and nothing is attempted."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from hubdata.cli.root import COMMANDS, root


def said(runner: CliRunner, *arguments: str) -> str:
    """Return what stderr says of a command line that ends with 2."""
    ended = runner.invoke(root, list(arguments), prog_name="hubdata")
    assert ended.exit_code == 2, ended.output
    assert ended.stdout == ""
    return ended.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_found_again(runner: CliRunner, command: str) -> None:
    """With its last letter missing."""
    assert f"'{command}'" in said(runner, command[:-1])


@pytest.mark.parametrize(
    ("group", "wrong", "right"),
    [
        ("config", "chekc", "check"),
        ("config", "schem", "schema"),
        ("geoip", "refrsh", "refresh"),
        ("geoip", "lokup", "lookup"),
        ("gate", "crowdsek", "crowdsec"),
    ],
)
def test_commands_of_a_group_are_found_again(runner: CliRunner, group: str, wrong: str, right: str) -> None:
    """As those of hubdata itself."""
    assert f"'{right}'" in said(runner, group, wrong)


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("sync", "--onec"), "'--once'"),
        (("plan", "--formt", "json"), "'--format'"),
        (("doctor", "--no-netwrk"), "'--no-network'"),
        (("doctor", "--wrte"), "'--write'"),
        (("validate", "--knd", "cidr", "x"), "'--kind'"),
        (("verify", "--familly", "ipv4"), "'--family'"),
        (("sync", "--once", "--format", "jsn"), "'json'"),
    ],
)
def test_flags_and_their_choices_are_found_again(runner: CliRunner, arguments: tuple[str, ...], right: str) -> None:
    """Flags by the nearest one, choices by all there are."""
    assert right in said(runner, *arguments)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("plan", "--job", "geiop"), "did you mean `geoip`?"),
        (("sync", "--once", "--job", "alowlists"), "did you mean `allowlists`?"),
        (("doctor", "--no-network", "--job", "geoipp"), "did you mean `geoip`?"),
        (("doctor", "--no-network", "--target", "lokal"), "did you mean `local`?"),
        (("plan", "--target", "lcoal"), "did you mean `local`?"),
        (("status", "--target", "locl"), "did you mean `local`?"),
        (("validate", "--kind", "cdir", "list.txt"), "did you mean `cidr`?"),
        (("validate", "--kind", "needle", "--option", "cas=lower", "list.txt"), "did you mean `case`?"),
        (("validate", "--kind", "needle", "--option", "case=lowr", "list.txt"), "did you mean `lower`?"),
        (("diff", "list.txt", "list.txt", "--kind", "needel"), "did you mean `needle`?"),
    ],
)
def test_names_are_found_again(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], advice: str
) -> None:
    """Jobs, targets, kinds and their options, wherever a command takes one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "list.txt").write_text("8.8.8.0/24\n")
    assert advice in said(runner, *arguments)
