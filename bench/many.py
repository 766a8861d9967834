"""10,000 and 100,000 small valid lists: nothing to do, and one in a hundred changed.

Buckets are filled directly with what a first sync of the tool would put there; hubdata's first run then finds the
objects, knows them by their digests, and writes its manifest. The peers run without further options but rclone, which
would ask for every object's metadata, a request each: only the tuned one is measured.
"""

import os
import time
from pathlib import Path

from bench.results import LOOPBACK, Measured, Part, Wire
from bench.slow import Slow
from bench.timing import Run, median, once
from bench.world import HUBDATA, World, wire, world

SIZES = (10_000, 100_000)
A_DIRECTORY = 1_000
HEADS = (3, 5, 8, 23, 31, 45, 62, 77, 93, 104, 138, 151, 176, 185, 194, 212)
NOTHING, SOME = "{:,} files, no-op, same checkout", "{:,} files, 1 % changed"
FIRST = "{:,} files, first run (all objects there, no manifest)"
JOB = """\
[source]
type = "directory"
path = "{path}"

[[files]]
match = "lists/*/*.txt"
kind = "cidr"
limits = {{ min_entries = 1, max_change = 1.0, floor_entries = 25 }}
"""


def lines(number: int, edition: int = 0) -> str:
    """Return list `number`, of a network or two: each later edition has another second line."""
    head, rest = HEADS[number % 16], number // 16
    rows = [f"{head}.{rest // 256 % 256}.{rest % 256}.0/24"]
    rows += [f"{head}.{200 + edition % 50}.{number % 256}.0/24"] * (edition > 0)
    return "".join(f"{row}\n" for row in rows)


def path_of(directory: Path, number: int) -> Path:
    """Return where list `number` lies."""
    return directory / "lists" / f"{number // A_DIRECTORY:03}" / f"{number:06}.txt"


def generate(directory: Path, count: int) -> None:
    """Write all lists, an hour old."""
    past = time.time() - 3600
    for number in range(count):
        path = path_of(directory, number)
        if number % A_DIRECTORY == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines(number))
        os.utime(path, (past, past))


def measure(runs: int, quick: bool) -> Part:
    """Return the figures of both sizes."""
    found: list[Measured] = []
    missing: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    for count in SIZES[:1] if quick else SIZES:
        with world() as here:
            found += _measured(here, count, runs if count < 100_000 else min(runs, 3))
            missing, versions = tuple(dict.fromkeys((*missing, *here.missing, *here.failed))), here.versions
    return Part("many", tuple(found), versions=versions, missing=missing, figures=_figures(found))


def _measured(here: World, count: int, runs: int) -> list[Measured]:
    generate(here.directory, count)
    here.jobs = here.work / "jobs"
    here.jobs.mkdir()
    (here.jobs / "lists.toml").write_text(JOB.format(path=here.directory))
    tools = tuple(tool for tool in here.tools if tool != "rclone")
    for tool in tools:
        here.store.fill(here.bucket(tool), here.directory)
    edition = 0

    def same(_: str) -> None:
        """Stand as the last sync left everything, all of it in memory: rclone has the kernel forget what it reads."""
        for number in range(count):
            path_of(here.directory, number).read_bytes()

    def some(tool: str) -> None:
        nonlocal edition
        same(tool)
        edition += 1
        for number in range(0, count, 100):
            path_of(here.directory, number).write_text(lines(number, edition))

    found = here.measured(FIRST.format(count), LOOPBACK, 1, same, (HUBDATA,), warm_up=False)
    for scenario, prepare in {NOTHING: same, SOME: some}.items():
        each = here.measured(scenario.format(count), LOOPBACK, runs, prepare, tools, warm_up=scenario == NOTHING)
        for one in each:
            prepare(one.tool)
            found.append(_counted(here, one))
    return found


def _counted(here: World, one: Measured) -> Measured:
    """Return the figures with what passed in one more run, which is not timed, through a proxy that adds nothing."""
    near = here.slow
    with Slow(here.store.url) as counter:
        here.slow, here.store.url, url = counter, counter.url, here.store.url
        try:
            once(here.command(one.tool, LOOPBACK, lambda: None))
            counted: Wire | None = wire(counter.counts())
        except RuntimeError as err:
            here.failed.append(f"{one.scenario}: requests could not be counted: {err}")
            counted = None
        finally:
            here.slow, here.store.url = near, url
    return Measured(one.scenario, one.net, one.tool, one.runs, counted)


def _figures(found: list[Measured]) -> dict[str, float]:
    """Return how hubdata's no-op grows from the smaller to the larger size, and its memory."""
    ours: dict[str, Run] = {one.scenario: median(one.runs) for one in found if one.tool == HUBDATA}
    small, large = (NOTHING.format(count) for count in SIZES)
    if small not in ours or large not in ours:
        return {}
    growth = ours[large].wall_s / ours[small].wall_s
    return {"growth": growth, "peak_mb": ours[large].peak_mb}
