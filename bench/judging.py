"""Measure what judging the whole real tree costs by itself: the CPU of `hubdata validate` after all imports.

A process that has imported everything forks for each run, so that no run has judged anything before. It keeps to one
core, where a run starts no helpers: theirs would be imports again (`python -m bench --only judging`).
"""

import json
import subprocess
import sys
from statistics import median

from bench.__main__ import main
from bench.results import Part, Table
from tests.support.real import SEC_LISTS

TITLE = "The whole real tree, judged"
HEAD = ("tree", "n", "CPU s", "min-max")
NOTE = """\
`hubdata validate` of the tree by its jobs, with every rule and every probe: settings, files and report are counted,
imports are not. On one core: where there are two, a helper judges beside the run, and its own start would be
counted."""

FORKS = """\
import importlib, json, os, pkgutil, resource, sys
import numpy, re2
import hubdata

for module in pkgutil.walk_packages(hubdata.__path__, "hubdata."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ImportError:
            pass  # an extra that is not installed

def spent():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
tree, runs = sys.argv[1], int(sys.argv[2])
for _ in range(runs):
    answer, say = os.pipe()
    if not os.fork():
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.argv = ["hubdata", "validate", "--format", "json", tree]
        began = spent()
        try:
            code = hubdata.cli.main()
        except SystemExit as end:
            code = end.code
        os.write(say, json.dumps([spent() - began, code or 0]).encode())
        os._exit(0)
    os.wait()
    print(os.read(answer, 100).decode())
"""


def seconds(runs: int) -> list[float]:
    """Return the CPU seconds of each run. Raises RuntimeError when the tree is not let pass."""
    argv = [sys.executable, "-c", FORKS, str(SEC_LISTS), str(runs)]
    told = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, cwd=SEC_LISTS).stdout
    found = [json.loads(line) for line in told.splitlines()]
    if len(found) != runs or any(code for _, code in found):
        raise RuntimeError(f"the real tree was not judged, or refused: {found}")
    return [cpu for cpu, _ in found]


def measure(runs: int, quick: bool) -> Part:
    """Return a row for the real tree."""
    found = seconds(1 if quick else max(runs, 9))
    files = [path for path in SEC_LISTS.rglob("*") if path.is_file()]
    what = f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"
    row = (what, str(len(found)), f"{median(found):.3f}", f"{min(found):.3f}-{max(found):.3f}")
    return Part("judging", tables=(Table(TITLE, HEAD, (row,), NOTE),), figures={"tree_cpu_s": median(found)})


if __name__ == "__main__":
    sys.exit(main(["--only", "judging"]))
