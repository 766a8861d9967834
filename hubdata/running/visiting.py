"""Visit one target: plan every job's reading against what it holds, and carry the plans out as one publication."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hubdata.errors import CdnError
from hubdata.model.event import Event
from hubdata.model.job import Job
from hubdata.model.meaning import Difference
from hubdata.model.receipt import Invalidation
from hubdata.model.run import Retained
from hubdata.ports import Cdn, Clock, Reporter, Target, Variable
from hubdata.publishing.apply import Applied, Work, apply, foreseen
from hubdata.publishing.lease import Held, held
from hubdata.publishing.ledger import Inherited
from hubdata.publishing.resealing import reseal
from hubdata.publishing.resuming import resume
from hubdata.publishing.retention import retire
from hubdata.publishing.sealing import Sealing
from hubdata.publishing.survey import Survey
from hubdata.running.measuring import Measurer
from hubdata.running.outlook import Orders, Place, Planner, Reread
from hubdata.running.promoting import Promoter
from hubdata.running.reading import Reading
from hubdata.running.sharing import Planned, Stay, idle, renewed_stays, shares, stranded

__all__ = ("Orders", "Place", "promote", "visit")

_WAIT = timedelta(minutes=20)
"""CloudFront finishes in minutes; whoever said --wait is told after this that it goes on without them."""


def visit(
    place: Place,
    found: Survey,
    readings: tuple[Reading, ...],
    orders: Orders,
    *,
    run_id: str,
    clock: Clock,
    reporter: Reporter,
    bystanders: tuple[Job, ...] = (),
    reread: Reread | None = None,
    promoter: Promoter | None = None,
) -> Mapping[str, Stay]:
    """Return what came of every reading at `place`, by job name. A dry run only plans; a writing one holds the lease.

    A `promoter` has given the readings, and gives others when another run has promoted meanwhile. `bystanders` are jobs
    that failed or take no part: what they publish is unknown, so no file that a rule of theirs names is deleted. Before
    anything is put, the target's gate has passed just that.
    Raises TargetError when the target can be read no longer, or nothing could be committed.
    """
    planner = Planner(place, orders, run_id, reporter, reread, promoter)
    outlook = planner.upon(found, readings, bystanders)
    if orders.dry_run:
        meanings = _explained(outlook.planned, place, found, reporter, held_only=False)
        estimate = foreseen(outlook.works, place.cdn, found, place.sealer.keys if place.sealer else ())
        promoted = planner.record(outlook)
        return shares(
            outlook.planned, place.target, found, None, None, meanings=meanings, estimate=estimate, promoted=promoted
        )
    applied, told, broke_off = None, None, False
    outlook = planner.gated(outlook)
    unsealed = place.sealer is not None and not place.sealer.is_whole(found)
    if unsealed or outlook.unfinished or outlook.works:
        _get_ready(place)
        with held(place.target, orders.lease, run_id=run_id, clock=clock, reporter=reporter) as lease:
            if not lease.follows(found.lease_etag):  # another run has written since: what it left is planned against
                outlook = planner.gated(planner.again(outlook))
            found, works = outlook.found, outlook.works
            broke_off = bool(found.ledger.open)
            sealing = _sealing(place, found, lease)
            found, told, left = _resume(place, found, outlook.spoken_for, lease, reporter, publishes=bool(works))
            if works:
                applied = apply(
                    works,
                    place.target,
                    place.cdn,
                    found,
                    lease,
                    run_id=run_id,
                    reporter=reporter,
                    inherited=left,
                    sealing=sealing,
                    promoted=planner.record(outlook),
                )
                _remember(place.measurer, works, applied)
                if told is None or not told.pending:  # what is still pending from before is told first, here too
                    told = applied.receipt.invalidation or told
            elif told is None or not told.pending:
                told = _resealed(sealing, place, found, run_id, reporter) or told
    if told is not None and orders.wait:
        told = _waited(place.cdn, told, clock, reporter)
    planned, readings, bystanders = outlook.planned, outlook.readings, outlook.bystanders
    retained = {} if orders.approve else _retired(place.target, found, readings, bystanders, reporter)
    stays = shares(
        planned,
        place.target,
        found,
        applied,
        told,
        meanings=_explained(planned, place, found, reporter, held_only=True),
        broke_off=broke_off,
        retained=retained,
        promoted=planner.record(outlook),
    )
    return {**stays, **renewed_stays(stays, outlook.anew, place.target)}


def promote(
    place: Place,
    found: Survey,
    readings: tuple[Reading, ...],
    promoter: Promoter,
    orders: Orders,
    *,
    run_id: str,
    clock: Clock,
    reporter: Reporter,
) -> Mapping[str, Stay]:
    """Return what came of a promotion to `place`, by job name, for all jobs of which there are `readings`.

    It does not matter what those are, or whether their sources could be read: what is due was read before. Raises
    TargetError when one of both targets can be read no longer, or nothing could be committed.
    """
    sound = promoter.at(found).sound
    stays = visit(
        place,
        found,
        sound,
        orders,
        run_id=run_id,
        clock=clock,
        reporter=reporter,
        bystanders=promoter.bystanders,
        promoter=promoter,
    )
    failed = {r.job.name: stranded(place.target, r) for r in promoter.last.readings if r.problem is not None}
    nothing = {r.job.name: idle(place.target, r.job, found.inventory.manifest) for r in readings}
    return {**nothing, **failed, **stays}


def _get_ready(place: Place) -> None:
    """Open the signing key, for nothing is published unsigned where signatures are wanted; and try the store."""
    if place.sealer is not None:
        place.sealer.open()
    if isinstance(place.target, Variable):
        place.target.probe()


def _sealing(place: Place, found: Survey, lease: Held) -> Sealing | None:
    """Return what seals this run's publication, having seen to it that what is built upon was signed by us."""
    if place.sealer is None:
        return None
    sealing = Sealing(place.target, place.sealer, lease, dict(found.own))
    sealing.vouch(found.inventory.manifest_etag)
    return sealing


def _resealed(
    sealing: Sealing | None, place: Place, found: Survey, run_id: str, reporter: Reporter
) -> Invalidation | None:
    """Mend the seal of what is published, where an earlier run has left it broken; return what the CDN was told."""
    etag = found.inventory.manifest_etag
    if sealing is None or etag is None or sealing.sealer.is_whole(found):
        return None
    return reseal(sealing, place.cdn, found.ledger, etag, run_id=run_id, reporter=reporter)


def _remember(measurer: Measurer, works: tuple[Work, ...], applied: Applied) -> None:
    """Keep what is public now for the next comparison."""
    for work in works:
        for change in work.plan.puts:
            if change.key not in applied.failures:
                measurer.published(work.snapshot.artifacts[change.key])


def _explained(
    planned: tuple[Planned, ...], place: Place, found: Survey, reporter: Reporter, *, held_only: bool
) -> Mapping[str, Difference]:
    """Return by key what the changes mean that a person will look at. With nothing of the kind, nothing is imported."""
    wanted = [each.held for each in planned]
    if not held_only:
        wanted += [plan for each in planned for plan in (each.plan, each.decision.waiting)]
    shown = [plan for plan in wanted if plan is not None]
    if not any(plan.puts for plan in shown):
        return {}
    from hubdata.running.explaining import explain

    artifacts = {key: artifact for each in planned for key, artifact in each.reading.snapshot.artifacts.items()}
    told = explain(shown, artifacts, found.inventory.objects, place.target, reporter)
    keys = [change.key for plan in shown for change in plan.puts]
    return {**told, **place.measurer.told(place.target, keys, artifacts, found.inventory.objects)}


def _resume(
    place: Place, found: Survey, wanted: frozenset[str], lease: Held, reporter: Reporter, *, publishes: bool
) -> tuple[Survey, Invalidation | None, tuple[Inherited, ...]]:
    """Finish what an earlier run could not, or leave it to this one's receipt. While the CDN refuses, it is pending."""
    if not found.ledger.open:
        return found, None, ()
    at = (place.target, place.cdn, found.ledger)
    try:
        done = resume(*at, wanted, publishes=publishes, lease=lease, reporter=reporter)
    except CdnError as err:
        reporter.emit(Event("cdn.pending", {"target": place.target.name, "error": str(err)}))
        oldest = found.ledger.open[0]
        return found, _pending(Invalidation(oldest.paths, oldest.reference), err), ()
    return replace(found, ledger=done.ledger), done.told[-1] if done.told else None, done.inherited


def _pending(told: Invalidation, err: CdnError) -> Invalidation:
    return replace(told, pending=True, reason=str(err), advice=err.advice)


def _waited(cdn: Cdn, told: Invalidation, clock: Clock, reporter: Reporter) -> Invalidation:
    if told.pending:
        return told
    started = clock.monotonic()
    try:
        cdn.wait(told, timeout=_WAIT)
    except CdnError as err:
        reporter.emit(Event("cdn.unfinished", {"id": told.id or "", "error": str(err)}))
        return _pending(told, err)
    waited_s = round(clock.monotonic() - started, 1)
    reporter.emit(Event("cdn.finished", {"id": told.id or "", "elapsed_s": waited_s}))
    return replace(told, waited_s=waited_s)


def _retired(
    target: Target, found: Survey, readings: tuple[Reading, ...], bystanders: tuple[Job, ...], reporter: Reporter
) -> Mapping[str, Retained | None]:
    """Return by job what was removed of its past; with nothing of the kind, nothing is asked."""
    known, manifest = (*(reading.job for reading in readings), *bystanders), found.inventory.manifest
    return {
        job.name: retire(job, target, manifest, tuple(j for j in known if j.name != job.name), reporter)
        for job in (reading.job for reading in readings)
    }
