"""What pages have people type, run as they would: block after block in one directory, with local servers behind names.

A fenced `sh` or `console` block of a page is run unless a comment before it says why not. In a `console` block lines
that begin with `$ ` are typed, and the others must be printed, in their order (`...` stands for any). A comment stands
directly before its block and is seen by nobody else:

    <!-- file: hubdata.toml -->           the block is a file: it is written, and later blocks find it
    <!-- exits: 3 -->                     the last command of the block ends with this code
    <!-- starts: http://[::1]:8080/ -->   the last command goes on until the page ends; this address answers meanwhile
    <!-- not run: REASON -->              it takes what a test has not: an account, a cluster, a machine's root
    <!-- run by: tests/e2e/test_x.py -->  another test runs it, in a world of its own
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from hubdata.cli.root import root as hubdata_command
from tests.support.command import Ended, hubdata

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^(?P<in> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=in)```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- (file|exits|starts|not run|run by): (.+?) -->\s*$")
_SHELL = re.compile(r"[|&;<>$`(){}*?~\n\\=]|^(?!hubdata )")
_VARYING = (
    (r"\b[\d.]+ m?s\b", "T s"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?", "WHEN"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"\s+", " "),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `notes` are what the comments before it say, by their word."""

    page: str
    line: int
    language: str
    text: str
    notes: Mapping[str, str]

    @property
    def typed(self) -> bool:
        """Tell whether it is something that people type."""
        return self.language in {"sh", "console", "bash", "shell"} or (
            not self.language
            and re.search(r"^(?:\$ )?(?:hubdata|pip|python3?|curl|git) ", self.text, re.MULTILINE) is not None
        )

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Return each command with what must be printed."""
        out: list[tuple[str, list[str]]] = []
        if self.language != "console" and not re.search(r"^\$ ", self.text, re.MULTILINE):
            if "<<" in self.text:  # a file, typed: its lines are no commands
                return [(f"set -e\n{self.text}", [])]
            whole = re.sub(r"\\\n\s*", "", self.text)
            return [(line, []) for line in whole.splitlines() if line.strip() and not line.startswith("#")]
        for line in self.text.splitlines():
            if line.startswith("$ "):
                out.append((line[2:], []))
            elif out and line.strip():
                out[-1][1].append(line)
        return out


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, which is named by its path in the repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    out = []
    for found in _BLOCK.finditer(text):
        before, notes = text[: found.start()].rstrip(), {}
        while note := _NOTE.search(before):
            notes[note[1]] = note[2]
            before = before[: note.start()].rstrip()
        indent = len(found["in"])
        body = "".join(line[indent:] if line.strip() else line for line in found["text"].splitlines(keepends=True))
        out.append(Block(page, text[: found.start()].count("\n") + 1, found["language"], body, notes))
    return out


def parsed(line: str) -> None:
    """Assert that there is such a command with such options."""
    words = shlex.split(line, comments=True)
    assert words[0] == "hubdata", line
    command: click.Command = hubdata_command
    context = click.Context(command, info_name="hubdata")
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, line
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_parser(context).parse_args(list(rest))


@dataclass
class Reader:
    """Somebody who follows a page in a directory. `names` are what public names on pages are here.

    `path` is where the command was installed; without it, it is the one of this checkout, and runs sooner.
    """

    home: Path
    names: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    ran: list[tuple[str, Ended]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cwd = self.home
        self._started: list[subprocess.Popen[bytes]] = []
        self._said = self.home.parent / f"{self.home.name}.said"
        self._shim = self.home.parent / f"{self.home.name}.bin"
        self.home.mkdir(parents=True, exist_ok=True)
        self._shim.mkdir(exist_ok=True)
        if self.path is None:
            (self._shim / "hubdata").write_text(f'#!/bin/sh\nexec {sys.executable} -m hubdata "$@"\n')
            (self._shim / "hubdata").chmod(0o755)

    def follow(self, page: str, *, skip: tuple[str, ...] = ()) -> int:
        """Do all that a page says, and return how many commands that were; blocks whose text holds `skip` are left."""
        count = 0
        try:
            for block in blocks(page):
                if "file" in block.notes:
                    there = self.cwd / block.notes["file"]
                    there.parent.mkdir(parents=True, exist_ok=True)
                    there.write_text(self.here(block.text))
                elif block.typed and not {"not run", "run by"} & block.notes.keys():
                    count += 0 if any(word in block.text for word in skip) else self._do(block)
        finally:
            self.leave()
        return count

    def leave(self) -> None:
        """End what was started and goes on."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        self._started.clear()

    def _do(self, block: Block) -> int:
        commands = block.commands
        for number, (line, shown) in enumerate(commands, 1):
            where = f"{block.page}:{block.line}: {line}"
            last = number == len(commands)
            if last and "starts" in block.notes:
                self.start(self.here(line), self.here(block.notes["starts"]), where)
                continue
            ended = self.run(self.here(line))
            wanted = int(block.notes["exits"]) if last and "exits" in block.notes else 0
            said = f"{where}\n{ended.stdout}{ended.stderr}"
            assert ended.code == wanted, f"ended with {ended.code}: {said}"
            self._printed([self.here(one) for one in shown], ended.stdout + ended.stderr, said)
            self.ran.append((line, ended))
            if found := re.findall(r"--approve ([0-9a-f]{64})", ended.stdout):
                self.names["PLAN_ID"] = found[0]
        return len(commands)

    def run(self, line: str) -> Ended:
        """Return what one line did; directory and variables last as in a shell."""
        if self.path is None and not _SHELL.search(line.partition(" #")[0]):
            return hubdata(*shlex.split(line, comments=True)[1:], cwd=self.cwd, env=self._env())
        after = self._said.with_suffix(".after")
        script = f'{line}\ncode=$?\n{{ pwd; export -p; }} > {shlex.quote(str(after))}\nexit "$code"'
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=self.cwd,
            env=self._env(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if after.is_file():
            cwd, _, exported = after.read_text().partition("\n")
            self.cwd = Path(cwd)
            for name, value in re.findall(r'^declare -x (\w+)="((?:[^"\\]|\\.)*)"', exported, re.MULTILINE):
                if name not in {"PATH", "PWD", "OLDPWD", "SHLVL", "_", "HOME"}:
                    self.env[name] = re.sub(r"\\(.)", r"\1", value)
            after.unlink()
        return Ended(ended.returncode, ended.stdout, ended.stderr, 0.0)

    def start(self, line: str, url: str, where: str = "") -> None:
        """Return when what a line starts answers at `url`; it goes on until the reader leaves."""
        with self._said.open("wb") as said:
            process = subprocess.Popen(
                ["bash", "-c", line], cwd=self.cwd, env=self._env(), stdout=said, stderr=said, start_new_session=True
            )
        self._started.append(process)
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=5).close()
                return
            assert process.poll() is None, f"{where}\n{self._said.read_text()}"
            assert time.monotonic() < until, f"{where}\n{self._said.read_text()}"
            time.sleep(0.05)

    def _env(self) -> dict[str, str]:
        first = self._shim if self.path is None else self.path
        return {"PATH": f"{first}:{os.environ['PATH']}", "HOME": str(self.home), "COLUMNS": "120", **self.env}

    def here(self, text: str) -> str:
        """Return text with the names that things have here."""
        for public, local in self.names.items():
            text = text.replace(public, local)
        return text

    def _printed(self, shown: list[str], said: str, told: str) -> None:
        lines = iter([_steady(line) for line in said.splitlines()])
        for line in shown:
            if line.strip() != "...":
                assert _steady(line) in lines, f"not printed, or not in this order: {line}\nby {told}"


def _steady(line: str) -> str:
    for varying, steady in _VARYING:
        line = re.sub(varying, steady, line.strip())
    return line


def pages() -> Iterator[str]:
    """Give every page that people read, by its path in the repository."""
    for pattern in (
        "README.md",
        "docs/*.md",
        "docs/how-to/*.md",
        "docs/contributing/*.md",
        "jobs/*.md",
        "deploy/*/README.md",
    ):
        yield from sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
