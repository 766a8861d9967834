"""What the machine itself must have: a Python, packages, git, and a directory to stage downloads in."""

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from hubdata import __version__
from hubdata.doctor.catalogue import About
from hubdata.errors import ConfigError
from hubdata.extensions import adapter
from hubdata.model.checkup import Check
from hubdata.plugins import Seam, brought
from hubdata.transfer import process

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "worker": ("starlette", "uvicorn", "prometheus_client"),
    "sign": ("cryptography",),
    "jq": ("jq",),
    "demo": ("moto",),
}
"""The modules that each extra of the package brings."""

GIT = (2, 30)
"""The oldest git that is told apart by what it says and does."""

_LEAST_FREE = 64 << 20


def python() -> Iterator[Check]:
    """Tell which Python and which hubdata this is; one that is too old does not get so far."""
    yield About("python").ok(f"hubdata {__version__} on Python {sys.version.split()[0]}")


def extras(wanted: Mapping[str, str]) -> Iterator[Check]:
    """Tell of each extra whether it is installed. `wanted` says by name which settings need it."""
    for extra, modules in EXTRAS.items():
        about = About("extra", extra)
        missing = [name for name in modules if find_spec(name) is None]
        if not missing:
            yield about.ok("installed")
        elif extra in wanted:
            found = f"{wanted[extra]} needs it: {', '.join(missing)} is not installed"
            yield about.fail(found, f"install it: pip install 'hubdata[{extra}]'")
        else:
            yield about.skipped("not installed, and no setting needs it")


def plugins(used: frozenset[tuple[Seam, str]]) -> Iterator[Check]:
    """Tell what other packages bring, each imported and held against its port; those `used` must be good."""
    for seam in Seam:
        for one in brought(seam):
            about = About("plugin", f"{seam} {one.word}")
            try:
                adapter(one)
            except ConfigError as err:
                yield (about.fail if (seam, one.word) in used else about.warn)(str(err), err.advice)
            else:
                unused = "" if (seam, one.word) in used else "; no setting names it"
                yield about.ok(f"{one.path} of {one.package}{unused}")


def git(environment: Mapping[str, str], *, needed: bool) -> Iterator[Check]:
    """Tell whether there is a git that is new enough; without a git source to read, its absence is a warning."""
    about = About("git")
    ended = process.run(
        ["git", "--version"],
        env={"PATH": environment.get("PATH", os.defpath), "LC_ALL": "C"},
        timeout=timedelta(seconds=5),
        max_stdout=4096,
    )
    said = re.search(rb"([0-9]{1,4})\.([0-9]{1,4})[0-9.]*", ended.stdout)
    advice = f"install git {GIT[0]}.{GIT[1]} or later, on the PATH of hubdata's user"
    bad = about.fail if needed else about.warn
    if ended.ending is process.Ending.MISSING:
        yield bad("there is no git on the PATH", advice)
    elif not ended.ok or said is None:
        yield bad(f"`git --version` ended with code {ended.code} and told no version", advice)
    elif (int(said[1]), int(said[2])) < GIT:
        yield bad(f"git {said[0].decode()} is older than {GIT[0]}.{GIT[1]}", advice)
    else:
        yield about.ok(f"git {said[0].decode()}")


def spool(path: Path, needed_bytes: int) -> Iterator[Check]:
    """Tell whether downloads can be staged in `path`: whose it is, who else may look in, and whether they fit.

    `needed_bytes` is what the largest one may have. Nothing is left behind, and what is not there is not made.
    """
    about = About("spool")
    advice = "set `spool` (HUBDATA_SPOOL) to a directory that hubdata's user may write to"
    try:
        there = nearest(path)
    except OSError as err:
        yield about.fail(f"{path}: {err.strerror or err}", advice)
        return
    if not there.is_dir():
        yield about.fail(f"{there} is not a directory", advice)
        return
    held = there.stat()
    if there == path and held.st_uid not in (os.geteuid(), 0):
        yield about.fail(f"{path} belongs to another user (id {held.st_uid}), who could exchange files", advice)
        return
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"doctor")
            file.flush()
    except OSError as err:
        yield about.fail(f"{there} cannot be written to: {err.strerror or err}", advice)
        return
    free = shutil.disk_usage(there).free
    told = f"{path}: {_size(free)} free" + ("" if there == path else " (it will be made)")
    more = "free some space, or set `spool` to a directory on a larger disk"
    if free < _LEAST_FREE:
        yield about.fail(told, more)
    elif free < needed_bytes:
        yield about.warn(f"{told}; the largest download may have {_size(needed_bytes)}", more)
    elif there == path and held.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not held.st_mode & stat.S_ISVTX:
        found = f"{told}; mode {stat.S_IMODE(held.st_mode):04o} lets others put files there"
        yield about.warn(found, f"close it to others: chmod 700 {path}")
    else:
        yield about.ok(told)


def nearest(path: Path) -> Path:
    """Return `path`, or what of the way to it is there. Raises OSError where this user may not look."""
    return next(each for each in (path, *path.parents) if each.exists())


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MiB"
