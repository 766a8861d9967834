"""The record of a run that is kept at a target: the run's own report, as far as it concerns that target.

A first publication may name a hundred thousand files, and two hundred records are kept: lists are cut where the whole
would be too large, and `cut` says so.
"""

import json
from dataclasses import replace
from typing import Any

from hubdata.model.run import RunResult
from hubdata.report.json import dumps, run_json

MAX_BYTES = 512 * 1024
_MOST = (500, 50, 5)
"""Members that are left of each list, once they are too many."""


def record_json(result: RunResult, target: str) -> str:
    """Return what run `result` did at `target`, as `--format json` tells it, with the command that it was.

    At most about `MAX_BYTES`.
    """
    jobs = tuple(
        replace(job, targets=tuple(each for each in job.targets if each.target == target)) for job in result.jobs
    )
    mine = replace(result, jobs=jobs, stages=tuple(stage for stage in result.stages if stage.target == target))
    value: dict[str, Any] = {"target": target, "command": list(result.command), **json.loads(run_json(mine))}
    text = dumps(value)
    for most in _MOST:
        if len(text) > MAX_BYTES:
            text = dumps({"cut": True, **_cut(value, most)})
    return text


def _cut(value: Any, most: int) -> Any:
    """Return the same with no list longer than `most`, and without the meaning of single changes."""
    if isinstance(value, dict):
        return {key: _cut(each, most) for key, each in value.items() if key != "changes"}
    if isinstance(value, list):
        return [_cut(each, most) for each in value[:most]]
    return value
