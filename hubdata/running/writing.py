"""Write what a run has to write at one target, under its lease: what earlier runs left, its publication, and the page.

A run that has nothing of all that takes no lease and sends nothing. One that has but a page to write waits for nobody.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hubdata.errors import CdnError, TargetError
from hubdata.model.event import Event
from hubdata.model.lease import GivenBack, Terms
from hubdata.model.receipt import Applied, Invalidation
from hubdata.ports import Clock, Reachable, Reporter, Target, Variable
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.apply import Work, apply
from hubdata.publishing.lease import Held, held
from hubdata.publishing.ledger import Inherited
from hubdata.publishing.pages import is_whole
from hubdata.publishing.paging import Paging, paging, unshown
from hubdata.publishing.resealing import reseal
from hubdata.publishing.resuming import resume
from hubdata.publishing.sealing import Sealing
from hubdata.publishing.survey import Survey, survey
from hubdata.running.measuring import Measurer
from hubdata.running.narrating import Narrator
from hubdata.running.outlook import Done, Outlook, Place, Planner
from hubdata.running.reading import Reading
from hubdata.transfer.afterwards import Later, at_once


@dataclass(frozen=True, slots=True)
class Writer:
    """One run's writing at one target."""

    planner: Planner
    clock: Clock
    unread: tuple[Reading, ...]
    later: Later = at_once
    started: float = field(default_factory=time.monotonic)

    def carried_out(self, outlook: Outlook) -> Done:
        """Return what came of the plans, and of what earlier runs left; with nothing of either, nothing is sent."""
        place, found = self.planner.place, outlook.found
        if self.planner.has_to_publish(outlook):
            _reach(place.target, outlook.works)
            _get_ready(place)
            with self._held(found, self.planner.orders.lease) as lease:
                if not lease.follows(
                    found.lease_etag
                ):  # another run has written since: what it left is planned against
                    outlook = self.planner.gated(self.planner.again(outlook))
                return self._published(outlook, lease)
        if self.planner.has_to_show(outlook):
            return Done(outlook, remark=self._shown_alone(outlook))
        return Done(outlook)

    def _published(self, outlook: Outlook, lease: Held) -> Done:
        place, run_id, reporter = self.planner.place, self.planner.run_id, self.planner.reporter
        found, works = _under(lease, outlook.found), outlook.works
        broke_off = bool(found.ledger.open)
        sealing = _sealing(place, found, lease)
        found, told, left = _resume(place, found, outlook.spoken_for, lease, reporter, publishes=bool(works))
        outlook = replace(outlook, found=found)
        if not works:
            if told is None or not told.pending:
                told = _resealed(sealing, place, found, run_id, reporter) or told
            return Done(outlook, None, told, broke_off, self._shown_again(outlook, lease))
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
        return Done(outlook, applied, told, broke_off, applied.remark)

    def _shown_alone(self, outlook: Outlook) -> str:
        """Write the page where nothing else is to be done; return what a person should know of it. Waits for nobody."""
        place = self.planner.place
        try:
            _get_ready(place, seals=False)
            with self._held(outlook.found, replace(self.planner.orders.lease, waits=timedelta())) as lease:
                if not lease.follows(outlook.found.lease_etag):
                    outlook = replace(outlook, found=survey(place.target))
                return self._shown_again(outlook, lease)
        except TargetError as err:
            self.planner.reporter.emit(Event("page.failed", {"target": place.target.name, "error": str(err)}))
            return "" if err.retryable else unshown(place.target.name, err)  # most likely another run is at it

    def _shown_again(self, outlook: Outlook, lease: Held) -> str:
        """Write the page of what is published, unless it is whole; return what a person should know of it."""
        target, found = self.planner.place.target, _under(lease, outlook.found)
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

    def _held(self, found: Survey, terms: Terms) -> AbstractContextManager[Held]:
        planner = self.planner
        return held(
            planner.place.target,
            terms,
            run_id=planner.run_id,
            clock=self.clock,
            reporter=planner.reporter,
            known=_given_back(found),
            later=self.later,
        )

    def _paging(self, outlook: Outlook, lease: Held) -> AbstractContextManager[Paging | None]:
        """Give what writes the page; None where there is to be none."""
        place, orders = self.planner.place, self.planner.orders
        if place.pager is None:
            return nullcontext()
        story = Narrator(place.target, outlook, self.unread, self.planner.run_id, orders.command, self.started)
        return paging(place.target, place.pager, lease, outlook.found, story=story.told, reporter=self.planner.reporter)


def _given_back(found: Survey) -> GivenBack | None:
    """Return the lease as the listing and the ledger together tell it; None where it has to be read."""
    if found.lease_etag is None:
        return GivenBack(None, 0)
    told = found.ledger.lease
    return told if told is not None and told.etag == found.lease_etag else None


def _under(lease: Held, found: Survey) -> Survey:
    """Return what was found, its ledger as it is written under `lease`: telling by what that is known once it is over.

    Where another run writes the ledger meanwhile this is lost, and the next run reads the lease.
    """
    return replace(found, ledger=replace(found.ledger, lease=lease.once_given_back))


def _reach(target: Target, works: tuple[Work, ...]) -> None:
    """Have a connection for each put at once, by the time that lease and receipt are written."""
    if isinstance(target, Reachable):
        target.reach(min(target.concurrency, sum(len(work.plan.puts) for work in works)))


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
        return found, pending(Invalidation(oldest.paths, oldest.reference), err), ()
    return replace(found, ledger=done.ledger), done.told[-1] if done.told else None, done.inherited


def pending(told: Invalidation, err: CdnError) -> Invalidation:
    """Return what the CDN was told, as what it has not accepted yet."""
    return replace(told, pending=True, reason=str(err), advice=err.advice)
