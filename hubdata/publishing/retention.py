"""Remove what a target has kept for longer than its job allows: some licences ask that old releases be deleted.

It comes last, when all is published and told, and at every run, because days pass also when nothing is released. It
touches only states that no reader gets. Whatever goes wrong is a warning: the data is out, the next run tries again.
"""

from datetime import timedelta

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.inventory import Past
from hubdata.model.job import Job
from hubdata.model.manifest import Manifest
from hubdata.model.run import Problem, Retained
from hubdata.planning.retention import heads, outlived, ownership
from hubdata.ports import Attic, Reporter, Target

MOST = 200
"""States removed in one run: the first run at an old bucket must not take hours; the next ones go on."""


def retire(
    job: Job, target: Target, manifest: Manifest, others: tuple[Job, ...], reporter: Reporter
) -> Retained | None:
    """Return what was removed of the past of `job` at `target`; None when it asks for nothing, or no past is kept.

    `others` are all other jobs. Costs one LIST for each directory that the job's rules name, and a DELETE for each
    state removed. Never raises for a store's failure: that is in the result.
    """
    if job.retention is None or not isinstance(target, Attic):
        return None
    removed: list[Past] = []
    due: tuple[Past, ...] = ()
    try:
        past = [state for head in heads(job) for state in target.past(head)]
        due = outlived(past, ownership(job, manifest, others), target.now(), job.retention)
        for state in due[:MOST]:
            target.forget(state.key, state.version_id)
            removed.append(state)
    except HubdataError as err:
        reporter.emit(Event("retention.failed", {"job": job.name, "target": target.name, "error": str(err)}))
        problem = Problem(f"old versions could not be removed: {err}", err.advice, err.exit_code)
        return _retained(job.retention, removed, due, problem)
    if removed:
        reporter.emit(Event("retention.removed", {"job": job.name, "target": target.name, "versions": len(removed)}))
    return _retained(job.retention, removed, due, None)


def _retained(keep: timedelta, removed: list[Past], due: tuple[Past, ...], problem: Problem | None) -> Retained:
    return Retained(keep.days, tuple(removed), len(due) - len(removed), problem)
