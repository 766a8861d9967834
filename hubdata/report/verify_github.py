"""A verification for GitHub Actions: an annotation a finding, and a table of families in the step's summary."""

from hubdata.model.finding import Severity
from hubdata.model.verification import Verification
from hubdata.report.github import command
from hubdata.report.markdown import cell, table
from hubdata.report.redaction import redact
from hubdata.report.terminal import plain
from hubdata.report.verify_text import summary, verdict
from hubdata.report.wording import size

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_MAX_ROWS = 500


def verify_github(result: Verification) -> str:
    """Return a verification as workflow commands, errors first."""
    lines = findings_github(result)
    lines += [command("notice", redact(notice), title="hubdata") for notice in result.notices]
    lines.append(command("notice", summary(result), title="hubdata"))
    return "".join(line + "\n" for line in lines)


def findings_github(result: Verification) -> list[str]:
    """Return a workflow command for each finding; what is public lies in no file of the repository."""
    ordered = sorted(result.findings, key=lambda f: f.severity is not Severity.ERROR)
    return [
        command(
            _COMMAND[finding.severity],
            plain(redact(f"{finding.url} {finding.message}. {finding.advice}")),
            title=f"{finding.rule} ({finding.family.label})",
        )
        for finding in ordered
    ]


def verify_markdown(result: Verification) -> str:
    """Return a verification as Markdown: a sentence, the families, the findings."""
    families = [
        (
            view.family.label,
            cell(view.address),
            "" if view.generation is None else view.generation,
            f"{view.files:,}",
            size(view.bytes),
            verdict(view),
        )
        for view in result.views
    ]
    rows = [
        (f.severity.value, f.family.label, cell(f.rule), cell(redact(f.url)), cell(f.expected), cell(f.found))
        for f in sorted(result.findings, key=lambda f: f.severity is not Severity.ERROR)[:_MAX_ROWS]
    ]
    rest = len(result.findings) - len(rows)
    return "\n".join(
        part
        for part in (
            "### hubdata verify\n",
            f"{cell(summary(result))}\n",
            table(("Family", "Address", "Generation", "Files", "Bytes", "Result"), families) if families else "",
            table(("Severity", "Family", "Rule", "URL", "Expected", "Found"), rows) if rows else "",
            f"and {rest:,} more\n" if rest else "",
        )
        if part
    )
