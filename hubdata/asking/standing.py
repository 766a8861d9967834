"""Answer `hubdata status`: how each job stands at each target now, from what lies there. It only reads.

Runs leave a record where they wrote, the worker leaves each job's last success, and the page remembers both for as
long as it is published: whichever is the newest counts.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from hubdata import app, assembly, reaching
from hubdata.app import Choices
from hubdata.asking.remembering import run_of
from hubdata.clock import SystemClock
from hubdata.errors import HubdataError
from hubdata.model.history import Run
from hubdata.model.job import Job
from hubdata.model.run import Problem
from hubdata.ports import Target
from hubdata.publishing import records, successes
from hubdata.publishing.paging import MEMORY
from hubdata.publishing.survey import read_manifest
from hubdata.report.page import Given, JobNote
from hubdata.report.page.memory import Memory
from hubdata.report.standing import Standing

RUNS = 20
"""Records read at each target: a job that none of them names was last told of by the page."""

_AT_ONCE = 8
_MEMORY_MAX_BYTES = 4 << 20


def standings(choices: Choices) -> tuple[Standing, ...]:
    """Return how the chosen jobs stand at every chosen target. One that cannot be read says so; others go on.

    Raises ConfigError before any target is asked.
    """
    settings = app.settings_of(choices)
    chosen = app.selected_jobs(choices, settings)
    left_out = assembly.lacking(settings, [job for job in chosen if job.name not in choices.jobs])
    jobs = tuple(job for job in chosen if job.name not in left_out)
    now = SystemClock().now()
    targets = [reaching.build_target(settings, name) for name in choices.targets or settings.targets]
    return tuple(_of(target, jobs, now, everything=not choices.jobs) for target in targets)


def _of(target: Target, jobs: tuple[Job, ...], now: datetime, *, everything: bool) -> Standing:
    try:
        return Standing(target.name, _given(target, jobs, now, everything=everything))
    except HubdataError as err:
        return Standing(target.name, problem=Problem(str(err), err.advice, err.exit_code))


def _given(target: Target, jobs: tuple[Job, ...], now: datetime, *, everything: bool) -> Given:
    names = [job.name for job in jobs]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"status-{target.name}") as pool:
        current = pool.submit(read_manifest, target)
        remembered = pool.submit(target.read, MEMORY, max_bytes=_MEMORY_MAX_BYTES)
        kept = [pool.submit(successes.last, target, name) for name in names]
        newest = records.newest(target, RUNS)
        manifest, _ = current.result()
        blob = remembered.result()
        worker = {name: each.result() for name, each in zip(names, kept, strict=True)}
    memory = Memory.from_bytes(None if blob is None else blob.body)
    runs: dict[str, Run] = {run.run_id: run for run in memory.runs}
    runs |= {run_id: run_of(run_id, body) for run_id, body in newest.items()}
    notes = []
    for job in jobs:
        success = worker[job.name]
        known = (memory.successes.get(job.name), None if success is None else success.ended_at)
        last = max((at for at in known if at is not None), default=None)
        notes.append(JobNote(job.name, job.description, job.schedule, job.max_age, last))
    if not everything:
        files = {key: entry for key, entry in manifest.files.items() if entry.job in names}
        manifest = replace(manifest, files=files)
    return Given(manifest, now, runs=tuple(runs.values()), jobs=tuple(notes), private=True)
