"""Measure how fast two real City databases, of 2019 and 2026, are compared, beside reading every network of one.

`python -m bench.geoip_diff [--runs N] [--write]` prints a Markdown table, and writes it to bench/RESULTS-geoip-diff.md.
All are whole processes in turn; `in process` leaves out the start of the interpreter, the imports, and opening files.
The whole command proves both databases first. There is no other tool that compares two databases by address space:
the slow way is to look up every network of both with the C reader, of which one reading of one database is a third.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import pytest

from bench.mmdb import ITERATE, Figures, Tool, measured, once
from tests.support.big_mmdb import old_city_database, real_city_database

RESULTS = Path(__file__).with_name("RESULTS-geoip-diff.md")

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

HEAD = """\
| | wall s | CPU s | in process s | peak MB |
|---|---|---|---|---|"""


def row(name: str, it: Figures) -> str:
    """Return one line of the table."""
    return f"| {name} | {it.whole.wall_s:.2f} | {it.whole.cpu_s:.2f} | {it.inside_s:.2f} | {it.whole.peak_mb:.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.geoip_diff")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-c", action="store_true", help="leave out the C reader, which takes most of the time")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.parent.name}/{RESULTS.name}")
    wanted = parser.parse_args()
    try:
        old, new = str(old_city_database()), str(real_city_database())
    except pytest.skip.Exception as err:
        sys.exit(f"NOT MEASURED: {err}")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    tools = [
        Tool(f"difference, {count} thread{'s' * (count > 1)}", (sys.executable, "-c", DIFF, old, new, str(count)), env)
        for count in (1, 2)
    ]
    tools.append(Tool("`hubdata geoip diff`, with the proof of both", (sys.executable, "-c", COMMAND, old, new), env))
    intro = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} at the start; "
        f"Python {python_version()}; {' and '.join(f'{Path(p).stat().st_size / 1e6:.0f} MB' for p in (old, new))}.\n"
        f"Medians of {wanted.runs} whole processes in turn after a warm-up; the C reader once."
    )
    print(f"{intro}\n\n{HEAD}")
    rows = [row(name, each) for name, each in measured(tools, wanted.runs).items()]
    print("\n".join(rows), flush=True)
    if not wanted.no_c:
        slow = Tool("maxminddb's C reader, every network of one", (sys.executable, "-c", ITERATE, new), env)
        rows.append(row(slow.name, Figures(*once(slow))))
        print(rows[-1])
    if wanted.write:
        table = "\n".join([HEAD, *rows])
        RESULTS.write_text(f"# Comparing two GeoIP databases\n\n{intro}\n\n{table}\n\n{__doc__ or ''}")


if __name__ == "__main__":
    main()
