"""Visit one target: plan every job's reading against what it holds, and carry the plans out as one publication."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from hubdata.errors import CdnError, SourceError
from hubdata.gating import Candidate, Gatekeeper, finding_of
from hubdata.measuring import Measurer
from hubdata.model.event import Event
from hubdata.model.finding import Severity
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job, Unit
from hubdata.model.lease import Terms
from hubdata.model.manifest import Entry
from hubdata.model.meaning import Difference
from hubdata.model.plan import Plan
from hubdata.model.receipt import Invalidation
from hubdata.model.run import Retained
from hubdata.model.snapshot import Artifact
from hubdata.planning.approval import decide
from hubdata.planning.claims import rule_for
from hubdata.planning.diff import diff
from hubdata.planning.inventory import recognise, touched
from hubdata.planning.limits import breaches
from hubdata.ports import Cdn, Clock, Reporter, Target, Variable
from hubdata.publishing.apply import Applied, Work, apply, foreseen
from hubdata.publishing.lease import Held, held
from hubdata.publishing.ledger import Inherited, waits
from hubdata.publishing.resealing import reseal
from hubdata.publishing.resuming import resume
from hubdata.publishing.retention import retire
from hubdata.publishing.sealing import Sealer, Sealing
from hubdata.publishing.survey import Survey, survey
from hubdata.reading import Reading, renewed
from hubdata.sharing import Planned, Stay, renewed_stays, shares
from hubdata.transfer.digest import multipart_etag

_WAIT = timedelta(minutes=20)
"""CloudFront finishes in minutes; whoever said --wait is told after this that it goes on without them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A target and the CDN before it; who compares GeoIP databases with what is published there; its gate; its seal."""

    target: Target
    cdn: Cdn
    measurer: Measurer = field(default_factory=Measurer)
    gate: Gatekeeper | None = None
    sealer: Sealer | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """What the person or the program that started the run wants.

    `approve` holds ids of plans: where there are any, the run carries out these plans and nothing else. `lease` says
    how long another run at the same target is waited for.
    """

    dry_run: bool = False
    force: bool = False
    approve: frozenset[str] = frozenset()
    allow_rollback: bool = False
    wait: bool = False
    lease: Terms = Terms()


Reread = Callable[[frozenset[str], Survey], tuple[Reading, ...]]
"""Reads jobs once more, as far as that can be done, against what a target holds by now."""


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
) -> Mapping[str, Stay]:
    """Return what came of every reading at `place`, by job name. A dry run only plans; a writing one holds the lease.

    `bystanders` are jobs that failed or take no part: what they publish is unknown, so no file that a rule of theirs
    names is deleted. Before anything is put, the target's gate has passed just that.
    Raises TargetError when the target can be read no longer, or nothing could be committed.
    """

    def planned_on(found: Survey) -> tuple[Planned, ...]:
        wanted = _spoken_for(found, readings, bystanders)
        made = tuple(_plan(reading, place, found, orders, wanted) for reading in readings)
        for each in made:
            reporter.emit(_plan_made(each.plan))
        return made

    planned = planned_on(found)
    if orders.dry_run:
        meanings = _explained(planned, place, found, reporter, held_only=False)
        foreseen_ = foreseen(_works(planned), place.cdn, found, place.sealer.keys if place.sealer else ())
        return shares(planned, place.target, found, None, None, meanings=meanings, estimate=foreseen_)
    applied, told, broke_off = None, None, False
    anew: tuple[Reading, ...] = ()
    asked = partial(_gated, place=place, run_id=run_id, reporter=reporter)
    planned = asked(planned, found)
    unsealed = place.sealer is not None and not place.sealer.is_whole(found)
    if unsealed or _unfinished(found, readings, bystanders) or any(not each.plan.empty for each in planned):
        _get_ready(place)
        with held(place.target, orders.lease, run_id=run_id, clock=clock, reporter=reporter) as lease:
            if not lease.follows(found.lease_etag):  # another run has written since: what it left is planned against
                before, found = found, survey(place.target)
                planned = planned_on(found)
                published_since = touched(before.inventory.manifest, found.inventory.manifest)
                overtaken = published_since.intersection(each.plan.job for each in planned if each.keys)
                if overtaken and reread is not None:
                    anew = reread(overtaken, found)
                    readings, bystanders = renewed(readings, bystanders, anew)
                    planned = planned_on(found)
                planned = asked(planned, found)
            broke_off = bool(found.ledger.open)
            sealing = _sealing(place, found, lease)
            works, wanted = _works(planned), _spoken_for(found, readings, bystanders)
            found, told, left = _resume(place, found, wanted, lease, reporter, publishes=bool(works))
            if works:
                to = (place.target, place.cdn, found, lease)
                applied = apply(works, *to, run_id=run_id, reporter=reporter, inherited=left, sealing=sealing)
                _remember(place.measurer, works, applied)
                if told is None or not told.pending:  # what is still pending from before is told first, here too
                    told = applied.receipt.invalidation or told
            elif told is None or not told.pending:
                told = _resealed(sealing, place, found, run_id, reporter) or told
    if told is not None and orders.wait:
        told = _waited(place.cdn, told, clock, reporter)
    retained = {} if orders.approve else _retired(place.target, found, readings, bystanders, reporter)
    meanings = _explained(planned, place, found, reporter, held_only=True)
    stays = shares(
        planned, place.target, found, applied, told, meanings=meanings, broke_off=broke_off, retained=retained
    )
    return {**stays, **renewed_stays(stays, anew, place.target)}


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


def _plan(reading: Reading, place: Place, found: Survey, orders: Orders, spoken_for: frozenset[str]) -> Planned:
    job, snapshot = reading.job, reading.snapshot
    inventory = _recognised(found, reading)
    whole = diff(snapshot, inventory, prune=_may_delete(reading), force=orders.force, spared=spoken_for)
    limits = {change.key: rule.limits for change in whole.puts if (rule := rule_for(job, change.key))}
    weighed = [key for key, bounds in limits.items() if bounds.max_country_change is not None]
    broken = breaches(
        whole,
        snapshot,
        inventory.manifest,
        limits,
        rewinds=reading.rewinds,
        allow_rollback=orders.allow_rollback,
        max_deletes=job.max_deletes,
        moved=place.measurer.moved(place.target, weighed, snapshot.artifacts, inventory.objects),
    )
    held_keys = frozenset(finding.key for finding in broken if finding.severity is Severity.ERROR)
    decision = decide(whole, held_keys, job.unit, orders.approve)
    if decision.let_out is not None:
        note = f"approved as plan {decision.let_out.id}"
        broken = tuple(
            replace(finding, severity=Severity.WARNING, waived=note) if finding.key in held_keys else finding
            for finding in broken
        )
    return Planned(reading, decision, broken)


def _gated(
    planned: tuple[Planned, ...], found: Survey, *, place: Place, run_id: str, reporter: Reporter
) -> tuple[Planned, ...]:
    """Return `planned` as the target's gate lets it: where it refuses, nothing goes out at all."""
    if place.gate is None or not _works(planned):
        return planned
    jobs = tuple(each.plan.job for each in planned)
    verdict = place.gate.ask(_candidate(planned, found), place.target, run_id=run_id, jobs=jobs, reporter=reporter)
    if verdict.passed:
        return tuple(replace(each, gate=verdict) for each in planned)
    finding = finding_of(verdict, place.target.name)
    return tuple(each.barred_by(verdict, finding) for each in planned)


def _candidate(planned: tuple[Planned, ...], found: Survey) -> Candidate:
    """Return what the target would hold of the planned jobs: what is held or refused stays there as it is."""
    inventory = found.inventory
    artifacts: dict[str, Artifact] = {}
    staying: dict[str, Entry] = {}
    for each in planned:
        left = frozenset(c.key for p in (each.held, each.decision.waiting) if p is not None for c in p.changes)
        mine = {key: artifact for key, artifact in each.reading.snapshot.artifacts.items() if key not in left}
        gone = each.plan.forgotten.union(change.key for change in each.plan.deletes)
        artifacts |= mine
        for key, entry in inventory.manifest.files.items():
            held = inventory.objects.get(key)
            in_place = held is not None and held.sha256 == entry.sha256
            if entry.job == each.plan.job and in_place and key not in gone:
                staying[key] = entry
    return Candidate(artifacts, {key: entry for key, entry in staying.items() if key not in artifacts})


def _works(planned: tuple[Planned, ...]) -> tuple[Work, ...]:
    return tuple(Work(each.plan, each.reading.snapshot) for each in planned if not each.plan.empty)


def _remember(measurer: Measurer, works: tuple[Work, ...], applied: Applied) -> None:
    """Keep what is public now for the next comparison."""
    for work in works:
        for change in work.plan.puts:
            if change.key not in applied.failures:
                measurer.published(work.snapshot.artifacts[change.key])


def _plan_made(plan: Plan) -> Event:
    return Event("plan.made", {"job": plan.job, "target": plan.target, "puts": len(plan.puts), "id": plan.id})


def _spoken_for(found: Survey, readings: tuple[Reading, ...], bystanders: tuple[Job, ...]) -> frozenset[str]:
    """Return the keys that somebody wants to stay: what the readings hold, and what a bystander's rule names.

    Of bystanders only what may lie at the target counts: what is published, and what a broken-off run has put there.
    """
    snapshots = [reading.snapshot for reading in readings]
    there = {*found.inventory.manifest.files, *(key for line in found.ledger.open for key, _ in line.puts)}
    perhaps = {key for key in there if any(rule_for(job, key) for job in bystanders)}
    return frozenset(perhaps.union(*((*s.artifacts, *s.kept, *s.refused) for s in snapshots)))


def _unfinished(found: Survey, readings: tuple[Reading, ...], bystanders: tuple[Job, ...]) -> bool:
    """Tell whether an earlier run has left something that this one can finish."""
    wanted, listed = _spoken_for(found, readings, bystanders), found.inventory.manifest.files
    return any(not waits(line, listed, wanted) for line in found.ledger.open)


def _recognised(found: Survey, reading: Reading) -> Inventory:
    try:
        return recognise(found.inventory, reading.snapshot, multipart_etag)
    except OSError as err:
        raise SourceError(
            f"job {reading.job.name}: a checked file cannot be read any more ({err.strerror or err})",
            advice="see that the checkout or the spool is readable and still there",
        ) from err


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
    from hubdata.explaining import explain

    artifacts = {key: artifact for each in planned for key, artifact in each.reading.snapshot.artifacts.items()}
    told = explain(shown, artifacts, found.inventory.objects, place.target, reporter)
    keys = [change.key for plan in shown for change in plan.puts]
    return {**told, **place.measurer.told(place.target, keys, artifacts, found.inventory.objects)}


def _may_delete(reading: Reading) -> bool:
    """Tell whether what the source no longer has may go: never while the job is refused whole or its source is bare."""
    job, snapshot = reading.job, reading.snapshot
    refused_whole = job.unit is Unit.JOB and bool(snapshot.refused)
    return job.prune and not refused_whole and bool(snapshot.artifacts or snapshot.kept)


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
