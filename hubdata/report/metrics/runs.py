"""Say what a run tells: pure, from its result.

What a run could not find out it does not tell, so that what was known before stays: a file that was refused is still
refused while its upstream cannot be read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from hubdata.errors import Exit
from hubdata.model.finding import HOLDING, Severity
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, RunResult, TargetResult
from hubdata.planning.outcome import succeeded_at
from hubdata.report.metrics import catalogue
from hubdata.report.metrics.series import News, Series, Spread, Told, Value


def news_of(result: RunResult, *, elapsed_s: float, ended_at: datetime) -> News:
    """Return what a run tells of each of its jobs and targets; a dry run tells nothing."""
    if result.dry_run:
        return News({})
    told: dict[Series, Value] = {}
    renewed: set[tuple[str, str]] = set()
    part = "--edition" in result.command  # then what it says of a job's files is not all there is to say
    for job in result.jobs:
        told |= _ended(job.job, job.outcome, job.exit_code, elapsed_s=elapsed_s, ended_at=ended_at)
        told[Series(catalogue.SOURCE_OK, (job.job,))] = float(job.problem is None)
        if job.problem is None and not part:
            told |= _findings(job)
            renewed |= {(job.job, ""), *((job.job, each.target) for each in job.targets if each.problem is None)}
        for each in job.targets:
            told |= _published(job, each)
    told |= _at_targets([each for job in result.jobs for each in job.targets])
    for view in result.verification.views if result.verification is not None else ():
        told[Series(catalogue.READERS_OK, (view.family.value,))] = float(view.well)
    return News(told, frozenset(renewed))


def news_of_failure(job: str, exit_code: Exit, *, elapsed_s: float, ended_at: datetime) -> News:
    """Return what a run tells of a job that ended before it could have a result."""
    return News(_ended(job, Outcome.FAILED, exit_code, elapsed_s=elapsed_s, ended_at=ended_at))


def successes_of(result: RunResult, ended_at: datetime) -> Mapping[str, Mapping[str, datetime]]:
    """Return by job and target where the run left nothing to be wished for, and when."""
    return {job.job: dict.fromkeys(succeeded_at(job), ended_at) for job in result.jobs}


def _ended(job: str, outcome: Outcome, exit_code: Exit, *, elapsed_s: float, ended_at: datetime) -> dict[Series, Value]:
    return {
        Series(catalogue.RUNS, (job, outcome.value)): 1.0,
        Series(catalogue.DURATION, (job,)): Spread.of(elapsed_s),
        Series(catalogue.LAST_RUN, (job,)): ended_at.timestamp(),
        Series(catalogue.EXIT_CODE, (job,)): float(exit_code),
    }


def _findings(job: JobResult) -> Told:
    counted = Counter((each.rule, each.severity.value) for each in job.findings)
    errors = (each for each in job.findings if each.severity is Severity.ERROR and each.rule not in HOLDING)
    return {
        Series(catalogue.REFUSED, (job.job,)): float(len({each.key for each in errors})),
        **{Series(catalogue.FINDINGS, (job.job, *what)): float(count) for what, count in counted.items()},
    }


def _published(job: JobResult, each: TargetResult) -> Told:
    """Return what is told of one job at one target. Where either failed, a plan may be held as it was before."""
    at = (job.job, each.target)
    done = each.done if each.applied else Plan(job.job, each.target)
    told: dict[Series, Value] = {
        Series(catalogue.PUTS, at): float(len(done.puts)),
        Series(catalogue.DELETES, at): float(len(done.deletes)),
        Series(catalogue.BYTES, at): float(done.bytes),
    }
    if job.problem is None or each.problem != job.problem:
        told[Series(catalogue.TARGET_OK, at)] = float(each.problem is None)
    if job.problem is None and each.problem is None:
        told[Series(catalogue.HELD, at)] = float(each.held is not None)
    for base in each.databases:
        if base.build_epoch is not None:
            told[Series(catalogue.GEOIP_BUILD, (*at, base.key))] = float(base.build_epoch)
    return told


def _at_targets(results: Iterable[TargetResult]) -> Told:
    """Return what is told of targets: all jobs of a run share one publication and one invalidation at each."""
    told: dict[Series, Value] = {}
    requests, paths = Counter[Series](), Counter[Series]()
    seen: set[tuple[str, str]] = set()
    for each in results:
        at = (each.target,)
        for method, count in each.requests.items():
            requests[Series(catalogue.REQUESTS, (each.target, method))] += count
        if each.generation:
            told[Series(catalogue.GENERATION, at)] = float(each.generation)
            told.setdefault(Series(catalogue.PENDING, at), 0.0)
            told.setdefault(Series(catalogue.PATHS, at), 0.0)
        sent = each.invalidation
        if sent is None or (each.target, sent.reference) in seen:
            continue
        seen.add((each.target, sent.reference))
        if sent.pending:
            told[Series(catalogue.PENDING, at)] = 1.0
        else:
            paths[Series(catalogue.PATHS, at)] += len(sent.paths)
    return {**told, **{series: float(count) for series, count in (*requests.items(), *paths.items())}}
