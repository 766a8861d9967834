"""Read a feed: fetch a source once and prove its files for every job that reads it."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.finding import Finding
from hubdata.model.job import Job
from hubdata.model.run import Problem
from hubdata.model.snapshot import Fetched, Snapshot
from hubdata.planning.claims import Claims, claim, ignored, rule_for
from hubdata.ports import Published, Reporter, Source
from hubdata.running.proving import KindOf, prove
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.running.crew import Crew


@frozen
class Feed:
    """One source and all jobs that read it; only the `selected` ones take part in this run.

    Where there are `keys`, the run is for these alone, and what else the source gives is not looked at. `again` gives
    the source once more, unused, for a run that was overtaken by another and must look what is the newest now.
    """

    source: Source
    jobs: tuple[Job, ...]
    selected: frozenset[str]
    keys: frozenset[str] | None = None
    again: Callable[[], Source] | None = None


@frozen
class Reading:
    """What one job would publish and what was found, or the problem that kept us from finding out."""

    job: Job
    source: Mapping[str, str]
    snapshot: Snapshot
    findings: tuple[Finding, ...] = ()
    rewinds: tuple[str, ...] = ()
    problem: Problem | None = field(default=None)


def read(
    feed: Feed,
    published: Published,
    kind_of: KindOf,
    *,
    now: datetime,
    reporter: Reporter,
    crew: "Crew | None" = None,
) -> tuple[Reading, ...]:
    """Return one reading for each selected job of `feed`, by job name.

    An upstream that fails, or job files that contradict each other, are a problem of these jobs alone: others go on.
    The `crew` helps to judge.
    """
    selected = sorted((job for job in feed.jobs if job.name in feed.selected), key=lambda job: job.name)
    if not selected:
        return ()
    try:
        fetched = _wanted(_newest(feed, published), feed.keys)
        reporter.emit(Event("source.fetched", {"revision": fetched.revision or "", "files": len(fetched.files)}))
        claims = claim(feed.jobs, fetched.files)
        work = [(job, claims.by_job[job.name]) for job in selected]
        with nullcontext() if crew is None else crew.helping(work, kind_of):
            return _prove_all(feed, selected, fetched, claims, kind_of=kind_of, now=now)
    except HubdataError as err:
        problem = Problem(str(err), err.advice, err.exit_code)
        reporter.emit(Event("source.failed", {"jobs": ",".join(job.name for job in selected), "error": str(err)}))
        return tuple(Reading(job, {"type": job.source.type}, Snapshot(job.name), problem=problem) for job in selected)


def _newest(feed: Feed, published: Published) -> Fetched:
    """Return what the source holds; looked at twice where it seems to have gone back.

    What is public may be newer than what was fetched just before another run published it: then it is not the source
    that went back.
    """
    fetched = feed.source.fetch(published)
    if fetched.rewinds and feed.again is not None:
        fetched = feed.again().fetch(published)
    return fetched


def renewed(
    readings: tuple[Reading, ...], bystanders: tuple[Job, ...], anew: tuple[Reading, ...]
) -> tuple[tuple[Reading, ...], tuple[Job, ...]]:
    """Return readings and bystanders with what was read `anew` instead: what could not be takes no part any more."""
    instead = {each.job.name: each for each in anew}
    merged = tuple(instead.get(each.job.name, each) for each in readings)
    failed = tuple(each.job for each in merged if each.problem is not None)
    return tuple(each for each in merged if each.problem is None), (*bystanders, *failed)


def _wanted(fetched: Fetched, keys: frozenset[str] | None) -> Fetched:
    if keys is None:
        return fetched
    return replace(
        fetched,
        files=tuple(file for file in fetched.files if file.key in keys),
        kept=tuple(key for key in fetched.kept if key in keys),
        findings=tuple(finding for finding in fetched.findings if finding.key in keys),
    )


def _prove_all(
    feed: Feed, selected: list[Job], fetched: Fetched, claims: Claims, *, kind_of: KindOf, now: datetime
) -> tuple[Reading, ...]:
    strays = _assign(feed, selected, (*fetched.findings, *claims.findings))
    readings = []
    for job in selected:
        kept = frozenset(key for key in fetched.kept if rule_for(job, key))
        proof = prove(job, claims.by_job[job.name], kind_of, strays=strays[job.name], kept=kept, now=now)
        source = {"type": job.source.type}
        if fetched.revision:
            source["revision"] = fetched.revision
        snapshot = replace(proof.snapshot, whole=feed.keys is None)
        readings.append(Reading(job, source, snapshot, proof.findings, fetched.rewinds))
    return tuple(readings)


def _assign(feed: Feed, selected: list[Job], findings: tuple[Finding, ...]) -> Mapping[str, tuple[Finding, ...]]:
    """Give each finding about an entry that could not be fetched to the job whose rule names it, else to the first."""
    mine: dict[str, list[Finding]] = {job.name: [] for job in selected}
    for finding in findings:
        owner = next((job.name for job in feed.jobs if rule_for(job, finding.key)), None)
        if owner is None and ignored(feed.jobs, finding.key):
            continue
        if owner is None:
            owner = selected[0].name
        if owner in mine:
            mine[owner].append(finding)
    return {name: tuple(found) for name, found in mine.items()}
