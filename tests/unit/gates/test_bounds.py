"""Engines that lie, hang, flood or fall over: the gate passes none of them, and none of them outlives it."""

import os
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import ConfigError, Exit
from hubdata.gates.crowdsec import Judgement, find_engine, judge, run, shown
from hubdata.model.job import FileRule, Job, SourceSpec

JOBS = (Job("lists", SourceSpec("directory", {}), (FileRule("*.txt", "cidr"), FileRule("*.regex", "regexp"))),)
SAYS = 'echo "time=\\"now\\" level={} msg=\\"{}\\""\n'


PATIENCE_S = (1, 5, 25)
"""What an engine is allowed, one after the other until it has come as far as its test wants it to."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree of one good list."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "list.txt").write_text("9.9.9.0/24\n")
    return tmp_path / "tree"


def asked(tmp_path: Path, tree: Path, script: str, seconds: float = 60) -> Judgement:
    """Return what becomes of `tree` with a shell script in the engine's place."""
    program = tmp_path / "engine"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    return judge(tree, JOBS, program, timeout=timedelta(seconds=seconds))


def opened(name: str) -> str:
    """Return the script of an engine that says it reads `name`."""
    return SAYS.format("debug", f"init (folder:/x) (file:{name}) (type:string)")


DONE = SAYS.format("info", "test done")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 0\n", "ended with code 0 while it loaded its data: it said nothing"),
        (DONE, "never said that it opened this file"),
        (opened("f1") + DONE, "never said that it opened this file"),
        (opened("f0") + "exit 0\n", "ended with code 0 while"),
        (opened("f0") + DONE + "exit 1\n", "ended with code 1 while"),
        (opened("f0") + SAYS.format("error", "out of luck") + DONE, "the engine says: out of luck"),
        (opened("f0") + "echo 'fatal error: all goroutines are asleep'\n" + DONE, "fatal error: all goroutines"),
        (opened("f0") + DONE, "before it was asked"),
        ("kill -9 $$\n", "ended with code -9"),
    ],
)
def test_an_engine_that_does_not_say_all_is_well_does_not_pass(
    script: str, words: str, tmp_path: Path, tree: Path
) -> None:
    """Silence, half a story, an error that it goes on after, or a good word with a bad end: each is refused."""
    judgement = asked(tmp_path, tree, script)
    assert judgement.exit_code is Exit.REFUSED
    assert words in "".join(shown(judgement))


def answering(*answers: str) -> str:
    """Return the script of an engine that loads the one list, and then says these `answers`."""
    begins = SAYS.format("debug", "+ Processing 3 statics")
    told = "".join(SAYS.format("debug", answer) for answer in answers)
    return f'case "$*" in *" -t") {opened("f0")}{DONE} exit 0;; esac\n{begins}{told}sleep 90\n'


def test_right_answers_pass(tmp_path: Path, tree: Path) -> None:
    """As the stand-in of the tests below must be able to."""
    good = answering(".Meta[q0] = '1'", ".Meta[q1] = '[]'", ".Meta[the-end] = 'yes'")
    judgement = asked(tmp_path, tree, good)
    assert (judgement.exit_code, judgement.complaints) == (Exit.FINE, ())


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((".Meta[the-end] = 'yes'",), "the engine has no answer to len(File("),
        ((".Meta[q0] = '1'", ".Meta[the-end] = 'yes'"), "the engine has no answer to ToJsonString("),
        ((".Meta[q0] = '0'", ".Meta[q1] = '[]'", ".Meta[the-end] = 'yes'"), "the engine holds 0 of its 1 rows"),
        (
            (".Meta[q0] = '1'", ".Meta[q1] = '[\\\\\\\"9.9.9.0/24\\\\\\\"]'", ".Meta[the-end] = 'yes'"),
            "list.txt:1: '9.9.9.0/24': it lets in",
        ),
        ((".Meta[q0] = '1'",), "did not finish in time, and was ended, when it was asked about this file"),
    ],
)
def test_every_question_wants_its_answer(answers: tuple[str, ...], words: str, tmp_path: Path, tree: Path) -> None:
    """A question that is passed over, answered wrongly or never is a refusal."""
    for seconds in PATIENCE_S if "in time" in words else (60,):
        judgement = asked(tmp_path, tree, answering(*answers), seconds=seconds)
        assert judgement.exit_code is Exit.REFUSED
        if words in "".join(shown(judgement)):
            break
    assert words in "".join(shown(judgement))


def test_an_engine_that_hangs_is_ended(tmp_path: Path, tree: Path) -> None:
    """It, and what it has started: nothing of it is left when the gate says so."""
    started, child = time.monotonic(), tmp_path / "child"
    for seconds in PATIENCE_S:
        judgement = asked(tmp_path, tree, f"sleep 91.5 & echo $! > {child}; sleep 91.5\n", seconds=seconds)
        if child.exists() and child.read_text():
            break
    assert time.monotonic() - started < 60
    assert "did not finish in time" in "".join(shown(judgement))
    with pytest.raises(ProcessLookupError):
        _signal_until_gone(int(child.read_text()))


def _signal_until_gone(pid: int) -> None:
    for _ in range(1000):  # whoever adopted it has yet to bury it
        if Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text():
            raise ProcessLookupError
        os.kill(pid, 0)
        time.sleep(0.05)


@pytest.mark.parametrize("flood", ["yes\n", "yes | tr -d '\\n'\n", "cat /dev/zero\n"])
def test_an_engine_that_floods_is_ended(flood: str, tmp_path: Path, tree: Path) -> None:
    """Lines without end, a line without end: no more of it is read than can be judged."""
    judgement = asked(tmp_path, tree, flood, seconds=60)
    assert "said more than anybody reads" in "".join(shown(judgement))


def test_an_engine_that_eats_the_memory_falls(tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it may take is bounded; the bound is for the engine, and gone from our own process afterwards."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    program = tmp_path / "engine"
    eats = f"#!{sys.executable}\nimport pathlib\ntry:\n    bytearray(3 << 30)\nexcept MemoryError:\n"
    program.write_text(f"{eats}    pathlib.Path({str(tmp_path / 'fell')!r}).touch()\n")
    program.chmod(0o755)
    monkeypatch.setattr("hubdata.gates.crowdsec.load_jobs", lambda _: JOBS)
    judgement = run(tree, jobs_dir=None, engine=str(program), timeout=timedelta(seconds=20))
    assert judgement.exit_code is Exit.REFUSED
    assert (tmp_path / "fell").exists()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_nothing_is_left_behind(tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The private directory goes, whatever the engine has put into it; the tree is as it was."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    asked(tmp_path, tree, 'touch "$TMPDIR/crash" "$HOME/state"; pwd; exit 1\n')
    assert list(private.iterdir()) == []
    assert [path.name for path in tree.iterdir()] == ["list.txt"]


def test_the_engine_is_told_nothing_of_ours(tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it has its search paths, and a home in the private directory; no credential, no proxy."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sentinel")
    monkeypatch.setenv("HTTPS_PROXY", "http://sentinel.example/")
    asked(tmp_path, tree, f"env > {tmp_path}/seen\n")
    seen = (tmp_path / "seen").read_text()
    assert "sentinel" not in seen
    assert {line.partition("=")[0] for line in seen.splitlines()} - {"PWD", "_", "OLDPWD", "SHLVL"} == {
        *("PATH", "HOME", "TMPDIR", "LC_ALL", "TZ", "GOMAXPROCS")
    }


def test_an_empty_list_is_refused_before_the_engine_is_asked(tmp_path: Path, tree: Path) -> None:
    """Nor is it shown to it: an engine that misses a list prints all others."""
    (tree / "empty.regex").write_text("# nothing\n\n")
    good = answering(".Meta[q0] = '1'", ".Meta[q1] = '[]'", ".Meta[the-end] = 'yes'")
    (line,) = shown(asked(tmp_path, tree, good))
    assert line.startswith("empty.regex: it has no data row")


def test_without_an_engine_it_says_how_to_have_one(tmp_path: Path) -> None:
    """That is a mistake of whoever set the gate up, and not of the data."""
    with pytest.raises(ConfigError, match="expected an engine at") as caught:
        find_engine(str(tmp_path / "absent"))
    assert "Debian's package `crowdsec`" in caught.value.advice
