"""How jobs stand, for a program: one JSON object, each target in the form of its `status.json`."""

import json

from hubdata.errors import worst
from hubdata.report.json import dumps
from hubdata.report.page.status_json import status_json
from hubdata.report.redaction import redact
from hubdata.report.standing import Standing


def standing_json(targets: tuple[Standing, ...]) -> str:
    """Return every target with the fields of `status.json`, or with its problem."""
    return dumps(
        {
            "exit_code": int(worst([target.exit_code for target in targets])),
            "targets": [
                {
                    "target": target.target,
                    **({} if target.given is None else json.loads(status_json(target.given))),
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
