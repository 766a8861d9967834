"""A rewrite for a program: one JSON object."""

from hubdata.model.rewrite import RewriteResult
from hubdata.report.json import dumps, findings_rows
from hubdata.report.redaction import redact


def rewrite_json(result: RewriteResult) -> str:
    """Return a rewrite as one JSON object."""
    return dumps(
        {
            "exit_code": int(result.exit_code),
            "elapsed_s": result.elapsed_s,
            "dry_run": result.dry_run,
            "hub": redact(result.hub),
            "base": redact(result.base),
            "against": redact(result.against),
            "items": result.items,
            "changed": [
                {"item": each.item, "line": each.line, "old": redact(each.old), "new": redact(each.new)}
                for each in result.changed
            ],
            "already": result.already,
            "indexed": result.indexed,
            "findings": findings_rows(result.findings),
        }
    )
