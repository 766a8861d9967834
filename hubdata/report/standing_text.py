"""How jobs stand, for a person: what matters most in a sentence each, then a line for each job."""

from datetime import UTC, datetime

from hubdata.report import wording
from hubdata.report.page.given import Given
from hubdata.report.page.records import Sort, Trouble
from hubdata.report.page.status import Freshness, JobStatus, Status, assess
from hubdata.report.page.verdict import BAD, DOUBTFUL, GOOD, verdict
from hubdata.report.redaction import redact
from hubdata.report.standing import Standing
from hubdata.report.terminal import Cell, Page, Screen, Style, plain

MOST_TROUBLES = 20
_HEAD = ("JOB", "FRESHNESS", "LAST SUCCESS", "AT MOST", "NEWEST RUN", "FILES", "LAST CHANGE")
_STYLES = {GOOD: Style.GREEN, DOUBTFUL: Style.YELLOW, BAD: Style.RED}
_FRESHNESS = {
    Freshness.FRESH: ("fresh", Style.GREEN),
    Freshness.STALE: ("stale", Style.RED),
    Freshness.NEVER: ("unknown", Style.YELLOW),
    Freshness.UNLIMITED: ("no limit set", Style.DIM),
}
_SORTS = {Sort.FAILED: Style.RED, Sort.REFUSED: Style.RED, Sort.HELD: Style.YELLOW}


def standing_text(targets: tuple[Standing, ...], screen: Screen) -> str:
    """Return how every job stands at every target."""
    page = Page(screen)
    for target in targets:
        page.blank()
        page.line(plain(target.target), Style.BOLD)
        if target.problem is not None:
            page.prose(plain(redact(target.problem.message)), Style.RED, indent=2, first="error: ")
            if target.problem.advice:
                page.prose(plain(redact(target.problem.advice)), indent=4, first="advice: ")
        elif target.given is not None:
            _target(page, target.given)
    return page.text()


def _target(page: Page, given: Given) -> None:
    status = assess(given)
    for tone, sentence in verdict(status):
        page.prose(f"{plain(sentence)}.", _STYLES[tone], indent=2)
    manifest = status.manifest
    if manifest.generation:
        files = f"{wording.counted(len(manifest.files), 'file')}, {wording.size(status.bytes)}"
        page.prose(f"generation {manifest.generation:,} of {plain(manifest.published_at)}: {files}", indent=2)
    rows = [_row(job) for job in status.jobs]
    if rows:
        page.blank()
        if not page.table(_HEAD, rows):
            for row in rows:  # too wide: one paragraph a job
                told = (f"{name.lower()} {cell.text}" for name, cell in zip(_HEAD[1:], row[1:], strict=True))
                page.prose(", ".join(told), indent=2, first=f"{row[0].text}: ")
    _troubles(page, status)
    if any(job.freshness in (Freshness.STALE, Freshness.NEVER) for job in status.jobs):
        page.blank()
        page.prose(
            "A one-shot run that changes nothing leaves no trace; the worker keeps each job's last success.",
            Style.DIM,
        )


def _row(job: JobStatus) -> list[Cell]:
    word, style = _FRESHNESS[job.freshness]
    age = "not known" if job.age is None else f"{wording.lasting(job.age)} ago"
    limit = "-" if job.note.max_age is None else wording.lasting(job.note.max_age)
    return [
        Cell(plain(job.note.name)),
        Cell(word, (style,)),
        Cell(age),
        Cell(limit),
        Cell("-" if job.outcome is None else job.outcome.value),
        Cell(f"{job.files:,}", number=True),
        Cell("-" if job.last_changed is None else _time(job.last_changed)),
    ]


def _troubles(page: Page, status: Status) -> None:
    for each in status.troubles[:MOST_TROUBLES]:
        page.blank()
        page.prose(plain(redact(each.message)) or _kind(each), first=f"{_place(page, each)}: ")
        if each.advice:
            page.prose(plain(redact(each.advice)), indent=2, first="advice: ")
    more = len(status.troubles) + status.untold - MOST_TROUBLES
    if more > 0:
        page.line(f"and {wording.counted(more, 'more problem')}")


def _kind(each: Trouble) -> str:
    return "it is not known why" if each.exit_code is None else wording.meaning(each.exit_code)


def _place(page: Page, each: Trouble) -> str:
    key = plain(each.key) or f"job {plain(each.job)}"
    line = "" if each.line is None else f":{each.line}"
    return f"{page.screen.paint(each.sort.value, _SORTS[each.sort])} {key}{line}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z"
