"""Measure the proof of a real GeoLite2-City beside the reference verifier and the C reader.

All are whole processes in turn, on the same file (`python -m bench --only mmdb`); `in process` leaves out the start of
the interpreter, the imports, and reading the file. The C reader proves nothing: it is what a check by reading every
network would cost, once.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from bench.__main__ import main
from bench.results import Part, Table
from bench.tables import CELLS, cells
from bench.timing import Run, median
from tests.support.big_mmdb import real_city_database
from tests.support.go_oracle import version
from tests.support.go_verifier import NoVerifier, verifier

PROVE = """\
import mmap, sys, time
from hubdata.mmdb.proof import prove
from hubdata.mmdb import prover
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
    started = time.perf_counter()
    assert not prove(body, threads=int(sys.argv[2])).problems
    print(f"{time.perf_counter() - started:.4f}", file=sys.stderr)
"""

ITERATE = """\
import sys, time
from maxminddb import MODE_MMAP_EXT, open_database
with open_database(sys.argv[1], MODE_MMAP_EXT) as reader:
    started = time.perf_counter()
    for network, record in reader:
        pass
    print(f"{time.perf_counter() - started:.4f}", file=sys.stderr)
"""

TITLE = "The proof of a 66 MB database"
HEAD = ("", *CELLS, "in process s", "Go / it", "in process, Go / it")
NOTE = """\
Two threads share all but the containers, and gain only where a second core is free. Python's start and numpy's import
come besides. The C reader's run is mostly CPU, and is timed once."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A way to look at a whole database; it says on its error stream how many seconds that took."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians of a tool's runs."""

    runs: tuple[Run, ...]
    inside_s: float

    @property
    def whole(self) -> Run:
        """Return the medians of whole processes."""
        return median(self.runs)


def once(tool: Tool) -> tuple[Run, float]:
    """Return the figures of one run. Raises RuntimeError with the tool's output when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(tool.argv, env=dict(tool.env), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{tool.name} ended with {process.returncode}:\n{said}")
    run = Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    return run, float(said.split()[-1])


def measured(tools: list[Tool], runs: int) -> dict[str, Figures]:
    """Return the medians of `runs` runs of each tool, in turn after a warm-up."""
    found: dict[str, list[tuple[Run, float]]] = {tool.name: [] for tool in tools}
    for count in range(runs + 1):
        for tool in tools:
            figures = once(tool)
            if count:
                found[tool.name].append(figures)
    return {
        name: Figures(tuple(run for run, _ in each), statistics.median(inside for _, inside in each))
        for name, each in found.items()
    }


def row(name: str, it: Figures, go: Figures) -> tuple[str, ...]:
    """Return one line of the table."""
    ratios = go.whole.wall_s / it.whole.wall_s, go.inside_s / it.inside_s
    return (name, *cells(it.runs), f"{it.inside_s:.2f}", *(f"{ratio:.2f}" for ratio in ratios))


def measure(runs: int, quick: bool) -> Part:
    """Return a row for each way to look at the database; a trial leaves out the C reader, which takes a minute."""
    try:
        path, go_verify = str(real_city_database()), verifier()
    except (NoVerifier, pytest.skip.Exception) as err:
        raise RuntimeError(str(err)) from err
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    go = Tool("maxminddb-golang 1.8 Verify", (go_verify, path), env)
    go_one = Tool("the same, GOMAXPROCS=1", (go_verify, path), env | {"GOMAXPROCS": "1"})
    ours = [
        Tool(f"hubdata, {threads} thread{'s' * (threads > 1)}", (sys.executable, "-c", PROVE, path, str(threads)), env)
        for threads in (1, 2)
    ]
    figures = measured([go, go_one, *ours], runs)
    best = figures[go.name].whole.wall_s
    one, two = (figures[tool.name].whole.wall_s for tool in ours)
    said = {"one thread": best / one, "two threads": best / two}
    if not quick:
        reader = Tool("maxminddb's C reader, every network", (sys.executable, "-c", ITERATE, path), env)
        run, inside = once(reader)
        figures[reader.name] = Figures((run,), inside)
        said["C reader"] = run.wall_s / one
    rows = tuple(row(name, each, figures[go.name]) for name, each in figures.items())
    return Part("mmdb", tables=(Table(TITLE, HEAD, rows, NOTE),), figures=said, versions=(version(),))


if __name__ == "__main__":
    sys.exit(main(["--only", "mmdb"]))
