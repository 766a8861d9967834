"""The words every report shares: numbers with units, counts of things, and what a run's end means."""

import math
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hubdata.errors import Exit
from hubdata.model.finding import HOLDING, ITEM_FAILED, Finding, Severity
from hubdata.model.gate import Verdict
from hubdata.model.plan import Plan
from hubdata.model.run import Database, JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.model.stage import StageResult
from hubdata.model.tariff import Estimate
from hubdata.model.validation import ValidationResult

SHORT_ID = 12
"""How much of a plan id or a revision is shown where nobody has to copy it."""

_MEANING = {
    Exit.FINE: "all is well",
    Exit.BUG: "a bug in hubdata",
    Exit.CONFIG: "settings, flags or job files cannot be used",
    Exit.REFUSED: "refused files keep their last good version",
    Exit.HELD: "held by limits: nothing of it is public until it is approved",
    Exit.SOURCE: "an upstream could not be read",
    Exit.TARGET: "a target could not be read or written",
    Exit.CDN_PENDING: "published, but the CDN is pending: the next run tells it again",
}


def size(count: int) -> str:
    """Return a byte count as people read it: `812 B`, `66.2 MB` (powers of 1,000)."""
    if count < 1000:
        return f"{count} B"
    amount = count / 1000
    for unit in ("kB", "MB"):
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB" if amount < 999.95 else f"{amount / 1000:,.1f} TB"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun: `1 file`, `1,204 files`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def meaning(code: Exit) -> str:
    """Return what an exit code tells whoever reads it."""
    return f"exit {int(code)}: {_MEANING[code]}"


def origin(job: JobResult) -> str:
    """Return where a job's data came from in two words: `git 1149fa3`."""
    revision = job.source.get("revision") or ""
    return " ".join(part for part in (job.source.get("type", ""), revision[:7]) if part)


def built(database: Database) -> str:
    """Return when a database was built, as `2026-11-20 14:05 UTC`; empty when nobody knows."""
    if database.build_epoch is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(database.build_epoch, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""


def retained(job: JobResult, target: TargetResult) -> str:
    """Return what was removed of a job's past at a target; nothing when nothing was."""
    kept = target.retention
    if kept is None or not (kept.removed or kept.left):
        return ""
    amount = size(sum(state.size for state in kept.removed))
    more = f"; {kept.left:,} more at the next run" if kept.left else ""
    old = counted(len(kept.removed), "old version")
    return f"{job.job} -> {target.target}: removed {old} ({amount}), replaced more than {kept.days} days ago{more}"


def estimates(result: RunResult) -> list[str]:
    """Return a sentence for each target on what telling its CDN would come to."""
    return [
        f"cdn of {target.target}: {estimated(target.invalidation_estimate)}"
        for job in result.jobs
        for target in job.targets
        if target.invalidation_estimate is not None
    ]


def downloads(target: TargetResult, plan: Plan) -> str:
    """Return what a plan costs the fleet: `100,000 engines download 812 B each, 81.2 MB in all (0.01 USD), at most`."""
    cost = target.downloads.get(plan.id)
    if cost is None:
        return ""
    engines = f"{counted(cost.engines, 'engine')} {'downloads' if cost.engines == 1 else 'download'}"
    return f"{engines} {size(cost.bytes_each)} each, {size(cost.bytes)} in all ({cost.usd:,.2f} USD), at most"


def estimated(told: Estimate) -> str:
    """Return what telling a CDN comes to: `1,201 paths to forget, 1.005 USD beyond the 1,000 free ones`."""
    parts = [f"{counted(told.paths, 'path')} to forget"]
    if told.usd is not None:
        free = counted(told.free_paths, "free one")
        parts.append(f"{told.usd:,.3f} USD beyond the {free}" if told.usd else "free")
    if told.evicted:
        kinds = ((told.wildcards, "wildcard"), (told.tags, "tag"))
        means = " and ".join(counted(number, noun) for number, noun in kinds if number)
        verb = "evicts" if told.wildcards + told.tags == 1 else "evict"
        parts.append(f"{means} {verb} {counted(told.evicted, 'unchanged file')} ({size(told.evicted_bytes)})")
    return ", ".join(parts)


def coming(stages: Iterable[StageResult]) -> list[str]:
    """Return a sentence on each generation that soaks: when it is due, and where."""
    return [
        f"target {stage.target}: generation {stage.coming.generation} of {stage.after} is due at"
        f" {stage.coming.due_at:%Y-%m-%d %H:%M:%S} UTC, in {lasting(stage.coming.remaining)},"
        f" unless another takes its place there"
        for stage in stages
        if stage.coming is not None
    ]


def lasting(time: timedelta) -> str:
    """Return a duration as people say it, rounded up: `45 s`, `14 min`, `2 h 5 min`, `3 d`."""
    seconds = math.ceil(time.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = ((days, "d"), (hours, "h"), (rest, "min"))
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])


def approval(result: RunResult, *ids: str) -> str:
    """Return the command that publishes exactly the plans of `ids`, fit to be pasted into a shell."""
    approve = (word for id_ in ids for word in ("--approve", id_))
    return shlex.join(("hubdata", *result.command, *result.flags, *approve))


def unknown_plans(result: RunResult) -> Problem | None:
    """Return what to say of ids that were to be approved and that no plan has, None when there are none."""
    if not result.unknown_plans:
        return None
    failed = any(p is not None for job in result.jobs for p in (job.problem, *(t.problem for t in job.targets)))
    held = [f"{t.held.id} ({job.job} to {t.target})" for job in result.jobs for t in job.targets if t.held is not None]
    return Problem(
        f"no plan of this run has the id {' or '.join(result.unknown_plans)}"
        f"{' (what failed made no plan)' if failed else ''}, so nothing was published for it;"
        f" held are: {', '.join(held) or 'none'}",
        "the data or the target changed since the plan was made, or it is public already: read `hubdata plan` and"
        " approve the id that it names",
        Exit.HELD,
    )


def is_held(finding: Finding) -> bool:
    """Tell a finding of the limits (held until approved) from one of a kind (refused)."""
    return finding.rule in HOLDING


def is_barred(finding: Finding) -> bool:
    """Tell a finding of a gate (about all files together) from one about a file."""
    return finding.rule.startswith("gate.")


def all_findings(result: RunResult) -> list[Finding]:
    """Return the findings of all jobs; what a gate says stands at each of them, and is told once."""
    found = [f for job in result.jobs for f in job.findings]
    return [f for f in found if not is_barred(f)] + list(dict.fromkeys(f for f in found if is_barred(f)))


def refusals(result: RunResult) -> dict[str, Verdict]:
    """Return by target what gates said that refused."""
    said = {t.target: t.gate for job in result.jobs for t in job.targets if t.barred is not None and t.gate is not None}
    return dict(sorted(said.items()))


def refused_keys(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the keys that validation keeps from being published."""
    return frozenset(f.key for f in findings if f.severity is Severity.ERROR and not is_held(f) and not is_barred(f))


def problems(result: RunResult) -> dict[Problem, list[str]]:
    """Return each problem once, with everyone it struck: jobs, and jobs at targets (`lists -> aws`).

    One repository that cannot be reached fails three jobs; one bucket, every job. A person wants to read that once.
    """
    struck: dict[Problem, list[str]] = {}
    for job in result.jobs:
        if job.problem is not None:
            struck.setdefault(job.problem, []).append(job.job)
        for target in job.targets:
            if target.problem is not None and target.problem != job.problem:
                struck.setdefault(target.problem, []).append(f"{job.job} -> {target.target}")
            told = target.invalidation
            if told is not None and told.reason:
                problem = Problem(told.reason, told.advice, Exit.CDN_PENDING)
                struck.setdefault(problem, []).append(f"{job.job} -> {target.target}")
    if (unknown := unknown_plans(result)) is not None:
        struck[unknown] = ["--approve"]
    return struck


def warnings(result: RunResult) -> dict[Problem, list[str]]:
    """Return what went wrong after everything was published, each once, with what it struck."""
    struck: dict[Problem, list[str]] = {}
    for hook in result.hooks:
        if hook.problem is not None:
            struck.setdefault(hook.problem, []).append(f"hook {hook.hook} for {hook.target}")
    for job in result.jobs:
        for target in job.targets:
            if target.retention is not None and target.retention.problem is not None:
                struck.setdefault(target.retention.problem, []).append(f"{job.job} -> {target.target}")
    return struck


def run_meaning(result: RunResult) -> str:
    """Return what the exit code of a run tells; 7 stands for three things, and only some of them mend themselves."""
    told = [t.invalidation for job in result.jobs for t in job.targets if t.invalidation is not None]
    if result.exit_code is Exit.CDN_PENDING and not any(invalidation.pending for invalidation in told):
        if any(hook.problem is not None for hook in result.hooks):
            return f"exit {int(result.exit_code)}: published, but a hook failed"
        return f"exit {int(result.exit_code)}: published, but not every reader has it"
    return meaning(result.exit_code)


def run_summary(result: RunResult) -> str:
    """Return one sentence on what a run did, or would do."""
    done = [t.done for job in result.jobs for t in job.targets if t.applied or result.dry_run]
    waiting = [t.waiting for job in result.jobs for t in job.targets if t.waiting is not None]
    puts = {change.key for plan in done for change in plan.puts}
    deletes = {change.key for plan in done for change in plan.deletes}
    places = {plan.target for plan in done if plan.changes}
    where = f" at {len(places)} targets" if len(places) > 1 else ""
    parts = []
    if puts:
        verb = "would publish" if result.dry_run else "published"
        parts.append(f"{verb} {counted(len(puts), 'file')} ({size(sum(plan.bytes for plan in done))}){where}")
    if deletes:
        verb = "would delete" if result.dry_run else "deleted"
        parts.append(f"{verb} {counted(len(deletes), 'file')}{'' if puts else where}")
    if left := {change.key for plan in waiting for change in plan.changes}:
        parts.append(f"left {counted(len(left), 'change')} that nobody approved to the next run")
    parts.extend(_troubles(result))
    if not parts:
        same = sum(max((t.plan.unchanged for t in job.targets), default=0) for job in result.jobs)
        parts.append(f"nothing changed, {counted(same, 'file')} up to date" if result.jobs else "no job to run")
    return f"{', '.join(parts)}, in {result.elapsed_s:.1f} s"


def _troubles(result: RunResult) -> list[str]:
    refused = frozenset[str]().union(*(refused_keys(job.findings) for job in result.jobs))
    missing = {f.key for f in all_findings(result) if f.rule == ITEM_FAILED}
    held = sum(job.outcome is Outcome.HELD or any(t.held is not None for t in job.targets) for job in result.jobs)
    failed = sum(job.outcome is Outcome.FAILED for job in result.jobs)
    parts = []
    if missing:
        parts.append(f"could not fetch {counted(len(missing), 'file')}")
    if refused - missing:
        parts.append(f"refused {counted(len(refused - missing), 'file')}")
    if barred := refusals(result):
        parts.append(f"the gate of {' and '.join(barred)} refused")
    if held:
        parts.append(f"held {counted(held, 'job')}")
    if failed:
        parts.append(counted(failed, "job") + " failed")
    return parts


def validation_summary(result: ValidationResult) -> str:
    """Return one sentence on what a validation found."""
    refused = refused_keys(result.all_findings)
    checked = counted(len(result.files), "file")
    verdict = f"refused {counted(len(refused), 'file')}" if refused else "none refused"
    return f"checked {checked}, {verdict}, in {result.elapsed_s:.1f} s"
