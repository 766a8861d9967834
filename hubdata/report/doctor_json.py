"""A checkup for a program: one JSON object."""

from hubdata.model.checkup import Checkup
from hubdata.report.json import dumps
from hubdata.report.redaction import redact


def doctor_json(result: Checkup) -> str:
    """Return a checkup as one JSON object."""
    checks = [
        {
            "name": check.name,
            "subject": redact(check.subject),
            "status": check.status.value,
            "found": redact(check.found),
            "advice": redact(check.advice),
        }
        for check in result.checks
    ]
    return dumps({"exit_code": int(result.exit_code), "elapsed_s": result.elapsed_s, "checks": checks})
