"""Debian's security engine, unpacked and never installed: no service starts, nothing of the machine changes.

Fetched by `apt-get download`, with the library that it needs where the machine lacks it, and kept outside the
repository beside other test data.
"""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.big_mmdb import cache_directory

PACKAGE = "crowdsec"


class NoEngine(Exception):
    """The engine cannot be had on this machine."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The engine's program, and the environment that it finds its libraries by."""

    program: Path
    environment: dict[str, str]


def needed() -> Unpacked:
    """Return the engine; skips the test, loudly, where there is none."""
    try:
        return unpacked()
    except NoEngine as err:
        pytest.skip(f"NOT TESTED WITH A REAL ENGINE: {err}")


@functools.cache
def unpacked() -> Unpacked:
    """Return the engine, fetched at the first call on this machine. Raises NoEngine."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise NoEngine(f"there is no `{tool}` to fetch {PACKAGE} with")
    kept = cache_directory()
    kept.mkdir(parents=True, exist_ok=True)
    whole = kept / PACKAGE
    with (kept / f"{PACKAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run side by side; one of them fetches
        if not whole.exists():
            with tempfile.TemporaryDirectory(dir=kept) as scratch:
                _fetch(Path(scratch)).replace(whole)
    library = whole / "usr/lib" / f"{os.uname().machine}-linux-gnu"
    environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(library)}
    return Unpacked(whole / "usr/bin/crowdsec", environment)


def _fetch(scratch: Path) -> Path:
    plan = _run("apt-get", "install", "--simulate", "--no-install-recommends", PACKAGE)
    names = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
    debs, root = scratch / "debs", scratch / "root"
    debs.mkdir()
    _run("apt-get", "download", *sorted({PACKAGE, *(name for name in names if name.startswith("lib"))}), cwd=debs)
    for deb in debs.glob("*.deb"):
        _run("dpkg", "-x", str(deb), str(root))
    return root


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired as err:
        raise NoEngine(f"`{' '.join(command[:2])}` took more than 300 s") from err
    if done.returncode:
        raise NoEngine(f"`{' '.join(command[:2])}` failed: {done.stderr.strip()[-300:]}")
    return done.stdout
