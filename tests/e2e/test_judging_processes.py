"""Runs that judge with helpers come to the very same as those that judge alone; and helpers end when their run does."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubdata.assembly import kind_builder
from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.model.job import FileRule, Job, Limits, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import Claim, claim
from hubdata.running.crew import Crew
from hubdata.running.dividing import Work
from hubdata.running.proving import prove
from hubdata.running.verdict_memory import NOWHERE, VerdictMemory
from hubdata.transfer.code_digest import own_code
from tests.simulator.clock import START
from tests.support.poison import corpus
from tests.support.real import SEC_LISTS, needs_real

LISTS, LINES = 24, 24_000
SETTINGS = """\
spool = "spool"
{jobs}
[targets.mirror]
type = "directory"
path = "mirror"
"""
JOB = """\
[source]
type = "directory"
path = "../lists"

[[files]]
match = "*.txt"
kind = "cidr"
"""
PASSING = re.compile(rb"\d{8}T\d{6}Z-[0-9a-f]{6}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00| UTC)?")
LASTED = re.compile(rb'"elapsed_s": [0-9.]+')
"""What of a run is never the same twice: what it is called, when it was, and how long."""


@dataclass(frozen=True)
class Done:
    """What a run came to: its result, all that it published, what it remembers, and how many verdicts it was told."""

    code: int
    result: Any
    files: dict[str, bytes]
    memory: bytes
    helped: int
    stderr: list[str]


def start(root: Path, processes: int, *flags: str) -> subprocess.Popen[str]:
    """Return a run that judges with so many processes, and gives way to others as helpers do: so they get as far."""
    return subprocess.Popen(
        ["nice", "-n", "10", sys.executable, "-m", "hubdata", "sync", "--once", "--format", "json", *flags],
        cwd=root,
        env={"PATH": os.environ["PATH"], "HOME": str(root), "HUBDATA_VALIDATION__PROCESSES": str(processes)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(root: Path, process: "subprocess.Popen[str]") -> Done:
    """Return what a run came to."""
    stdout, stderr = process.communicate(timeout=120)
    found = re.search(r"verdicts\.used remembered=0 judged=\d+(?: helped=(\d+))?", stderr)
    mirror, memory = root / "mirror", root / "spool/memory-verdicts/verdicts"
    files = {p.relative_to(mirror).as_posix(): p.read_bytes() for p in mirror.rglob("*") if p.is_file()}
    result = json.loads(PASSING.sub(b"", stdout.encode()))
    result.pop("elapsed_s", None)
    assert process.returncode is not None
    return Done(
        process.returncode,
        result,
        {name: body for name, body in files.items() if not name.startswith(".hubdata/records/")},
        memory.read_bytes() if memory.is_file() else b"",
        int(found[1] or 0) if found else 0,
        stderr.splitlines(),
    )


def emptied(root: Path) -> None:
    """Forget every run."""
    for name in ("spool", "mirror"):
        shutil.rmtree(root / name, ignore_errors=True)


def helpers_of(pid: int) -> list[int]:
    """Return the processes that this one has started, and that are no zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(path.parent.name))
    return found


def alive(pid: int) -> bool:
    """Tell whether there is such a process still, and no zombie of one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(reached: Callable[[], bool]) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a job with much to judge, one list of it poisoned."""
    root = tmp_path_factory.mktemp("lists")
    (root / "lists").mkdir()
    (root / "jobs").mkdir()
    (root / "hubdata.toml").write_text(SETTINGS.format(jobs='jobs = "jobs"'))
    (root / "jobs/lists.toml").write_text(JOB)
    for number in range(LISTS):
        rows = [f"{8 + number}.{n >> 8 & 255}.{n & 255}.0/24\n" for n in range(LINES)]
        rows += ["0.0.0.0/0\n"] * (number == LISTS - 2)
        (root / f"lists/{number:02}.txt").write_text("".join(rows))
    return root


@pytest.fixture(scope="module")
def alone(lists: Path) -> Done:
    """Give what that comes to without helpers."""
    emptied(lists)
    found = done(lists, start(lists, 1, "-v"))
    assert (found.code, found.helped) == (3, 0)
    return found


def poisoned(root: Path) -> Work:
    """Return every file of the poison corpus as a job of its own, with the options and limits it is held to."""
    work = []
    for number, poison in enumerate(corpus()):
        path = root / str(number)
        path.write_bytes(poison.body)
        told = poison.settings.get("limits", {})
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
        limits = Limits(**plain)
        rule = FileRule("**", poison.kind, poison.settings.get("options", {}), limits)
        file = SourceFile(poison.settings.get("key", poison.file), path, path.stat().st_size, {})
        work.append((Job(f"poison-{number}", SourceSpec("test", {}), (rule,)), (Claim(rule, file),)))
    return work


@needs_real
def test_all_verdicts_of_helpers_are_those_of_the_run_on_the_real_tree_and_on_all_poison(tmp_path: Path) -> None:
    """Findings with their lines and columns, counts, references and what is refused: equal, in the same order."""
    jobs = tuple(job for job in load_jobs(builtin_jobs_dir()) if job.source.type == "git")
    paths = sorted(path for path in SEC_LISTS.rglob("*") if path.is_file())
    files = (SourceFile(p.relative_to(SEC_LISTS).as_posix(), p, p.stat().st_size, {}) for p in paths)
    claims = claim(jobs, tuple(files))
    work = [*((job, claims.by_job[job.name]) for job in jobs), *poisoned(tmp_path)]
    code = own_code()
    assert code is not None
    memory, crew = VerdictMemory(NOWHERE, code), Crew(1)
    memory.listen(crew.told)
    kind_of, plain = kind_builder(memory), kind_builder()
    with crew.helping(work, kind_of):
        (member,) = crew._members
        until(lambda: crew.told("nobody's") is None and member._process.poll() is not None)
        for _ in range(100):  # what is left in the pipe
            crew.told("nobody's")
        found = [prove(job, mine, kind_of, now=START) for job, mine in work]
    assert found == [prove(job, mine, plain, now=START) for job, mine in work]
    unhelped = [claim for _, mine in work for claim in mine if claim.rule.kind == "mmdb"]
    large = 3  # verdicts with so many findings that they are not told; and some poison is larger than helpers take
    assert memory.helped >= sum(len(mine) for _, mine in work) - len(unhelped) - large - 3


@needs_real
def test_run_with_helpers_comes_to_the_same_on_the_real_tree(tmp_path: Path) -> None:
    """The result, every byte that is public, and what is remembered: equal, but for its name and time."""
    (tmp_path / "hubdata.toml").write_text(SETTINGS.format(jobs=""))
    flags = ("-v", "--checkout", str(SEC_LISTS), "--job", "allowlists", "--job", "appsec", "--job", "web-patterns")
    found = []
    for processes in (1, 2):
        emptied(tmp_path)
        found.append(done(tmp_path, start(tmp_path, processes, *flags)))
    one, two = found
    assert (one.code in (0, 3), one.helped) == (True, 0)  # 3 once the waivers of the shipped jobs are over
    assert two.helped > 0
    assert same(one) == same(two)


@needs_real
def test_validate_says_the_same_with_helpers(tmp_path: Path) -> None:
    """A checkout with the real tree and a poisoned list gets the same answer, in the same order."""
    shutil.copytree(SEC_LISTS, tmp_path / "tree", ignore=shutil.ignore_patterns(".git"))
    with (tmp_path / "tree/whitelists/cdn_providers/cloudflare_ips.txt").open("a") as file:
        file.write("0.0.0.0/0\n")
    told = []
    for processes in (1, 2):
        ended = subprocess.run(
            [sys.executable, "-m", "hubdata", "validate", "--format", "json", "tree"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HUBDATA_VALIDATION__PROCESSES": str(processes)},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert (ended.returncode, ended.stderr) == (3, b"")
        told.append(LASTED.sub(b"", ended.stdout))
    assert told[0] == told[1]
    assert b"0.0.0.0/0" in told[0]


def same(found: Done) -> tuple[Any, ...]:
    """Return what must not differ between runs."""
    own = {name: body for name, body in found.files.items() if name.startswith((".hubdata/", "index.html"))}
    data = {name: body for name, body in found.files.items() if name not in own}
    plain = {name: LASTED.sub(b"", PASSING.sub(b"", body)) for name, body in data.items()}
    return found.code, found.result, plain, found.memory


def test_run_that_keeps_no_memory_is_helped_too(lists: Path, alone: Done) -> None:
    """What helpers tell is used and forgotten: the run comes to the same, and leaves no memory."""
    emptied(lists)
    settings = (lists / "hubdata.toml").read_text()
    try:
        (lists / "hubdata.toml").write_text(settings + "\n[validation]\nremember = false\n")
        process = start(lists, 2)
        until(lambda: helpers_of(process.pid) != [])
        found = done(lists, process)
    finally:
        (lists / "hubdata.toml").write_text(settings)
    assert found.memory == b""
    assert same(found)[:3] == same(alone)[:3]


def test_run_with_helpers_refuses_the_same(lists: Path, alone: Done) -> None:
    """Of three helpers, each judges some; the poisoned list is found, and all else is as without them."""
    emptied(lists)
    found = done(lists, start(lists, 4, "-v"))
    assert found.helped > 0
    assert same(found) == same(alone)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_helper_that_is_lost_loses_nothing(lists: Path, alone: Done, number: signal.Signals) -> None:
    """The run goes on by itself and comes to the same; a helper that was stopped is gone with it."""
    emptied(lists)
    process = start(lists, 2, "-v")
    until(lambda: helpers_of(process.pid) != [])
    (helper,) = helpers_of(process.pid)
    os.kill(helper, number)
    found = done(lists, process)
    assert same(found) == same(alone)
    assert not alive(helper)
    assert [line for line in found.stderr if not re.match(r"\d\d:\d\d:\d\d [a-z]+\.[a-z]+ ", line)] == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_helpers_end_with_their_run(lists: Path, number: signal.Signals, code: int) -> None:
    """However a run is ended amid its judging, at once, no helper outlives it, and none has a word to say."""
    emptied(lists)
    process = start(lists, 3)
    until(lambda: len(helpers_of(process.pid)) == 2)
    helpers = helpers_of(process.pid)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    until(lambda: not any(map(alive, helpers)))
    assert process.returncode == code
    assert len(stderr.strip().splitlines()) == (number != signal.SIGKILL), stderr
    if number != signal.SIGKILL:
        assert not list((lists / "spool").glob("run-*"))
