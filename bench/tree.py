"""The real tree of lists, patterns and rule sets: first sync, nothing to do, one file changed; near and far."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from bench.results import FAR, LOOPBACK, Measured, Part
from bench.timing import once
from bench.world import COLD, HUBDATA, World, lay, world
from tests.support.real import SEC_LISTS

FLAGS = ("--job", "allowlists", "--job", "web-patterns", "--job", "appsec")
FIRST, SAME, FRESH, ONE = "first sync", "no-op, same checkout", "no-op, fresh clone", "one file changed, fresh clone"
ONE_FILE = "whitelists/benign_bots/search_engine_crawlers/rdns_seo_bots.txt"


def measure(runs: int, quick: bool) -> Part:
    """Return the figures of every scenario on both networks."""
    found: list[Measured] = []
    with world() as here:
        here.flags = (*FLAGS, "--checkout", str(here.directory))
        for net in (FAR,) if quick else (LOOPBACK, FAR):
            for scenario, prepare in steps(here).items():
                if scenario == SAME:
                    age(here.directory)
                tools = here.tools if scenario in (FIRST, SAME) else (COLD, *here.tools)
                found += here.measured(scenario, net, runs, prepare, tools)
        figures = written(here)
        missing = (*here.missing, *here.failed)
        return Part("sync", tuple(found), figures=figures, versions=here.versions, missing=missing)


def written(here: World) -> dict[str, float]:
    """Return how many objects of the tree, and how many of hubdata's own, one changed file has it write."""
    prepare = steps(here)[ONE]
    before = here.store.told(here.bucket(HUBDATA))
    # A counter that begins anew would make a file that was published before, which is as good a change.
    once(here.command(HUBDATA, LOOPBACK, lambda: prepare(HUBDATA)))
    after = here.store.told(here.bucket(HUBDATA))
    changed = {key for key in after if after[key] != before.get(key)}
    data = {key for key in changed if (here.directory / key).is_file()}
    return {"data_puts": len(data), "own_puts": len(changed - data)}


def age(directory: Path, seconds: float = 60) -> None:
    """Make every file a minute old: older than the objects that the next sync makes of it, in whole seconds, too."""
    past = time.time() - seconds
    for path in directory.rglob("*"):
        if path.is_file():
            os.utime(path, (past, past))


def steps(here: World) -> dict[str, Callable[[str], None]]:
    """Return what stands before each run of each scenario."""
    changes = 0

    def first(tool: str) -> None:
        fresh(tool)
        here.empty(tool)

    def same(_: str) -> None:
        """Stand as the last sync left everything."""

    def fresh(_: str) -> None:
        lay(SEC_LISTS, here.directory)
        changed_file(changes)

    def one(tool: str) -> None:
        nonlocal changes
        changes += 1
        fresh(tool)

    def changed_file(number: int) -> None:
        if number:
            with (here.directory / ONE_FILE).open("a") as file:
                file.write(f"# changed {number}\n")

    return {FIRST: first, SAME: same, FRESH: fresh, ONE: one}
