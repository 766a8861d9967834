"""Visit one target: plan every job's reading against what it holds, and carry the plans out as one publication."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hubdata.errors import CdnError, TargetError
from hubdata.model.event import Event
from hubdata.model.job import Job
from hubdata.model.lease import Terms
from hubdata.model.meaning import Difference
from hubdata.model.receipt import Applied, Invalidation
from hubdata.model.run import Retained
from hubdata.ports import Cdn, Clock, Reporter, Target, Variable
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.apply import Work, apply, foreseen
from hubdata.publishing.lease import Held, held
from hubdata.publishing.ledger import Inherited
from hubdata.publishing.paging import Paging, is_whole, paging, unshown
from hubdata.publishing.resealing import reseal
from hubdata.publishing.resuming import resume
from hubdata.publishing.retention import retire
from hubdata.publishing.sealing import Sealing
from hubdata.publishing.survey import Survey, survey
from hubdata.running.measuring import Measurer
from hubdata.running.narrating import Narrator
from hubdata.running.outlook import Orders, Outlook, Place, Planner, Reread
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
    unread: tuple[Reading, ...] = (),
    reread: Reread | None = None,
    promoter: Promoter | None = None,
) -> Mapping[str, Stay]:
    """Return what came of every reading at `place`, by job name. A dry run only plans; a writing one holds the lease.

    A `promoter` has given the readings, and gives others when another run has promoted meanwhile. `bystanders` are jobs
    that failed or take no part: what they publish is unknown, so no file that a rule of theirs names is deleted; those
    that failed are `unread`. Before anything is put, the target's gate has passed just that.
    Raises TargetError when the target can be read no longer, or nothing could be committed.
    """
    planner = Planner(place, orders, run_id, reporter, reread, promoter)
    outlook = planner.upon(found, readings, bystanders)
    if orders.dry_run:
        return _foreseen(planner, outlook)
    outlook = planner.gated(outlook)
    visit = _Visit(planner, clock, unread)
    done = visit.carried_out(outlook)
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


def _foreseen(planner: Planner, outlook: Outlook) -> Mapping[str, Stay]:
    """Return what a run would come to, job by job."""
    place, found = planner.place, outlook.found
    meanings = _explained(outlook.planned, place, found, planner.reporter, held_only=False)
    estimate = foreseen(outlook.works, place.cdn, found, place.sealer.keys if place.sealer else ())
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


@dataclass(frozen=True, slots=True)
class _Done:
    """What was carried out upon an outlook; `remark` is what a person should know of the page."""

    outlook: Outlook
    applied: Applied | None = None
    told: Invalidation | None = None
    broke_off: bool = False
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Visit:
    """One run's writing at one target."""

    planner: Planner
    clock: Clock
    unread: tuple[Reading, ...]
    started: float = field(default_factory=time.monotonic)

    def carried_out(self, outlook: Outlook) -> _Done:
        """Return what came of the plans, and of what earlier runs left; with nothing of either, nothing is sent."""
        place, found = self.planner.place, outlook.found
        unsealed = place.sealer is not None and not place.sealer.is_whole(found)
        if unsealed or outlook.unfinished or outlook.works:
            _get_ready(place)
            with self._held(self.planner.orders.lease) as lease:
                if not lease.follows(
                    found.lease_etag
                ):  # another run has written since: what it left is planned against
                    outlook = self.planner.gated(self.planner.again(outlook))
                return self._published(outlook, lease)
        if place.pager is not None and not is_whole(found):
            return _Done(outlook, remark=self._shown_alone(outlook))
        return _Done(outlook)

    def _published(self, outlook: Outlook, lease: Held) -> _Done:
        place, run_id, reporter = self.planner.place, self.planner.run_id, self.planner.reporter
        found, works = outlook.found, outlook.works
        broke_off = bool(found.ledger.open)
        sealing = _sealing(place, found, lease)
        found, told, left = _resume(place, found, outlook.spoken_for, lease, reporter, publishes=bool(works))
        outlook = replace(outlook, found=found)
        if not works:
            if told is None or not told.pending:
                told = _resealed(sealing, place, found, run_id, reporter) or told
            return _Done(outlook, None, told, broke_off, self._shown_again(outlook, lease))
        with self._paging(outlook, lease) as paging:
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
                paging=paging,
                promoted=self.planner.record(outlook),
            )
        _remember(place.measurer, works, applied)
        if told is None or not told.pending:  # what is still pending from before is told first, here too
            told = applied.receipt.invalidation or told
        return _Done(outlook, applied, told, broke_off, applied.remark)

    def _shown_alone(self, outlook: Outlook) -> str:
        """Write the page where nothing else is to be done; return what a person should know of it. Waits for nobody."""
        place = self.planner.place
        try:
            _get_ready(place, seals=False)
            with self._held(replace(self.planner.orders.lease, waits=timedelta())) as lease:
                if not lease.follows(outlook.found.lease_etag):
                    outlook = replace(outlook, found=survey(place.target))
                return self._shown_again(outlook, lease)
        except TargetError as err:
            self.planner.reporter.emit(Event("page.failed", {"target": place.target.name, "error": str(err)}))
            return "" if err.retryable else unshown(place.target.name, err)  # most likely another run is at it

    def _shown_again(self, outlook: Outlook, lease: Held) -> str:
        """Write the page of what is published, unless it is whole; return what a person should know of it."""
        target, found = self.planner.place.target, outlook.found
        etag = found.inventory.manifest_etag
        with self._paging(outlook, lease) as paging:
            if paging is None or etag is None or is_whole(found):
                return ""
            paging.remember()
            paging.draw(found.inventory.manifest, None, None)
            paging.write(etag)
            shown = paging.shown()
        try:
            if shown.page != found.ledger.page:
                ledgers.noted(target, found.ledger, page=shown.page)
        except TargetError as err:
            return shown.remark or unshown(target.name, err)
        return shown.remark

    def _held(self, terms: Terms) -> AbstractContextManager[Held]:
        planner = self.planner
        return held(planner.place.target, terms, run_id=planner.run_id, clock=self.clock, reporter=planner.reporter)

    def _paging(self, outlook: Outlook, lease: Held) -> AbstractContextManager[Paging | None]:
        """Give what writes the page; None where there is to be none."""
        place, orders = self.planner.place, self.planner.orders
        if place.pager is None:
            return nullcontext()
        story = Narrator(place.target, outlook, self.unread, self.planner.run_id, orders.command, self.started)
        return paging(place.target, place.pager, lease, outlook.found, story=story.told, reporter=self.planner.reporter)


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
        unread=tuple(reading for reading in promoter.last.readings if reading.problem is not None),
        promoter=promoter,
    )
    failed = {r.job.name: stranded(place.target, r) for r in promoter.last.readings if r.problem is not None}
    nothing = {r.job.name: idle(place.target, r.job, found.inventory.manifest) for r in readings}
    return {**nothing, **failed, **stays}


def _get_ready(place: Place, *, seals: bool = True) -> None:
    """Open the signing key, for nothing is published unsigned where signatures are wanted; and try the store."""
    if place.sealer is not None and seals:
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
