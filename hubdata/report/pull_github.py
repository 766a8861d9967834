"""A pull for GitHub Actions: an annotation for each thing that needs a person, and the summary in the step's own."""

from hubdata.errors import Exit
from hubdata.model.pull import PullResult
from hubdata.report import pull_words as words
from hubdata.report.github import annotations, command
from hubdata.report.redaction import redact
from hubdata.report.wording import meaning


def pull_github(result: PullResult) -> str:
    """Return a pull as workflow commands."""
    lines = annotations(result.findings)
    if result.problem is not None:
        text = f"{redact(result.problem.message)}. {redact(result.problem.advice)}"
        lines.append(command("error", text, title=result.job))
    if result.held is not None:
        text = f"held; after a review: {words.approval(result)}"
        lines.append(command("warning", text, title=result.job))
    lines += [
        command("warning", f"no plan of this run has the id {id_}", title=result.job) for id_ in result.unknown_plans
    ]
    lines += [command("notice", redact(notice), title="hubdata") for notice in result.changes.notices]
    code = "" if result.exit_code is Exit.FINE else f" ({meaning(result.exit_code)})"
    lines.append(command("notice", f"{words.sentence(result)}{code}", title="hubdata"))
    return "".join(f"{line}\n" for line in lines)
