"""The parts of the measurement by name. Each is imported only by the process that runs it, which must stay small."""

import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from bench.child import ROOT
from bench.results import Part, machine, save, today

MODULES = {
    "sync": "bench.tree",
    "database": "bench.database",
    "many": "bench.many",
    "replay": "bench.replay",
    "start": "bench.start",
    "profile": "bench.profile",
    "instruments": "bench.instruments",
    "lists": "bench.lists",
    "judging": "bench.judging",
    "mmdb": "bench.mmdb",
    "geoip-diff": "bench.geoip_diff",
    "refresh": "bench.refresh",
}
NAMES = tuple(MODULES)


def run(name: str, runs: int, quick: bool, kept: Path) -> None:
    """Run one part and keep what it finds, or how it failed. Ends the process with 1 if it did."""
    about = Part(name, runs=runs, at=today(), machine=machine(), revision=revision())
    started = time.monotonic()
    measure: Callable[[int, bool], Part] = import_module(MODULES[name]).measure
    try:
        found = measure(runs, quick)
    except Exception as err:  # noqa: BLE001  # whatever it is, the page names it
        traceback.print_exc()
        save(replace(about, failed=f"{type(err).__name__}: {err}"), kept)
        sys.exit(1)
    seconds = time.monotonic() - started
    save(
        replace(
            found, name=name, runs=runs, at=about.at, machine=about.machine, revision=about.revision, seconds=seconds
        ),
        kept,
    )


def revision() -> str:
    """Return which commit is measured, and whether the work tree differs from it."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return f"{head}, changed" if _git("status", "--porcelain", "--", "hubdata", "jobs") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
