"""What a published page remembers for the ones after it: sizes and entries by generation, runs, and last successes.

It lies at the target (`.hubdata/page.json`), so that a page costs one GET and not one for each generation and run. Only
what changed is in it, and everything is bounded. Whatever cannot be read of it is forgotten: the charts begin anew.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hubdata.model.finding import Severity
from hubdata.model.history import Run
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.run import JobResult, Outcome, RunResult, TargetResult
from hubdata.report.page.series import Past, Series
from hubdata.report.page.status import moment, stamp

SCHEMA = 1
MOST_GENERATIONS, MOST_RUNS, MOST_FILES = 500, 40, 24
MOST_STATES = 4_500
"""States of files in all: nine files that change with each of 500 generations."""

_MOST_FINDINGS = 50
_MOST_CHARACTERS = 300
_MOST_JOBS = 200
_DIGITS = 12
"""Of a digest: enough to tell two states of one file apart."""


@dataclass(frozen=True, slots=True)
class State:
    """What a file was from the generation `since` on. Without a `size` it was not public."""

    since: int
    size: int | None
    entries: int | None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered. `generations` are numbers with times, the oldest first; `files` are states by key.

    Files that never changed are not among them; `cut` tells that some that did are left out. `runs` are the newest
    first, as records; `successes` are by job when it last succeeded, as far as pages know.
    """

    generations: tuple[tuple[int, str], ...] = ()
    files: Mapping[str, tuple[State, ...]] = field(default_factory=dict)
    cut: bool = False
    runs: tuple[Run, ...] = ()
    successes: Mapping[str, datetime] = field(default_factory=dict)

    def after(self, manifest: Manifest, before: Manifest | None) -> "Memory":
        """Return the memory with the generation of `manifest`, which follows `before` (None: it is not at hand)."""
        number = manifest.generation
        newest = self.generations[-1] if self.generations else None
        if newest == (number, manifest.published_at):
            return self
        if newest is not None and newest[0] >= number:  # somebody has begun anew
            return replace(self, generations=(), files={}, cut=False).after(manifest, before)
        row = self.generations
        if not row and before is not None and before.generation:
            row = ((before.generation, before.published_at),)
        row = (*row, (number, manifest.published_at))[-MOST_GENERATIONS:]
        files = {key: (*states, *_news(manifest, key, states[-1])) for key, states in self.files.items()}
        for key, old, new in _changes(before, manifest):
            if key not in files:
                files[key] = (_state(_since(row, old), old), _state(number, new))
        return replace(self, generations=row, **_bounded(files, row[0][0], self.cut))

    def told(self, run: RunResult, target: str, now: datetime) -> "Memory":
        """Return the memory with one more run, and the successes in it. Of older runs, only how they ended stays."""
        record = _record(run, target)
        names = {job.job for job in run.jobs}
        others = [_mended(each, names) for each in self.runs if each.run_id != run.run_id]
        runs = (Run(run.run_id, record), *others)
        fine = (job.job for job in run.jobs if job.outcome in (Outcome.PUBLISHED, Outcome.UNCHANGED))
        return replace(self, runs=runs[:MOST_RUNS], successes={**self.successes, **dict.fromkeys(fine, now)})

    def reminded(self, successes: Mapping[str, datetime]) -> "Memory":
        """Return the memory with what others know of last successes, where that is later."""
        later = {job: at for job, at in successes.items() if job not in self.successes or at > self.successes[job]}
        return replace(self, successes={**self.successes, **later})

    def growth(self, manifest: Manifest) -> Past:
        """Return the files that changed, as charts show them, the last changed first."""
        numbers = tuple(number for number, _ in self.generations)
        changed = [key for key in self.files if key in manifest.files and len(set(_digests(self.files[key]))) > 1]
        changed.sort(key=lambda key: (-self.files[key][-1].since, key))
        return Past(
            numbers,
            tuple(at for _, at in self.generations),
            tuple(_series(key, self.files[key], numbers) for key in changed),
            cut=self.cut,
        )

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        body = {
            "schema": SCHEMA,
            "generations": self.generations,
            "files": {
                key: [[state.since, state.size, state.entries, state.sha256] for state in states]
                for key, states in self.files.items()
            },
            "cut": self.cut,
            "runs": [{"run_id": run.run_id, **run.record} for run in self.runs],
            "successes": {job: stamp(at) for job, at in self.successes.items()},
        }
        return (json.dumps(body, separators=(",", ":")) + "\n").encode()

    @staticmethod
    def from_bytes(body: bytes | None) -> "Memory":
        """Return what `body` remembers; nothing, where it is none or somebody else wrote it."""
        try:
            data = json.loads(body or b"")
            if data["schema"] != SCHEMA:
                return Memory()
            files = {str(key): tuple(_read(each) for each in states) for key, states in data["files"].items()}
            runs = tuple(Run(str(run.pop("run_id")), run) for run in data["runs"])
            times = {str(job): moment(at) for job, at in data["successes"].items()}
            return Memory(
                tuple((_count(number), str(at)) for number, at in data["generations"]),
                {key: states for key, states in files.items() if states},
                bool(data["cut"]),
                runs[:MOST_RUNS],
                {job: at for job, at in times.items() if at is not None},
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return Memory()


def _read(row: Any) -> State:
    since, size, entries, sha256 = row
    return State(_count(since), _maybe(size), _maybe(entries), str(sha256))


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(f"expected a count, found {value!r}")
    return value


def _maybe(value: object) -> int | None:
    return None if value is None else _count(value)


def _state(since: int, entry: Entry | None) -> State:
    if entry is None:
        return State(since, None, None)
    return State(since, entry.size, entry.stats.entries, entry.sha256[:_DIGITS])


def _news(manifest: Manifest, key: str, last: State) -> Iterator[State]:
    """Yield the state of a file that is followed already, if it is another one now."""
    now = _state(manifest.generation, manifest.files.get(key))
    if now.sha256 != last.sha256:
        yield now


def _changes(before: Manifest | None, now: Manifest) -> Iterator[tuple[str, Entry, Entry]]:
    if before is None:
        return
    for key, new in now.files.items():
        old = before.files.get(key)
        if old is not None and old.sha256 != new.sha256:
            yield key, old, new


def _since(row: tuple[tuple[int, str], ...], entry: Entry) -> int:
    """Return the generation from which on a file is known to have been as `entry` says."""
    return next((number for number, at in row if at >= entry.changed_at), row[0][0])


def _bounded(files: Mapping[str, tuple[State, ...]], oldest: int, cut: bool) -> dict[str, Any]:
    """Return the files that changed last, without what lies before the generation `oldest`."""
    trimmed = {key: _trimmed(states, oldest) for key, states in files.items()}
    newest = sorted(trimmed, key=lambda key: (-trimmed[key][-1].since, key))
    kept: dict[str, tuple[State, ...]] = {}
    room = MOST_STATES
    for key in newest[:MOST_FILES]:
        room -= len(trimmed[key])
        if room < 0:
            break
        if len(trimmed[key]) > 1:
            kept[key] = trimmed[key]
    changed = sum(len(states) > 1 for states in trimmed.values())
    return {"files": kept, "cut": cut or len(kept) < changed}


def _trimmed(states: tuple[State, ...], oldest: int) -> tuple[State, ...]:
    past = [state for state in states if state.since <= oldest]
    return (*past[-1:], *(state for state in states if state.since > oldest))


def _digests(states: Iterable[State]) -> Iterator[str]:
    return (state.sha256 for state in states if state.size is not None)


def _series(key: str, states: tuple[State, ...], numbers: tuple[int, ...]) -> Series:
    sizes: list[int | None] = []
    entries: list[int | None] = []
    at = -1
    for number in numbers:
        while at + 1 < len(states) and states[at + 1].since <= number:
            at += 1
        sizes.append(None if at < 0 else states[at].size)
        entries.append(None if at < 0 else states[at].entries)
    return Series(key, tuple(sizes), tuple(entries))


def _record(run: RunResult, target: str) -> dict[str, Any]:
    return {
        "command": list(run.command),
        "exit_code": int(run.exit_code),
        "elapsed_s": run.elapsed_s,
        "jobs": [_job(job, target) for job in run.jobs[:_MOST_JOBS]],
    }


def _job(job: JobResult, target: str) -> dict[str, Any]:
    problems = [job.problem, *(each.problem for each in job.targets if each.target == target)]
    refused = [finding for finding in job.findings if finding.severity is Severity.ERROR]
    return {
        "job": job.job,
        "outcome": job.outcome.value,
        # A public page tells a failure by its kind alone: messages name hosts, buckets and paths.
        "problem": next(({"exit_code": int(each.exit_code)} for each in problems if each is not None), None),
        "findings": [
            {
                "key": finding.key,
                "line": finding.line,
                "rule": finding.rule,
                "severity": finding.severity.value,
                "message": finding.message[:_MOST_CHARACTERS],
                "advice": finding.advice[:_MOST_CHARACTERS],
            }
            for finding in refused[:_MOST_FINDINGS]
        ],
        "untold": max(0, len(refused) - _MOST_FINDINGS),
        "targets": [_target(each) for each in job.targets if each.target == target],
    }


def _target(result: TargetResult) -> dict[str, Any]:
    done = result.done if result.applied else None
    held = result.held or result.barred
    return {
        "puts": 0 if done is None else len(done.puts),
        "deletes": 0 if done is None else len(done.deletes),
        **({} if held is None else {"held": {}, "plan_id": held.id}),
    }


def _mended(run: Run, names: Iterable[str]) -> Run:
    """Return the run without what it found of jobs of which a newer run speaks."""
    jobs = run.record.get("jobs")
    if not isinstance(jobs, list):
        return run
    short = [
        {**job, "findings": [], "untold": 0} if isinstance(job, dict) and job.get("job") in set(names) else job
        for job in jobs
    ]
    return Run(run.run_id, {**run.record, "jobs": short})
