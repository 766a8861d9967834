"""A bench to try publishing on: a store and a CDN in memory, and runs by number."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hubdata.errors import Conflict
from hubdata.model.lease import KEY as LEASE
from hubdata.model.lease import Lease, Terms
from hubdata.model.manifest import Manifest
from hubdata.model.receipt import Applied
from hubdata.model.snapshot import Snapshot
from hubdata.planning.diff import diff
from hubdata.publishing import ledger
from hubdata.publishing.apply import Work, apply
from hubdata.publishing.lease import Held
from hubdata.publishing.resuming import Resumed, resume
from hubdata.publishing.survey import Survey, survey
from tests.simulator.cdn import MemoryCdn
from tests.simulator.clock import START
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import When, Wire
from tests.simulator.world import Events
from tests.unit.planning.samples import artifact


@dataclass
class Bench:
    """A store, a CDN, and applies by number."""

    spool: Path
    wire: Wire = field(default_factory=Wire)
    events: Events = field(default_factory=Events)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.store = MemoryTarget(self.wire)
        self.cdn: MemoryCdn = MemoryCdn(self.wire)

    def work(self, found: Survey, files: Mapping[str, bytes], *, job: str = "job", prune: bool = False) -> Work:
        """Return the work that makes the store hold `files`."""
        artifacts = {}
        for key, body in files.items():
            made = artifact(key, body)
            path = self.spool / made.sha256
            path.write_bytes(body)
            artifacts[key] = replace(made, path=path)
        snapshot = Snapshot(job, artifacts)
        return Work(diff(snapshot, found.inventory, prune=prune), snapshot)

    def apply(
        self, found: Survey, *works: Work, run: str = "1", inherited: tuple[ledger.Inherited, ...] = ()
    ) -> Applied:
        """Apply `works` as run `run`."""
        to = (self.store, self.cdn, found, self.lease())
        return apply(works, *to, run_id=run, reporter=self.events, inherited=inherited)

    def lease(self) -> Held:
        """Return a lease that nothing is written for: it is ours for a minute of `seconds`, which stand still."""
        lease = Lease(1, "1", "here", "", START, START)
        self.store.seed(LEASE, b"ours")
        etag = self.store.listing()[LEASE].etag
        return Held(self.store, lease, etag, before=None, terms=Terms(), until=60.0, monotonic=lambda: self.seconds)

    def stall(self) -> None:
        """Let the lease's time pass."""
        self.seconds = 60.0

    def break_off(
        self, files: Mapping[str, bytes], *, run: str = "1", inherited: tuple[ledger.Inherited, ...] = ()
    ) -> None:
        """Put `files` and lose the lease right after the last of them."""
        found = survey(self.store)
        self.wire.on("PUT", max(files), do=self.stall, when=When.AFTER)
        with pytest.raises(Conflict, match="without being able to renew"):
            self.apply(found, self.work(found, files), run=run, inherited=inherited)
        self.seconds = 0.0

    def publish(self, files: Mapping[str, bytes], *, prune: bool = False, run: str = "1") -> Applied:
        """Survey, plan and apply."""
        found = survey(self.store)
        return self.apply(found, self.work(found, files, prune=prune), run=run)

    def resume(self, *wanted: str, publishes: bool = False) -> Resumed:
        """Finish what is open in the ledger, with our lease."""
        now = ledger.read(self.store)
        at = (self.store, self.cdn, now, frozenset(wanted))
        return resume(*at, publishes=publishes, lease=self.lease(), reporter=self.events)

    def manifest(self) -> Manifest:
        """Return the manifest in force."""
        return Manifest.from_bytes(self.store.body("manifest.json") or b"")
