"""Debian's packages, unpacked and never installed: no service starts, nothing of the machine changes.

Fetched by `apt-get download`, which needs no rights but lists of packages (`apt-get update`), and kept outside the
repository beside other test data, so that they are downloaded once a machine. Test processes that want the same one
wait for the first of them.
"""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support.big_mmdb import cache_directory


class NotHad(Exception):
    """A package cannot be had on this machine."""


def nothing(_: str) -> bool:
    """Want no other package besides those named."""
    return False


def libraries(name: str) -> bool:
    """Want, of the packages that the named ones need and the machine lacks, the libraries."""
    return name.startswith("lib")


def everything(_: str) -> bool:
    """Want whatever the named ones need and the machine lacks."""
    return True


@functools.cache
def unpacked(name: str, *packages: str, besides: Callable[[str], bool] = nothing) -> Path:
    """Return the directory, kept as `name`, that `packages` and what is wanted `besides` are unpacked in.

    Raises NotHad.
    """
    kept = cache_directory()
    kept.mkdir(parents=True, exist_ok=True)
    whole = kept / name
    with (kept / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            with tempfile.TemporaryDirectory(dir=kept) as scratch:
                fetch(Path(scratch), *packages, besides=besides).replace(whole)
    return whole


def fetch(scratch: Path, *packages: str, besides: Callable[[str], bool] = nothing) -> Path:
    """Return a directory in `scratch` with the packages unpacked, downloaded now. Raises NotHad."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise NotHad(f"there is no `{tool}` to fetch {packages[0]} with")
    names = set(packages)
    if besides is not nothing:
        plan = run("apt-get", "install", "--simulate", "--no-install-recommends", *packages)
        needed = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
        names |= {each for each in needed if besides(each)}
    debs, root = scratch / "debs", scratch / "root"
    debs.mkdir()
    run("apt-get", "download", *sorted(names), cwd=debs)
    for deb in debs.glob("*.deb"):
        run("dpkg", "-x", str(deb), str(root))
    return root


def run(*command: str, cwd: Path | None = None) -> str:
    """Return what a command printed. Raises NotHad when it fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired as err:
        raise NotHad(f"`{' '.join(command[:2])}` took more than 300 s") from err
    if done.returncode:
        raise NotHad(f"`{' '.join(command[:2])}` failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def library_of(root: Path) -> Path:
    """Return where libraries of this machine's kind lie below `root`."""
    return root / "usr/lib" / f"{os.uname().machine}-linux-gnu"
