"""A run for a person: a table of jobs and targets, then what is wrong and how to mend it, then one line to remember.

Errors are shown whole, because somebody has to act on them; warnings are counted by rule until asked for (`-v`),
because a list of two hundred hides the one error. What has to be copied (a plan id, a key) is never cut.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.plan import Action, Plan
from hubdata.model.run import JobResult, Outcome, RunResult, TargetResult
from hubdata.model.validation import ValidationResult
from hubdata.report import wording
from hubdata.report.redaction import redact
from hubdata.report.terminal import Cell, Page, Screen, Style, plain
from hubdata.report.wording import counted, size

_OUTCOME_STYLE = {
    Outcome.PLANNED: Style.CYAN,
    Outcome.PUBLISHED: Style.GREEN,
    Outcome.UNCHANGED: Style.DIM,
    Outcome.REFUSED: Style.RED,
    Outcome.HELD: Style.YELLOW,
    Outcome.FAILED: Style.RED,
}
_SEVERITY_STYLE = {Severity.ERROR: Style.RED, Severity.WARNING: Style.YELLOW, Severity.INFO: Style.CYAN}
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

_MOST_ITEMS = 5
"""How many networks and entries of one group a plan shows of each file; `hubdata diff` shows more."""

_MOST_SAID = 5
"""How many of the last lines are shown that a failed hook wrote; JSON has more."""

_MOST_SAID_BY_GATES = 20
"""How many of the last lines are shown of a gate that refused; JSON has more."""

_MOST = 20
"""How many errors of one file are shown: beyond these the file is something else than it claims."""


def run_text(result: RunResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a run as text. `quiet` says nothing when all is well, else only what needs a person."""
    page = Page(screen)
    if not quiet:
        _notices(page, result.notices)
        _jobs(page, result)
        if verbose or result.command[0] == "geoip":
            _databases(page, result)
        _retained(page, result)
    _held(page, result, verbose=verbose)
    _attention(page, result, verbose=verbose, quiet=quiet)
    _verification(page, result, verbose=verbose, quiet=quiet)
    if not quiet or result.exit_code is not Exit.FINE:
        _last(page, wording.run_summary(result), result.exit_code, wording.run_meaning(result))
    return page.text()


def plan_text(result: RunResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return what a run would do, change by change, with plan ids in full."""
    page = Page(screen)
    if not quiet:
        _notices(page, result.notices)
    for job in result.jobs:
        for target in job.targets:
            if not target.plan.empty or (target.held is None and target.waiting is None):
                _plan(page, job, target, target.plan, verbose=verbose)
            if target.waiting is not None:
                _plan(page, job, target, target.waiting, why=" (not approved)", verbose=verbose)
            if target.held is not None:
                _plan(page, job, target, target.held, why=" (held by limits)", verbose=verbose)
    _estimates(page, result)
    _attention(page, result, verbose=verbose, quiet=quiet)
    _last(page, f"{wording.run_summary(result)}; nothing was written", result.exit_code, wording.run_meaning(result))
    return page.text()


def validation_text(result: ValidationResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a validation as text: findings by file; with `verbose` every file and what it holds."""
    page = Page(screen)
    if not quiet:
        _notices(page, result.notices)
    if verbose and result.files:
        rows = [
            (Cell(plain(f.key)), Cell(f.kind or "-"), Cell(_number(f.stats.entries), number=True)) for f in result.files
        ]
        if not page.table(("FILE", "KIND", "ENTRIES"), rows):
            for row in rows:
                page.line(f"{row[0].text}  {row[1].text}  {row[2].text}")
    findings(page, result.all_findings, verbose=verbose, quiet=quiet)
    if not quiet or result.exit_code is not Exit.FINE:
        _last(page, wording.validation_summary(result), result.exit_code, wording.meaning(result.exit_code))
    return page.text()


def findings(page: Page, found: Iterable[Finding], *, verbose: bool, quiet: bool) -> None:
    """Add findings grouped by file, files with errors first; the milder ones counted unless `verbose`."""
    by_file = sorted(found, key=lambda f: f.key)
    groups = [tuple(group) for _, group in groupby(by_file, key=lambda f: f.key)]
    groups.sort(key=lambda group: (min(_ORDER[f.severity] for f in group), group[0].key))
    for group in groups:
        shown = [f for f in group if verbose or f.severity is Severity.ERROR]
        if not shown:
            continue
        page.blank()
        page.line(plain(group[0].key) or "(no file)", Style.BOLD)
        ordered = sorted(shown, key=lambda f: (_ORDER[f.severity], f.line or 0, f.column or 0))
        for finding in ordered if verbose else ordered[:_MOST]:
            _finding(page, finding)
        if not verbose and len(ordered) > _MOST:
            page.prose(f"and {counted(len(ordered) - _MOST, 'more error')} in this file (-v shows them)", indent=2)
    if not verbose and not quiet:
        _counts(page, by_file)


def _finding(page: Page, finding: Finding) -> None:
    where = "" if finding.line is None else f"line {finding.line}"
    if finding.column is not None:
        where += f", column {finding.column}"
    label = page.screen.paint(finding.severity.value, _SEVERITY_STYLE[finding.severity])
    held = " (held)" if wording.is_held(finding) else ""
    page.line(" ".join(part for part in (label, where, f"[{plain(finding.rule)}]{held}") if part), indent=2)
    page.prose(plain(finding.message), indent=4)
    if finding.advice:
        page.prose(plain(finding.advice), Style.DIM, indent=4, first="advice: ")
    if finding.waived:
        page.prose(plain(finding.waived), Style.DIM, indent=4, first="waived ")


def _counts(page: Page, found: list[Finding]) -> None:
    waived = sum(bool(f.waived) for f in found)
    for severity, noun in ((Severity.WARNING, "warning"), (Severity.INFO, "note")):
        rules = Counter(plain(f.rule) for f in found if f.severity is severity)
        if not rules:
            continue
        page.blank()
        listed = ", ".join(f"{rule} {number}" for rule, number in sorted(rules.items(), key=lambda r: (-r[1], r[0])))
        accepted = f", {waived} of them waived" if waived and severity is Severity.WARNING else ""
        page.prose(f"{counted(rules.total(), noun)}{accepted}: {listed} (-v shows them)", _SEVERITY_STYLE[severity])


def _notices(page: Page, notices: tuple[str, ...]) -> None:
    for notice in notices:
        page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
    page.blank()


def _jobs(page: Page, result: RunResult) -> None:
    """Add the table of jobs; a block a job where the table does not fit."""
    if not result.jobs:
        return
    deletes = any(t.plan.deletes for job in result.jobs for t in job.targets)
    rows = [row for job in result.jobs for row in _rows(job, deletes=deletes)]
    head = ("JOB", "OUTCOME", "SOURCE", "TARGET", "PUT", *(("DEL",) if deletes else ()), "SAME", "BYTES", "GEN", "NOTE")
    if page.table(head, rows):
        return
    for job in result.jobs:
        outcome = page.screen.paint(job.outcome.value, _OUTCOME_STYLE[job.outcome])
        page.line(f"{plain(job.job)}: {outcome}")
        page.line(plain(wording.origin(job)), Style.DIM, indent=2)
        for target in job.targets:
            page.prose(_told(target), indent=2, first=f"{plain(target.target)}: ")


def _databases(page: Page, result: RunResult) -> None:
    """Add what is public of each GeoIP database now; a line each where the table does not fit."""
    rows = [
        (
            Cell(plain(database.edition), (Style.BOLD,)),
            Cell(plain(database.date) or "-"),
            Cell(wording.built(database) or "-"),
            Cell(plain(target.target)),
            Cell(database.outcome.value, (_OUTCOME_STYLE[database.outcome],)),
        )
        for job in result.jobs
        for target in job.targets
        for database in target.databases
    ]
    if not rows:
        return
    page.blank()
    if not page.table(("DATABASE", "RELEASE", "BUILT", "TARGET", "OUTCOME"), rows):
        for edition, date, built, target_, outcome in rows:
            page.line(f"{edition.text}: {outcome.text} at {target_.text}, {date.text}, built {built.text}")


def _retained(page: Page, result: RunResult) -> None:
    """Add what was removed of the past."""
    said = [text for job in result.jobs for target in job.targets if (text := wording.retained(job, target))]
    if said:
        page.blank()
    for text in said:
        page.prose(plain(text))


def _rows(job: JobResult, *, deletes: bool) -> list[tuple[Cell, ...]]:
    outcome = Cell(job.outcome.value, (_OUTCOME_STYLE[job.outcome],))
    lead = (Cell(plain(job.job), (Style.BOLD,)), outcome, Cell(plain(wording.origin(job))))
    if not job.targets:
        return [(*lead, *(Cell(""),) * (6 if deletes else 5), Cell(""))]
    rows = []
    for target in job.targets:
        plan = target.done
        counts = [_number(len(plan.puts)), *([_number(len(plan.deletes))] if deletes else []), _number(plan.unchanged)]
        counts += [size(plan.bytes), _number(target.generation or None)]
        numbers = tuple(Cell(count, number=True) for count in counts)
        rows.append((*lead, Cell(plain(target.target)), *numbers, Cell(_note(target))))
        lead = (Cell(""), Cell(""), Cell(""))
    return rows


def _note(target: TargetResult) -> str:
    if target.problem is not None:
        return "failed"
    if target.barred is not None:
        return "refused by the gate"
    if target.held is not None:
        return f"held {target.held.id[: wording.SHORT_ID]}"
    if target.waiting is not None and not target.applied:
        return f"{len(target.waiting.changes)} not approved"
    if target.invalidation is not None:
        told = target.invalidation
        waited = "" if told.waited_s is None else f" in {told.waited_s:.0f} s"
        return f"cdn {'pending' if told.pending else plain(_first(told.id or '-'))}{waited}"
    return f"{len(target.plan.adopted)} adopted" if target.plan.adopted else ""


def _first(ids: str) -> str:
    """Return the first of a CDN's names for an invalidation, and how many more there are."""
    first, *more = ids.split(",")
    return f"{first} +{len(more)}" if more else first


def _told(target: TargetResult) -> str:
    plan = target.done
    parts = [counted(len(plan.puts), "put"), f"{plan.unchanged:,} same", size(plan.bytes)]
    if plan.deletes:
        parts.insert(1, counted(len(plan.deletes), "delete"))
    if target.generation:
        parts.append(f"generation {target.generation}")
    return ", ".join(filter(None, (*parts, _note(target))))


def _plan(page: Page, job: JobResult, target: TargetResult, plan: Plan, *, verbose: bool, why: str = "") -> None:
    page.blank()
    of = "" if target.promoted is None else f" (generation {target.promoted.generation} of {target.promoted.source})"
    page.line(plain(f"{job.job} -> {target.target}{of}"), Style.BOLD)
    page.line(f"plan {plan.id}{why}", indent=2)
    signs = {Action.PUT: page.screen.paint("+", Style.GREEN), Action.DELETE: page.screen.paint("-", Style.RED)}
    reasons = max((len(c.reason) for c in plan.changes), default=0)
    sizes = max((len(size(c.size)) for c in plan.changes), default=0)
    for change in plan.changes:
        page.line(
            f"{signs[change.action]} {change.reason:<{reasons}}  {size(change.size):>{sizes}}  {plain(change.key)}",
            indent=2,
        )
        _meaning(page, target, change.key, verbose=verbose)
    if plan.adopted:
        page.prose(
            f"{counted(len(plan.adopted), 'file')} right already, to be entered in the manifest without an upload",
            indent=2,
        )
    if plan.forgotten:
        page.prose(
            f"no longer listed, as the source no longer has what was published there and somebody changed it:"
            f" {plain(', '.join(sorted(plan.forgotten)))}",
            indent=2,
        )
    if cost := wording.downloads(target, plan):
        page.prose(cost, indent=2)
    if not why:
        page.line(f"{plan.unchanged:,} unchanged", Style.DIM, indent=2)


def _held(page: Page, result: RunResult, *, verbose: bool) -> None:
    """Add held plans of which it is known what they mean: whoever has to decide wants to know on what."""
    for job in result.jobs:
        for target in job.targets:
            if target.held is not None and target.meanings:
                _plan(page, job, target, target.held, why=" (held by limits)", verbose=verbose)


def _estimates(page: Page, result: RunResult) -> None:
    """Add what the CDNs would be told, and what that costs."""
    said = wording.estimates(result)
    if said:
        page.blank()
    for text in said:
        page.prose(plain(text))


def _meaning(page: Page, target: TargetResult, key: str, *, verbose: bool) -> None:
    """Add what one change means, where that is known: the sentences, and the first of what is gained and lost."""
    difference = target.meanings.get(key)
    if difference is None:
        return
    from hubdata.report.diff_text import add_difference

    add_difference(page, difference, indent=6, most=None if verbose else _MOST_ITEMS)


def _attention(page: Page, result: RunResult, *, verbose: bool, quiet: bool) -> None:
    """Add what needs a person: problems, findings, and the command that approves what is held."""
    for problem, names in wording.problems(result).items():
        page.blank()
        page.prose(plain(redact(f"{', '.join(names)}: {problem.message}")), Style.RED, first="error: ")
        if problem.advice:
            page.prose(plain(redact(problem.advice)), indent=2, first="advice: ")
    _warnings(page, result)
    findings(page, wording.all_findings(result), verbose=verbose, quiet=quiet)
    _refusals(page, result)
    held = [[t.held.id for t in job.targets if t.held is not None] for job in result.jobs]
    if any(held):
        page.blank()
        page.prose("To publish what is held, and nothing else, after reading `hubdata plan`:")
    for ids in filter(None, held):  # a command for each job, so that each is approved for itself
        page.line(plain(redact(wording.approval(result, *ids))), indent=2)
    _way_back(page, result)


def _way_back(page: Page, result: RunResult) -> None:
    """Add the command that carries out a rollback that was only planned: one for each job and for all of them."""
    plans = [t.plan.id for job in result.jobs for t in job.targets if not t.plan.empty]
    if result.dry_run and result.command[:1] == ("rollback",) and plans:
        page.blank()
        page.prose("To carry out exactly this:")
        page.line(plain(redact(wording.approval(result, *plans))), indent=2)


def _warnings(page: Page, result: RunResult) -> None:
    """Add what went wrong after everything was published, and the last lines that a hook wrote about it."""
    for problem, names in wording.warnings(result).items():
        page.blank()
        page.prose(plain(redact(f"{', '.join(names)}: {problem.message}")), Style.YELLOW, first="warning: ")
        said = [hook.output for hook in result.hooks if hook.problem == problem and hook.output]
        for line in redact(said[-1]).splitlines()[-_MOST_SAID:] if said else ():
            page.line(plain(line), Style.DIM, indent=4)
        page.prose(plain(redact(problem.advice)), indent=2, first="advice: ")


def _refusals(page: Page, result: RunResult) -> None:
    """Add the last lines of what gates wrote that refused: there they say why."""
    for target, said in wording.refusals(result).items():
        lines = redact(said.output).splitlines()[-_MOST_SAID_BY_GATES:]
        page.blank()
        page.prose(plain(f"the gate of {target} wrote{':' if lines else ' nothing'}"))
        for line in lines:
            page.line(plain(line), Style.DIM, indent=4)


def _verification(page: Page, result: RunResult, *, verbose: bool, quiet: bool) -> None:
    """Add what readers get of it, where that was looked at."""
    if result.verification is None:
        return
    from hubdata.report.verify_text import add_verification

    add_verification(page, result.verification, verbose=verbose, quiet=quiet)


def _last(page: Page, summary: str, code: Exit, meaning: str) -> None:
    page.blank()
    style = Style.GREEN if code is Exit.FINE else Style.YELLOW if code in (Exit.HELD, Exit.CDN_PENDING) else Style.RED
    end = "" if code is Exit.FINE else f" ({meaning})"
    page.prose(f"{summary[:1].upper()}{summary[1:]}{end}", Style.BOLD, style)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
