"""Judge what is given: which jobs are fresh, how old the GeoIP databases are, what did not go out, and why.

Freshness is a success's age against the job's `max_age`, and nothing else: a list that has not changed for a year is
fresh while runs find it so. Trouble is what the newest run of each job said; what an older one said is mended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from hubdata.model.manifest import Entry, Manifest
from hubdata.model.run import Outcome
from hubdata.report.page.given import Given, JobNote
from hubdata.report.page.records import JobTold, RunTold, Sort, Trouble, told

_SUCCESS = (Outcome.PUBLISHED, Outcome.UNCHANGED)


class Freshness(StrEnum):
    """What may be said of a job. `unlimited`: its success is known, but nobody has said how old one may be."""

    FRESH = "fresh"
    STALE = "stale"
    NEVER = "never"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job now. `until` is when it turns stale (or did); `outcome` is how its newest run ended."""

    note: JobNote
    freshness: Freshness
    files: int
    bytes: int
    last_success: datetime | None = None
    age: timedelta | None = None
    until: datetime | None = None
    last_changed: datetime | None = None
    outcome: Outcome | None = None
    plan_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """One GeoIP database that is public; without `built`, nobody has said when it was."""

    key: str
    entry: Entry
    built: datetime | None
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Status:
    """All that page and `status.json` tell. `runs` are the newest first, without dry ones."""

    given: Given
    jobs: tuple[JobStatus, ...]
    databases: tuple[DatabaseStatus, ...]
    troubles: tuple[Trouble, ...]
    untold: int
    runs: tuple[RunTold, ...]

    @property
    def manifest(self) -> Manifest:
        """Return the manifest in force."""
        return self.given.manifest

    @property
    def bytes(self) -> int:
        """Return the size of all public files."""
        return sum(entry.size for entry in self.manifest.files.values())

    def of(self, freshness: Freshness) -> tuple[str, ...]:
        """Return the names of the jobs of which `freshness` is to be said."""
        return tuple(job.note.name for job in self.jobs if job.freshness is freshness)

    def sorted_out(self, sort: Sort) -> tuple[Trouble, ...]:
        """Return the troubles of one sort."""
        return tuple(trouble for trouble in self.troubles if trouble.sort is sort)


def assess(given: Given) -> Status:
    """Return what is to be told of a target."""
    runs = sorted((told(run) for run in given.runs), key=lambda run: run.run_id.partition("-")[0], reverse=True)
    runs = [run for run in runs if not run.dry]
    held: dict[str, list[Entry]] = {}
    for entry in given.manifest.files.values():
        held.setdefault(entry.job, []).append(entry)
    notes = {note.name: note for note in given.jobs}
    names = sorted({*notes, *held})
    jobs = tuple(_job(notes.get(name, JobNote(name)), held.get(name, []), runs, given.now) for name in names)
    newest = [row for name in names if (row := _newest(name, runs)) is not None]
    order = {sort: number for number, sort in enumerate(Sort)}
    troubles = sorted((each for job in newest for each in job.troubles), key=lambda each: order[each.sort])
    databases = tuple(_databases(given.manifest, given.now))
    return Status(given, jobs, databases, tuple(troubles), sum(job.untold for job in newest), tuple(runs))


def moment(text: str) -> datetime | None:
    """Return the time that a manifest writes as `YYYY-MM-DDTHH:MM:SSZ`, None when it is something else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def stamp(at: datetime | None) -> str | None:
    """Return a time as manifests write it, None where there is none."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _newest(name: str, runs: list[RunTold]) -> JobTold | None:
    return next((row for run in runs if (row := run.job(name)) is not None), None)


def _job(note: JobNote, entries: list[Entry], runs: list[RunTold], now: datetime) -> JobStatus:
    rows = [(run.at, row) for run in runs if (row := run.job(note.name)) is not None]
    successes = [at for at, row in rows if at is not None and row.outcome in _SUCCESS]
    known = [*successes, *((note.last_success,) if note.last_success is not None else ())]
    last = max(known, default=None)
    until = None if last is None or note.max_age is None else last + note.max_age
    changed = [at for entry in entries if (at := moment(entry.changed_at)) is not None]
    return JobStatus(
        note,
        _freshness(last, until, now),
        len(entries),
        sum(entry.size for entry in entries),
        last,
        None if last is None else max(now - last, timedelta()),
        until,
        max(changed, default=None),
        rows[0][1].outcome if rows else None,
        rows[0][1].plan_ids if rows else (),
    )


def _freshness(last: datetime | None, until: datetime | None, now: datetime) -> Freshness:
    if last is None:
        return Freshness.NEVER
    if until is None:
        return Freshness.UNLIMITED
    return Freshness.FRESH if now <= until else Freshness.STALE


def _databases(manifest: Manifest, now: datetime) -> Iterator[DatabaseStatus]:
    for key, entry in sorted(manifest.files.items()):
        if entry.kind == "mmdb":
            built = _built(entry.stats.build_epoch)
            yield DatabaseStatus(key, entry, built, None if built is None else max(now - built, timedelta()))


def _built(epoch: int | None) -> datetime | None:
    try:
        return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return None
