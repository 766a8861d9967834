"""Decide how a job ended, from what was found, what was held and what its targets say."""

from collections.abc import Iterable, Mapping

from hubdata.errors import Exit, worst
from hubdata.model.finding import HOLDING, ITEM_FAILED, Finding, Severity
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult


def job_result(
    job: str,
    source: Mapping[str, str],
    problem: Problem | None,
    findings: tuple[Finding, ...],
    targets: tuple[TargetResult, ...],
    *,
    held_by: tuple[Finding, ...] = (),
    dry_run: bool = False,
) -> JobResult:
    """Return the result of one job at all its targets. `held_by` are what targets bring up: limits and gates."""
    codes = [p.exit_code for p in (problem, *(t.problem for t in targets)) if p is not None]
    codes += codes_of((*findings, *held_by))
    if any(t.held for t in targets):
        codes.append(Exit.HELD)
    if any(t.invalidation is not None and t.invalidation.pending for t in targets):
        codes.append(Exit.CDN_PENDING)
    code = worst(codes)
    everything = (*findings, *(f for f in dict.fromkeys(held_by) if f not in findings))
    return JobResult(job, _outcome(code, targets, dry_run=dry_run), source, everything, targets, problem, code)


def codes_of(findings: Iterable[Finding]) -> list[Exit]:
    """Return what findings make a run end with: SOURCE where a file could not be had, REFUSED where it is unfit."""
    errors = {f.rule for f in findings if f.severity is Severity.ERROR and f.rule not in HOLDING}
    refused = [Exit.REFUSED] if errors - {ITEM_FAILED} else []
    return [*refused, Exit.SOURCE] if ITEM_FAILED in errors else refused


def wrote(result: RunResult, target: str) -> bool:
    """Tell whether a run wrote anything at a target that a person may ask about later: published, told, or removed."""
    mine = [each for job in result.jobs for each in job.targets if each.target == target]
    return not result.dry_run and any(
        each.applied or each.invalidation is not None or (each.retention is not None and each.retention.removed)
        for each in mine
    )


def _outcome(code: Exit, targets: tuple[TargetResult, ...], *, dry_run: bool) -> Outcome:
    if code is Exit.REFUSED:
        return Outcome.REFUSED
    if code is Exit.HELD:
        return Outcome.HELD
    if code not in (Exit.FINE, Exit.CDN_PENDING):
        return Outcome.FAILED
    if dry_run and not all(target.plan.empty for target in targets):
        return Outcome.PLANNED
    if any(target.applied for target in targets):
        return Outcome.PUBLISHED
    if any(target.waiting is not None for target in targets):
        return Outcome.PLANNED
    return Outcome.UNCHANGED


def succeeded_at(job: JobResult) -> tuple[str, ...]:
    """Return the targets at which a job's run left nothing to be wished for: all sound, in public, and told."""
    refused = any(f.severity is Severity.ERROR and f.rule not in HOLDING for f in job.findings)
    if job.problem is not None or refused:
        return ()
    return tuple(
        each.target
        for each in job.targets
        if each.problem is None
        and each.held is each.waiting is each.barred is None
        and not each.failed
        and not (each.invalidation is not None and each.invalidation.pending)
    )
