"""Where the time of our own runs goes: imports, functions, and the bare minimum that any Python tool pays.

Two runs on the real tree on loopback, from a fresh clone: nothing to do, and one file changed. cProfile follows the
main thread alone, so what threads do beside it appears as waiting; it doubles the time of small functions. Read shares.
"""

import pstats
import re
import subprocess
import sys
from pathlib import Path

from bench.peers import environment
from bench.results import LOOPBACK, Part, Table
from bench.timing import Command, once
from bench.tree import FLAGS, FRESH, ONE, steps
from bench.world import HUBDATA, World, world

TOP = 15
_IMPORTED = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)$")


def measure(runs: int, quick: bool) -> Part:
    """Return the slowest imports and functions of both runs."""
    del runs, quick
    tables: list[Table] = []
    with world() as here:
        here.flags = (*FLAGS, "--checkout", str(here.directory))
        prepare = steps(here)
        prepare[FRESH](HUBDATA)
        command = here.command(HUBDATA, LOOPBACK, lambda: None)
        once(command)
        for scenario in (FRESH, ONE):
            prepare[scenario](HUBDATA)
            tables.append(_imports(scenario, command))
            prepare[scenario](HUBDATA)
            tables.append(_functions(scenario, command, here))
    return Part("profile", tables=tuple(tables))


def _imports(scenario: str, command: Command) -> Table:
    argv = [sys.executable, "-X", "importtime", *command.argv]
    done = subprocess.run(argv, env=environment(), cwd=command.cwd, capture_output=True, text=True, check=True)
    costs = slowest(done.stderr)
    rows = tuple((name, f"{total / 1000:.1f}", f"{own / 1000:.1f}") for name, total, own in costs[:TOP])
    whole = sum(own for _, _, own in costs)
    title = f"Imports of a run: {scenario}"
    note = f"{len(costs)} modules, {whole / 1000:.0f} ms in all, as `-X importtime` slows them down."
    return Table(title, ("module", "ms with what it imports", "ms alone"), rows, note)


def slowest(said: str) -> list[tuple[str, int, int]]:
    """Return modules by what their import took in all: name, microseconds with what they import, alone."""
    found = [match for line in said.splitlines() if (match := _IMPORTED.match(line))]
    return sorted(((m[4], int(m[2]), int(m[1])) for m in found), key=lambda row: -row[1])


def _functions(scenario: str, command: Command, here: World) -> Table:
    file = here.work / "profile"
    argv = [sys.executable, "-m", "cProfile", "-o", str(file), *command.argv]
    subprocess.run(argv, env=environment(), cwd=command.cwd, capture_output=True, check=True)
    stats = pstats.Stats(str(file))
    costs: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = stats.stats  # type: ignore[attr-defined]
    by_own = sorted(costs.items(), key=lambda item: -item[1][2])[:TOP]
    rows = tuple(
        (f"`{_place(where)}`", f"{calls:,}", f"{1000 * own:.1f}", f"{1000 * total:.1f}")
        for where, (_, calls, own, total, _) in by_own
    )
    head = ("function", "calls", "ms alone", "ms with what it calls")
    whole: float = stats.total_tt  # type: ignore[attr-defined]
    return Table(f"Functions of a run: {scenario}", head, rows, f"The main thread, {1000 * whole:.0f} ms as profiled.")


def _place(where: tuple[str, int, str]) -> str:
    """Return a function's name without the machine's directories."""
    file, line, name = where
    if file == "~":
        return name
    parts = Path(file).parts
    for root in ("site-packages", "hubdata"):
        if root in parts:
            last = len(parts) - 1 - parts[::-1].index(root)
            parts = parts[last + (root == "site-packages") :]
            break
    else:
        parts = parts[-2:]
    return f"{'/'.join(parts)}:{line} {name}"
