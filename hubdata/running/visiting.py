"""Visit one target: plan every job's reading against what it holds, and carry the plans out as one publication."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hubdata.errors import CdnError
from hubdata.model.event import Event
from hubdata.model.job import Job
from hubdata.model.run import Retained
from hubdata.ports import Cdn, Clock, Reporter, Target
from hubdata.publishing.survey import Survey
from hubdata.running.outlook import Done, Orders, Outlook, Place, Planner, Reread
from hubdata.running.reading import Reading
from hubdata.running.sharing import Planned, Stay, idle, renewed_stays, shares, stranded
from hubdata.transfer.afterwards import Later, at_once

if TYPE_CHECKING:
    from hubdata.model.meaning import Difference
    from hubdata.model.receipt import Invalidation
    from hubdata.running.promoting import Promoter

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
    unread: tuple[Reading, ...] = (),
    reread: Reread | None = None,
    promoter: "Promoter | None" = None,
    later: Later = at_once,
) -> Mapping[str, Stay]:
    """Return what came of every reading at `place`, by job name. A dry run only plans; a writing one holds the lease.

    A `promoter` has given the readings, and gives others when another run has promoted meanwhile. `bystanders` are jobs
    that failed or take no part: what they publish is unknown, so no file that a rule of theirs names is deleted; those
    that failed are `unread`. Before anything is put, the target's gate has passed just that. The
    lease is given back `later`.
    Raises TargetError when the target can be read no longer, or nothing could be committed.
    """
    planner = Planner(place, orders, run_id, reporter, reread, promoter)
    outlook = planner.upon(found, readings, bystanders)
    if orders.dry_run:
        return _foreseen(planner, outlook)
    outlook = planner.gated(outlook)
    done = _written(planner, outlook, clock, unread, later)
    outlook, told = done.outlook, done.told
    if told is not None and orders.wait:
        told = _waited(place.cdn, told, clock, reporter)
    found, planned = outlook.found, outlook.planned
    retained = {} if orders.approve else _retired(place.target, found, outlook.readings, outlook.bystanders, reporter)
    stays = shares(
        planned,
        place.target,
        found,
        done.applied,
        told,
        meanings=_explained(planned, place, found, reporter, held_only=True),
        broke_off=done.broke_off,
        retained=retained,
        promoted=planner.record(outlook),
        remark=done.remark,
    )
    return {**stays, **renewed_stays(stays, outlook.anew, place.target)}


def _written(planner: Planner, outlook: Outlook, clock: Clock, unread: tuple[Reading, ...], later: Later) -> Done:
    """Return what was carried out. Where nothing is to be written, what writes is not even imported: mostly."""
    if not planner.has_to_publish(outlook) and not planner.has_to_show(outlook):
        return Done(outlook)
    from hubdata.running.writing import Writer

    return Writer(planner, clock, unread, later).carried_out(outlook)


def _foreseen(planner: Planner, outlook: Outlook) -> Mapping[str, Stay]:
    """Return what a run would come to, job by job."""
    from hubdata.publishing.apply import foreseen
    from hubdata.publishing.pages import seen_at

    place, found = planner.place, outlook.found
    meanings = _explained(outlook.planned, place, found, planner.reporter, held_only=False)
    ours = (*(place.sealer.keys if place.sealer else ()), *(seen_at(found) if place.pager else ()))
    estimate = foreseen(outlook.works, place.cdn, found, ours)
    return shares(
        outlook.planned,
        place.target,
        found,
        None,
        None,
        meanings=meanings,
        estimate=estimate,
        promoted=planner.record(outlook),
    )


def promote(
    place: Place,
    found: Survey,
    readings: tuple[Reading, ...],
    promoter: "Promoter",
    orders: Orders,
    *,
    run_id: str,
    clock: Clock,
    reporter: Reporter,
    later: Later = at_once,
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
        unread=tuple(reading for reading in promoter.last.readings if reading.problem is not None),
        promoter=promoter,
        later=later,
    )
    failed = {r.job.name: stranded(place.target, r) for r in promoter.last.readings if r.problem is not None}
    nothing = {r.job.name: idle(place.target, r.job, found.inventory.manifest) for r in readings}
    return {**nothing, **failed, **stays}


def _explained(
    planned: tuple[Planned, ...], place: Place, found: Survey, reporter: Reporter, *, held_only: bool
) -> "Mapping[str, Difference]":
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


def _waited(cdn: Cdn, told: "Invalidation", clock: Clock, reporter: Reporter) -> "Invalidation":
    if told.pending:
        return told
    started = clock.monotonic()
    try:
        cdn.wait(told, timeout=_WAIT)
    except CdnError as err:
        from hubdata.running.writing import pending

        reporter.emit(Event("cdn.unfinished", {"id": told.id or "", "error": str(err)}))
        return pending(told, err)
    waited_s = round(clock.monotonic() - started, 1)
    reporter.emit(Event("cdn.finished", {"id": told.id or "", "elapsed_s": waited_s}))
    return replace(told, waited_s=waited_s)


def _retired(
    target: Target, found: Survey, readings: tuple[Reading, ...], bystanders: tuple[Job, ...], reporter: Reporter
) -> Mapping[str, Retained | None]:
    """Return by job what was removed of its past; with nothing of the kind, nothing is asked."""
    known, manifest = (*(reading.job for reading in readings), *bystanders), found.inventory.manifest
    if all(reading.job.retention is None for reading in readings):
        return {}
    from hubdata.publishing.retention import retire

    return {
        job.name: retire(job, target, manifest, tuple(j for j in known if j.name != job.name), reporter)
        for job in (reading.job for reading in readings)
    }
