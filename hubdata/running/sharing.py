"""Share what came of one visit out among its jobs.

All jobs of a run are one publication at a target: one survey, one manifest swap, one invalidation. Each job is told
what of it is its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubdata.errors import HubdataError
from hubdata.model.finding import Finding
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job
from hubdata.model.manifest import Manifest
from hubdata.model.plan import Plan
from hubdata.model.receipt import Applied, Invalidation
from hubdata.model.run import Problem, Retained, TargetResult
from hubdata.model.stage import Promoted
from hubdata.planning.approval import Decision
from hubdata.planning.databases import databases
from hubdata.ports import Target
from hubdata.publishing.survey import Survey
from hubdata.running.reading import Reading
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.model.gate import Verdict
    from hubdata.model.meaning import Difference
    from hubdata.model.tariff import Estimate


@frozen
class Stay:
    """What came of one job at one target: the result, and findings that only this target's state brings up.

    `approved` are the ids, of those the run was ordered to approve, that plans here have. `anew` is what was read of
    the source instead, where another run had published meanwhile.
    """

    result: TargetResult
    findings: tuple[Finding, ...] = ()
    approved: frozenset[str] = frozenset()
    anew: Reading | None = None


@frozen
class Planned:
    """What one job would have, what becomes of that here, and what limits and the gate say of it.

    `barred` would go out, but for the gate.
    """

    reading: Reading
    decision: Decision
    findings: tuple[Finding, ...]
    gate: "Verdict | None" = None
    barred: Plan | None = None

    @property
    def plan(self) -> Plan:
        """Return what goes out."""
        return self.decision.plan

    @property
    def held(self) -> Plan | None:
        """Return what waits for approval."""
        return self.decision.held

    def barred_by(self, gate: "Verdict", finding: Finding) -> "Planned":
        """Return the same with nothing going out, as `gate` refused it; where nothing would, nothing is said."""
        if self.plan.empty:
            return self
        nothing = Plan(self.plan.job, self.plan.target, unchanged=self.plan.unchanged)
        return replace(
            self,
            decision=replace(self.decision, plan=nothing),
            findings=(*self.findings, finding),
            gate=gate,
            barred=self.plan,
        )

    @property
    def keys(self) -> frozenset[str]:
        """Return every key that would change, now or later."""
        plans = (self.plan, self.held, self.decision.waiting, self.barred)
        return frozenset(change.key for plan in plans if plan is not None for change in plan.changes)


def shares(
    planned: tuple[Planned, ...],
    target: Target,
    found: Survey,
    applied: Applied | None,
    told: Invalidation | None,
    *,
    meanings: "Mapping[str, Difference]",
    broke_off: bool = False,
    retained: Mapping[str, Retained | None] = MappingProxyType({}),
    estimate: "Estimate | None" = None,
    promoted: Promoted | None = None,
    remark: str = "",
) -> Mapping[str, Stay]:
    """Return the share of each job, by name.

    All jobs of a run share one survey, one manifest swap and one invalidation at a target. The requests stand at the
    first job, so that adding up is right; the invalidation stands, whole, at every job that took part in it. So does
    the estimate of what it would come to, but once: at the first job that would change anything. A `remark` stands at
    the first job.
    """
    generation = applied.receipt.generation if applied else found.inventory.manifest.generation
    stays: dict[str, Stay] = {}
    for index, each in enumerate(planned):
        took_part = not each.plan.empty or (index == 0 and applied is None)
        result = TargetResult(
            target=target.name,
            plan=each.plan,
            held=each.decision.held,
            waiting=each.decision.waiting,
            promoted=promoted,
            gate=each.gate,
            barred=each.barred,
            applied=applied is not None and not each.plan.empty,
            generation=generation,
            requests=target.requests() if index == 0 else {},
            invalidation=told if took_part else None,
            failed=_failed(each.plan, applied),
            problem=_problem(each.plan, applied),
            meanings={key: meanings[key] for key in each.keys if key in meanings},
            changed=_changed(each, found.inventory, applied, broke_off=broke_off) if applied else (),
            retention=retained.get(each.plan.job),
            invalidation_estimate=None if each.plan.empty else estimate,
            remark=remark if index == 0 else "",
        )
        estimate = estimate if each.plan.empty else None
        reading, before = each.reading, found.inventory.manifest.files
        result = replace(result, databases=databases(reading.job, reading.snapshot, before, result))
        stays[each.plan.job] = Stay(result, each.findings, each.decision.approved)
    return stays


def renewed_stays(stays: Mapping[str, Stay], anew: tuple[Reading, ...], target: Target) -> Mapping[str, Stay]:
    """Return the stays of the jobs that were read `anew`, each with that reading; one that failed did nothing here."""
    nothing = {each.job.name: Stay(TargetResult(target.name, Plan(each.job.name, target.name))) for each in anew}
    return {name: replace(stays.get(name, nothing[name]), anew=each) for each in anew if (name := each.job.name)}


def lost(target: Target, readings: tuple[Reading, ...], err: HubdataError) -> Mapping[str, Stay]:
    """Return what every reading comes to at a target that failed with `err`."""
    problem = Problem(str(err), err.advice, err.exit_code)
    return {
        reading.job.name: Stay(TargetResult(target.name, Plan(reading.job.name, target.name), problem=problem))
        for reading in readings
    }


def stranded(target: Target, reading: Reading) -> Stay:
    """Return what a reading with a problem comes to at the one target that it was read for."""
    result = TargetResult(target.name, Plan(reading.job.name, target.name), problem=reading.problem)
    return Stay(result, reading.findings)


def idle(target: Target, job: Job, manifest: Manifest) -> Stay:
    """Return what a job comes to at a target that nothing is due at."""
    same = sum(entry.job == job.name for entry in manifest.files.values())
    plan = Plan(job.name, target.name, unchanged=same)
    return Stay(TargetResult(target.name, plan, generation=manifest.generation))


def _changed(each: Planned, before: Inventory, applied: Applied, *, broke_off: bool) -> tuple[str, ...]:
    """Return the data keys that have other bytes in public now.

    What is adopted counts where the manifest said otherwise: most likely a run that broke off had put it. Only what
    is found by the first run ever was there before, unless that run is the second because the first `broke_off`.
    """
    receipt, first = applied.receipt, before.manifest.generation == 0
    keys = {change.key for change in each.plan.puts if change.key in receipt.stored}
    keys |= {change.key for change in each.plan.deletes if change.key in receipt.deleted}
    for key in each.plan.adopted:
        entry = before.manifest.files.get(key)
        same = entry is not None and entry.sha256 == each.reading.snapshot.artifacts[key].sha256
        if not same and (broke_off or not first):
            keys.add(key)
    return tuple(sorted(keys))


def _failed(plan: Plan, applied: Applied | None) -> frozenset[str]:
    return frozenset(change.key for change in plan.changes if applied is not None and change.key in applied.failures)


def _problem(plan: Plan, applied: Applied | None) -> Problem | None:
    """Return the first error of an object of `plan`, and how many more there are."""
    if applied is None:
        return None
    errors = [applied.failures[change.key] for change in plan.changes if change.key in applied.failures]
    if not errors:
        return _unsealed(plan, applied)
    more = f" (and {len(errors) - 1} more objects)" if len(errors) > 1 else ""
    return Problem(f"{errors[0]}{more}", errors[0].advice, errors[0].exit_code)


def _unsealed(plan: Plan, applied: Applied) -> Problem | None:
    """Return why what was published has no signature or sums yet, to each job that took part."""
    err = applied.unsealed
    if err is None or plan.empty:
        return None
    return Problem(f"published, but not sealed: {err}", f"{err.advice}; the next run seals it", err.exit_code)
