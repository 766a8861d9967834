"""An audit for GitHub Actions: annotations on the items, and the list of what to do in the step's summary.

Orphans are not annotated: they are files of another repository.
"""

from hubdata.model.audit import AuditResult
from hubdata.report.audit_text import place, summary
from hubdata.report.github import annotations, command
from hubdata.report.markdown import cell, table
from hubdata.report.redaction import redact

_MAX_ROWS = 500


def audit_github(result: AuditResult) -> str:
    """Return an audit as workflow commands."""
    lines = annotations((f for f in result.findings if f.line is not None or f.rule != "audit.orphan"), result.base)
    lines += [command("notice", redact(notice), title="hubdata") for notice in result.notices]
    lines.append(command("notice", summary(result), title="hubdata"))
    return "".join(line + "\n" for line in lines)


def audit_markdown(result: AuditResult) -> str:
    """Return an audit as Markdown: a sentence and the list of what to do."""
    rows = [
        (action.severity.value, cell(place(action)), cell(action.file), cell(action.rule), cell(action.do))
        for action in result.actions[:_MAX_ROWS]
    ]
    rest = len(result.actions) - len(rows)
    more = f"and {rest:,} more\n" if rest else ""
    shown = table(("Severity", "Item", "File", "Rule", "What to do"), rows) if rows else ""
    return "\n".join(filter(None, ("### hubdata audit\n", f"{cell(summary(result))}\n", shown, more)))
