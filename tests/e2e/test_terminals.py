"""What people see on real terminals: narrow ones and wide ones, with colours, without, and where there is none."""

import re
import socket

import pytest

from tests.support.command import hubdata
from tests.support.pty_screen import on_terminal
from tests.support.small_world import SETTINGS, SmallWorld

COMMANDS = {
    "doctor": ("doctor", "--no-network"),
    "plan": ("plan",),
    "validate": ("validate", "--kind", "cidr", "bad.txt"),
    "show": ("config", "show"),
}
WRONG = ("sync", "--once", "--job", "wrods")
SGR = re.compile(r"\x1b\[[0-9;]*m")
LONG = re.compile(r"\S{38,}|hubdata sync --once --approve")
"""What cannot be broken: a path, an id, a command to copy."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give two jobs, a file that is refused and settings with a mistake that is a warning."""
    world = SmallWorld.create(tmp_path_factory.mktemp("w"))
    world.write(
        "bad.txt", "8.8.8.8/24\n0.0.0.0/0\nnot a network at all, but a long line of words that must be wrapped\n"
    )
    return world


@pytest.mark.parametrize("name", COMMANDS)
def test_forty_columns_are_enough(world: SmallWorld, name: str) -> None:
    """Nothing is wider but what is there to be copied whole: keys, paths and commands."""
    shown = on_terminal(*COMMANDS[name], cwd=world.root, columns=40)
    assert shown.code in (0, 2, 3)
    assert "Traceback" not in shown.text
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rpartition("\r")[2] for line in shown.lines]
    wide = [line for line in plain if len(line) > 40 and not LONG.search(line)]
    assert wide == []


def test_colours_are_for_terminals_that_want_them(world: SmallWorld) -> None:
    """One that says nothing gets them; NO_COLOR, TERM=dumb and `--no-color` take them, and every word stays."""
    coloured = on_terminal(*COMMANDS["show"], cwd=world.root)
    assert len(SGR.findall(coloured.text)) > 5
    for env, flags in (({"NO_COLOR": "1"}, ()), ({"TERM": "dumb"}, ()), ({}, ("--no-color",))):
        plain = on_terminal(*COMMANDS["show"], *flags, cwd=world.root, env=env)
        assert plain.escapes == 0, (env, flags, plain.text)
        assert plain.text == SGR.sub("", coloured.text)


def test_the_bar_obeys_as_well(world: SmallWorld) -> None:
    """A command of some length shows a bar: without colour where none is wanted, and not at all on a dumb terminal."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        world.write("slow.toml", SETTINGS + f'\n[verify]\nurl = "{url}"\nfamilies = ["ipv4"]\n')
        with_bar, plain, dumb = (
            on_terminal("doctor", "-c", "slow.toml", cwd=world.root, env=env)
            for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"})
        )
    assert SGR.search(with_bar.text.partition("python")[0]), "no bar was shown: this test shows nothing"
    assert (with_bar.code, plain.code, dumb.code) == (7, 7, 7)
    assert SGR.findall(plain.text) == []
    assert dumb.escapes == 0
    failed = on_terminal(*WRONG, cwd=world.root, env={"NO_COLOR": "1"})
    assert (failed.code, SGR.findall(failed.text)) == (2, [])


def test_what_is_no_terminal_gets_neither_colour_nor_bar(world: SmallWorld) -> None:
    """Pipes and files: text alone, results on stdout, and nothing on stderr when all is well."""
    for name in ("doctor", "plan", "show"):
        ended = hubdata(*COMMANDS[name], cwd=world.root, env={"TERM": "xterm-256color"})
        assert "\x1b" not in ended.stdout + ended.stderr
        assert "\r" not in ended.stdout
        assert ended.stderr == ""
