"""Decide what a run shows of each job at each target: which troubles are there, which are not, and which nobody knows.

What a run could not find out it says nothing about: while a source is down, nobody knows whether its refused files have
been mended, so they are neither news nor over.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hubdata.model.finding import HOLDING, Finding, Severity
from hubdata.model.job import Job
from hubdata.model.notify import Trouble
from hubdata.model.run import JobResult, Problem, RunResult, TargetResult
from hubdata.planning.outcome import succeeded_at

SHOWN = 10
"""Files that are named; the rest is counted."""

_GATE = "gate."


@dataclass(frozen=True, slots=True)
class Condition:
    """One trouble. Equal `mark`s mean the same state: the same files, or the same place that fails.

    `keys` are the first few of the `count` files; `plan_id` is that of a held plan.
    """

    mark: str
    reason: str
    advice: str = ""
    keys: tuple[str, ...] = ()
    count: int = 0
    plan_id: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is seen of one job at one target. `seen` says of a trouble what it is, or None when there is none.

    Of a trouble that `seen` does not name, nobody knows. `well` tells that nothing is to be wished for, `max_age` after
    how long without that the job is stale. `since` is its last success, where that is known.
    """

    job: str
    target: str
    seen: Mapping[Trouble, Condition | None] = field(default_factory=dict)
    well: bool = False
    max_age: timedelta | None = None
    since: datetime | None = None


def sightings(
    result: RunResult, jobs: Iterable[Job], targets: Iterable[str], *, partial: bool = False
) -> tuple[Sighting, ...]:
    """Return what `result` shows of its jobs at `targets`, all that it was for.

    A `partial` run was for some keys alone: that it finds nothing says nothing.
    """
    ages, names = {job.name: job.max_age for job in jobs}, tuple(targets)
    found = []
    for job in result.jobs:
        at = {each.target: each for each in job.targets}
        for name in names:
            if name in at:
                seen = _sighting(job, at[name], ages.get(job.job), partial=partial)
                found += [seen] if seen.seen else []
            elif job.problem is not None:  # its source could not be read, so no target was gone to
                found += broken(job.job, (name,), job.problem, ages.get(job.job))
    return tuple(found)


def broken(job: str, targets: Iterable[str], problem: Problem, max_age: timedelta | None) -> tuple[Sighting, ...]:
    """Return what is seen of a job whose run came to nothing, at all of its targets."""
    failed = {Trouble.FAILED: _failed(problem)}
    return tuple(Sighting(job, target, failed, max_age=max_age) for target in targets)


def stale(job: str, target: str, since: datetime | None, now: datetime, max_age: timedelta) -> Sighting:
    """Return that a job is too old at a target. `since` is its last success, None when none is known of."""
    return Sighting(job, target, {Trouble.STALE: too_old(since, now, max_age)}, max_age=max_age, since=since)


def too_old(since: datetime | None, now: datetime, max_age: timedelta) -> Condition:
    """Return the condition of a job whose last success was at `since`."""
    last = "no success of it is known" if since is None else f"its last success was {_hours(now - since)} ago"
    return Condition(
        "", f"{last}, and may be {_hours(max_age)} old", "see why its runs do not succeed, or whether any are made"
    )


def _sighting(job: JobResult, target: TargetResult, max_age: timedelta | None, *, partial: bool) -> Sighting:
    problem = job.problem or target.problem
    seen: dict[Trouble, Condition | None] = {Trouble.FAILED: None if problem is None else _failed(problem)}
    if job.problem is None:
        seen[Trouble.REFUSED] = _refused(job, target)
        if target.problem is None and target.waiting is None:
            seen[Trouble.HELD] = _held(job, target)
    well = target.target in succeeded_at(job) and not partial
    if well:
        seen[Trouble.STALE] = None
    if partial:
        seen = {trouble: condition for trouble, condition in seen.items() if condition is not None}
    return Sighting(job.job, target.target, seen, well, max_age)


def _failed(problem: Problem) -> Condition:
    """Return a failure. Its words vary from run to run (`after 12.3 s`), so it is known by where it happened."""
    return Condition(str(int(problem.exit_code)), problem.message, problem.advice)


def _refused(job: JobResult, target: TargetResult) -> Condition | None:
    found = [f for f in job.findings if f.severity is Severity.ERROR and f.rule not in HOLDING]
    own = [f for f in found if not f.rule.startswith(_GATE)]
    barred = [f for f in found if f.rule.startswith(_GATE)] if target.barred is not None else []
    if not own and not barred:
        return None
    keys = sorted({f.key for f in own} | ({c.key for c in target.barred.changes} if target.barred else set()))
    return _files(keys, (*barred, *own)[0], "gate" if barred else "")


def _held(job: JobResult, target: TargetResult) -> Condition | None:
    if target.held is None:
        return None
    keys = sorted({change.key for change in target.held.changes} | target.held.forgotten | set(target.held.adopted))
    why = next((f for f in job.findings if f.rule in HOLDING and f.key in keys), None)
    said = why or next((f for f in job.findings if f.rule in HOLDING), None)
    held = _files(keys, said, "")
    advice = "look at the plan (`hubdata plan`), then approve it by its id (`--approve`) if it is meant"
    return Condition(held.mark, held.reason, advice, held.keys, held.count, target.held.id)


def _files(keys: list[str], first: Finding | None, besides: str) -> Condition:
    body = "\n".join((besides, *keys)).encode("utf-8", "surrogatepass")
    reason, advice = ("", "") if first is None else (_words(first), first.advice)
    return Condition(hashlib.sha256(body).hexdigest()[:24], reason, advice, tuple(keys[:SHOWN]), len(keys))


def _words(finding: Finding) -> str:
    line = "" if finding.line is None else f", line {finding.line}"
    return f"{finding.key}{line}: {finding.message} ({finding.rule})"


def _hours(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} d"
