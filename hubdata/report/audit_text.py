"""An audit for a person: what is broken in full, then one table of everything that somebody could do.

Orphans are one line a directory there: a person decides about those together, and sixty lines would hide the one item
that is broken.
"""

from hubdata.errors import Exit
from hubdata.model.audit import Action, AuditResult
from hubdata.model.finding import Severity
from hubdata.report.redaction import redact
from hubdata.report.terminal import Cell, Page, Screen, Style, plain
from hubdata.report.text import findings
from hubdata.report.wording import counted

_STYLE = {Severity.ERROR: Style.RED, Severity.WARNING: Style.YELLOW, Severity.INFO: Style.CYAN}
_HEAD = ("SEVERITY", "ITEM", "FILE", "RULE")


def audit_text(result: AuditResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return an audit as text. `quiet` says nothing when nothing is broken."""
    page = Page(screen)
    if not quiet:
        for notice in result.notices:
            page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
    findings(page, result.findings, verbose=verbose, quiet=True)
    if result.actions and not quiet:
        _table(page, result.actions)
    if not quiet or result.exit_code is not Exit.FINE:
        page.blank()
        style = Style.GREEN if result.exit_code is Exit.FINE else Style.RED
        said = summary(result)
        page.prose(f"{said[:1].upper()}{said[1:]}", Style.BOLD, style)
    return page.text()


def summary(result: AuditResult) -> str:
    """Return one sentence on what an audit found."""
    numbers = {s: sum(f.severity is s for f in result.findings) for s in Severity}
    found = ", ".join(
        counted(numbers[severity], noun)
        for severity, noun in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
        if numbers[severity]
    )
    end = "" if result.exit_code is Exit.FINE else " (exit 3: something is broken)"
    read = f"{counted(result.items, 'item')} with {counted(result.entries, 'data entry', 'data entries')}"
    return (
        f"audited {read} against {counted(result.published, 'published file')}: {found or 'nothing to do'},"
        f" in {result.elapsed_s:.1f} s{end}"
    )


def place(action: Action) -> str:
    """Return where somebody would go to act: an item and its line, or a published directory."""
    return action.item if action.line is None else f"{action.item}:{action.line}"


def _table(page: Page, actions: tuple[Action, ...]) -> None:
    page.blank()
    rows = [
        (
            Cell(action.severity.value, (_STYLE[action.severity],)),
            Cell(plain(place(action)) or "(root)"),
            Cell(plain(action.file)),
            Cell(plain(action.rule)),
        )
        for action in actions
    ]
    page.line("What to do", Style.BOLD)
    if not page.table(_HEAD, rows):
        for row in rows:
            page.line(f"{page.screen.paint(row[0].text, *row[0].styles)} {row[1].text}  {row[2].text}  [{row[3].text}]")
    advice = dict.fromkeys((action.rule, _ADVICE.get(action.rule, action.do)) for action in actions)
    page.blank()
    for rule, do in advice:
        page.prose(plain(do), Style.DIM, first=f"{plain(rule)}: ")


_ADVICE = {
    "audit.dangling": "correct the URL, publish the file, or remove the entry",
    "audit.external": "mirror the file into the data repository, and use the published copy",
    "audit.external-copy": "compare the two, then use the published copy",
    "audit.type": "declare the type that the kind wants, or publish it as another kind",
    "audit.use": "use the file as its kind wants it, or publish it as another kind",
}
"""Advice that is the same for all findings of a rule; the findings themselves name files."""
