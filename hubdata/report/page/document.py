"""Put the status page together: what matters most first, then every file, then what happened.

The page never has more than MAX_BYTES: every part is bounded, and the files' table gets the room that the others leave.
Hostile words are the longest (each character may take ten bytes), so that many of them make the parts give way.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hubdata.errors import Exit
from hubdata.model.run import Outcome
from hubdata.report import html, wording
from hubdata.report.html import text
from hubdata.report.page import charts, files
from hubdata.report.page.given import Given
from hubdata.report.page.records import JobTold, RunTold, Sort, Trouble
from hubdata.report.page.series import Past, past
from hubdata.report.page.status import DatabaseStatus, Freshness, JobStatus, Status, assess, stamp
from hubdata.report.page.style import CSS, SCRIPT
from hubdata.report.page.verdict import BAD, DOUBTFUL, GOOD, clipped, verdict
from hubdata.report.redaction import redact

MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class _Most:
    """How many of each are told in full; of the others, how many there are."""

    jobs: int
    databases: int
    troubles: int
    runs: int
    of_a_run: int
    charts: int


_MOST = (_Most(24, 12, 20, 15, 8, 9), _Most(6, 4, 6, 6, 4, 4), _Most(1, 1, 1, 1, 1, 1))
_FOR_FILES = 30_000
"""What the other parts must leave to the files; where they would not, fewer of each are told."""

_MARKS = {GOOD: "\N{CHECK MARK} Good", DOUBTFUL: "! Look", BAD: "\N{MULTIPLICATION SIGN} Bad"}
_FRESHNESS = {
    Freshness.FRESH: (GOOD, "\N{CHECK MARK} fresh"),
    Freshness.STALE: (BAD, "\N{MULTIPLICATION SIGN} stale"),
    Freshness.NEVER: (DOUBTFUL, "! no success known"),
    Freshness.UNLIMITED: (DOUBTFUL, "! no limit set"),
}
_SORTS = {
    Sort.FAILED: (BAD, "\N{MULTIPLICATION SIGN} failed"),
    Sort.REFUSED: (BAD, "\N{MULTIPLICATION SIGN} refused"),
    Sort.HELD: (DOUBTFUL, "! held"),
}
_LATE = (
    f'<li id="late" class="doubtful" hidden><strong>{_MARKS[DOUBTFUL]}:</strong> This page is old. What it called fresh'
    " was so until the times that stand below, and it does not know what happened after.</li>\n"
)
"""Shown by the script once it is true; then what the verdict called good is not."""
_PLACE = "<!--files-->"

MARK = "<!--A status page, written by hubdata-->\n"
"""By this a page is known again where it lies."""


def page_html(given: Given) -> str:
    """Return the page as one HTML document in ASCII, at most `MAX_BYTES`; the same for the same values."""
    status = assess(given)
    shells = (_shell(status, most) for most in _MOST)
    shell = next((each for each in shells if len(each) <= MAX_BYTES - _FOR_FILES), None) or _shell(status, _MOST[-1])
    opened, _, closed = shell.rpartition(_PLACE)
    return opened + _files(status, MAX_BYTES - len(shell)) + closed


def _shell(status: Status, most: _Most) -> str:
    """Return the page without its files, and with a mark in their place that no foreign text can be."""
    before = _jobs(status, most) + _databases(status, most) + _troubles(status, most)
    after = _runs(status, most) + _charts(status, most)
    body = f"{MARK}{_header(status)}<main>\n{before}{_PLACE}{after}</main>\n{_footer(status)}"
    return html.document(f"hubdata: {verdict(status)[0][1]}", body, style=CSS, script=SCRIPT)


def _header(status: Status) -> str:
    manifest, now = status.manifest, status.given.now
    said = "".join(
        f'<li class="{tone}"><strong>{_MARKS[tone]}:</strong> {text(sentence)}.</li>\n'
        for tone, sentence in verdict(status)
    )
    count = f"{wording.counted(len(manifest.files), 'file')}, {files.size(status.bytes)}"
    generation = f"Generation {files.number(manifest.generation)}, published {files.instant(manifest.published_at)}: "
    return (
        '<a class="skip" href="#jobs">Skip to the jobs</a>\n<header>\n<h1>Is the data fresh?</h1>\n'
        f'<ul class="said">\n{_LATE}{said}</ul>\n'
        f"<p>{generation if manifest.generation else ''}{count}. Written {_time(now)}: ages are as of then.</p>\n"
        '<nav aria-label="On this page"><ul><li><a href="#jobs">Jobs</a></li><li><a href="#geoip">GeoIP</a></li>'
        '<li><a href="#trouble">Refused and held</a></li><li><a href="#all">Files</a></li>'
        '<li><a href="#history">Runs</a></li><li><a href="#growth">Growth</a></li></ul></nav>\n</header>\n'
    )


def _jobs(status: Status, most: _Most) -> str:
    cards = "".join(map(_job, status.jobs[: most.jobs])) or "<p>No job is known.</p>\n"
    return _section("jobs", "Jobs", f'<div class="cards">\n{cards}</div>\n{_more(len(status.jobs), most.jobs, "job")}')


def _job(job: JobStatus) -> str:
    tone, word = _FRESHNESS[job.freshness]
    due = "" if job.until is None or job.freshness is not Freshness.FRESH else stamp(job.until)
    late = f' data-until="{due}" data-late="! was fresh until {due}"' if due else ""
    note = job.note
    rows = [("Last success", "not known" if job.last_success is None else _aged(job.last_success, job.age))]
    if note.max_age is not None:
        rows.append(("At most", wording.lasting(note.max_age)))
    if job.until is not None:
        rows.append(("Fresh until" if job.freshness is Freshness.FRESH else "Was due", _time(job.until)))
    if job.outcome is not None:
        rows.append(("Newest run", job.outcome.value))
    rows.append(("Last change", "not known" if job.last_changed is None else _time(job.last_changed)))
    rows.append(("Public", f"{wording.counted(job.files, 'file')}, {files.size(job.bytes)}"))
    if note.schedule:
        rows.append(("Schedule", f"<code>{text(clipped(note.schedule))}</code> (cron, UTC)"))
    told = f'<p class="soft">{text(clipped(redact(note.description), 200))}</p>\n' if note.description else ""
    return (
        f'<article>\n<h3>{text(clipped(note.name))}</h3>\n<p><span class="badge {tone}"{late}>{word}</span></p>\n'
        f"{told}{_facts(rows)}</article>\n"
    )


def _databases(status: Status, most: _Most) -> str:
    rows = [_database(each, status.given.links) for each in status.databases[: most.databases]]
    if not rows:
        return _section("geoip", "GeoIP databases", "<p>None is public.</p>\n")
    head = ("Database", "Built", "Age", "Size", "Last changed")
    table = html.table("When each vendor built what is public", head, rows)
    more = _more(len(status.databases), most.databases, "database")
    return _section("geoip", "GeoIP databases", _wide("GeoIP databases", table) + more)


def _database(each: DatabaseStatus, links: str) -> tuple[str, ...]:
    link = f'<a href="{text(files.address(each.key, links))}">{text(clipped(each.key, 120))}</a>'
    built = "not known" if each.built is None else _time(each.built)
    age = "not known" if each.age is None else wording.lasting(each.age)
    return link, built, age, files.size(each.entry.size), files.instant(each.entry.changed_at)


def _troubles(status: Status, most: _Most) -> str:
    shown = "".join(_trouble(each, status) for each in status.troubles[: most.troubles])
    count = len(status.troubles) + status.untold
    plans = "".join(map(_plans, status.jobs[: most.jobs]))
    body = (
        f'<div class="cards">\n{shown}</div>\n'
        if shown
        else "<p>Nothing: all that the newest runs saw is public.</p>\n"
    )
    return _section(
        "trouble", "What was refused or held, and why", plans + body + _more(count, most.troubles, "finding")
    )


def _trouble(each: Trouble, status: Status) -> str:
    tone, word = _SORTS[each.sort]
    place = "" if each.line is None else f", line {each.line:,}"
    message, advice = redact(each.message), redact(each.advice)
    if each.sort is Sort.FAILED and not status.given.private:
        message, advice = "" if each.exit_code is None else wording.meaning(each.exit_code), ""
    rows = [("Job", text(clipped(each.job)))]
    if each.rule:
        rows.append(("Rule", f"<code>{text(clipped(each.rule))}</code>"))
    rows.append(("Why", text(clipped(message, 300)) or "it is not known"))
    if advice:
        rows.append(("Advice", text(clipped(advice, 300))))
    if each.key in status.manifest.files:
        rows.append(("Public", f"the version of {files.instant(status.manifest.files[each.key].changed_at)}"))
    elif each.key:
        rows.append(("Public", "no version"))
    name = clipped(each.key, 120) if each.key else f"job {clipped(each.job)}"
    badge = f'<p><span class="badge {tone}">{word}</span></p>'
    return f"<article>\n<h3>{text(name)}{place}</h3>\n{badge}\n{_facts(rows)}</article>\n"


def _plans(job: JobStatus) -> str:
    return "".join(
        f"<p>Job {text(clipped(job.note.name))} holds a plan. Who has read it lets it out with"
        f" <code>hubdata sync --once --approve {text(clipped(plan, 64))}</code></p>\n"
        for plan in job.plan_ids[:2]
    )


def _files(status: Status, room: int) -> str:
    search = (
        '<div id="search" role="search" hidden><label for="q">Search the files listed</label>'
        '<input id="q" type="search" autocomplete="off" spellcheck="false"><p id="found" role="status"></p></div>\n'
    )
    empty = _section("all", "Files", "")
    table = files.table(status.manifest.files, status.given.links, room - len(empty) - len(search))
    return _section("all", "Files", search + table if table else "<p>No file is public.</p>\n")


def _runs(status: Status, most: _Most) -> str:
    if not status.runs:
        return _section("history", "Runs", "<p>No run has left a record.</p>\n")
    drawn = charts.outcomes(status.runs, [job.note.name for job in status.jobs])
    table = html.table(
        f"The newest runs that left a record ({min(len(status.runs), most.runs):,} of {len(status.runs):,})",
        ("Began", "Command", "Ended", "Took", "Jobs"),
        [_run(run, most.of_a_run) for run in status.runs[: most.runs]],
    )
    chart = _wide("Outcomes of runs", drawn) if drawn else ""
    return _section("history", "Runs", chart + _wide("Runs", table))


def _run(run: RunTold, most: int) -> tuple[str, ...]:
    jobs = "; ".join(map(_ended, run.jobs[:most])) + (
        f"; and {len(run.jobs) - most:,} more" if len(run.jobs) > most else ""
    )
    return (
        text(clipped(run.run_id)) if run.at is None else _time(run.at),
        text(clipped(redact(run.command))) or "not known",
        "not known" if run.exit_code is None else text(wording.meaning(Exit(run.exit_code))),
        "not known" if run.elapsed_s is None else f"{min(run.elapsed_s, 1e9):,.1f} s",
        text(jobs) or "none",
    )


def _ended(job: JobTold) -> str:
    outcome = "not known" if job.outcome is None else job.outcome.value
    done = [f"{job.puts:,} put"] * bool(job.puts) + [f"{job.deletes:,} deleted"] * bool(job.deletes)
    counted = f" ({', '.join(done)})" if done and job.outcome is not Outcome.UNCHANGED else ""
    return f"{clipped(job.job, 40)} {outcome}{counted}"


def _charts(status: Status, most: _Most) -> str:
    row = _growth(status.given, most.charts)
    if not row.series:
        return _section("growth", "Growth", "<p>No file changed within the generations at hand.</p>\n")
    first, last = row.generations[0], row.generations[-1]
    which = "The files that changed last" if row.cut else "Every file that changed"
    told = (
        f'<p class="soft">{which}, over generations {files.number(first)} to {files.number(last)}'
        f" ({files.instant(row.published_at[0])} to {files.instant(row.published_at[-1])}). Each chart has its own"
        " scale, from its least to its greatest value.</p>\n"
    )
    return _section("growth", "Growth", f'{told}<div class="cards">\n{charts.multiples(row)}</div>\n')


def _growth(given: Given, most: int) -> Past:
    if given.growth is None:
        return past(given.manifest, given.past, most)
    whole = given.growth
    return replace(whole, series=whole.series[:most], cut=whole.cut or len(whole.series) > most)


def _footer(status: Status) -> str:
    links = status.given.links
    named = ("manifest.json", "status.json")
    listed = " and ".join(f'<a href="{text(files.address(name, links))}">{name}</a>' for name in named)
    return f"<footer>\n<p>For programs: {listed}. Written by hubdata.</p>\n</footer>\n"


def _section(id_: str, title: str, body: str) -> str:
    return f'<section aria-labelledby="{id_}">\n<h2 id="{id_}">{title}</h2>\n{body}</section>\n'


def _wide(label: str, inner: str) -> str:
    return f'<div class="wide" role="group" aria-label="{label}" tabindex="0">\n{inner}</div>\n'


def _facts(rows: list[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows) + "</dl>\n"


def _more(count: int, shown: int, noun: str) -> str:
    return f"<p>And {wording.counted(count - shown, noun)} more.</p>\n" if count > shown else ""


def _aged(at: datetime, age: timedelta | None) -> str:
    return _time(at) if age is None else f"{wording.lasting(age)} ago ({_time(at)})"


def _time(at: datetime) -> str:
    return f'<time datetime="{stamp(at)}">{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC</time>'
