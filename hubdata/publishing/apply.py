"""Carry plans out at one target, in the one order that is safe for readers.

    open receipt -> puts -> manifest swap (the commit point) -> seal, deletes -> CDN -> close receipt
                                                             -> page ---------->

Readers never find a manifest that names an object not in place, nor an object gone that it still names. A put that
fails does not undo the others: what is stored is committed and the CDN told, the error is raised afterwards, and the
next run puts only what is missing.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from hubdata.errors import Conflict, HubdataError, TargetError
from hubdata.model import manifest as manifests
from hubdata.model.event import Event
from hubdata.model.inventory import Inventory, Stored
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.plan import Change, Plan
from hubdata.model.receipt import Applied, Receipt
from hubdata.model.snapshot import Snapshot
from hubdata.model.stage import Promoted
from hubdata.model.tariff import Estimate
from hubdata.planning.merge import entry_of, merged
from hubdata.planning.withdrawal import withdrawn_after
from hubdata.ports import Cdn, Reporter, Target, Upload
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.closing import Begun, closed
from hubdata.publishing.lease import Held
from hubdata.publishing.ledger import Inherited, Line
from hubdata.publishing.pages import seen_at
from hubdata.publishing.paging import Paging
from hubdata.publishing.sealing import Sealing
from hubdata.publishing.survey import Survey, read_manifest
from hubdata.publishing.telling import OWN, TAG_METADATA, metadata_of, telling

_MANIFEST_TRIES = 8
_MANIFEST_CACHE_CONTROL = "public, max-age=60, s-maxage=86400, stale-while-revalidate=60, stale-if-error=86400"


_Metadata = Mapping[str, Mapping[str, str]]
"""By job, what its objects are put with."""


@dataclass(frozen=True, slots=True)
class Work:
    """One job's share of an apply: its plan and the snapshot that the plan was made from.

    `takes_back` tells that it is a rollback: what it replaces is not to come back by itself.
    """

    plan: Plan
    snapshot: Snapshot
    takes_back: bool = False


def apply(
    works: tuple[Work, ...],
    target: Target,
    cdn: Cdn,
    survey: Survey,
    lease: Held,
    *,
    run_id: str,
    reporter: Reporter,
    inherited: tuple[Inherited, ...] = (),
    sealing: Sealing | None = None,
    paging: Paging | None = None,
    promoted: Promoted | None = None,
) -> Applied:
    """Return what was done to make `target` hold all `works`, as one generation and one invalidation.

    What an earlier run left to this one's receipt, its `inherited` paths, is told with it. `promoted` goes into the
    manifest where the works bring another target's generation; it is partial if anything of it fails. Once the lease is
    lost, nothing more is put, committed or deleted. Raises Conflict or TargetError when the manifest could not be
    swapped; then nothing is committed, and the objects already put are recognised by the next run.
    """
    with ThreadPoolExecutor(1, thread_name_prefix=f"cdn-{target.name}") as aside:
        metadata = aside.submit(_metadata, works, cdn)
        if cdn.paths(OWN):
            aside.submit(cdn.warm)  # while the store answers; what goes wrong is told when the CDN is asked
        if paging is not None:
            paging.remember()
        ours = (*(sealing.sealer.keys if sealing else ()), *(seen_at(survey) if paging else ()))
        begun = _begun(works, target, cdn, survey, lease, run_id=run_id, inherited=inherited, ours=ours)
        return _carried_out(
            begun,
            works,
            target,
            cdn,
            survey,
            lease=lease,
            metadata=metadata.result(),
            reporter=reporter,
            sealing=sealing,
            paging=paging,
            promoted=promoted,
        )


def _carried_out(
    begun: Begun,
    works: tuple[Work, ...],
    target: Target,
    cdn: Cdn,
    survey: Survey,
    *,
    lease: Held,
    metadata: _Metadata,
    reporter: Reporter,
    sealing: Sealing | None,
    paging: Paging | None,
    promoted: Promoted | None,
) -> Applied:
    """Do what the receipt that was opened announces, and bring it to its end."""
    stored, failures = _put_all(works, metadata, target, lease, reporter)
    if failures and promoted is not None:
        promoted = replace(promoted, partial=True)
    change = _manifest_change(works, survey.inventory, stored, failures, metadata=metadata, stamp=begun.stamp)
    change = replace(change, promoted=promoted)
    receipt = Receipt(begun.line.reference, target.name, survey.inventory.manifest.generation)
    if failures and not change.entries and not change.removed:
        # A put whose answer was lost may be in place: the receipt stays open, so the CDN is told by the next run.
        return Applied(receipt, failures)
    done = Applied(replace(receipt, stored=stored), failures)
    manifest, etag = _commit(
        change,
        target,
        survey.inventory,
        lease,
        done,
        sealing=sealing,
        paging=paging,
        run_id=begun.line.run_id,
        stamp=begun.stamp,
    )
    reporter.emit(Event("manifest.swapped", {"target": target.name, "generation": manifest.generation}))
    if paging is not None:
        paging.write(etag)
    seal, unsealed = (None, None) if sealing is None else sealing.sealed(manifest.to_bytes(), etag)
    deleted, delete_failures = _delete_all(works, change.removed, target, lease)
    receipt = replace(done.receipt, generation=manifest.generation, deleted=deleted)
    done = Applied(receipt, {**failures, **delete_failures}, unsealed)
    return closed(done, begun, target, cdn, manifest, seal=seal, paging=paging, reporter=reporter)


def _begun(
    works: tuple[Work, ...],
    target: Target,
    cdn: Cdn,
    survey: Survey,
    lease: Held,
    *,
    run_id: str,
    inherited: tuple[Inherited, ...],
    ours: tuple[str, ...],
) -> Begun:
    """Fix what the CDN will be told, `ours` of the seal and the page with it, and open the receipt of it."""
    stamp = lease.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    own = telling(cdn, _changed(works, survey.inventory), survey.inventory, ours).paths
    paths = tuple(dict.fromkeys((*own, *(path for each in inherited for path in each.line.paths))))
    deletes = tuple((c.key, c.planned_etag) for work in works for c in work.plan.deletes if c.planned_etag is not None)
    upon = survey.inventory.manifest.generation
    puts = _new_keys(works, survey.inventory)
    line = Line(f"hubdata-{run_id}-{target.name}", run_id, stamp, paths, deletes, puts=puts, upon=upon)
    noted = bool(paths or deletes or line.puts)
    ledger = ledgers.opened(target, survey.ledger, line, inherited) if noted else survey.ledger
    return Begun(line, deletes, noted, ledger, stamp)


def foreseen(works: tuple[Work, ...], cdn: Cdn, survey: Survey, ours: tuple[str, ...] = ()) -> Estimate | None:
    """Return what it would come to to tell `cdn` of an apply of `works`, and `ours`; None without any."""
    return telling(cdn, _changed(works, survey.inventory), survey.inventory, ours).estimate if works else None


def _metadata(works: tuple[Work, ...], cdn: Cdn) -> _Metadata:
    return {work.plan.job: metadata_of(cdn, work.plan.job) for work in works if work.plan.puts}


def _changed(works: tuple[Work, ...], inventory: Inventory) -> tuple[str, ...]:
    """Return the keys that a cache may hold in an older form: put, deleted, or found put by others or by a lost run.

    A bucket that is adopted whole was right before: what was in it may be cached, but not in another form.
    """
    keys = {change.key for work in works for change in work.plan.changes}
    keys.update(*(work.plan.forgotten for work in works))
    for work in works:
        for key in work.plan.adopted:
            entry = inventory.manifest.files.get(key)
            known = inventory.manifest.generation == 0 if entry is None else entry.sha256 == _sha256(work, key)
            if not known:
                keys.add(key)
    return tuple(sorted(keys))


def _sha256(work: Work, key: str) -> str:
    return work.snapshot.artifacts[key].sha256


def _new_keys(works: tuple[Work, ...], inventory: Inventory) -> tuple[tuple[str, str], ...]:
    """Return the keys that the manifest does not name yet, each with the MD5 that is its ETag in most stores.

    Something may lie there: what another run could not delete, or somebody's file. Once it is written over it is ours.
    """
    return tuple(
        (change.key, work.snapshot.artifacts[change.key].md5)
        for work in works
        for change in work.plan.puts
        if change.planned_etag is None or change.key not in inventory.manifest.files
    )


def _put_all(
    works: tuple[Work, ...], metadata: _Metadata, target: Target, lease: Held, reporter: Reporter
) -> tuple[dict[str, Stored], dict[str, HubdataError]]:
    uploads = [
        Upload(work.snapshot.artifacts[change.key], change.planned_etag, metadata[work.plan.job])
        for work in works
        for change in work.plan.puts
    ]
    stored: dict[str, Stored] = {}
    failures: dict[str, HubdataError] = {}
    if not uploads:
        return stored, failures

    def put(upload: Upload) -> Stored:
        lease.check()
        return target.put(upload)

    largest_first = sorted(uploads, key=lambda upload: -upload.artifact.size)
    with ThreadPoolExecutor(min(target.concurrency, len(uploads)), thread_name_prefix=f"put-{target.name}") as pool:
        pending = [(upload.artifact, pool.submit(put, upload)) for upload in largest_first]
        for artifact, future in pending:
            try:
                stored[artifact.key] = future.result()
            except HubdataError as err:
                failures[artifact.key] = err
                reporter.emit(Event("put.failed", {"target": target.name, "key": artifact.key}))
            else:
                reporter.emit(Event("put.done", {"target": target.name, "key": artifact.key, "bytes": artifact.size}))
    return stored, failures


@dataclass(frozen=True, slots=True)
class _ManifestChange:
    """What goes into the next manifest, and what no longer does; and of which keys the old state is taken back."""

    entries: Mapping[str, Entry]
    removed: frozenset[str]
    taken_back: frozenset[str] = frozenset()
    promoted: Promoted | None = None


def _manifest_change(
    works: tuple[Work, ...],
    inventory: Inventory,
    stored: Mapping[str, Stored],
    failures: Mapping[str, HubdataError],
    *,
    metadata: _Metadata,
    stamp: str,
) -> _ManifestChange:
    entries: dict[str, Entry] = {}
    removed: set[str] = set()
    for work in works:
        put = {change.key: stored[change.key] for change in work.plan.puts if change.key in stored}
        for key, held in {**work.plan.adopted, **put}.items():
            artifact, before = work.snapshot.artifacts[key], inventory.manifest.files.get(key)
            same = key not in put and before is not None and before.sha256 == artifact.sha256
            changed_at = before.changed_at if before is not None and same else stamp
            if key in put:
                tag = metadata[work.plan.job].get(TAG_METADATA, "")
            else:
                tag = before.cache_tag if before is not None and same and before.etag == held.etag else ""
            entries[key] = entry_of(artifact, work.plan.job, held, changed_at, tag)
        if not any(change.key in failures for change in work.plan.puts):
            # A renamed file whose new name could not be stored must not lose its old one.
            removed.update(change.key for change in work.plan.deletes)
        removed |= work.plan.forgotten
    taken_back = frozenset(key for work in works if work.takes_back for key in _touched(work.plan))
    return _ManifestChange(entries, frozenset(removed), taken_back)


def _touched(plan: Plan) -> Iterator[str]:
    """Yield the keys of which the manifest will tell something new, also where a run that broke off did the work."""
    yield from (change.key for change in plan.changes)
    yield from plan.adopted


def _commit(
    change: _ManifestChange,
    target: Target,
    inventory: Inventory,
    lease: Held,
    done: Applied,
    *,
    sealing: Sealing | None,
    paging: Paging | None,
    run_id: str,
    stamp: str,
) -> tuple[Manifest, str]:
    """Swap the manifest under its ETag; on top of what others have swapped in who know of no lease.

    Returns it with its new ETag.
    """
    newest, etag = inventory.manifest, inventory.manifest_etag
    for _ in range(_MANIFEST_TRIES):
        manifest = merged(
            newest, change.entries, change.removed, run_id=run_id, published_at=stamp, promoted=change.promoted
        )
        withdrawn = withdrawn_after(newest, change.entries, change.removed, change.taken_back)
        manifest = replace(manifest, withdrawn=withdrawn)
        if sealing is not None:
            sealing.announce(manifest)
        if paging is not None:
            receipt = replace(done.receipt, generation=manifest.generation)
            paging.draw(manifest, newest, replace(done, receipt=receipt))
        lease.check()  # signing takes a request of its own
        try:
            stored = target.write(
                manifests.KEY,
                manifest.to_bytes(),
                content_type="application/json",
                cache_control=_MANIFEST_CACHE_CONTROL,
                if_etag=etag,
            )
        except Conflict:
            lease.renew()  # if another run holds the lease by now, it goes first
            newest, etag = read_manifest(target)
            if sealing is not None:
                sealing.vouch(etag)
        else:
            return manifest, stored.etag
    raise Conflict(
        f"target {target.name}: {manifests.KEY} changed {_MANIFEST_TRIES} times while this run tried to swap it",
        advice="too many runs at once on one target: run them one after the other",
        retryable=True,
    )


def _delete_all(
    works: tuple[Work, ...], removed: frozenset[str], target: Target, lease: Held
) -> tuple[tuple[str, ...], dict[str, HubdataError]]:
    deleted: list[str] = []
    failures: dict[str, HubdataError] = {}
    changes: list[Change] = [change for work in works for change in work.plan.deletes if change.key in removed]
    if not changes:
        return (), failures

    def delete(change: Change) -> None:
        lease.check()  # whoever holds it now may want the file again: the ledger keeps what is left to delete
        if change.planned_etag is not None:  # None: it is gone already, and only the manifest still named it
            target.delete(change.key, if_etag=change.planned_etag)

    with ThreadPoolExecutor(min(target.concurrency, len(changes)), thread_name_prefix=f"del-{target.name}") as pool:
        for change, done in [(change, pool.submit(delete, change)) for change in changes]:
            try:
                done.result()
            except TargetError as err:
                failures[change.key] = err
            else:
                deleted.append(change.key)
    return tuple(deleted), failures
