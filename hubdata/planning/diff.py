"""Decide what must change at a target so that it holds a snapshot.

Planning compares two values; it touches neither network nor disk. Each change remembers the ETag it was planned
against, so a stale plan ends in `Conflict` instead of overwriting what somebody uploaded meanwhile. An object that
already holds the right bytes is never in a plan: its Last-Modified stays, and no engine downloads it again.
"""

from dataclasses import replace

from hubdata.model.inventory import Held, Inventory, Stored
from hubdata.model.job import Unit
from hubdata.model.manifest import Entry
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.snapshot import Artifact, Snapshot
from hubdata.planning.withdrawal import is_withdrawn


def diff(
    snapshot: Snapshot,
    inventory: Inventory,
    *,
    prune: bool = False,
    force: bool = False,
    spared: frozenset[str] = frozenset(),
) -> Plan:
    """Return the fewest changes that make the target hold `snapshot`, ordered by key.

    `prune` also deletes what this job published before and its source no longer has; without it that stays listed as
    long as it is what was published, and is forgotten afterwards. `force` puts every artifact again. Refused and kept
    keys are left as they are, and `spared` ones are not deleted: other jobs speak for them now.
    """
    puts: list[Change] = []
    adopted: dict[str, Stored] = {}
    unchanged = len(snapshot.kept)
    for key in sorted(snapshot.artifacts):
        artifact = snapshot.artifacts[key]
        held = inventory.objects.get(key)
        entry = inventory.manifest.files.get(key)
        reason = _reason_to_put(artifact, held, entry, force=force)
        if reason is not None:
            reason = Reason.WITHDRAWN if is_withdrawn(inventory.manifest, key, artifact.sha256) else reason
            puts.append(Change(Action.PUT, key, reason, artifact.size, artifact.sha256, _etag(held)))
            continue
        unchanged += 1
        if held is not None and not _entry_holds(entry, snapshot.job, artifact, held):
            adopted[key] = held.stored
    deletes = _removed(snapshot, inventory, spared) if prune else ()
    stale = _stale(snapshot, inventory, spared) if snapshot.whole else frozenset()
    forgotten = stale.difference(change.key for change in deletes)
    return Plan(snapshot.job, inventory.target, (*puts, *deletes), adopted, unchanged, forgotten)


def split(plan: Plan, held_keys: frozenset[str], unit: Unit) -> tuple[Plan, Plan | None]:
    """Return the part of `plan` that may go out, and the part that waits for approval (None when nothing does).

    With `unit = "job"` one held key holds every change.
    """
    kept_back = tuple(c for c in plan.changes if c.key in held_keys)
    if not kept_back:
        return plan, None
    if unit is Unit.JOB:
        return replace(plan, changes=()), Plan(plan.job, plan.target, plan.changes)
    free = tuple(c for c in plan.changes if c.key not in held_keys)
    return replace(plan, changes=free), Plan(plan.job, plan.target, kept_back)


def _reason_to_put(artifact: Artifact, held: Held | None, entry: Entry | None, *, force: bool) -> Reason | None:
    if held is None:
        return Reason.LOST if entry else Reason.NEW
    if held.sha256 == artifact.sha256:
        return Reason.FORCED if force else None
    if entry is not None and entry.etag != held.stored.etag:
        return Reason.DRIFTED
    return Reason.CHANGED


def _entry_holds(entry: Entry | None, job: str, artifact: Artifact, held: Held) -> bool:
    return entry is not None and (entry.sha256, entry.etag, entry.job, entry.kind) == (
        artifact.sha256,
        held.stored.etag,
        job,
        artifact.kind,
    )


def _removed(snapshot: Snapshot, inventory: Inventory, spared: frozenset[str]) -> tuple[Change, ...]:
    files = inventory.manifest.files
    return tuple(
        Change(
            Action.DELETE, key, Reason.REMOVED, files[key].size, files[key].sha256, _etag(inventory.objects.get(key))
        )
        for key in _left(snapshot, inventory, spared)
    )


def _stale(snapshot: Snapshot, inventory: Inventory, spared: frozenset[str]) -> frozenset[str]:
    """Return the keys of which the manifest tells what is no longer so, and which nobody can put right any more."""
    files = inventory.manifest.files
    return frozenset(
        key
        for key in _left(snapshot, inventory, spared)
        if (held := inventory.objects.get(key)) is None or held.sha256 != files[key].sha256
    )


def _left(snapshot: Snapshot, inventory: Inventory, spared: frozenset[str]) -> list[str]:
    """Return the keys that this job published and that nobody has anything to say about any more."""
    spoken_for = snapshot.artifacts.keys() | snapshot.kept | snapshot.refused | spared
    files = inventory.manifest.files
    return [key for key in sorted(files) if files[key].job == snapshot.job and key not in spoken_for]


def _etag(held: Held | None) -> str | None:
    """Return the ETag to condition a change on; None where nothing is there (then only the manifest forgets it)."""
    return held.stored.etag if held else None
