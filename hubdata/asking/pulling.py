"""Put `hubdata pull` together: a job's files, fetched and proven, written into a checkout for somebody to review.

The checkout is looked at as a target is: what lies there is what the new files are held against, so a list that shrinks
to a fraction is held here as it would be in public. What is refused, held or could not be had stays as it is. Nothing
is deleted, and nothing is written but files that the job names and that differ.
"""

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hubdata import app, assembly
from hubdata.app import Choices
from hubdata.asking.comparing import compare, of_files
from hubdata.asking.locating import atlas_of, located
from hubdata.clock import SystemClock
from hubdata.config.jobs import load_jobs
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError, Exit, SourceError, worst
from hubdata.model.comparison import Comparison
from hubdata.model.finding import Finding, Severity
from hubdata.model.inventory import Held, Inventory, Stored
from hubdata.model.job import Job
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.plan import Plan
from hubdata.model.pull import PullResult
from hubdata.model.snapshot import Provenance, SourceFile
from hubdata.planning.approval import Decision, decide, plan_id
from hubdata.planning.claims import Claim, rule_for
from hubdata.planning.diff import diff
from hubdata.planning.limits import breaches
from hubdata.planning.outcome import codes_of
from hubdata.plugins import suggest
from hubdata.ports import Reporter, SourceContext
from hubdata.running.proving import KindOf, judge
from hubdata.running.reading import Reading, read
from hubdata.transfer.checkout_tree import CheckoutTree
from hubdata.transfer.digest import digests
from hubdata.transfer.spool import Spool, write_stream

TARGET = "checkout"
"""What plans call it, wherever it lies: so that one has the same id on every machine."""

_MAX_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class _Before:
    """What lies in the checkout under the keys of a reading: as an inventory, and copied so that it can be compared."""

    inventory: Inventory
    files: tuple[SourceFile, ...]


def pull(choices: Choices, name: str, into: Path, reporter: Reporter, *, geoip: tuple[Path, ...] = ()) -> PullResult:
    """Return what was written `into` a checkout for the job called `name`, and what was not.

    The `geoip` databases tell whose the networks are, else those that a directory target holds.
    Raises ConfigError before anything was attempted, TargetError when the checkout cannot be read or written.
    """
    started = time.monotonic()
    approve = frozenset(map(plan_id, choices.approve))
    settings = app.settings_of(choices)
    jobs = load_jobs(settings.jobs)
    job = next((job for job in jobs if job.name == name), None)
    if job is None:
        raise ConfigError(f"{name}: there is no such job", advice=suggest(name, [job.name for job in jobs]))
    checkout, kind_of, clock = CheckoutTree(into), assembly.kind_builder(), SystemClock()
    with ExitStack() as stack:
        atlas, notices = atlas_of(geoip, settings)
        if atlas is not None:
            stack.enter_context(atlas)
        spool = stack.enter_context(Spool.create(settings.spool))
        reading = _read(
            settings, jobs, job, choices, checkout=checkout, spool=spool, kind_of=kind_of, reporter=reporter
        )
        nothing = Comparison(str(into), name, (), notices=notices)
        result = PullResult(
            name, str(into), reading.source, nothing, findings=reading.findings, problem=reading.problem
        )
        if reading.problem is None:
            before = _before(reading, checkout, kind_of, clock.now(), spool.directory("before"))
            decision, broken = _decided(reading, before.inventory, approve)
            changes = replace(_changes(reading, before, into), notices=notices)
            result = replace(
                result,
                changes=changes if atlas is None else located(changes, atlas),
                written=_written(decision.plan, reading, checkout),
                held=decision.held,
                findings=(*reading.findings, *broken),
                unknown_plans=tuple(sorted(approve - decision.approved)),
            )
    return replace(result, exit_code=_exit_code(result), elapsed_s=round(time.monotonic() - started, 3))


def _read(
    settings: Settings,
    jobs: tuple[Job, ...],
    job: Job,
    choices: Choices,
    *,
    checkout: CheckoutTree,
    spool: Spool,
    kind_of: KindOf,
    reporter: Reporter,
) -> Reading:
    clock = SystemClock()

    def context(type_: str) -> SourceContext:
        return SourceContext(spool.directory(type_), os.environ, clock, choices.force, spool.memory(type_))

    (feed,) = assembly.feeds_of(settings, jobs, frozenset((job.name,)), context, None)
    (reading,) = read(feed, lambda: _published(job, checkout), kind_of, now=clock.now(), reporter=reporter)
    return reading


def _published(job: Job, checkout: CheckoutTree) -> Mapping[str, Provenance]:
    """Return what a checkout tells of where its files came from: nothing but their bytes.

    A source that remembers what came to these bytes need not fetch them again.
    """
    found: dict[str, Provenance] = {}
    for key in checkout.keys():  # noqa: SIM118 - no mapping
        if rule_for(job, key) is not None:
            body = checkout.read(key, max_bytes=_MAX_BYTES)
            if body is not None:
                found[key] = {"type": job.source.type, "sha256": digests(body).sha256}
    return found


def _before(reading: Reading, checkout: CheckoutTree, kind_of: KindOf, now: datetime, directory: Path) -> _Before:
    """Return what lies there now, each file judged as the new one is: limits compare what their kinds counted."""
    entries: dict[str, Entry] = {}
    files: list[SourceFile] = []
    for number, key in enumerate(sorted(reading.snapshot.artifacts)):
        body, rule = checkout.read(key, max_bytes=_MAX_BYTES), rule_for(reading.job, key)
        if body is None or rule is None:
            continue
        path = directory / str(number)
        write_stream(path, (body,), max_bytes=len(body), what=key)
        files.append(SourceFile(key, path, len(body), {}))
        seen, _ = judge(Claim(rule, files[-1]), kind_of(rule), reading.job, now)
        own = digests(body)
        entries[key] = Entry(
            size=len(body),
            sha256=own.sha256,
            kind=rule.kind,
            job=reading.job.name,
            etag=own.md5,
            version_id=None,
            changed_at="",
            content_type=seen.content_type,
            cache_control=seen.cache_control,
            source={},
            stats=seen.stats,
        )
    objects = {key: Held(Stored(entry.size, entry.etag), entry.sha256) for key, entry in entries.items()}
    return _Before(Inventory(TARGET, Manifest(files=entries), None, objects), tuple(files))


def _decided(reading: Reading, inventory: Inventory, approve: frozenset[str]) -> tuple[Decision, tuple[Finding, ...]]:
    job, snapshot = reading.job, reading.snapshot
    whole = diff(replace(snapshot, whole=False), inventory)
    limits = {change.key: rule.limits for change in whole.puts if (rule := rule_for(job, change.key))}
    broken = breaches(whole, snapshot, inventory.manifest, limits)
    held_keys = frozenset(finding.key for finding in broken if finding.severity is Severity.ERROR)
    decision = decide(whole, held_keys, job.unit, approve)
    if decision.let_out is not None:
        note = f"approved as plan {decision.let_out.id}"
        broken = tuple(replace(finding, severity=Severity.WARNING, waived=note) for finding in broken)
    return decision, broken


def _changes(reading: Reading, before: _Before, into: Path) -> Comparison:
    artifacts = reading.snapshot.artifacts
    new = [SourceFile(key, artifact.path, artifact.size, artifact.source) for key, artifact in artifacts.items()]
    kinds = {key: artifact.kind for key, artifact in artifacts.items()}
    found = compare(of_files(str(into), before.files), of_files(reading.job.name, new), kinds.get, lambda _: True)
    return replace(found, same=found.same + len(reading.snapshot.kept))


def _written(plan: Plan, reading: Reading, checkout: CheckoutTree) -> tuple[str, ...]:
    """Write what the plan lets out; the bytes are digested once more, so that what is written is what was judged."""
    for change in plan.puts:
        try:
            body = reading.snapshot.artifacts[change.key].path.read_bytes()
        except OSError as err:
            raise SourceError(f"{change.key}: a checked file cannot be read any more ({err.strerror or err})") from err
        if digests(body).sha256 != change.sha256:
            raise SourceError(f"{change.key}: a checked file has changed since", advice="see who else uses the spool")
        checkout.replace(change.key, body)
    return tuple(change.key for change in plan.puts)


def _exit_code(result: PullResult) -> Exit:
    codes = codes_of(result.findings)
    if result.problem is not None:
        codes.append(result.problem.exit_code)
    if result.held is not None or result.unknown_plans:
        codes.append(Exit.HELD)
    return worst(codes)
