"""The status of a target for programs: `status.json`, the same values as the page's. Its fields: docs/status.md."""

from datetime import timedelta
from typing import Any

from hubdata.report.json import dumps
from hubdata.report.page.given import Given
from hubdata.report.page.records import RunTold, Sort, Trouble
from hubdata.report.page.status import DatabaseStatus, JobStatus, assess, stamp
from hubdata.report.page.verdict import tone, verdict
from hubdata.report.redaction import redact

SCHEMA = 1
MOST = 200
"""Members of each list; `counts` tells how many there are."""


def status_json(given: Given) -> str:
    """Return the status as one JSON object in ASCII."""
    status = assess(given)
    manifest = status.manifest
    return dumps(
        {
            "schema": SCHEMA,
            "written_at": stamp(given.now),
            "state": tone(status),
            "verdict": [sentence for _, sentence in verdict(status)],
            "generation": manifest.generation,
            "published_at": manifest.published_at,
            "run_id": manifest.run_id,
            "counts": {
                "files": len(manifest.files),
                "bytes": status.bytes,
                "jobs": len(status.jobs),
                "failed": len(status.sorted_out(Sort.FAILED)),
                "refused": len({each.key for each in status.sorted_out(Sort.REFUSED)}),
                "held": len({each.key for each in status.sorted_out(Sort.HELD)}),
            },
            "jobs": [_job(job) for job in status.jobs[:MOST]],
            "databases": [_database(each) for each in status.databases[:MOST]],
            "troubles": [_trouble(each, private=given.private) for each in status.troubles[:MOST]],
            "runs": [_run(run) for run in status.runs[:MOST]],
        }
    )


def _job(job: JobStatus) -> dict[str, Any]:
    return {
        "job": job.note.name,
        "description": redact(job.note.description),
        "schedule": job.note.schedule,
        "freshness": job.freshness.value,
        "last_success_at": stamp(job.last_success),
        "age_s": _seconds(job.age),
        "max_age_s": _seconds(job.note.max_age),
        "fresh_until": stamp(job.until),
        "last_changed_at": stamp(job.last_changed),
        "outcome": None if job.outcome is None else job.outcome.value,
        "held_plans": list(job.plan_ids),
        "files": job.files,
        "bytes": job.bytes,
    }


def _database(each: DatabaseStatus) -> dict[str, Any]:
    return {
        "key": each.key,
        "job": each.entry.job,
        "built_at": stamp(each.built),
        "age_s": _seconds(each.age),
        "size": each.entry.size,
        "sha256": each.entry.sha256,
        "changed_at": each.entry.changed_at,
    }


def _trouble(each: Trouble, *, private: bool) -> dict[str, Any]:
    told = private or each.sort is not Sort.FAILED
    return {
        "state": each.sort.value,
        "job": each.job,
        "key": each.key,
        "line": each.line,
        "rule": each.rule,
        "message": redact(each.message) if told else "",
        "advice": redact(each.advice) if told else "",
        "exit_code": None if each.exit_code is None else int(each.exit_code),
    }


def _run(run: RunTold) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "began_at": stamp(run.at),
        "command": redact(run.command),
        "exit_code": None if run.exit_code is None else int(run.exit_code),
        "elapsed_s": run.elapsed_s,
        "jobs": [
            {
                "job": job.job,
                "outcome": None if job.outcome is None else job.outcome.value,
                "puts": job.puts,
                "deletes": job.deletes,
            }
            for job in run.jobs
        ],
    }


def _seconds(time: timedelta | None) -> int | None:
    return None if time is None else int(time.total_seconds())
