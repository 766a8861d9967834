"""A checkup for a person: a line for each check, what to mend right below it, and one sentence to remember.

Wide screens get columns; narrow ones a heading for each check with the rest indented, since a column of twenty
characters is no text.
"""

import textwrap

from hubdata.errors import Exit
from hubdata.model.checkup import Check, Checkup, Status
from hubdata.report.redaction import redact
from hubdata.report.terminal import Page, Screen, Style, plain

_STYLES = {
    Status.OK: Style.GREEN,
    Status.WARN: Style.YELLOW,
    Status.FAIL: Style.RED,
    Status.SKIPPED: Style.DIM,
}
_WORDS = {Status.OK: "ok", Status.WARN: "look", Status.FAIL: "MEND", Status.SKIPPED: "-"}
_NARROW = 60
_LONGEST_LABEL = 30
_STATE = 6


def doctor_text(result: Checkup, screen: Screen, *, quiet: bool = False) -> str:
    """Return a checkup as text. `quiet` shows only what is to be looked at or mended."""
    page = Page(screen)
    shown = [c for c in result.checks if not quiet or c.status in (Status.WARN, Status.FAIL)]
    longest = max((len(_label(check)) for check in shown), default=0)
    width = min(longest, _LONGEST_LABEL) if screen.width >= _NARROW else 0
    for check in shown:
        _check(page, check, width)
    if not quiet or result.exit_code is not Exit.FINE:
        page.blank()
        page.prose(summary(result), Style.BOLD, Style.GREEN if result.exit_code is Exit.FINE else Style.RED)
    return page.text()


def summary(result: Checkup) -> str:
    """Return one sentence on how it stands."""
    well, looked, mend = (result.count(status) for status in (Status.OK, Status.WARN, Status.FAIL))
    parts = [f"{well} fine"]
    if looked:
        parts.append(f"{looked} to look at")
    if mend:
        parts.append(f"{mend} to mend")
    if skipped := result.count(Status.SKIPPED):
        parts.append(f"{skipped} not tried")
    end = "" if result.exit_code is Exit.FINE else f" (exit {int(result.exit_code)})"
    return f"{', '.join(parts)}, in {result.elapsed_s:.1f} s{end}"


def _label(check: Check) -> str:
    return plain(redact(f"{check.name} {check.subject}".rstrip()))


def _check(page: Page, check: Check, width: int) -> None:
    """Add one check: in columns where the labels have a `width`, else below a heading."""
    state, style = f"{_WORDS[check.status]:<{_STATE}}", _STYLES[check.status]
    label, found, advice = _label(check), plain(redact(check.found)), plain(redact(check.advice))
    if not width:
        page.line(page.screen.paint(state, style) + label)
        page.prose(found, indent=2)
        if advice:
            page.prose(advice, Style.DIM, indent=2, first="mend: " if check.status is Status.FAIL else "hint: ")
        return
    indent = _STATE + width + 2
    first, *more = textwrap.wrap(found, page.screen.width - indent, break_on_hyphens=False, break_long_words=False) or [
        ""
    ]
    if len(label) > width:
        page.line(page.screen.paint(state, style) + label)
        page.line(first, indent=indent)
    else:
        page.line(page.screen.paint(state, style) + f"{label:<{width}}  {first}")
    for line in more:
        page.line(line, indent=indent)
    if advice:
        page.prose(advice, Style.DIM, indent=indent, first="mend: " if check.status is Status.FAIL else "hint: ")
