"""A result for a program: one JSON object, fields as CONTRACT.md names them, others only added.

ASCII only, so that no locale can break it. Problems and notices are redacted; findings quote public data.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from hubdata.errors import HubdataError
from hubdata.model.finding import Finding
from hubdata.model.meaning import Difference
from hubdata.model.plan import Change, Plan
from hubdata.model.receipt import Invalidation
from hubdata.model.run import Database, HookResult, JobResult, Problem, Retained, RunResult, TargetResult
from hubdata.model.snapshot import Stats
from hubdata.model.stage import Promoted, StageResult
from hubdata.model.validation import ValidationResult
from hubdata.model.verification import Verification
from hubdata.report import wording
from hubdata.report.redaction import redact

MAX_LISTED = 1_000
"""Members of each list of a change's `meaning` in a plan; `hubdata diff` tells them all."""

METHODS = ("LIST", "GET", "PUT", "HEAD", "DELETE")


def run_json(result: RunResult) -> str:
    """Return a run (or a plan: the same, with nothing applied) as one JSON object."""
    return dumps(run_value(result))


def run_value(result: RunResult) -> dict[str, Any]:
    """Return the same as plain dictionaries and lists, as `json` would read it."""
    value = {
        "run_id": result.run_id,
        "exit_code": int(result.exit_code),
        "elapsed_s": round(result.elapsed_s, 3),
        "dry_run": result.dry_run,
        "notices": [redact(notice) for notice in result.notices],
        "unknown_plans": list(result.unknown_plans),
        "problem": _problem(wording.unknown_plans(result)),
        "jobs": [_job(job) for job in result.jobs],
        "hooks": [_hook(hook) for hook in result.hooks],
        "verify": _verification(result.verification),
        "stages": [_stage(stage) for stage in result.stages],
    }
    plain: dict[str, Any] = json.loads(json.dumps(value))
    return plain


def validation_json(result: ValidationResult) -> str:
    """Return a validation as one JSON object: every file with its statistics, and all findings in one list."""
    return dumps(
        {
            "exit_code": int(result.exit_code),
            "elapsed_s": round(result.elapsed_s, 3),
            "notices": [redact(notice) for notice in result.notices],
            "files": [{"key": f.key, "kind": f.kind, "stats": _stats(f.stats)} for f in result.files],
            "findings": findings_rows(result.all_findings),
        }
    )


def error_json(message: str, advice: str, exit_code: int) -> str:
    """Return an error that ended the process as one JSON object."""
    return dumps({"exit_code": exit_code, "error": {"message": redact(message), "advice": redact(advice)}})


def exception_json(error: HubdataError) -> str:
    """Return an error of our own tree as one JSON object."""
    return error_json(str(error), error.advice, int(error.exit_code))


def dumps(value: Any) -> str:
    """Return `value` as JSON with a newline at its end; a person may read it too."""
    return json.dumps(value, indent=2) + "\n"


def _job(job: JobResult) -> dict[str, Any]:
    return {
        "job": job.job,
        "outcome": job.outcome.value,
        "exit_code": int(job.exit_code),
        "source": dict(job.source),
        "problem": _problem(job.problem),
        "findings": findings_rows(job.findings),
        "targets": [_target(target) for target in job.targets],
    }


def _target(target: TargetResult) -> dict[str, Any]:
    plan = target.plan
    return {
        "target": target.target,
        # What a person may approve, where something is held.
        "plan_id": (target.held or target.barred or plan).id,
        "applied": target.applied,
        "held": None if target.held is None else _plan(target.held, target.meanings),
        "waiting": None if target.waiting is None else _plan(target.waiting, target.meanings),
        "gate": _gate(target),
        "promoted": None if target.promoted is None else _promoted(target.promoted),
        **_plan(target.done, target.meanings),
        "adopted": sorted(plan.adopted),
        "forgotten": sorted(plan.forgotten),
        "unchanged": plan.unchanged,
        "generation": target.generation,
        "requests": {**dict.fromkeys(METHODS, 0), **target.requests},
        "cdn": _cdn(target.invalidation),
        "cdn_estimate": None if target.invalidation_estimate is None else asdict(target.invalidation_estimate),
        "downloads": {id_: {**asdict(cost), "bytes": cost.bytes} for id_, cost in target.downloads.items()},
        "databases": [_database(database) for database in target.databases],
        "retention": _retained(target.retention),
        "problem": _problem(target.problem),
    }


def _stage(stage: StageResult) -> dict[str, Any]:
    """Return how a stage stands; `next` is the generation that soaks, with when it is due."""
    coming = stage.coming
    return {
        "target": stage.target,
        "after": stage.after,
        "soak_s": stage.soak.total_seconds(),
        "promoted": None if stage.last is None else _promoted(stage.last),
        "due": stage.due,
        "next": None
        if coming is None
        else {
            "generation": coming.generation,
            "due_at": f"{coming.due_at:%Y-%m-%dT%H:%M:%SZ}",
            "in_s": math.ceil(coming.remaining.total_seconds()),
        },
    }


def _promoted(promoted: Promoted) -> dict[str, Any]:
    return {"from": promoted.source, "generation": promoted.generation, "partial": promoted.partial}


def _gate(target: TargetResult) -> dict[str, Any] | None:
    """Return what the gate said; `refused` is the plan that it kept from going out."""
    said = target.gate
    if said is None:
        return None
    return {
        "program": said.program,
        "passed": said.passed,
        "files": said.files,
        "elapsed_s": said.elapsed_s,
        "reason": redact(said.why),
        "output": redact(said.output),
        "refused": None if target.barred is None else _plan(target.barred, target.meanings),
    }


def _plan(plan: Plan, meanings: Mapping[str, Difference]) -> dict[str, Any]:
    return {
        "puts": [c.key for c in plan.puts],
        "deletes": [c.key for c in plan.deletes],
        "changes": [_change(change, meanings.get(change.key)) for change in plan.changes],
        "bytes": plan.bytes,
    }


def _change(change: Change, meant: Difference | None) -> dict[str, Any]:
    told = {"action": change.action, "key": change.key, "reason": change.reason, "size": change.size}
    if meant is None:
        return told
    from hubdata.report.meaning_json import meaning_json

    return {**told, "meaning": meaning_json(meant, MAX_LISTED)}


def _database(database: Database) -> dict[str, Any]:
    return {
        "key": database.key,
        "edition": database.edition,
        "outcome": database.outcome.value,
        "date": database.date,
        "build_epoch": database.build_epoch,
    }


def _retained(retained: Retained | None) -> dict[str, Any] | None:
    if retained is None:
        return None
    return {
        "days": retained.days,
        "removed": [
            {
                "key": state.key,
                "version_id": state.version_id,
                "size": state.size,
                "written_at": f"{state.written_at:%Y-%m-%dT%H:%M:%SZ}",
            }
            for state in retained.removed
        ],
        "left": retained.left,
        "problem": _problem(retained.problem),
    }


def _hook(hook: HookResult) -> dict[str, Any]:
    return {
        "hook": hook.hook,
        "target": hook.target,
        "generation": hook.generation,
        "elapsed_s": hook.elapsed_s,
        "output": redact(hook.output),
        "problem": _problem(hook.problem),
    }


def _verification(result: Verification | None) -> dict[str, Any] | None:
    if result is None:
        return None
    from hubdata.report.verify_json import verification_value

    return verification_value(result)


def _cdn(invalidation: Invalidation | None) -> dict[str, Any] | None:
    if invalidation is None:
        return None
    return {
        "invalidation_id": invalidation.id,
        "paths": list(invalidation.paths),
        "pending": invalidation.pending,
        "reason": redact(invalidation.reason),
        "advice": redact(invalidation.advice),
        "reference": invalidation.reference,
        "waited_s": invalidation.waited_s,
    }


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {
        "message": redact(problem.message),
        "advice": redact(problem.advice),
        "exit_code": int(problem.exit_code),
    }


def findings_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as every JSON result has them."""
    return [
        {
            "key": f.key,
            "line": f.line,
            "column": f.column,
            "rule": f.rule,
            "severity": f.severity.value,
            "message": f.message,
            "advice": f.advice,
            "waived": f.waived,
            **({} if f.offset is None else {"offset": f.offset}),
        }
        for f in findings
    ]


def _stats(stats: Stats) -> dict[str, int]:
    counted = {
        "entries": stats.entries,
        "ipv4_addresses": stats.ipv4_addresses,
        "ipv6_64s": stats.ipv6_64s,
        "build_epoch": stats.build_epoch,
    }
    return {name: value for name, value in counted.items() if value is not None}
