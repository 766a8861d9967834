"""A pull for a program: one JSON object."""

from hubdata.model.comparison import FileDifference
from hubdata.model.pull import PullResult
from hubdata.report import pull_words as words
from hubdata.report.json import dumps, findings_rows
from hubdata.report.meaning_json import meaning_json
from hubdata.report.pull_markdown import pull_body
from hubdata.report.redaction import redact


def pull_json(result: PullResult) -> str:
    """Return a pull as one JSON object, all lists whole; `title` and `body` are those of a pull request."""
    problem = result.problem
    return dumps(
        {
            "exit_code": int(result.exit_code),
            "elapsed_s": result.elapsed_s,
            "notices": [redact(notice) for notice in result.changes.notices],
            "job": result.job,
            "into": redact(result.into),
            "source": dict(result.source),
            "title": words.title(result),
            "body": pull_body(result),
            "written": list(result.written),
            "same": result.changes.same,
            "files": [_file(file) for file in result.files],
            "held": None
            if result.held is None
            else {"plan_id": result.held.id, "files": [_file(file) for file in result.held_files]},
            "findings": findings_rows(result.findings),
            "problem": None
            if problem is None
            else {"message": redact(problem.message), "advice": redact(problem.advice), "exit_code": problem.exit_code},
            "unknown_plans": list(result.unknown_plans),
        }
    )


def _file(file: FileDifference) -> dict[str, object]:
    return {"key": file.key, "kind": file.kind, "state": file.state.value, "meaning": meaning_json(file.difference)}
