"""Start the engine within bounds, and hear what it says as it says it.

It runs twice on the same configuration. `-t` loads everything and ends by itself. Then it reads a log of one line, at
which it answers the questions; its local API is a socket that nobody serves, so it waits there, and is ended as soon as
the last answer is seen. Nothing else of the network is touched: no API of its own, no central one, no metrics.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hubdata.gates.workspace import LAST, Workspace
from hubdata.transfer import process
from hubdata.transfer.process import Ending

MAX_OUTPUT = 64 << 20
MAX_MESSAGES = 200_000
"""Loading all of the real tree and asking about it takes a thousand; each row that cannot be read takes some ten."""
_LINE = re.compile(r'time="[^"]*" level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S*)', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ANSWER = re.compile(r"\.Meta\[([\w-]+)\] = '(.*)'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the engine. `level` is its own word for it; `raw` for a line that is no log line."""

    level: str
    text: str

    @property
    def answer(self) -> tuple[str, str] | None:
        """Return the name and the value of an answer; None when this is no answer."""
        found = _ANSWER.fullmatch(self.text.rstrip("\n")) if self.level == "debug" else None
        return (found[1], found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Heard:
    """All that one start has said, in order, and how it ended. `flooded`: it said more than anybody reads."""

    said: tuple[Said, ...]
    ending: Ending
    code: int
    flooded: bool = False


@dataclass(slots=True)
class _Ear:
    """Takes output as it comes, and keeps its messages."""

    said: list[Said] = field(default_factory=list)
    flooded: bool = False
    done: bool = False
    _rest: bytearray = field(default_factory=bytearray)
    _size: int = 0

    def take(self, chunk: bytes) -> None:
        if self.flooded:
            return  # it is about to be ended
        self._size += len(chunk)
        self._rest += chunk
        if self._size > MAX_OUTPUT or len(self.said) > MAX_MESSAGES:
            self.flooded = True
            return
        if b"\n" in chunk:
            *whole, rest = self._rest.split(b"\n")
            self._rest = rest
            for line in whole:
                self._hear(line)

    def end(self) -> None:
        if self._rest and not self.flooded:
            self._hear(self._rest)

    def over(self) -> bool:
        return self.flooded or self.done

    def _hear(self, line: bytearray) -> None:
        said = parse(line.decode("utf-8", "replace"))
        if said.text:
            self.said.append(said)
            self.done = self.done or (said.answer or ("",))[0] == LAST


class Engine:
    """The engine's program, and the environment it runs in: its own search paths and nothing of ours."""

    def __init__(self, program: Path, environment: dict[str, str]) -> None:
        self._program = program
        self._environment = environment

    def test(self, workspace: Workspace, timeout: timedelta) -> Heard:
        """Return what `-t` says: everything is loaded, nothing is run."""
        return self._run(workspace, timeout, "-t")

    def ask(self, workspace: Workspace, timeout: timedelta) -> Heard:
        """Return what it says while it answers the workspace's questions."""
        return self._run(workspace, timeout, "-type", "gate", "-dsn", f"file://{workspace.probe}")

    def _run(self, workspace: Workspace, timeout: timedelta, *arguments: str) -> Heard:
        ear = _Ear()
        here = str(workspace.root)
        result = process.run(
            [str(self._program), "-no-api", "-debug", "-c", str(workspace.config), *arguments],
            env={**self._environment, "HOME": here, "TMPDIR": here, "LC_ALL": "C", "TZ": "UTC", "GOMAXPROCS": "2"},
            timeout=timeout,
            cwd=workspace.root,
            consume=ear.take,
            watch=ear.over,
            merge=True,
        )
        ear.end()
        return Heard(tuple(ear.said), result.ending, result.code, ear.flooded)


def parse(line: str) -> Said:
    """Return a line of output as the message it is."""
    found = _LINE.match(line)
    if found is None:
        return Said("raw", line)
    text = found[2]
    return Said(found[1], unquoted(text[1:-1]) if text.startswith('"') else text)


def unquoted(text: str) -> str:
    """Return what Go's %q has quoted, given without quotes; a byte that is no UTF-8 as the replacement character."""

    def one(found: re.Match[str]) -> str:
        byte, short, long, char = found.groups()
        if byte is not None:
            return chr(int(byte, 16)) if int(byte, 16) < 0x80 else "\N{REPLACEMENT CHARACTER}"
        if short or long:
            return chr(int(short or long, 16))
        return _SHORT.get(char, char)

    return _ESCAPE.sub(one, text) if "\\" in text else text
