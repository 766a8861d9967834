"""A result for GitHub Actions: one annotation a finding on stdout, and a Markdown table in the step's summary.

Workflow commands are a line format in which `%`, CR and LF (and in properties `:` and `,`) must be escaped
(github.com/actions/toolkit, packages/core/src/command.ts). Without that, a file name could issue commands of its own.
GitHub shows ten errors and ten warnings a step, so errors come first, and the summary has the rest.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from hubdata.model.comparison import FileDifference, State
from hubdata.model.finding import Finding, Severity
from hubdata.model.run import Outcome, Problem, RunResult
from hubdata.model.validation import ValidationResult
from hubdata.report import wording
from hubdata.report.markdown import cell, file_blocks, table
from hubdata.report.redaction import redact

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_MAX_MEANING_CHARS = 200_000
_MAX_ROWS = 500
"""With cells bounded too, this keeps a summary far below GitHub's 1 MiB, beyond which it shows none at all."""


def run_github(result: RunResult) -> str:
    """Return a run as workflow commands."""
    lines = []
    for problem, names in wording.problems(result).items():
        lines.append(_problem(", ".join(names), problem))
    for problem, names in wording.warnings(result).items():
        lines.append(_problem(", ".join(names), problem, "warning"))
    if result.verification is not None:
        from hubdata.report.verify_github import findings_github

        lines += findings_github(result.verification)
    for job in result.jobs:
        for target in job.targets:
            if target.held is not None:
                text = redact(f"held; after a review: {wording.approval(result, target.held.id)}")
                lines.append(command("warning", text, title=f"{job.job} to {target.target}"))
    lines += annotations(f for job in result.jobs for f in job.findings)
    lines += [command("notice", redact(notice), title="hubdata") for notice in result.notices]
    lines.append(command("notice", f"{wording.run_summary(result)} ({wording.run_meaning(result)})", title="hubdata"))
    return "".join(line + "\n" for line in dict.fromkeys(lines))


def validation_github(result: ValidationResult) -> str:
    """Return a validation as workflow commands."""
    lines = annotations(result.all_findings, result.base)
    lines += [command("notice", redact(notice), title="hubdata") for notice in result.notices]
    summary = f"{wording.validation_summary(result)} ({wording.meaning(result.exit_code)})"
    lines.append(command("notice", summary, title="hubdata"))
    return "".join(line + "\n" for line in lines)


def annotations(findings: Iterable[Finding], base: str = "") -> list[str]:
    """Return one workflow command a finding, errors first; `base` is what keys begin with in the repository."""
    found = tuple(findings)
    return [_annotation(f, base) for severity in _ORDER for f in found if f.severity is severity]


def command(
    name: str, message: str, *, file: str = "", line: int | None = None, col: int | None = None, title: str = ""
) -> str:
    """Return one workflow command: `::name file=F,line=1,title=T::message`, escaped."""
    given = {"file": file, "line": line, "col": col, "title": title}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in given.items() if value not in ("", None))
    return f"::{name}{' ' if properties else ''}{properties}::{_data(message)}"


def run_summary_markdown(result: RunResult) -> str:
    """Return a run as Markdown: a sentence, the table of jobs and targets, and the findings."""
    rows: list[tuple[object, ...]] = []
    for job in result.jobs:
        lead = (f"{_MARK[job.outcome]} {cell(job.job)}", job.outcome.value, cell(wording.origin(job)))
        for target in job.targets:
            plan = target.done
            counts = (len(plan.puts), len(plan.deletes), f"{plan.unchanged:,}", wording.size(plan.bytes))
            id_ = f"`{target.held.id}`" if target.held is not None else ""
            rows.append((*lead, cell(target.target), *counts, target.generation or "", id_))
        if not job.targets:
            rows.append((*lead, "", "", "", "", "", "", ""))
    head = ("Job", "Outcome", "Source", "Target", "Puts", "Deletes", "Same", "Bytes", "Generation", "Plan to approve")
    title = "hubdata plan" if result.dry_run else "hubdata sync"
    said = "".join(
        f"- {cell(', '.join(names))}: {cell(redact(p.message))}{'. ' + cell(redact(p.advice)) if p.advice else ''}\n"
        for p, names in (wording.problems(result) | wording.warnings(result)).items()
    )
    return "\n".join(
        part
        for part in (
            f"### {title}\n",
            f"{cell(wording.run_summary(result))} ({wording.run_meaning(result)})\n",
            table(head, rows),
            "".join(f"- {cell(text)}\n" for text in (*wording.estimates(result), *_costs(result))),
            said,
            _findings_table(f for job in result.jobs for f in job.findings),
            _meanings(result),
            _verification(result),
        )
        if part
    )


def _verification(result: RunResult) -> str:
    if result.verification is None:
        return ""
    from hubdata.report.verify_github import verify_markdown

    return verify_markdown(result.verification)


def _costs(result: RunResult) -> list[str]:
    """Return a line for each plan that is priced, the held ones too: whoever approves wants to know."""
    return [
        f"{job.job} to {target.target}{' (held)' if plan is target.held else ''}: {cost}"
        for job in result.jobs
        for target in job.targets
        for plan in (target.done, target.held)
        if plan is not None and (cost := wording.downloads(target, plan))
    ]


def validation_summary_markdown(result: ValidationResult) -> str:
    """Return a validation as Markdown: a sentence and the findings."""
    sentence = f"{wording.validation_summary(result)} ({wording.meaning(result.exit_code)})\n"
    return "\n".join(filter(None, ("### hubdata validate\n", sentence, _findings_table(result.all_findings))))


def append_step_summary(markdown: str) -> None:
    """Add `markdown` to the step's summary, where GitHub names a file for it; a summary is never worth failing for."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown + "\n")
    except OSError:
        return


def _meanings(result: RunResult) -> str:
    """Return what the changes of a plan mean, each file once where all targets hold the same."""
    found: list[FileDifference] = []
    for target in (target for job in result.jobs for target in job.targets):
        for key, difference in target.meanings.items():
            state = State.EQUAL if difference.equal else State.CHANGED
            file = FileDifference(key, "", state, difference)
            if file not in found:
                found.append(file)
    return file_blocks(found, _MAX_MEANING_CHARS)


_MARK = {
    Outcome.PLANNED: ":memo:",
    Outcome.PUBLISHED: ":white_check_mark:",
    Outcome.UNCHANGED: ":white_check_mark:",
    Outcome.REFUSED: ":x:",
    Outcome.HELD: ":warning:",
    Outcome.FAILED: ":x:",
}


def _annotation(finding: Finding, base: str) -> str:
    message = f"{finding.message}. {finding.advice}" if finding.advice else finding.message
    if finding.waived:
        message = f"{message} (waived {finding.waived})"
    name = _COMMAND[finding.severity]
    file = base + finding.key if finding.key else ""
    return command(name, message, file=file, line=finding.line, col=finding.column, title=finding.rule)


def _problem(name: str, problem: Problem, severity: str = "error") -> str:
    message = f"{problem.message}. {problem.advice}" if problem.advice else problem.message
    return command(severity, redact(message), title=name)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _findings_table(findings: Iterable[Finding]) -> str:
    found = tuple(findings)
    ordered = [f for severity in _ORDER for f in found if f.severity is severity]
    rows = [
        (f.severity.value, cell(f.key), f.line or "", cell(f.rule), cell(f.message), cell(f.advice))
        for f in ordered[:_MAX_ROWS]
    ]
    shown = table(("Severity", "File", "Line", "Rule", "Finding", "Advice"), rows) if rows else ""
    rest = len(ordered) - len(rows)
    return f"{shown}\nand {wording.counted(rest, 'more finding')}\n" if rest else shown
