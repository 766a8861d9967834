"""Measure hubdata beside the tools in use today, and write the page: `python -m bench [--write] [--only PART]`.

Each part is a process of its own. What it finds is kept outside the repository, so that one part can be measured again
and the page is written from all; a part that fails is named there and loses nobody else's figures. Figures are medians
of whole processes that take turns after a warm-up. Compare ratios, not seconds.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.child import ROOT
from bench.parts import NAMES, run
from bench.peers import cache
from bench.results import load
from bench.tables import scenarios

HERE = Path(__file__).parent
LONGEST_S = 1_500
"""A part that takes longer is stopped, and has failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Return how many parts have failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each tool in each scenario (5)")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="PART", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="a trial: 2 runs, less of everything, kept apart")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and its charts from all kept results")
    parser.add_argument("--kept", action="store_true", help="measure nothing: what is kept is all there is to write")
    parser.add_argument("--out", type=Path, default=HERE, help="where the page is written")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args(argv)
    if wanted.quick and wanted.write and wanted.out == HERE:
        parser.error("a trial is not written beside the code: give --out")
    kept = cache() / ("trial" if wanted.quick else "results")
    runs = 2 if wanted.quick else wanted.runs
    if wanted.inside:
        run(wanted.only[0], runs, wanted.quick, kept)
        return 0
    from bench.page import shown, write

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever stops this stops its parts
    names = () if wanted.kept else tuple(wanted.only or NAMES)
    failed = [name for name in names if not measured(name, runs, wanted.quick, kept)]
    found = load(kept, NAMES)
    for name in names:
        if name in found:
            for table in (*scenarios(found[name]), *found[name].tables):
                print("\n" + "\n\n".join(shown(table, "###")))
    if wanted.write:
        write(found, wanted.out)
    for name in failed:
        print(f"FAILED: {name}", file=sys.stderr)
    return len(failed)


def measured(name: str, runs: int, quick: bool, kept: Path) -> bool:
    """Tell whether a part, run as a process of its own, came to its end."""
    print(f"== {name}", file=sys.stderr, flush=True)
    started = time.monotonic()
    argv = [sys.executable, "-m", "bench", "--inside", "--only", name, "--runs", str(runs), *["--quick"] * quick]
    (kept / f"{name}.json").unlink(missing_ok=True)  # what is on the page afterwards is of this run
    with subprocess.Popen(argv, cwd=ROOT, start_new_session=True) as part:
        try:
            code = part.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            print(f"== {name}: stopped after {LONGEST_S} s", file=sys.stderr)
            code = -1
        finally:
            with suppress(ProcessLookupError):
                os.killpg(part.pid, signal.SIGKILL)  # it, or what it has left behind
    print(f"== {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
