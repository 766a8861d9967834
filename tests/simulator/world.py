"""One small world for whole runs: jobs on scripted sources, targets with a CDN before each, and runs by number."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from hubdata import pipeline
from hubdata.errors import TargetError
from hubdata.model.event import Event
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.manifest import Manifest
from hubdata.model.run import RunResult
from hubdata.ports import Kind
from hubdata.publishing.pages import KEYS
from hubdata.publishing.paging import Pager
from hubdata.publishing.sealing import Sealer
from hubdata.running.gating import Gatekeeper
from hubdata.running.promoting import Feeder
from hubdata.running.reading import Feed
from hubdata.running.visiting import Orders, Place
from tests.simulator.cdn import MemoryCdn, PricedCdn
from tests.simulator.clock import SettableClock
from tests.simulator.source import ScriptedSource, TextKind
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import Wire


class Events:
    """Implements `hubdata.ports.Reporter` by remembering."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def emit(self, event: Event) -> None:
        """Remember `event`."""
        self.seen.append(event)

    def names(self) -> list[str]:
        """Return the names of all events so far."""
        return [event.name for event in self.seen]


def text_job(name: str, match: str = "**") -> Job:
    """Return a job that publishes every file that `match` names as text."""
    return Job(name, SourceSpec("scripted", {"of": name}), (FileRule(match, "text"),))


def covers(paths: Collection[str], key: str) -> bool:
    """Tell whether one of `paths` names `key`, or a directory that it lies in."""
    return any(path == f"/{key}" or (path.endswith("*") and f"/{key}".startswith(path[:-1])) for path in paths)


@dataclass
class World:
    """Everything outside one process. `places` share one wire, so that order can be told across them."""

    spool: Path
    wire: Wire = field(default_factory=Wire)
    clock: SettableClock = field(default_factory=SettableClock)
    jobs: dict[str, Job] = field(default_factory=dict)
    sources: dict[str, ScriptedSource] = field(default_factory=dict)
    targets: dict[str, MemoryTarget] = field(default_factory=dict)
    cdns: dict[str, MemoryCdn] = field(default_factory=dict)
    events: Events = field(default_factory=Events)
    kind: Kind = field(default_factory=TextKind)
    soaks: dict[str, tuple[str, timedelta]] = field(default_factory=dict)
    gates: dict[str, Gatekeeper] = field(default_factory=dict)
    runs: int = 0
    sealer: Sealer | None = None
    pager: Pager | None = None

    def add_target(
        self, name: str = "memory", *, concurrency: int = 1, silent_cdn: bool = False, priced_cdn: bool = False
    ) -> MemoryTarget:
        """Add a target with a CDN before it, which may charge by the path."""
        self.targets[name] = MemoryTarget(self.wire, name, concurrency=concurrency, clock=self.clock)
        cdn = f"cdn-{name}"
        self.cdns[name] = PricedCdn(self.wire, name=cdn) if priced_cdn else MemoryCdn(self.wire, cdn, silent=silent_cdn)
        return self.targets[name]

    def add_stage(self, name: str, *, after: str, soak: timedelta) -> MemoryTarget:
        """Add a target that gets what has soaked at another one."""
        self.soaks[name] = (after, soak)
        return self.add_target(name)

    def add_job(self, job: Job, files: Mapping[str, bytes] | None = None) -> ScriptedSource:
        """Add a job with a source and a spool of its own."""
        self.jobs[job.name] = job
        spool = self.spool / job.name
        spool.mkdir(exist_ok=True)
        self.sources[job.name] = ScriptedSource(spool, dict(files or {}))
        return self.sources[job.name]

    def change_job(self, name: str, **changes: object) -> None:
        """Change fields of a job."""
        self.jobs[name] = replace(self.jobs[name], **changes)  # type: ignore[arg-type]

    def run(
        self, orders: Orders | None = None, *, only: str | None = None, at: Collection[str] | None = None
    ) -> RunResult:
        """Run every job (or `only` one) at every target (or those named in `at`), under the next run id."""
        self.runs += 1
        feeds = tuple(
            Feed(self.sources[name], (job,), frozenset({name}), again=partial(self.sources.__getitem__, name))
            for name, job in self.jobs.items()
            if only in (None, name)
        )
        places = tuple(self._place(name) for name in self.targets if at is None or name in at)
        return pipeline.run(
            feeds,
            places,
            lambda _: self.kind,
            orders or Orders(),
            run_id=f"run{self.runs}",
            clock=self.clock,
            reporter=self.events,
            others=tuple(job for name, job in self.jobs.items() if only not in (None, name)),
        )

    def _place(self, name: str) -> Place:
        feeder = None
        if name in self.soaks:
            after, soak = self.soaks[name]
            feeder = Feeder(self.targets[after], soak, lambda: Path(mkdtemp(dir=self.spool)))
        target, cdn = self.targets[name], self.cdns[name]
        return Place(target, cdn, gate=self.gates.get(name), sealer=self.sealer, feeder=feeder, pager=self.pager)

    def manifest(self, target: str = "memory") -> Manifest:
        """Return the manifest in force."""
        body = self.targets[target].body("manifest.json")
        return Manifest() if body is None else Manifest.from_bytes(body)

    def garbled(self, target: str) -> bool:
        """Tell whether what lies there for a manifest is none."""
        try:
            self.manifest(target)
        except TargetError:
            return True
        return False

    def untold(self, target: str = "memory") -> set[str]:
        """Return the keys that changed at `target` and whose path its CDN was not told to forget afterwards.

        Of the status page no CDN is told: caches keep it for a minute.
        """
        waiting: set[str] = set()
        for effect in self.wire.effects:
            call = effect.call
            if call.actor == target and call.key not in KEYS and not call.key.startswith(".hubdata/"):
                waiting.add(call.key)
            elif call.actor == f"cdn-{target}":
                waiting -= {key for key in waiting if covers(effect.paths, key)}
        return waiting

    def sound(self, target: str = "memory") -> None:
        """Assert what must hold whenever nothing runs: every listed file is in place, as those very bytes."""
        for key, entry in self.manifest(target).files.items():
            body = self.targets[target].body(key)
            assert body is not None, f"{key} is in the manifest but not in the store"
            assert (hashlib.sha256(body).hexdigest(), len(body)) == (entry.sha256, entry.size), key
