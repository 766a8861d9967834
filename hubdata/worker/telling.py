"""Say how runs ended, a line each: for a person on one line, for a program as one JSON object on one line."""

import json

from hubdata.model.event import Event
from hubdata.report.json import error_json, run_json
from hubdata.report.log import log_event
from hubdata.report.redaction import redact
from hubdata.report.terminal import plain
from hubdata.worker.runs import Ended


def text_line(ended: Ended) -> str:
    """Return `2026-11-23T00:17:03Z allowlists published (schedule, 0.4 s): aws generation 12, 3 puts, 0 deletes`."""
    elapsed_s = (ended.ended_at - ended.started_at).total_seconds()
    own = ended.own
    at = [] if own is None else own.targets
    told = [
        f"{each.target} generation {each.generation}, {len(each.done.puts)} puts, {len(each.done.deletes)} deletes"
        for each in at
        if each.applied
    ]
    if ended.error:
        told.insert(0, ended.error)
    head = f"{ended.ended_at:%Y-%m-%dT%H:%M:%SZ} {ended.job} {ended.outcome} ({ended.cause}, {elapsed_s:.1f} s)"
    return plain(redact(": ".join([head, "; ".join(told)] if told else [head]))) + "\n"


def json_line(ended: Ended) -> str:
    """Return what `sync --once --format json` says of the run, and beside it `job`, `cause` and the times."""
    if ended.result is not None:
        said = json.loads(run_json(ended.result))
    else:
        problem = ended.problem
        said = json.loads(
            error_json(problem.message if problem else "", problem.advice if problem else "", ended.exit_code)
        )
    times = {"started_at": f"{ended.started_at:%Y-%m-%dT%H:%M:%SZ}", "ended_at": f"{ended.ended_at:%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({"job": ended.job, "cause": ended.cause, "outcome": ended.outcome, **times, **said}) + "\n"


def log_bug(job: str, run_id: str, err: Exception) -> None:
    """Log an error that nobody foresaw, with its traceback, which the log frees of secrets."""
    log_event(Event("run.bug", {"job": job, "run_id": run_id}), err=err)
