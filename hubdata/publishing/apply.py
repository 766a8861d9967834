"""Carry plans out at one target, in the one order that is safe for readers.

    open receipt -> puts -> manifest swap (the commit point) -> deletes -> CDN -> close receipt

Readers never find a manifest that names an object not in place, nor an object gone that it still names. A put that
fails does not undo the others: what is stored is committed and the CDN told, the error is raised afterwards, and the
next run puts only what is missing.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from hubdata.errors import CdnError, Conflict, HubdataError, TargetError
from hubdata.model import manifest as manifests
from hubdata.model.event import Event
from hubdata.model.inventory import Stored
from hubdata.model.manifest import Manifest
from hubdata.model.plan import Change, Plan
from hubdata.model.receipt import Invalidation, Receipt
from hubdata.model.snapshot import Snapshot
from hubdata.planning.merge import entry_of, merged
from hubdata.ports import Cdn, Reporter, Target, Upload
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.ledger import Ledger, Line
from hubdata.publishing.survey import Survey, read_manifest

_MANIFEST_TRIES = 8
_MANIFEST_CACHE_CONTROL = "public, max-age=60, s-maxage=86400, stale-while-revalidate=60, stale-if-error=86400"


@dataclass(frozen=True, slots=True)
class Work:
    """One job's share of an apply: its plan and the snapshot that the plan was made from."""

    plan: Plan
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of an apply: the receipt, and the errors of single objects, none of which undid the others."""

    receipt: Receipt
    failures: Mapping[str, HubdataError]


def apply(
    works: tuple[Work, ...],
    target: Target,
    cdn: Cdn,
    survey: Survey,
    *,
    run_id: str,
    now: datetime,
    reporter: Reporter,
) -> Applied:
    """Return what was done to make `target` hold all `works`, as one generation and one invalidation.

    Raises Conflict or TargetError when the manifest could not be swapped; then nothing is committed, and the objects
    already put are recognised by the next run.
    """
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    changed = tuple(sorted(change.key for work in works for change in work.plan.changes))
    paths = cdn.paths((*changed, manifests.KEY))
    line = Line(f"hubdata-{run_id}-{target.name}", run_id, stamp, paths)
    ledger = ledgers.opened(target, survey.ledger, line) if paths else survey.ledger

    stored, failures = _put_all(works, target, reporter)
    if failures and not stored:
        # A put whose answer was lost may be in place: the receipt stays open, so the CDN is told by the next run.
        return Applied(Receipt(line.reference, target.name, survey.inventory.manifest.generation), failures)
    manifest = _commit(works, target, survey, stored, run_id=run_id, stamp=stamp)
    reporter.emit(Event("manifest.swapped", {"target": target.name, "generation": manifest.generation}))
    deleted, delete_failures = _delete_all(works, target)

    receipt = Receipt(line.reference, target.name, manifest.generation, stored, deleted)
    if paths:
        line = replace(line, generation=manifest.generation)
        invalidation = _tell(cdn, target, ledger, line, reporter)
        receipt = replace(receipt, invalidation=invalidation)
    return Applied(receipt, {**failures, **delete_failures})


def resume(target: Target, cdn: Cdn, ledger: Ledger, reporter: Reporter) -> tuple[Ledger, tuple[Invalidation, ...]]:
    """Return the ledger with every open receipt closed, and the invalidations asked for, oldest first.

    What a crashed run could not tell its CDN is told now, under the same reference: a CDN that heard it already takes
    it as the same request. Raises CdnError when the CDN still refuses.
    """
    told = []
    for line in ledger.open:
        invalidation = cdn.invalidate(line.paths, line.reference)
        ledger = ledgers.closed(target, ledger, replace(line, invalidation_id=invalidation.id or ""))
        reporter.emit(Event("cdn.resumed", {"target": target.name, "reference": line.reference}))
        told.append(invalidation)
    return ledger, tuple(told)


def _put_all(
    works: tuple[Work, ...], target: Target, reporter: Reporter
) -> tuple[dict[str, Stored], dict[str, HubdataError]]:
    uploads = [
        Upload(work.snapshot.artifacts[change.key], change.planned_etag) for work in works for change in work.plan.puts
    ]
    stored: dict[str, Stored] = {}
    failures: dict[str, HubdataError] = {}
    if not uploads:
        return stored, failures
    largest_first = sorted(uploads, key=lambda upload: -upload.artifact.size)
    with ThreadPoolExecutor(min(target.concurrency, len(uploads)), thread_name_prefix=f"put-{target.name}") as pool:
        pending = [(upload.artifact, pool.submit(target.put, upload)) for upload in largest_first]
        for artifact, future in pending:
            try:
                stored[artifact.key] = future.result()
            except HubdataError as err:
                failures[artifact.key] = err
                reporter.emit(Event("put.failed", {"target": target.name, "key": artifact.key}))
            else:
                reporter.emit(Event("put.done", {"target": target.name, "key": artifact.key, "bytes": artifact.size}))
    return stored, failures


def _commit(
    works: tuple[Work, ...], target: Target, survey: Survey, stored: Mapping[str, Stored], *, run_id: str, stamp: str
) -> Manifest:
    """Swap the manifest under its ETag; on top of whatever other jobs' runs have swapped in meanwhile."""
    entries = {}
    for work in works:
        confirmed = {**work.plan.adopted, **{c.key: stored[c.key] for c in work.plan.puts if c.key in stored}}
        for key, held in confirmed.items():
            entries[key] = entry_of(work.snapshot.artifacts[key], work.plan.job, held, stamp)
    removed = frozenset(change.key for work in works for change in work.plan.deletes)
    newest, etag = survey.inventory.manifest, survey.inventory.manifest_etag
    for _ in range(_MANIFEST_TRIES):
        manifest = merged(newest, entries, removed, run_id=run_id, published_at=stamp)
        try:
            target.write(
                manifests.KEY,
                manifest.to_bytes(),
                content_type="application/json",
                cache_control=_MANIFEST_CACHE_CONTROL,
                if_etag=etag,
            )
        except Conflict:
            newest, etag = read_manifest(target)
        else:
            return manifest
    raise Conflict(
        f"target {target.name}: {manifests.KEY} changed {_MANIFEST_TRIES} times while this run tried to swap it",
        advice="too many runs at once on one target: run them one after the other",
        retryable=True,
    )


def _delete_all(works: tuple[Work, ...], target: Target) -> tuple[tuple[str, ...], dict[str, HubdataError]]:
    deleted: list[str] = []
    failures: dict[str, HubdataError] = {}
    changes: list[Change] = [change for work in works for change in work.plan.deletes]
    for change in changes:
        try:
            target.delete(change.key, if_etag=change.planned_etag)
        except TargetError as err:
            failures[change.key] = err
        else:
            deleted.append(change.key)
    return tuple(deleted), failures


def _tell(cdn: Cdn, target: Target, ledger: Ledger, line: Line, reporter: Reporter) -> Invalidation:
    try:
        invalidation = cdn.invalidate(line.paths, line.reference)
    except CdnError as err:
        reporter.emit(Event("cdn.pending", {"target": target.name, "reference": line.reference, "error": str(err)}))
        return Invalidation(line.paths, line.reference, pending=True)
    told = invalidation.id or ""
    reporter.emit(Event("cdn.invalidated", {"target": target.name, "id": told, "paths": len(line.paths)}))
    ledgers.closed(target, ledger, replace(line, invalidation_id=told))
    return invalidation
