"""A comparison for a program: one JSON object."""

from hubdata.model.comparison import Comparison
from hubdata.report.json import dumps
from hubdata.report.meaning_json import meaning_json
from hubdata.report.redaction import redact


def comparison_json(result: Comparison) -> str:
    """Return a comparison as one JSON object, with all lists whole."""
    return dumps(
        {
            "exit_code": 0,
            "elapsed_s": round(result.elapsed_s, 3),
            "notices": [redact(notice) for notice in result.notices],
            "old": redact(result.old),
            "new": redact(result.new),
            "same": result.same,
            "files": [
                {
                    "key": file.key,
                    "kind": file.kind,
                    "state": file.state.value,
                    "meaning": meaning_json(file.difference),
                }
                for file in result.files
            ],
        }
    )
