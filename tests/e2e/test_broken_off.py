"""Runs that are ended from outside: they go at once, say so in a line, leave nothing half-written; the next converges.

The store and the host are slow on purpose, so that the signal comes amid an upload or a fetch.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.small_world import GOOD, LISTS, NEW, OTHER, WORDS, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, Fault, StrictS3

SIGNALS = pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        pytest.param(signal.SIGTERM, 143, "terminated", id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, "interrupted", id="SIGINT"),
    ],
)
HUNG_S = 120.0
"""Longer than any test has patience for: nobody who waits for it ends in time."""
QUICKLY_S = 20.0
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "sentinel",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def started(small: SmallWorld, *flags: str) -> subprocess.Popen[str]:
    """Return a running `sync --once`."""
    return subprocess.Popen(
        [sys.executable, "-m", "hubdata", "sync", "--once", *flags],
        cwd=small.root,
        env={"PATH": os.environ["PATH"], "HOME": str(small.root), **KEYS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(reached: Callable[[], bool]) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str, float]:
    """Return stdout, stderr and the seconds that a process lived on after the signal."""
    sent = time.monotonic()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    return stdout, stderr, time.monotonic() - sent


def with_bucket(small: SmallWorld, store: StrictS3) -> None:
    """Let the world publish into `store` alone."""
    text = (small.root / "hubdata.toml").read_text().partition("[targets")[0]
    text += f'[targets.aws]\ntype = "s3"\nbucket = "{S3_BUCKET}"\nregion = "us-east-1"\nendpoint_url = "{store.url}"\n'
    small.write("hubdata.toml", text)


@SIGNALS
@pytest.mark.parametrize("flags", [(), ("--format", "json")], ids=["text", "json"])
def test_amid_an_upload(
    small: SmallWorld, number: signal.Signals, code: int, word: str, flags: tuple[str, ...]
) -> None:
    """The run ends at once though the store hangs; the manifest is not there, and the next run does the rest."""
    release, slow = threading.Event(), threading.Event()

    def hang() -> None:
        slow.set()
        release.wait(HUNG_S)

    with StrictS3() as store:
        with_bucket(small, store)
        store.faults.extend(Fault("PUT", before=hang, drop=True) for _ in range(1))
        process = started(small, *flags)
        until(slow.is_set)
        stdout, stderr, lived_s = ended(process, number)
        release.set()
        assert process.returncode == code, stdout + stderr
        assert stderr.strip() == f"hubdata: {word}; what is published stays, and the next run goes on from there"
        assert (json.loads(stdout)["exit_code"] == code) if flags else (stdout == "")
        assert lived_s < QUICKLY_S
        assert "manifest.json" not in store.objects
        assert small.left_over() == []

        assert small.sync(env=KEYS).code == 0
        expected = {**LISTS, WORDS: (small.root / "data" / WORDS).read_bytes()}
        assert {key: held.body for key, held in store.objects.items() if key in expected} == expected
        assert json.loads(store.objects["manifest.json"].body)["files"].keys() == expected.keys()


@SIGNALS
def test_amid_a_fetch(small: SmallWorld, number: signal.Signals, code: int, word: str) -> None:
    """The run ends though the git host says nothing, and takes its git with it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/repo.git"
        small.edit("jobs/lists.toml", small.repo.url, url)
        before = small.untouched()
        process = started(small)
        silent.settimeout(60)
        connection, _ = silent.accept()
        stdout, stderr, lived_s = ended(process, number)
        until(lambda: not running(url))
        connection.close()
    assert process.returncode == code, stdout + stderr
    assert stderr.strip().startswith(f"hubdata: {word}; ")
    assert lived_s < QUICKLY_S
    assert small.untouched() == before
    assert small.left_over() == []


@pytest.mark.parametrize("delay_ms", range(0, 120, 15))
def test_an_interrupt_at_any_moment(small: SmallWorld, delay_ms: int) -> None:
    """Whenever Ctrl-C comes, there is no traceback; the code is the signal's, or that of a run that is done."""
    small.repo.commit({GOOD: NEW})
    process = started(small)
    spool = small.root / "spool"
    until(lambda: process.poll() is not None or any(spool.glob("run-*")))
    time.sleep(delay_ms / 1000)
    _, stderr, lived_s = ended(process, signal.SIGINT)
    assert process.returncode in (0, 130, -signal.SIGINT), stderr
    assert "Traceback" not in stderr
    assert lived_s < QUICKLY_S
    assert small.public()[GOOD] in (LISTS[GOOD], NEW)


def running(url: str) -> list[str]:
    """Return the command lines of processes that name `url`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if url in line]


def test_killed_amid_a_write(small: SmallWorld) -> None:
    """After SIGKILL at any moment, readers find whole files; the next run converges, the next that writes tidies up."""
    small.repo.commit({GOOD: NEW, OTHER: NEW})
    for delay_ms in range(100, 500, 50):
        process = started(small, "--allow-rollback")
        time.sleep(delay_ms / 1000)
        process.kill()
        process.communicate()
        assert small.public()[GOOD] in (LISTS[GOOD], NEW)
        manifest = json.loads(small.mirror_files()["manifest.json"])
        assert manifest["files"].keys() == {GOOD, OTHER, WORDS}
    assert small.sync().code == 0
    assert (small.public()[GOOD], small.public()[OTHER]) == (NEW, NEW)
    assert small.sync().puts("mirror") == []
    small.repo.commit({GOOD: LISTS[GOOD]})
    assert small.sync().puts("mirror") == [GOOD]
    assert not list((small.root / "mirror/.hubdata/tmp").iterdir())


def test_a_reader_that_goes_away(small: SmallWorld) -> None:
    """`| head -1` gets its line; the run does all of its work and earns its own code, silently."""
    small.repo.commit({GOOD: NEW, OTHER: b"0.0.0.0/0\n"})
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "hubdata", "sync", "--once", "-v", "--format", "json"],
        cwd=small.root,
        env={"PATH": os.environ["PATH"], "HOME": str(small.root)},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert process.returncode == 3
    assert b"Traceback" not in process.stderr
    assert b"Broken" not in process.stderr
    assert small.public()[GOOD] == NEW


@pytest.mark.parametrize("format_", ["text", "json", "github"])
@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        pytest.param(">&-", 3, "", id="stdout closed"),
        pytest.param(">&- 2>&-", 3, "", id="both closed"),
        pytest.param("2>&- <&- | cat", 3, "", id="stderr and stdin closed"),
        pytest.param("> /dev/full", 1, "could not be written to stdout", id="full disk"),
        pytest.param("> /dev/full 2> /dev/full", 1, "", id="both on a full disk"),
    ],
)
def test_nowhere_to_write_the_result(small: SmallWorld, redirection: str, code: int, said: str, format_: str) -> None:
    """The run does its work all the same; a result that is lost to a full disk is an error, one unwanted is none."""
    small.repo.commit({GOOD: NEW, OTHER: b"0.0.0.0/0\n"})
    shell = ["bash", "-o", "pipefail", "-c", f'"$@" {redirection}', "bash"]
    process = subprocess.run(
        [*shell, sys.executable, "-m", "hubdata", "sync", "--once", "--format", format_],
        cwd=small.root,
        env={"PATH": os.environ["PATH"], "HOME": str(small.root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == code
    assert said in process.stderr
    assert len(process.stderr.splitlines()) == (2 if said else 0), process.stderr
    assert small.public()[GOOD] == NEW
