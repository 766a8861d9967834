"""The record of a run that is kept at a target: the run's own report, as far as it concerns that target.

A first publication may name a hundred thousand files, and two hundred records are kept: lists are cut where the whole
would be too large, and `cut` says so.
"""

import json
from dataclasses import replace
from itertools import islice
from typing import Any

from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, RunResult
from hubdata.report.json import run_value

MAX_BYTES = 512 * 1024
_MOST = (500, 50, 5)
"""Members that are left of each list, once they are too many."""


def record_json(result: RunResult, target: str) -> str:
    """Return what run `result` did at `target`, as `--format json` tells it, with the command that it was.

    At most about `MAX_BYTES`, on one line: laying it out for people takes twenty times as long, and every run that
    writes waits for it.
    """
    jobs = tuple(
        replace(job, targets=tuple(each for each in job.targets if each.target == target)) for job in result.jobs
    )
    mine = replace(result, jobs=jobs, stages=tuple(stage for stage in result.stages if stage.target == target))
    short = replace(mine, jobs=tuple(map(_shortened, jobs)))
    value: dict[str, Any] = {"target": target, "command": list(result.command), **run_value(short)}
    if short != mine:
        value["cut"] = True
        for job, told in zip(jobs, value["jobs"], strict=True):
            for each, row in zip(job.targets, told["targets"], strict=True):  # of the whole, not of what is left of it
                row |= {"plan_id": (each.held or each.plan).id, "bytes": each.done.bytes}
    text = _line(value)
    for most in _MOST:
        if len(text) > MAX_BYTES:
            text = _line({"cut": True, **_cut(value, most)})
    return text


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value) + "\n"


def _shortened(job: JobResult) -> JobResult:
    """Return the same with no more findings and changes than a record may have: more would only cost time."""
    targets = tuple(
        replace(
            each,
            plan=_few(each.plan),
            held=None if each.held is None else _few(each.held),
            waiting=None if each.waiting is None else _few(each.waiting),
        )
        for each in job.targets
    )
    return replace(job, findings=job.findings[: _MOST[0]], targets=targets)


def _few(plan: Plan) -> Plan:
    most = _MOST[0]
    forgotten = frozenset(sorted(plan.forgotten)[:most]) if len(plan.forgotten) > most else plan.forgotten
    adopted = dict(islice(plan.adopted.items(), most)) if len(plan.adopted) > most else plan.adopted
    return replace(plan, changes=plan.changes[:most], adopted=adopted, forgotten=forgotten)


def _cut(value: Any, most: int) -> Any:
    """Return the same with no list longer than `most`, and without the meaning of single changes."""
    if isinstance(value, dict):
        return {key: _cut(each, most) for key, each in value.items() if key != "changes"}
    if isinstance(value, list):
        return [_cut(each, most) for each in value[:most]]
    return value
