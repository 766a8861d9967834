"""The past of targets for a program: one JSON object."""

from dataclasses import asdict

from hubdata.errors import worst
from hubdata.model.history import TargetHistory
from hubdata.report.json import dumps
from hubdata.report.redaction import redact


def history_json(targets: tuple[TargetHistory, ...]) -> str:
    """Return every generation with the keys that it changed, and every run's record, the newest first.

    Where the generation before is not kept any more, `known` is false, and the lists say nothing.
    """
    return dumps(
        {
            "exit_code": int(worst([target.problem.exit_code for target in targets if target.problem is not None])),
            "targets": [
                {
                    "target": target.target,
                    "archived": target.archived,
                    "generations": [
                        {"generation": each.number, **{k: v for k, v in asdict(each).items() if k != "number"}}
                        for each in target.generations
                    ],
                    "runs": [{"run_id": run.run_id, "record": run.record} for run in target.runs],
                    "problem": None
                    if target.problem is None
                    else {
                        "message": redact(target.problem.message),
                        "advice": redact(target.problem.advice),
                        "exit_code": int(target.problem.exit_code),
                    },
                }
                for target in targets
            ],
        }
    )
