"""The words in which every report tells a pull: its title, and why a file was left as it was."""

from dataclasses import dataclass

from hubdata.model.finding import Finding, Severity
from hubdata.model.pull import PullResult
from hubdata.report.redaction import redact
from hubdata.report.terminal import plain
from hubdata.report.wording import counted

_MAX_TITLE = 72


@dataclass(frozen=True, slots=True)
class Left:
    """A file that was not written, or was not to be had, and what to do about it."""

    key: str
    why: str
    advice: str


def title(result: PullResult) -> str:
    """Return what a pull request that holds this is called, on one line of at most 72 characters."""
    if not result.written:
        return "Nothing to update"
    names = [plain(key.rpartition("/")[2]) for key in result.written]
    whole = f"Update {', '.join(names)}"
    if len(whole) <= _MAX_TITLE:
        return whole
    return f"Update {counted(len(names), 'list')} of {result.job}"[:_MAX_TITLE]


def sentence(result: PullResult) -> str:
    """Return the whole in one sentence."""
    parts = [f"{counted(len(result.written), 'file')} updated", f"{result.changes.same:,} as before"]
    if result.held is not None:
        parts.append(f"{len(result.held.changes):,} held")
    others = len({finding.key for finding in _errors(result)} - {file.key for file in result.held_files})
    if others:
        parts.append(f"{others:,} not to be had or refused")
    return f"{result.job}: {', '.join(parts)}"


def left(result: PullResult) -> tuple[Left, ...]:
    """Return everything that kept a file from being written, a line each, the whole job's problem first."""
    found = []
    if result.problem is not None:
        found.append(Left("", redact(result.problem.message), redact(result.problem.advice)))
    found += [Left(each.key, redact(_where(each)), redact(each.advice)) for each in _errors(result)]
    found += [
        Left("", f"no plan of this run has the id {id_}", "see what changed since") for id_ in result.unknown_plans
    ]
    return tuple(dict.fromkeys(found))


def approval(result: PullResult) -> str:
    """Return the flag that lets out what is held, empty when nothing is."""
    return "" if result.held is None else f"--approve {result.held.id}"


def _errors(result: PullResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.severity is Severity.ERROR]


def _where(finding: Finding) -> str:
    line = "" if finding.line is None else f"line {finding.line}: "
    return f"{line}{finding.message} [{finding.rule}]"
