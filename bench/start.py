"""What every tool pays before it does anything: the start of its process."""

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peers import environment, peers
from bench.results import FAR, LOOPBACK, Measured, Part, Table
from bench.tables import CELLS, cells, wall
from bench.timing import Command, interleaved, median
from bench.tree import FLAGS
from bench.world import HUBDATA, hubdata, lay, world
from tests.support.real import SEC_LISTS

VERSION = "hubdata --version"
PLAN = "hubdata plan, unchanged tree, fresh clone"
TITLE = "Before anything is done"
HEAD = ("process", *CELLS)
NOTE = "Whole processes, with compiled modules in place. `import boto3` is what many Python tools begin with."


def measure(runs: int, quick: bool) -> Part:
    """Return what starting costs, and a plan of an unchanged tree, near and far."""
    del quick
    found, missing = peers()
    quiet = Path("/")
    argvs: dict[str, Sequence[str]] = {
        "python -c pass": (sys.executable, "-c", "pass"),
        "python -c 'import boto3'": (sys.executable, "-c", "import boto3"),
        VERSION: (hubdata(), "--version"),
        "hubdata sync --help": (hubdata(), "sync", "--help"),
    }
    for peer in found:
        command = peer.argv(quiet, "", "")[0]
        argvs.setdefault(f"{peer.name.split()[0]} version", (command, "--version" if peer.name == "aws" else "version"))
    commands = [Command(name, argv, environment(), quiet, lambda: None) for name, argv in argvs.items()]
    timed = interleaved(commands, max(runs, 2 * runs - 1))
    rows = tuple((name, *cells(each)) for name, each in timed.items())
    plans = tuple(_plan(runs))
    near, far = (wall(one) for one in plans)
    return Part(
        "start",
        plans,
        tables=(Table(TITLE, HEAD, rows, NOTE),),
        figures={"version_s": median(timed[VERSION]).wall_s, "plan_distance_s": far - near},
        missing=missing,
    )


def _plan(runs: int) -> list[Measured]:
    """Return what `hubdata plan` takes on a tree that is published already, near and far."""
    with world() as here:
        here.flags = (*FLAGS, "--checkout", str(here.directory))
        lay(SEC_LISTS, here.directory)
        here.measured("first", FAR, 1, lambda _: None, (HUBDATA,), warm_up=False)
        here.verb = ("plan",)
        return [
            one
            for net in (LOOPBACK, FAR)
            for one in here.measured(PLAN, net, runs, lambda _: lay(SEC_LISTS, here.directory), (HUBDATA,))
        ]
