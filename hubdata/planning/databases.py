"""Tell of each GeoIP database of a job what is public of it at a target, and whether this run changed that."""

from collections.abc import Iterator, Mapping

from hubdata.model.job import Job
from hubdata.model.manifest import Entry
from hubdata.model.run import Database, Outcome, TargetResult
from hubdata.model.snapshot import Snapshot
from hubdata.planning.claims import rule_for

KIND = "mmdb"


def databases(job: Job, snapshot: Snapshot, before: Mapping[str, Entry], result: TargetResult) -> tuple[Database, ...]:
    """Return the databases that the source gave or keeps, by key; `before` is what was public when the run began.

    Where nothing new went out, release and build are those of the copy that is still public.
    """
    return tuple(_told(key, snapshot, before.get(key), result) for key in sorted(_keys(job, snapshot)))


def _keys(job: Job, snapshot: Snapshot) -> Iterator[str]:
    for key in {*snapshot.artifacts, *snapshot.kept, *snapshot.refused}:
        rule = rule_for(job, key)
        if rule is not None and rule.kind == KIND:
            yield key


def _told(key: str, snapshot: Snapshot, entry: Entry | None, result: TargetResult) -> Database:
    outcome = _outcome(key, snapshot, result)
    artifact = snapshot.artifacts.get(key)
    if artifact is not None and (outcome in (Outcome.PUBLISHED, Outcome.PLANNED) or key in result.plan.adopted):
        return Database(key, outcome, artifact.source.get("date", ""), artifact.stats.build_epoch)
    if entry is None:
        return Database(key, outcome)
    return Database(key, outcome, entry.source.get("date", ""), entry.stats.build_epoch)


def _outcome(key: str, snapshot: Snapshot, result: TargetResult) -> Outcome:
    if key in snapshot.refused:
        return Outcome.REFUSED
    if key in result.failed:
        return Outcome.FAILED
    if result.barred is not None and any(change.key == key for change in result.barred.changes):
        return Outcome.REFUSED
    if result.held is not None and any(change.key == key for change in result.held.changes):
        return Outcome.HELD
    if key in result.changed:
        return Outcome.PUBLISHED
    ahead = (result.waiting,) if result.applied else (result.plan, result.waiting)
    if any(change.key == key for plan in ahead if plan is not None for change in plan.changes):
        return Outcome.PLANNED
    return Outcome.UNCHANGED
