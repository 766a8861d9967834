"""A verification for a person: a line for each family, then what is wrong, then one sentence to remember.

What is wrong in the same way with many files is shown for the first of them and counted: whoever switched compression
on for everything wants to know that, not read it five hundred times.
"""

from itertools import groupby

from hubdata.errors import Exit
from hubdata.model.finding import Severity
from hubdata.model.verification import Discrepancy, FamilyView, Verification
from hubdata.report.redaction import redact
from hubdata.report.terminal import Cell, Page, Screen, Style, plain
from hubdata.report.wording import counted, size

MOST = 5
"""How many findings of one rule and family are shown without `-v`."""

_STYLE = {Severity.ERROR: Style.RED, Severity.WARNING: Style.YELLOW, Severity.INFO: Style.CYAN}
_HEAD = ("FAMILY", "ADDRESS", "GEN", "FILES", "REQUESTS", "BYTES", "RESULT")


def verify_text(result: Verification, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a verification as text. `quiet` says nothing when all readers have what was published."""
    page = Page(screen)
    add_verification(page, result, verbose=verbose, quiet=quiet)
    return page.text()


def add_verification(page: Page, result: Verification, *, verbose: bool, quiet: bool) -> None:
    """Add a verification to a page that may say more, as a run's does."""
    page.blank()
    if not quiet:
        for notice in result.notices:
            page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
        page.blank()
        _views(page, result)
    _findings(page, result, verbose=verbose, quiet=quiet)
    if not quiet or result.exit_code is not Exit.FINE:
        page.blank()
        style = Style.GREEN if result.exit_code is Exit.FINE else Style.RED
        page.prose(summary(result), Style.BOLD, style)


def summary(result: Verification) -> str:
    """Return one sentence on what readers have."""
    ill = [view.family.label for view in result.views if not view.well]
    waited = f", {result.waited_s:.0f} s of them waiting for the CDN" if result.waited_s else ""
    end = f"in {result.elapsed_s:.1f} s{waited}"
    if result.unknown or not result.views:
        return f"What readers of {plain(redact(result.url))} have is not known (exit 7)"
    if ill:
        number = sum(finding.severity is Severity.ERROR for finding in result.findings)
        what = f"generation {result.generation}" if result.generation else "what was published"
        if result.exit_code is Exit.REFUSED:
            return (
                f"Readers over {' and '.join(ill)} must not trust what they have: {counted(number, 'error')}, {end}"
                " (exit 3: it is not what the publisher signed)"
            )
        return (
            f"Readers over {' and '.join(ill)} do not have {what}: {counted(number, 'error')}, {end}"
            " (exit 7: the world does not see it)"
        )
    families = " and ".join(view.family.label for view in result.views)
    files = f"{result.files:,} of {counted(result.published, 'file')}"
    warnings = len(result.findings)
    noted = f", {counted(warnings, 'warning')}" if warnings else ""
    return f"Readers over {families} have generation {result.generation}: {files} looked at{noted}, {end}"


def verdict(view: FamilyView) -> str:
    """Return in two words how it stands with one family."""
    errors = sum(finding.severity is Severity.ERROR for finding in view.findings)
    warnings = len(view.findings) - errors
    parts = ([counted(errors, "error")] if errors else []) + ([counted(warnings, "warning")] if warnings else [])
    return ", ".join(parts) or "fine"


def _views(page: Page, result: Verification) -> None:
    """Add a line for each family."""
    if not result.views:
        return
    rows = [
        (
            Cell(view.family.label, (Style.BOLD,)),
            Cell(plain(view.address) or "-"),
            Cell("-" if view.generation is None else str(view.generation), number=True),
            Cell(f"{view.files:,}", number=True),
            Cell(f"{view.requests:,}", number=True),
            Cell(size(view.bytes), number=True),
            Cell(verdict(view), (Style.GREEN,) if view.well else (Style.RED,)),
        )
        for view in result.views
    ]
    if not page.table(_HEAD, rows):
        for row in rows:
            page.line(f"{row[0].text} ({row[1].text}): {row[6].text}, generation {row[2].text}, {row[3].text} files")


def _findings(page: Page, result: Verification, *, verbose: bool, quiet: bool) -> None:
    """Add what is wrong, errors first; warnings are counted unless `verbose`."""
    ordered = sorted(result.findings, key=lambda f: (f.severity is not Severity.ERROR, f.rule, f.family, f.key))
    shown = [finding for finding in ordered if verbose or finding.severity is Severity.ERROR]
    for _, group in groupby(shown, key=lambda f: (f.severity, f.rule, f.family)):
        alike = list(group)
        for finding in alike if verbose else alike[:MOST]:
            _finding(page, finding)
        if not verbose and len(alike) > MOST:
            page.prose(f"and {counted(len(alike) - MOST, 'more file')} so (-v shows them)", indent=4)
    hidden = [finding for finding in ordered if finding not in shown]
    if hidden and not quiet:
        rules = sorted({finding.rule for finding in hidden})
        page.blank()
        page.prose(f"{counted(len(hidden), 'warning')}: {', '.join(rules)} (-v shows them)", Style.YELLOW)
    if result.seed and result.files < result.published and result.exit_code is not Exit.FINE:
        page.blank()
        page.line(f"The same files again: --seed {plain(result.seed)}", Style.DIM)


def _finding(page: Page, finding: Discrepancy) -> None:
    page.blank()
    label = page.screen.paint(finding.severity.value, _STYLE[finding.severity])
    page.line(f"{label} {finding.family.label} [{finding.rule}] {plain(redact(finding.url))}")
    page.prose(plain(redact(finding.expected)), indent=2, first="expected: ")
    page.prose(plain(redact(finding.found)), indent=2, first="found:    ")
    page.prose(plain(redact(finding.advice)), Style.DIM, indent=2, first="advice:   ")
