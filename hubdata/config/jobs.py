"""Read a directory of job files into jobs; a file with anything wrong in it stops the run before it starts.

Job files are data that a reviewer approves without reading Python, so nothing in them is guessed or passed over.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hubdata import tables
from hubdata.config.adapters import adapter_faults, mistyped_type, with_absolute_paths
from hubdata.config.document import Document, dotted, read_document
from hubdata.config.job_file import NAME, FileTable, JobFile
from hubdata.config.named import country_faults, named_faults
from hubdata.config.problems import Level, Problem, in_order, stop_on_errors
from hubdata.config.windows_paths import windows_path_faults
from hubdata.model.job import Canary, FileRule, Group, Job, Limits, SourceSpec, Unit, Waiver
from hubdata.plugins import Fault, Seam, faults
from hubdata.values import frozen

_ENDS_SOON = timedelta(days=30)


@frozen
class JobReading:
    """Every job that can be used, and every problem of all files."""

    jobs: tuple[Job, ...]
    problems: tuple[Problem, ...]


def load_jobs(directory: Path) -> tuple[Job, ...]:
    """Return the jobs of `directory`, by name. Raises ConfigError that lists every problem of every file."""
    reading = read_jobs(directory)
    stop_on_errors(reading.problems)
    return reading.jobs


def read_jobs(directory: Path, today: date | None = None) -> JobReading:
    """Return all that can be read of `directory`; waivers are judged as of `today` (UTC). Raises nothing."""
    try:
        paths = sorted(p for p in directory.iterdir() if p.suffix == ".toml" and not p.name.startswith("."))
    except OSError as err:
        advice = "name a directory of job files: `jobs` in hubdata.toml, HUBDATA_JOBS or --jobs"
        return JobReading((), (Problem(str(directory), None, "", f"no job files: {err.strerror}", advice),))
    if not paths:
        advice = "a job is a file NAME.toml; jobs/README.md tells how to write one"
        return JobReading((), (Problem(str(directory), None, "", "there is no job file in this directory", advice),))
    jobs, problems = [], []
    day = today or datetime.now(UTC).date()
    for path in paths:
        job, found = _read(path, shown(path), day)
        problems += found
        if job is not None:
            jobs.append(job)
    return JobReading(tuple(sorted(jobs, key=lambda j: j.name)), in_order(problems))


def _read(path: Path, shown: str, today: date) -> tuple[Job | None, list[Problem]]:
    document, unread = read_document(path, shown)
    problems = list(unread)
    if not document.data and problems:
        return None, problems
    if not NAME.fullmatch(path.stem):
        advice = "a job's name is its file's: lower-case letters, digits and hyphens"
        problems.append(Problem(shown, None, "", f"`{path.stem}` cannot be a job's name", advice))
    problems += map(document.problem, _source_and_kind_faults(document.data))
    problems += map(document.problem, windows_path_faults(document.data))
    try:
        file = JobFile.model_validate(dict(document.data))
    except tables.ValidationError as err:
        return None, [*problems, *map(document.problem, faults(err, JobFile))]
    problems += map(document.problem, _contradictions(file))
    for index, table in enumerate(file.files):
        bounds = ("files", index, "limits")
        problems += map(document.problem, named_faults(table.kind, table.limits, bounds))
        problems += map(document.problem, country_faults(table.kind, table.limits.max_country_change, bounds))
    problems += _ending(file, document, today)
    if any(p.level is Level.ERROR for p in problems):
        return None, problems
    return _job(path.stem, file, document), problems


def _source_and_kind_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Return what sources and kinds say of their options, also where the file has other mistakes."""
    source = data.get("source")
    if isinstance(source, dict):
        yield from mistyped_type(source, ("source",))
    if isinstance(source, dict) and isinstance(source.get("type"), str):
        options = {key: value for key, value in source.items() if key != "type"}
        yield from adapter_faults(Seam.SOURCE, source["type"], options, ("source", "type"))
    files = data.get("files")
    for index, table in enumerate(files if isinstance(files, list) else ()):
        if isinstance(table, dict) and isinstance(table.get("kind"), str):
            options = table.get("options", {})
            place = ("files", index)
            if isinstance(options, dict):
                yield from adapter_faults(Seam.KIND, table["kind"], options, (*place, "kind"), (*place, "options"))


def _contradictions(file: JobFile) -> Iterator[Fault]:
    """Return entries that can never do what they say, because of what else the file says."""
    matches: set[str] = set()
    for index, table in enumerate(file.files):
        if table.match in matches:
            yield Fault(("files", index, "match"), "an earlier entry has the same `match`", "the first one wins")
        matches.add(table.match)
    if file.groups and file.unit != "job":
        yield Fault(("groups", 0), "files that are loaded together are refused together", 'set unit = "job"')
    waived: set[tuple[str, str]] = set()
    for index, waiver in enumerate(file.waivers):
        if (waiver.key, waiver.rule) in waived:
            yield Fault(("waivers", index), "an earlier waiver names the same key and rule", "keep one of them")
        waived.add((waiver.key, waiver.rule))


def _ending(file: JobFile, document: Document, today: date) -> Iterator[Problem]:
    """Return a warning for each waiver that has ended or soon will, so that it does not surprise a night's run."""
    for index, waiver in enumerate(file.waivers):
        if waiver.until >= today + _ENDS_SOON:
            continue
        place = ("waivers", index, "until")
        verb = "ended" if waiver.until < today else "ends"
        yield Problem(
            document.name,
            document.line(place),
            dotted(place),
            f"the waiver for {waiver.rule} in {waiver.key} {verb} on {waiver.until.isoformat()}",
            "mend the file upstream, or decide anew and set a later date",
            Level.WARNING,
        )


def _job(name: str, file: JobFile, document: Document) -> Job:
    source = file.source.type
    options = {key: value for key, value in document.data["source"].items() if key != "type"}
    return Job(
        name=name,
        source=SourceSpec(source, with_absolute_paths(Seam.SOURCE, source, options, lambda _: document.base)),
        files=tuple(map(_file_rule, file.files)),
        description=file.description,
        schedule=file.schedule,
        unit=Unit(file.unit),
        prune=file.prune,
        ignore=tuple(table.match for table in file.ignore),
        waivers=tuple(Waiver(w.key, w.rule, w.reason, w.until) for w in file.waivers),
        canaries=tuple(Canary(c.ip, c.expect, c.edition) for c in file.canaries),
        groups=tuple(Group(g.name, tuple(g.match)) for g in file.groups),
        max_deletes=file.max_deletes,
        retention=timedelta(days=file.retention.days) if file.retention else None,
        run_on_start=file.run_on_start,
        jitter=timedelta(seconds=file.jitter_s),
        max_age=file.max_age,
    )


def _file_rule(table: FileTable) -> FileRule:
    limits = table.limits
    return FileRule(
        match=table.match,
        kind=table.kind,
        options=table.options,
        limits=Limits(
            min_entries=limits.min_entries,
            max_bytes=limits.max_bytes,
            max_change=limits.max_change,
            max_country_change=limits.max_country_change,
            floor_entries=limits.floor_entries,
            max_prefix4=limits.max_prefix4,
            max_prefix6=limits.max_prefix6,
            floor_ipv4_addresses=limits.floor_ipv4_addresses,
            floor_ipv6_64s=limits.floor_ipv6_64s,
            must_contain=tuple(limits.must_contain),
            must_not_contain=tuple(limits.must_not_contain),
        ),
        cache_control=table.cache_control,
        content_type=table.content_type,
    )


def shown(path: Path) -> str:
    """Return `jobs/geoip.toml`: the directory's own name is enough to find the file."""
    return f"{path.parent.name}/{path.name}"
