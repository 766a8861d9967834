"""Removing a job's past: bounded in one run, and never worth failing for."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from hubdata.errors import TargetError
from hubdata.model.inventory import Past
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.manifest import Manifest
from hubdata.model.run import Retained
from hubdata.ports import Blob, Target
from hubdata.publishing import retention
from hubdata.publishing.retention import retire
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import Wire
from tests.simulator.world import Events

NOW = datetime(2026, 7, 1, tzinfo=UTC)
JOB = Job("geoip", SourceSpec("x", {}), (FileRule("db/*", "mmdb"),), retention=timedelta(days=30))


@dataclass
class Attic:
    """As much of a target that keeps versions as retention asks for. `refuses` is a version it will not remove."""

    states: list[Past]
    refuses: str = ""
    listed: list[str] = field(default_factory=list)
    name: str = "attic"

    def now(self) -> datetime:
        return NOW

    def history(self, key: str) -> tuple[str, ...]:
        return ()

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Blob | None:
        return None

    def past(self, prefix: str) -> tuple[Past, ...]:
        self.listed.append(prefix)
        return tuple(state for state in self.states if state.key.startswith(prefix))

    def forget(self, key: str, version_id: str) -> None:
        if version_id == self.refuses:
            raise TargetError("denied", advice="grant it")
        self.states = [state for state in self.states if state.version_id != version_id]


def attic(count: int, refuses: str = "") -> Attic:
    """Return a store with one key that was written on each of the last days, the newest first."""
    days = range(count)
    return Attic([Past("db/a", f"v{n}", NOW - timedelta(days=n), current=n == 0, size=5) for n in days], refuses)


def retired(store: Attic, job: Job = JOB) -> Retained | None:
    """Return what was removed from `store`."""
    return retire(job, cast("Target", store), Manifest(), (), Events())


def test_what_is_due_goes_the_oldest_first() -> None:
    """Version 31 was replaced thirty days ago and stays; 32 was a day earlier."""
    store = attic(34)
    told = retired(store)
    assert told is not None
    assert [state.version_id for state in told.removed] == ["v33", "v32"]
    assert (told.days, told.left, told.problem) == (30, 0, None)
    assert len(store.states) == 32
    assert store.listed == ["db/"]


def test_one_run_removes_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is counted, and waits for the next run."""
    monkeypatch.setattr(retention, "MOST", 3)
    store = attic(40)
    told = retired(store)
    assert told is not None
    assert ([state.version_id for state in told.removed], told.left) == (["v39", "v38", "v37"], 5)
    again = retired(store)
    assert again is not None
    assert (len(again.removed), again.left) == (3, 2)


def test_a_store_that_refuses_ends_it_and_says_what_was_done() -> None:
    """What was removed before stays told, what was not is left."""
    told = retired(attic(36, refuses="v33"))
    assert told is not None
    assert ([state.version_id for state in told.removed], told.left) == (["v35", "v34"], 2)
    assert told.problem is not None
    assert told.problem.message == "old versions could not be removed: denied"
    assert told.problem.advice == "grant it"


def test_without_the_wish_or_the_means_nothing_is_asked() -> None:
    """A job that says nothing of retention costs no request; a target without a past has nothing to say."""
    store = attic(40)
    assert retired(store, Job("geoip", JOB.source, JOB.files)) is None
    assert store.listed == []
    assert retire(JOB, MemoryTarget(Wire()), Manifest(), (), Events()) is None
