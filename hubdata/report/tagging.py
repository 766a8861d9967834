"""Say of each event which run and which job it is of, whichever thread it comes from; and tell of what a run decided.

The tag goes with the reporter, which every part of a run is handed, and not with a thread: what a pool or an adapter
says is the run's all the same.
"""

from collections.abc import Iterable, Iterator

from hubdata.model.event import Event
from hubdata.model.finding import HOLDING, Severity
from hubdata.model.run import JobResult, RunResult
from hubdata.ports import Reporter

MOST_FILES = 100
"""Refused files of one job that are told one by one; the rest is counted, and all are in the run's result."""


class Tagged:
    """A reporter that adds `run_id` and `job` to events that have none; several jobs are parted by commas."""

    def __init__(self, reporter: Reporter, run_id: str, jobs: Iterable[str]) -> None:
        self._reporter = reporter
        self._tag = {"job": ",".join(sorted(jobs)), "run_id": run_id}

    def emit(self, event: Event) -> None:
        """Pass `event` on."""
        missing = {name: value for name, value in self._tag.items() if value and name not in event.fields}
        self._reporter.emit(Event(event.name, {**event.fields, **missing}) if missing else event)


def decided(result: RunResult) -> Iterator[Event]:
    """Yield an event for each decision of a run that has no other: files refused, plans held, and how jobs ended."""
    for job in result.jobs:
        yield from _refused(job)
        for target in job.targets:
            at: dict[str, str | int] = {"job": job.job, "target": target.target}
            if target.held is not None:
                changes = len(target.held.changes)
                yield Event("plan.held", {**at, "id": target.held.id, "changes": changes})
            if target.waiting is not None:
                yield Event("plan.left", {**at, "id": target.waiting.id, "changes": len(target.waiting.changes)})
        yield Event("job.decided", {"job": job.job, "outcome": job.outcome, "exit_code": int(job.exit_code)})
    if result.verification is not None:
        yield Event("verify.done", {"exit_code": int(result.verification.exit_code)})
    yield Event("run.ended", {"exit_code": int(result.exit_code), "elapsed_s": result.elapsed_s})


def _refused(job: JobResult) -> Iterator[Event]:
    first = {f.key: f for f in reversed(job.findings) if f.severity is Severity.ERROR and f.rule not in HOLDING}
    for key in sorted(first)[:MOST_FILES]:
        found = first[key]
        line = {} if found.line is None else {"line": found.line}
        yield Event("file.refused", {"job": job.job, "key": key, "rule": found.rule, **line, "error": found.message})
    if len(first) > MOST_FILES:
        yield Event("file.refused", {"job": job.job, "more": len(first) - MOST_FILES})
