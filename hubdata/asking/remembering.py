"""Put `hubdata history` together: what each target still tells of its generations and of the runs that wrote there."""

import json

from hubdata import app, reaching
from hubdata.app import Choices
from hubdata.errors import HubdataError
from hubdata.model.history import Run, TargetHistory, chronicle
from hubdata.model.run import Problem
from hubdata.ports import Archive, Target
from hubdata.publishing import records
from hubdata.publishing.recall import generations


def history(choices: Choices, most: int) -> tuple[TargetHistory, ...]:
    """Return the newest `most` generations and runs of every chosen target. One that fails says so; others go on.

    Raises ConfigError before any target is asked.
    """
    settings = app.settings_of(choices)
    targets = [reaching.build_target(settings, name) for name in choices.targets or settings.targets]
    return tuple(_of(target, most) for target in targets)


def _of(target: Target, most: int) -> TargetHistory:
    archived = isinstance(target, Archive)
    try:
        manifests = generations(target, most=most + 1)
        runs = tuple(run_of(run_id, body) for run_id, body in records.newest(target, most).items())
    except HubdataError as err:
        problem = Problem(str(err), err.advice, err.exit_code)
        return TargetHistory(target.name, archived=archived, problem=problem)
    return TargetHistory(target.name, chronicle(manifests, most), runs, archived=archived)


def run_of(run_id: str, body: bytes) -> Run:
    """Return one run; its record is empty when somebody else wrote it."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return Run(run_id)
    return Run(run_id, record if isinstance(record, dict) else {})
