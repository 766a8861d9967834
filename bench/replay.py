"""Sixty commits, one after the other: what each tool takes to publish them, and what engines then download again.

After each commit every tool syncs the same fresh clone into its bucket, as a CI job does; then an engine polls each
bucket. The first download of everything is not counted. An engine has the files that hubdata publishes: what belongs to
the repository alone (its README, say) is in no hub item.
"""

import statistics
import sys
import time

from bench.commits import COUNT, Master, history
from bench.fleet import ENGINES, Engine, ratio, terabytes
from bench.results import FAR, Measured, Part, Table
from bench.timing import Run, once
from bench.tree import FLAGS
from bench.world import HUBDATA, World, lay, world
from tests.support.real import SEC_LISTS

SCENARIO = f"replay of {COUNT} commits, each a fresh clone"
INCUMBENT = "aws"
SHORT = 8


def measure(runs: int, quick: bool) -> Part:
    """Return what the tools took, and what engines downloaded. It is one replay: each commit is a run."""
    del runs
    with world() as here:
        here.flags = (*FLAGS, "--checkout", str(here.directory))
        return Replay(here).run(SHORT if quick else COUNT)


class Replay:
    """One replay at one world."""

    def __init__(self, here: World) -> None:
        self._here = here
        self._tools = tuple(tool for tool in here.tools if tool != "rclone")
        self._master = Master(here.work / "master")
        self._engines = {tool: Engine(here.store.url, here.bucket(tool)) for tool in self._tools}
        self._runs: dict[str, list[Run]] = {tool: [] for tool in self._tools}
        self._bytes: dict[str, list[int]] = {tool: [] for tool in self._tools}
        self._trouble: list[str] = []

    def run(self, count: int) -> Part:
        """Return what `count` commits come to."""
        lay(SEC_LISTS, self._master.tree)
        self._publish("the first sync")
        self._poll()
        self._bytes = {tool: [] for tool in self._tools}
        self._runs = {tool: [] for tool in self._tools}
        self._here.wires.clear()
        files = []
        for number, commit in enumerate(history()[:count]):
            files.append(self._master.commit(commit))
            self._publish(f"commit {number + 1}, {commit.told}")
            self._poll()
            if number % 10 == 9:
                print(f"  {number + 1} commits", file=sys.stderr, flush=True)
        return self._part(files)

    def _publish(self, told: str) -> None:
        _next_second()
        lay(self._master.tree, self._here.directory)
        for tool in self._tools:
            try:
                self._runs[tool].append(once(self._here.command(tool, FAR, lambda: None)))
            except RuntimeError as err:
                self._trouble.append(f"{told}: {err}")
                print(f"NOT PUBLISHED: {self._trouble[-1]}", file=sys.stderr, flush=True)

    def _poll(self) -> None:
        published = self._here.store.told(self._here.bucket(HUBDATA))
        keys = sorted(key for key in published if (self._master.tree / key).is_file())
        for tool, engine in self._engines.items():
            self._bytes[tool].append(engine.poll(keys))

    def _part(self, files: list[int]) -> Part:
        here = self._here
        for tool, engine in self._engines.items():
            if engine.held != self._engines[HUBDATA].held:
                self._trouble.append(f"engines of {tool} and of {HUBDATA} do not end with the same files")
        measured = [
            Measured(SCENARIO, FAR, tool, tuple(runs), here.wires[tool][-1])
            for tool, runs in self._runs.items()
            if runs
        ]
        return Part(
            "replay",
            tuple(measured),
            tables=(self._times(files), self._fleet(len(files))),
            figures={"fleet_ratio": ratio(self._bytes[INCUMBENT], self._bytes[HUBDATA])},
            versions=here.versions,
            missing=(*here.missing, *here.failed, *self._trouble),
        )

    def _times(self, files: list[int]) -> Table:
        rows = []
        for tool, runs in self._runs.items():
            wires = self._here.wires[tool]
            rows.append(
                (
                    tool,
                    f"{sum(run.wall_s for run in runs):.1f}",
                    f"{sum(run.cpu_s for run in runs):.1f}",
                    f"{statistics.median(run.wall_s for run in runs):.3f}",
                    f"{sum(wire.count for wire in wires):,}",
                    f"{sum(wire.requests.get('PUT', 0) for wire in wires):,}",
                    f"{sum(wire.up for wire in wires) / 1e6:.1f}",
                )
            )
        note = (
            f"{len(files)} commits; files changed by each: median {statistics.median(files):.0f}, most {max(files)}, "
            f"{files.count(0)} none. hubdata's puts are data, manifest, status page and its own records."
        )
        head = ("tool", "wall s in all", "CPU s in all", "wall s a commit", "requests", "PUT", "MB up")
        return Table(f"The whole replay, {FAR}", head, tuple(rows), note)

    def _fleet(self, commits: int) -> Table:
        rows = []
        for tool, got in self._bytes.items():
            less = ratio(self._bytes[INCUMBENT], got)
            rows.append(
                (
                    tool,
                    f"{sum(got) / commits:,.0f}",
                    f"{statistics.median(got):,.0f}",
                    f"{sum(got):,}",
                    f"{less:.1f}",
                    f"{terabytes(sum(got) / commits):.4f}",
                    f"{terabytes(sum(got)):.3f}",
                )
            )
        amounts = ("bytes a commit", "median", "bytes in all")
        head = ("published by", *amounts, "times less than aws", "TB a commit", "TB in all")
        note = (
            f"What one engine downloads again, bodies only; TB are for {ENGINES:,} engines. Assumed: each engine has "
            "every published file and polls between any two commits; an engine that polls more seldom downloads less "
            "of both. Every engine asks HEAD for every file at each poll, whoever publishes."
        )
        return Table("What the fleet downloads again", head, tuple(rows), note)


def _next_second() -> None:
    """Wait: Last-Modified has whole seconds, and what is put next must be later than what engines have."""
    time.sleep(1.01 - time.time() % 1)
