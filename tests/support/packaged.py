"""hubdata as people get it: built from the tree at hand, installed by the tools that they use, never run from here.

Each process builds once. What is installed comes from the package index; where it cannot be reached, a test that needs
it skips loudly, and under HUBDATA_TESTS_REQUIRE=all fails.
"""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Ended

ROOT = Path(__file__).parents[2]
_CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
_NO_INDEX = (
    "error sending request",
    "Failed to fetch",
    "Connection",
    "Temporary failure in name resolution",
    "Network",
)


@functools.cache
def _home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="hubdata-packaged-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def tree(into: Path) -> Path:
    """Return a copy of what git knows, or would, of this tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    for name in sorted(set(listed.stdout.decode().split("\0")) - {""}):
        source, there = ROOT / name, into / name
        if source.is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, there)
            there.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    return into


def build(source: Path, into: Path, *what: str, env: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Return what the build backend makes of `source`, by name: a wheel and an sdist, or `what` alone (`-t wheel`)."""
    ended = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", into, *what],
        cwd=source,
        env={"PATH": os.environ["PATH"], **(env or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return {path.name: path.read_bytes() for path in into.iterdir()}


@functools.cache
def wheel() -> Path:
    """Return the wheel of the tree at hand."""
    source = tree(_home() / "source")
    build(source, _home() / "dist", "-t", "wheel")
    (path,) = (_home() / "dist").glob("*.whl")
    return path


@dataclass(frozen=True, slots=True)
class Installed:
    """Where commands lie that somebody has installed, and how they are run: without a word of this checkout."""

    bin: Path

    def run(self, *argv: str | Path, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 300) -> Ended:
        """Return what a command of this environment, or of the system, did and said."""
        ended = subprocess.run(
            list(map(str, argv)),
            cwd=cwd,
            env={"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(cwd), "COLUMNS": "120", **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr, 0.0)


@functools.cache
def environment(*extras: str) -> Installed:
    """Return a virtual environment of its own with the wheel, `extras` and nothing else. Needs the package index."""
    home = _home() / "-".join(("venv", *extras))
    with_uv("venv", "--quiet", "--python", sys.executable, home)
    wanted = f"hubdata[{','.join(extras)}] @ {wheel().as_uri()}"
    with_uv("pip", "install", "--quiet", "--python", home / "bin" / "python", "-c", _CONSTRAINTS, wanted)
    return Installed(home / "bin")


def with_uv(*argv: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run uv, and return what it said."""
    return reached([sys.executable, "-m", "uv", *argv], env or {})


def reached(argv: list[str | Path], env: Mapping[str, str]) -> str:
    """Run an installer, and return what it said; skip where it had no package index to ask."""
    ended = subprocess.run(
        argv,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **_proxies(), **env},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if ended.returncode and any(word in ended.stderr for word in _NO_INDEX):
        pytest.skip(f"NOT INSTALLED, NOT TRIED: the package index was not reached: {ended.stderr[-300:]}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def _proxies() -> dict[str, str]:
    """Return how this machine reaches its index."""
    starts = ("PIP_", "UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return {name: value for name, value in os.environ.items() if name.startswith(starts)}
