"""What status pages are made from in tests: the real tree with a past and runs, thousands of files, hostile names."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.history import Run
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.model.snapshot import Artifact, SourceFile, Stats
from hubdata.planning.claims import claim
from hubdata.plugins import Seam, load, parse_options
from hubdata.report.page import Given, JobNote
from hubdata.report.record_json import record_json
from hubdata.running.proving import prove
from tests.support.real import SEC_LISTS
from tests.unit.report.samples import ERROR, LIMIT, put

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&\x1b\u202e--><style>*{}</style>"
CITY = "mmdb_update/GeoLite2-City.mmdb"
JOBS = ("allowlists", "appsec", "geoip", "web-patterns")


def at(hours: float) -> datetime:
    """Return the time so many hours before NOW."""
    return NOW - timedelta(hours=hours)


def stamp(when: datetime) -> str:
    """Return a time as manifests write it."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def entry(key: str, *, hours: float = 48, version: int = 0, **more: Any) -> Entry:
    """Return what a manifest says of a file; another `version` has other bytes."""
    digest = hashlib.sha256(f"{key} {version}".encode()).hexdigest()
    row = Entry(812, digest, "cidr", "allowlists", digest[:32], None, stamp(at(hours)), "text/plain", "", {})
    return replace(row, **{"stats": Stats(entries=40, ipv4_addresses=1_024), **more})


def notes(*, hours: float = 0.2) -> tuple[JobNote, ...]:
    """Return the built-in jobs as the worker would describe them, each with a success so long ago."""
    told = {job.name: (job.description, job.schedule) for job in load_jobs(builtin_jobs_dir())}
    ages = {"geoip": timedelta(hours=30)}
    return tuple(
        JobNote(name, *told[name], max_age=ages.get(name, timedelta(hours=3)), last_success=at(hours)) for name in JOBS
    )


def run(hours: float, *jobs: JobResult, elapsed_s: float = 2.4, **more: Any) -> Run:
    """Return a run's record as a target would hold it."""
    run_id = f"{at(hours):%Y%m%dT%H%M%SZ}-{hashlib.sha256(str(hours).encode()).hexdigest()[:6]}"
    return Run(run_id, json.loads(record_json(RunResult(run_id, jobs, elapsed_s, **more), "aws")))


def ended(job: str, outcome: Outcome, *findings: Finding, **more: Any) -> JobResult:
    """Return how a job ended at one target."""
    codes = {Outcome.REFUSED: Exit.REFUSED, Outcome.HELD: Exit.HELD, Outcome.FAILED: Exit.SOURCE}
    puts = (put("whitelists/e.txt"),) if outcome is Outcome.PUBLISHED else ()
    target = TargetResult("aws", Plan(job, "aws", puts, unchanged=171), applied=True, generation=12)
    if outcome is Outcome.HELD:
        target = replace(target, held=Plan(job, "aws", (put("whitelists/d.txt"),)))
    code = codes.get(outcome, Exit.FINE)
    return JobResult(job, outcome, {"type": "git"}, findings=findings, targets=(target,), exit_code=code, **more)


FAILURE = Problem("git at https://internal.example/lists.git: no answer in 30 s", "ask the network", Exit.SOURCE)
TROUBLED = run(
    0.3,
    ended("allowlists", Outcome.REFUSED, ERROR, LIMIT),
    ended("web-patterns", Outcome.HELD, replace(LIMIT, key="web/xss.txt")),
    ended("geoip", Outcome.FAILED, problem=FAILURE),
)


def small(**more: Any) -> Given:
    """Return three files of two jobs, fresh, with one run."""
    files = {
        "whitelists/a.txt": entry("whitelists/a.txt"),
        "whitelists/b c.txt": entry("whitelists/b c.txt", hours=5),
        CITY: entry(CITY, hours=30, kind="mmdb", job="geoip", size=65_886_987, stats=CITY_STATS),
    }
    manifest = Manifest(12, stamp(at(5)), "run-12", files)
    given = Given(manifest, NOW, runs=(run(5, ended("allowlists", Outcome.PUBLISHED)),), jobs=notes()[::2])
    return replace(given, **more)


CITY_STATS = Stats(build_epoch=int(at(80).timestamp()))


def many(count: int) -> Given:
    """Return so many files, each changed at another time."""
    keys = [f"lists/part{number % 40:02}/list-{number:05}.txt" for number in range(count)]
    files = {key: entry(key, hours=number + 1) for number, key in enumerate(keys)}
    return small(manifest=Manifest(12, stamp(NOW), "run-12", files))


def hostile() -> Given:
    """Return a target of which every foreign word would like to be obeyed."""
    key = f"javascript:alert(1)//{HOSTILE}"
    files = {
        key: entry(key, kind=HOSTILE, job=HOSTILE, changed_at=HOSTILE, sha256=HOSTILE),
        f"{HOSTILE}/\ud800 {'x' * 900}": entry("x", kind="mmdb", stats=Stats(build_epoch=10**30), size=10**40),
    }
    finding = Finding(key, 3, HOSTILE, Severity.ERROR, HOSTILE * 40, HOSTILE * 40)
    problem = Problem(HOSTILE, HOSTILE, Exit.SOURCE)
    ran = run(1, ended(HOSTILE, Outcome.REFUSED, finding, problem=problem), command=(HOSTILE,))
    odd = Run(HOSTILE, {"jobs": [{"job": 7, "findings": 7}, 7], "exit_code": "0", "elapsed_s": -1, "command": 3})
    job = JobNote(HOSTILE, HOSTILE, HOSTILE, timedelta(hours=1), at(2))
    before = Manifest(11, HOSTILE, HOSTILE, {key: entry(key, version=1, size=1)})
    manifest = Manifest(12, HOSTILE, HOSTILE, files)
    return Given(manifest, NOW, past=(before,), runs=(odd, ran), jobs=(job,), private=True)


def history(files: dict[str, Entry], generations: int) -> tuple[Manifest, ...]:
    """Return so many generations before the one of `files`: each of a dozen lists grew at its own pace."""
    keys = sorted(files)[:: max(1, len(files) // 12)][:12]
    past, now = [], dict(files)
    for number in range(generations - 1, 0, -1):
        back = generations - number
        for pace, key in enumerate(keys, 1):
            if back % pace == 0:
                old = now[key]
                count = max(1, (old.stats.entries or 100) - pace - back % 3)
                changed = stamp(at(6 * back))
                sha256 = hashlib.sha256(f"{key} {back}".encode()).hexdigest()
                stats = replace(old.stats, entries=count)
                size = max(1, old.size - 17 * pace)
                now[key] = replace(old, sha256=sha256, changed_at=changed, size=size, stats=stats)
        past.append(Manifest(number, stamp(at(6 * back)), f"run-{number}", dict(now)))
    return tuple(past)


def real(generations: int = 30) -> Given:
    """Return the real tree as the built-in jobs judge it today, three databases, a past, and forty runs."""
    files = _real_files()
    for edition, size in (("GeoLite2-City", 65_886_987), ("GeoLite2-ASN", 11_204_117), ("GeoLite2-Country", 9_601_420)):
        key = f"mmdb_update/{edition}.mmdb"
        files[key] = entry(key, hours=50, kind="mmdb", job="geoip", size=size, stats=CITY_STATS)
    past = history(files, generations)
    manifest = Manifest(generations, stamp(at(1)), "20261122T113000Z-abc123", files)
    return Given(manifest, NOW, past=past, runs=_runs(), jobs=notes())


def _real_files() -> dict[str, Entry]:
    paths = sorted(path for path in SEC_LISTS.rglob("*") if path.is_file())
    sources = [SourceFile(path.relative_to(SEC_LISTS).as_posix(), path, path.stat().st_size, {}) for path in paths]
    jobs = tuple(job for job in load_jobs(builtin_jobs_dir()) if job.name != "geoip")
    claims = claim(jobs, tuple(sources))
    found = {}
    for job in jobs:
        for each in prove(job, claims.by_job[job.name], _kind_of, now=NOW).snapshot.artifacts.values():
            found[each.key] = _entry_of(each, job.name)
    return found


def _kind_of(rule: Any) -> Any:
    return load(Seam.KIND, rule.kind)(parse_options(Seam.KIND, rule.kind, rule.options))


def _entry_of(each: Artifact, job: str) -> Entry:
    row = Entry(each.size, each.sha256, each.kind, job, each.md5, None, "", each.content_type, each.cache_control, {})
    return replace(row, changed_at=stamp(at(24 + each.size % 900)), stats=each.stats)


def _runs() -> tuple[Run, ...]:
    pattern = {3: Outcome.REFUSED, 11: Outcome.HELD, 17: Outcome.FAILED}
    runs = []
    for number in range(40):
        first = ended("allowlists", pattern.get(number, Outcome.PUBLISHED))
        rest = [ended(name, Outcome.UNCHANGED) for name in JOBS[1:]]
        runs.append(run(2 + number * 6, first, *rest))
    return (TROUBLED, *runs)
