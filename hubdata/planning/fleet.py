"""Price a plan as the fleet will feel it: an engine downloads a file again when its Last-Modified is newer.

So every put counts, whether its bytes are new or not, and nothing else does: what is deleted, adopted or evicted from
a cache keeps or loses its date without a download (facts: clients). It is the most that can happen, as few engines use
every file and text travels compressed.
"""

from dataclasses import replace

from hubdata.model.fleet import Downloads, Fleet
from hubdata.model.plan import Plan
from hubdata.model.run import RunResult, TargetResult

_GB = 1_000_000_000


def downloads(plan: Plan, fleet: Fleet) -> Downloads | None:
    """Return what `fleet` downloads because of `plan`; None where nothing is put."""
    if not plan.puts:
        return None
    return Downloads(fleet.engines, plan.bytes, round(fleet.engines * plan.bytes / _GB * fleet.usd_per_gb, 2))


def priced(result: RunResult, fleet: Fleet) -> RunResult:
    """Return `result` with what its plans cost `fleet`: those carried out, or to be, and those that wait for a word."""

    def at(target: TargetResult) -> TargetResult:
        told = {plan.id: cost for plan in _plans(target) if (cost := downloads(plan, fleet)) is not None}
        return replace(target, downloads=told)

    jobs = tuple(replace(job, targets=tuple(at(target) for target in job.targets)) for job in result.jobs)
    return replace(result, jobs=jobs)


def _plans(target: TargetResult) -> tuple[Plan, ...]:
    return tuple(plan for plan in (target.done, target.held, target.waiting) if plan is not None)
