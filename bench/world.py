"""A store, near and far, and every tool with a bucket of its own in it."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.peers import Peer, environment, peers
from bench.results import CONNECT_MS, FAR, REQUEST_MS, Measured, Wire
from bench.slow import Slow
from bench.store import Store
from bench.timing import Command, Run, interleaved

HUBDATA = "hubdata"
COLD = "hubdata, cold cache"
"""hubdata without what earlier runs have left in its spool, as in a job that keeps nothing."""

OURS = (HUBDATA, COLD)
TRIED = ".hubdata/store.json"
"""What hubdata found out about a store that is not AWS's. It stays: a first sync is to be one as at AWS, untried."""

SETTINGS = """\
spool = "{spool}"
{jobs}
[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "E2EXAMPLE"
endpoint_url = "{url}"
"""


def hubdata() -> str:
    """Return the command as it is installed."""
    return str(Path(sys.executable).with_name("hubdata"))


@dataclass
class World:
    """One directory that every tool publishes, each into a bucket of its own; hubdata by `flags` and `jobs`.

    `near` is the store's own URL, `far` that of the proxy before it.
    """

    work: Path
    directory: Path
    store: Store
    slow: Slow
    peers: tuple[Peer, ...]
    missing: tuple[str, ...]
    flags: tuple[str, ...] = ()
    verb: tuple[str, ...] = ("sync", "--once")
    jobs: Path | None = None
    excluded: tuple[str, ...] = ()
    failed: list[str] = field(default_factory=list)
    wires: dict[str, list[Wire]] = field(default_factory=dict)

    @property
    def tools(self) -> tuple[str, ...]:
        """Return the names of the tools, hubdata's first."""
        return (HUBDATA, *(peer.name for peer in self.peers))

    @property
    def versions(self) -> tuple[str, ...]:
        """Return which tools were measured."""
        return tuple(dict.fromkeys(peer.version for peer in self.peers))

    def bucket(self, tool: str) -> str:
        """Return the tool's own bucket."""
        return "hubdata" if tool in OURS else tool.replace(" ", "-")

    def spool(self, tool: str) -> Path:
        """Return where hubdata keeps what outlives a run."""
        return self.work / ("spool-cold" if tool == COLD else "spool")

    def empty(self, tool: str) -> None:
        """Have a tool begin from nothing: an empty bucket, and no memory."""
        self.store.empty(self.bucket(tool), TRIED)
        if tool in OURS:
            shutil.rmtree(self.spool(tool), ignore_errors=True)

    def command(self, tool: str, net: str, prepare: Callable[[], object], extra: Sequence[str] = ()) -> Command:
        """Return a tool's sync of the directory into its bucket, counted where it is far."""
        url = self.slow.url if net == FAR else self.store.url

        def before() -> None:
            prepare()
            if tool == COLD:
                shutil.rmtree(self.spool(tool), ignore_errors=True)
            self.slow.counts()

        def after() -> None:
            if net == FAR:
                self.wires.setdefault(tool, []).append(wire(self.slow.counts()))

        if tool in OURS:
            argv: Sequence[str] = (*self._ours(tool, net, url), *extra)
            env = environment()
        else:
            peer = next(one for one in self.peers if one.name == tool)
            argv, env = peer.argv(self.directory, self.bucket(tool), url), environment() | dict(peer.env)
        return Command(tool, argv, env, self.work, before, after)

    def _ours(self, tool: str, net: str, url: str) -> tuple[str, ...]:
        file = self.work / f"{'cold' if tool == COLD else 'kept'}-{'far' if net == FAR else 'near'}.toml"
        jobs = f'jobs = "{self.jobs}"\n' if self.jobs else ""
        file.write_text(SETTINGS.format(spool=self.spool(tool), jobs=jobs, bucket=self.bucket(tool), url=url))
        return (hubdata(), *self.verb, "-c", str(file), *self.flags)

    def measured(
        self,
        scenario: str,
        net: str,
        runs: int,
        prepare: Callable[[str], object],
        tools: Sequence[str] = (),
        *,
        warm_up: bool = True,
    ) -> list[Measured]:
        """Return what each tool takes, in turn; `prepare` is told whose turn it is."""
        self.wires.clear()
        commands = [self.command(tool, net, partial(prepare, tool)) for tool in tools or self.tools]
        failed: dict[str, str] = {}
        found = interleaved(commands, runs, warm_up=warm_up, failed=failed)
        for why in failed.values():
            self.failed.append(f"{scenario} ({net}): {why}")
            print(f"NOT MEASURED: {self.failed[-1]}", file=sys.stderr, flush=True)
        for tool, each in found.items():
            print(f"  {scenario} ({net}): {tool} {said(each)}", file=sys.stderr, flush=True)
        return [
            Measured(scenario, net, tool, tuple(each), self.wires[tool][-1] if tool in self.wires else None)
            for tool, each in found.items()
        ]


def said(runs: Sequence[Run]) -> str:
    """Return the runs in a few words, for whoever waits."""
    walls = sorted(run.wall_s for run in runs)
    cpu = sorted(run.cpu_s for run in runs)[len(runs) // 2]
    return f"wall {walls[len(walls) // 2]:.3f} s ({walls[0]:.3f}-{walls[-1]:.3f}), cpu {cpu:.3f} s"


def wire(counts: dict[str, Any]) -> Wire:
    """Return what a proxy has counted."""
    return Wire(counts["requests"], counts["up"], counts["down"], counts["connections"])


@contextmanager
def world(request_ms: float = REQUEST_MS, connect_ms: float = CONNECT_MS) -> Iterator[World]:
    """Give a world with nothing in it: its directory is to be filled."""
    found, missing = peers()
    with TemporaryDirectory(prefix="hubdata-bench-") as work, Store() as store:
        for name in ("hubdata", *(peer.name.replace(" ", "-") for peer in found)):
            store.empty(name)
        with Slow(store.url, request_ms, connect_ms) as slow:
            yield World(Path(work), Path(work) / "checkout", store, slow, found, missing)


def lay(tree: Path, into: Path) -> None:
    """Lay a tree anew, as a clone does: every file is another, of now. Workflows stay out: nobody publishes them."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(tree, into, ignore=shutil.ignore_patterns(".git*"), copy_function=shutil.copyfile)
