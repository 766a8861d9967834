"""Decide which jobs are in force when their files change: the last good version of each that still has a file.

A broken file takes nothing away: what was in force stays so, and what is wrong is told. A directory that is missing or
empty is a broken one too, for a mount that has gone must not end everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hubdata import app
from hubdata.app import Choices
from hubdata.config.check import schedule_problem
from hubdata.config.jobs import JobReading, read_jobs
from hubdata.config.problems import Level, Problem
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError
from hubdata.model.job import Job

_CONFIG = "hubdata.toml"

Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Name, inode, size and modification time of each file: equal means not changed."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What is in force. `problems` are by job what is wrong with its file; `problem` concerns all of them."""

    settings: Settings
    jobs: Mapping[str, Job]
    problems: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Return every job that has a file, in force or not."""
        return frozenset(self.jobs) | frozenset(self.problems)


def merged(before: Roster | None, settings: Settings, reading: JobReading, problem: str = "") -> Roster:
    """Return what is in force once `reading` has been made of the job files, with `before` in force until then."""
    held: Mapping[str, Job] = {} if before is None else before.jobs
    whole = str(settings.jobs)
    problems: dict[str, list[Problem]] = {}
    for each in (*reading.problems, *_schedules(settings.jobs, reading.jobs)):
        if each.level is Level.ERROR:
            problems.setdefault(whole if each.file == whole else Path(each.file).stem, []).append(each)
    if whole in problems:
        said = _lines(problems[whole])
        return Roster(settings, held, {} if before is None else before.problems, problem or said)
    good = {job.name: job for job in reading.jobs if job.name not in problems}
    kept = {name: held[name] for name in problems if name in held}
    told = {name: _lines(found) for name, found in problems.items()}
    return Roster(settings, dict(sorted({**good, **kept}.items())), told, problem)


def _schedules(directory: Path, jobs: tuple[Job, ...]) -> list[Problem]:
    return [problem for job in jobs if (problem := schedule_problem(directory, job)) is not None]


def _lines(problems: list[Problem]) -> str:
    return "; ".join(map(str, problems))


def read(choices: Choices, before: Roster | None) -> Roster:
    """Return what is in force now that settings and job files are read again.

    Raises ConfigError when there is nothing to go by: settings that cannot be used, with none `before`.
    """
    problem = ""
    try:
        settings = app.settings_of(choices)
    except ConfigError as err:
        if before is None:
            raise
        settings, problem = before.settings, str(err)
    return merged(before, settings, read_jobs(settings.jobs), problem)


def fingerprint(choices: Choices, settings: Settings) -> Fingerprint:
    """Return what tells whether settings or job files have changed. A file that goes meanwhile is not there."""
    try:
        paths = sorted(path for path in settings.jobs.iterdir() if path.suffix == ".toml")
    except OSError:
        paths = []
    found = []
    for path in (choices.config or Path(_CONFIG), *paths):
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((path.name, state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


class Watch:
    """Notices changes once they are over: a file that is still being written is left alone."""

    def __init__(self, settled: Fingerprint) -> None:
        self._settled = settled
        self._seen = settled

    def changed(self, now: Fingerprint) -> bool:
        """Tell whether the files are other ones than when they were read last, and the same as a look ago."""
        steady, self._seen = now == self._seen, now
        return steady and now != self._settled

    def read(self, now: Fingerprint) -> None:
        """Take note of what the files were when they were read."""
        self._settled = self._seen = now
