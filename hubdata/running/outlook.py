"""Look ahead at one target: what every job's reading would change there, and whether limits and the gate let it.

Nothing is written here. What is planned is planned upon what was found, and anew when another run has written since.
"""

from collections.abc import Callable
from dataclasses import field, replace
from typing import TYPE_CHECKING

from hubdata.errors import Conflict, SourceError
from hubdata.model.event import Event
from hubdata.model.finding import Finding, Severity
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job, Unit
from hubdata.model.lease import Terms
from hubdata.model.plan import Plan
from hubdata.model.snapshot import Artifact
from hubdata.model.stage import Promoted
from hubdata.planning.approval import decide
from hubdata.planning.claims import rule_for
from hubdata.planning.diff import diff
from hubdata.planning.inventory import recognise, touched
from hubdata.planning.limits import breaches, breaches_of_rollback
from hubdata.ports import Cdn, Reporter, Target
from hubdata.publishing.ledger import waits
from hubdata.publishing.pages import is_whole
from hubdata.publishing.survey import Survey, survey
from hubdata.running.measuring import Measurer
from hubdata.running.reading import Reading, renewed
from hubdata.running.sharing import Planned
from hubdata.transfer.digest import multipart_etag
from hubdata.values import frozen

if TYPE_CHECKING:  # what a run without changes, gate and stages does without
    from hubdata.model.receipt import Applied, Invalidation
    from hubdata.publishing.apply import Work
    from hubdata.publishing.paging import Pager
    from hubdata.publishing.sealing import Sealer
    from hubdata.running.gating import Candidate, Gatekeeper
    from hubdata.running.promoting import Feeder, Promoter


@frozen
class Place:
    """A target and the CDN before it; who compares GeoIP databases with what is published there; its gate; its seal.

    Its `pager` draws its status page; None where it has none. One with a `feeder` gets nothing from the sources, but
    what has soaked at another target.
    """

    target: Target
    cdn: Cdn
    measurer: Measurer = field(default_factory=Measurer)
    gate: "Gatekeeper | None" = None
    sealer: "Sealer | None" = None
    feeder: "Feeder | None" = None
    pager: "Pager | None" = None


@frozen
class Orders:
    """What the person or the program that started the run wants.

    `approve` holds ids of plans: where there are any, the run carries out these plans and nothing else. `lease` says
    how long another run at the same target is waited for. `upon` is the ETag of the manifest that a rollback goes back
    from; None in a run that is none. `command` is what was typed, as the status page tells it.
    """

    dry_run: bool = False
    force: bool = False
    approve: frozenset[str] = frozenset()
    allow_rollback: bool = False
    wait: bool = False
    lease: Terms = Terms()
    upon: str | None = None
    command: tuple[str, ...] = ("sync", "--once")


Reread = Callable[[frozenset[str], Survey], tuple[Reading, ...]]
"""Reads jobs once more, as far as that can be done, against what a target holds by now."""


@frozen
class Outlook:
    """What was found at a target, and what is planned upon it. `anew` is what sources were asked for once more."""

    found: Survey
    readings: tuple[Reading, ...]
    bystanders: tuple[Job, ...]
    planned: tuple[Planned, ...]
    anew: tuple[Reading, ...] = ()
    takes_back: bool = False

    @property
    def works(self) -> "tuple[Work, ...]":
        """Return what is to be carried out."""
        whole = [each for each in self.planned if not each.plan.empty]
        if not whole:
            return ()
        from hubdata.publishing.apply import Work

        return tuple(Work(each.plan, each.reading.snapshot, takes_back=self.takes_back) for each in whole)

    @property
    def spoken_for(self) -> frozenset[str]:
        """Return the keys that somebody wants to stay."""
        return _spoken_for(self.found, self.readings, self.bystanders)

    @property
    def unfinished(self) -> bool:
        """Tell whether an earlier run has left something that this one can finish."""
        wanted, listed = self.spoken_for, self.found.inventory.manifest.files
        return any(not waits(line, listed, wanted) for line in self.found.ledger.open)


@frozen
class Done:
    """What was carried out upon an outlook; `remark` is what a person should know of the page."""

    outlook: Outlook
    applied: "Applied | None" = None
    told: "Invalidation | None" = None
    broke_off: bool = False
    remark: str = ""


@frozen
class Planner:
    """Plans for one place in one run. `reread` asks sources once more; a `promoter` gives the readings itself."""

    place: Place
    orders: Orders
    run_id: str
    reporter: Reporter
    reread: Reread | None = None
    promoter: "Promoter | None" = None

    def upon(self, found: Survey, readings: tuple[Reading, ...], bystanders: tuple[Job, ...]) -> Outlook:
        """Return what is planned upon what was `found`; limits have been asked, the gate has not."""
        if self.orders.upon not in (None, found.inventory.manifest_etag):
            raise _overtaken(self.place.target)
        wanted = _spoken_for(found, readings, bystanders)
        planned = tuple(_plan(reading, self.place, found, self.orders, wanted) for reading in readings)
        for each in planned:
            self.reporter.emit(_plan_made(each.plan))
        if self.promoter is not None:  # what is found here was not found when the sources were read
            planned = tuple(replace(each, findings=(*each.reading.findings, *each.findings)) for each in planned)
        return Outlook(found, readings, bystanders, planned, takes_back=self.orders.upon is not None)

    def again(self, before: Outlook) -> Outlook:
        """Return what is planned now that another run has written: upon what it left, and never upon older data."""
        found = survey(self.place.target)
        if self.promoter is not None:
            sound = self.promoter.at(found).sound
            return self.upon(found, sound, self.promoter.bystanders)
        outlook = self.upon(found, before.readings, before.bystanders)
        published_since = touched(before.found.inventory.manifest, found.inventory.manifest)
        overtaken = published_since.intersection(each.plan.job for each in outlook.planned if each.keys)
        if not overtaken or self.reread is None:
            return outlook
        anew = self.reread(overtaken, found)
        return replace(self.upon(found, *renewed(before.readings, before.bystanders, anew)), anew=anew)

    def gated(self, outlook: Outlook) -> Outlook:
        """Return the same as the target's gate lets it: where it refuses, nothing goes out at all."""
        gate, planned = self.place.gate, outlook.planned
        if gate is None or not outlook.works:
            return outlook
        candidate, jobs = _candidate(planned, outlook.found), tuple(each.plan.job for each in planned)
        target = self.place.target
        verdict = gate.ask(candidate, target, run_id=self.run_id, jobs=jobs, reporter=self.reporter)
        if verdict.passed:
            return replace(outlook, planned=tuple(replace(each, gate=verdict) for each in planned))
        from hubdata.running.gating import finding_of

        finding = finding_of(verdict, target.name)
        return replace(outlook, planned=tuple(each.barred_by(verdict, finding) for each in planned))

    def has_to_publish(self, outlook: Outlook) -> bool:
        """Tell whether anything is to be carried out, finished or sealed."""
        place, found = self.place, outlook.found
        unsealed = place.sealer is not None and not place.sealer.is_whole(found)
        return unsealed or outlook.unfinished or bool(outlook.works)

    def has_to_show(self, outlook: Outlook) -> bool:
        """Tell whether the status page is to be written, whatever else is."""
        return self.place.pager is not None and not is_whole(outlook.found)

    def record(self, outlook: Outlook) -> Promoted | None:
        """Return what the manifest is to say of a promotion: while something of it has yet to go out, it is partial."""
        record = None if self.promoter is None else self.promoter.last.record
        if record is None:
            return None
        left = any(
            each.held or each.decision.waiting or each.barred or each.reading.snapshot.refused
            for each in outlook.planned
        )
        return replace(record, partial=record.partial or left)


def _plan(reading: Reading, place: Place, found: Survey, orders: Orders, spoken_for: frozenset[str]) -> Planned:
    job, snapshot = reading.job, reading.snapshot
    inventory = _recognised(found, reading)
    whole = diff(snapshot, inventory, prune=_may_delete(reading), force=orders.force, spared=spoken_for)
    broken = _breaches(whole, reading, place, inventory, orders)
    held_keys = frozenset(finding.key for finding in broken if finding.severity is Severity.ERROR)
    decision = decide(whole, held_keys, job.unit, orders.approve)
    if decision.let_out is not None:
        note = f"approved as plan {decision.let_out.id}"
        broken = tuple(
            replace(finding, severity=Severity.WARNING, waived=note) if finding.key in held_keys else finding
            for finding in broken
        )
    return Planned(reading, decision, broken)


def _breaches(whole: Plan, reading: Reading, place: Place, inventory: Inventory, orders: Orders) -> tuple[Finding, ...]:
    job, snapshot = reading.job, reading.snapshot
    if orders.upon is not None:
        return breaches_of_rollback(whole, inventory.manifest, max_deletes=job.max_deletes)
    limits = {change.key: rule.limits for change in whole.puts if (rule := rule_for(job, change.key))}
    weighed = [key for key, bounds in limits.items() if bounds.max_country_change is not None]
    return breaches(
        whole,
        snapshot,
        inventory.manifest,
        limits,
        rewinds=reading.rewinds,
        allow_rollback=orders.allow_rollback,
        max_deletes=job.max_deletes,
        moved=place.measurer.moved(place.target, weighed, snapshot.artifacts, inventory.objects),
    )


def _overtaken(target: Target) -> Conflict:
    return Conflict(
        f"target {target.name}: another run has published since this rollback was planned",
        advice="look at the plan once more: run it again",
        retryable=True,
    )


def _candidate(planned: tuple[Planned, ...], found: Survey) -> "Candidate":
    """Return what the target would hold of the planned jobs: what is held or refused stays there as it is."""
    from hubdata.running.gating import Candidate

    inventory = found.inventory
    artifacts: dict[str, Artifact] = {}
    staying: set[str] = set()
    for each in planned:
        left = frozenset(c.key for p in (each.held, each.decision.waiting) if p is not None for c in p.changes)
        mine = {key: artifact for key, artifact in each.reading.snapshot.artifacts.items() if key not in left}
        gone = each.plan.forgotten.union(change.key for change in each.plan.deletes)
        artifacts |= mine
        for key, entry in inventory.manifest.files.items():
            held = inventory.objects.get(key)
            in_place = held is not None and held.sha256 == entry.sha256
            if entry.job == each.plan.job and in_place and key not in gone:
                staying.add(key)
    return Candidate(artifacts, inventory.manifest, frozenset(staying - artifacts.keys()))


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


def _recognised(found: Survey, reading: Reading) -> Inventory:
    try:
        return recognise(found.inventory, reading.snapshot, multipart_etag)
    except OSError as err:
        raise SourceError(
            f"job {reading.job.name}: a checked file cannot be read any more ({err.strerror or err})",
            advice="see that the checkout or the spool is readable and still there",
        ) from err


def _may_delete(reading: Reading) -> bool:
    """Tell whether what the source no longer has may go: never while the job is refused whole or its source is bare."""
    job, snapshot = reading.job, reading.snapshot
    refused_whole = job.unit is Unit.JOB and bool(snapshot.refused)
    return job.prune and not refused_whole and bool(snapshot.artifacts or snapshot.kept)
