"""Measure how fast two real City databases, of 2019 and 2026, are compared (`python -m bench --only geoip-diff`).

All are whole processes in turn; `in process` leaves out the start of the interpreter, the imports, and opening files.
The whole command proves both databases first.
"""

import os
import sys

import pytest

from bench.__main__ import main
from bench.mmdb import Tool, measured
from bench.results import Part, Table
from bench.tables import CELLS, cells
from tests.support.big_mmdb import old_city_database, real_city_database

DIFF = """\
import mmap, sys, time
from hubdata.mmdb.difference import difference
from hubdata.mmdb.layout import read_layout
import numpy
with open(sys.argv[1], "rb") as old, open(sys.argv[2], "rb") as new:
    bodies = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in (old, new)]
    started = time.perf_counter()
    assert difference(*map(read_layout, bodies), threads=int(sys.argv[3])).movements
    print(f"{time.perf_counter() - started:.4f}", file=sys.stderr)
"""

COMMAND = """\
import subprocess, sys, time
started = time.perf_counter()
subprocess.run([sys.executable, "-m", "hubdata", "geoip", "diff", *sys.argv[1:], "--format", "json"], check=True)
print(f"{time.perf_counter() - started:.4f}", file=sys.stderr)
"""

TITLE = "Two 60 MB databases compared, of 2019 and 2026"
HEAD = ("", *CELLS, "in process s")
NOTE = """\
No other tool compares two databases by address space: the slow way is to look up every network of both with the C
reader, of which reading one database once is a third (it is in the table above)."""
COMMAND_NAME = "`hubdata geoip diff`, with the proof of both"


def measure(runs: int, quick: bool) -> Part:
    """Return a row for each way to compare."""
    del quick
    try:
        old, new = str(old_city_database()), str(real_city_database())
    except pytest.skip.Exception as err:
        raise RuntimeError(str(err)) from err
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    tools = [
        Tool(f"difference, {count} thread{'s' * (count > 1)}", (sys.executable, "-c", DIFF, old, new, str(count)), env)
        for count in (1, 2)
    ]
    tools.append(Tool(COMMAND_NAME, (sys.executable, "-c", COMMAND, old, new), env))
    found = measured(tools, runs)
    rows = tuple((name, *cells(each.runs), f"{each.inside_s:.2f}") for name, each in found.items())
    figures = {"command": found[COMMAND_NAME].whole.wall_s}
    return Part("geoip-diff", tables=(Table(TITLE, HEAD, rows, NOTE),), figures=figures)


if __name__ == "__main__":
    sys.exit(main(["--only", "geoip-diff"]))
