"""An audit for a program: one JSON object with every finding and the list of what to do."""

from hubdata.model.audit import AuditResult
from hubdata.report.json import dumps, findings_rows
from hubdata.report.redaction import redact


def audit_json(result: AuditResult) -> str:
    """Return an audit as one JSON object."""
    return dumps(
        {
            "exit_code": int(result.exit_code),
            "elapsed_s": round(result.elapsed_s, 3),
            "notices": [redact(notice) for notice in result.notices],
            "hub": redact(result.hub),
            "against": redact(result.against),
            "items": result.items,
            "entries": result.entries,
            "published": result.published,
            "findings": findings_rows(result.findings),
            "actions": [
                {
                    "severity": action.severity.value,
                    "item": action.item,
                    "line": action.line,
                    "file": action.file,
                    "rule": action.rule,
                    "do": action.do,
                }
                for action in result.actions
            ],
        }
    )
