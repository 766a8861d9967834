"""Measure the proof of a real GeoLite2-City beside the reference verifier and the C reader.

`python -m bench.mmdb [--runs N] [--no-c] [--write]` prints a Markdown table, and writes it to bench/RESULTS-mmdb.md.
All are whole processes in turn, on the same file; `in process` leaves out the start of the interpreter, the imports,
and reading the file. The C reader proves nothing: it is what a check by reading every network would cost, once.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import pytest

from bench.timing import Run, median
from tests.support.big_mmdb import real_city_database
from tests.support.go_oracle import version
from tests.support.go_verifier import NoVerifier, verifier

RESULTS = Path(__file__).with_name("RESULTS-mmdb.md")

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

HEAD = """\
| | wall s | Go / it | CPU s | in process s | Go / it | peak MB |
|---|---|---|---|---|---|---|"""

NOTES = """\
What bounds what, of 0.86 s of CPU in process: structure 0.40 s (pointers 0.14, text 0.05), the tree 0.19, containers
0.09, finding the fields 0.08, what the tree points to 0.07; start-up and numpy's import are 0.15 s besides. Two threads
share all but the containers, and gain only where a second core is free: with both cores to itself (real-time priority,
same machine and file) the whole process takes 1.09 s on one thread and 0.76 s on two, Go's 4.88 s: 4.5 and 6.4 times
less. The C reader's run is mostly CPU, 51 s of it.
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A way to look at a whole database; it says on its error stream how many seconds that took."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians of a tool's runs."""

    whole: Run
    inside_s: float


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
        name: Figures(median([run for run, _ in each]), statistics.median(inside for _, inside in each))
        for name, each in found.items()
    }


def row(name: str, it: Figures, go: Figures) -> str:
    """Return one line of the table."""
    whole = f"{it.whole.wall_s:.2f} | {go.whole.wall_s / it.whole.wall_s:.2f} | {it.whole.cpu_s:.2f}"
    return f"| {name} | {whole} | {it.inside_s:.2f} | {go.inside_s / it.inside_s:.2f} | {it.whole.peak_mb:.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.mmdb")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-c", action="store_true", help="leave out the C reader, which takes most of the time")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.parent.name}/{RESULTS.name}")
    wanted = parser.parse_args()
    try:
        path, go_verify = str(real_city_database()), verifier()
    except (NoVerifier, pytest.skip.Exception) as err:
        sys.exit(f"NOT MEASURED: {err}")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    go = Tool("maxminddb-golang 1.8 Verify", (go_verify, path), env)
    go_one = Tool("the same, GOMAXPROCS=1", (go_verify, path), env | {"GOMAXPROCS": "1"})
    ours = [
        Tool(f"hubdata, {threads} thread{'s' * (threads > 1)}", (sys.executable, "-c", PROVE, path, str(threads)), env)
        for threads in (1, 2)
    ]
    intro = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} at the start; "
        f"Python {python_version()}, {version()}; {Path(path).name}, {Path(path).stat().st_size / 1e6:.0f} MB.\n"
        f"Medians of {wanted.runs} whole processes in turn after a warm-up; the C reader once."
    )
    print(f"{intro}\n\n{HEAD}")
    figures = measured([go, go_one, *ours], wanted.runs)
    rows = [row(name, each, figures[go.name]) for name, each in figures.items()]
    print("\n".join(rows), flush=True)
    if not wanted.no_c:
        name = "maxminddb's C reader, every network"
        rows.append(row(name, Figures(*once(Tool(name, (sys.executable, "-c", ITERATE, path), env))), figures[go.name]))
        print(rows[-1])
    if wanted.write:
        table = "\n".join([HEAD, *rows])
        RESULTS.write_text(
            f"# The proof of a database beside its verifiers\n\n`python -m bench.mmdb --write`. {intro}\n\n{table}\n"
        )


if __name__ == "__main__":
    main()
