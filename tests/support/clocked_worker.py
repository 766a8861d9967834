"""A worker by a clock that a test moves: real files, a real directory target, real threads, and runs made of air.

world = ClockedWorker(tmp_path, {"daily": '43 5 * * *'})
world.until(world.start + timedelta(days=3))
world.runs  # (job, cause, when) of each
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hubdata.app import Choices, Known
from hubdata.model.event import Event
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.model.stage import StageResult
from hubdata.ports import Reporter
from hubdata.worker.runs import Ended
from hubdata.worker.schedule import Cause
from hubdata.worker.worker import Worker

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = 'jobs = "jobs"\nspool = "spool"\n[targets.mirror]\ntype = "directory"\npath = "mirror"\n'
JOB = '[source]\ntype = "directory"\npath = "data"\n\n[[files]]\nmatch = "*.txt"\nkind = "cidr"\n'
STEP = timedelta(minutes=1)


class MovedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        """Return the time that it shows."""
        return self.at

    def monotonic(self) -> float:
        """Return the same in seconds."""
        return self.at.timestamp()

    def sleep(self, duration: timedelta) -> None:
        """Move it."""
        self.at += duration


class ClockedWorker:
    """The worker, what it runs and what it says. `problem` is what runs fail with, `stages` what they tell of."""

    def __init__(self, root: Path, schedules: Mapping[str, str], settings: str = SETTINGS, extra: str = "") -> None:
        (root / "jobs").mkdir(exist_ok=True)
        (root / "hubdata.toml").write_text(settings)
        for name, schedule in schedules.items():
            (root / f"jobs/{name}.toml").write_text(f'schedule = "{schedule}"\njitter_s = 0\n{extra}{JOB}')
        self.clock = MovedClock(START)
        self.jobs = tuple(schedules)
        self.events: list[Event] = []
        self.runs: list[tuple[str, Cause, datetime]] = []
        self.chosen: list[tuple[str, tuple[str, ...]]] = []
        self.problem: Problem | None = None
        self.stages: tuple[StageResult, ...] = ()
        self.during: Callable[[str], None] = lambda job: None
        self.begin()

    def begin(self) -> None:
        """Start a new worker process, as it were: it knows what the target keeps."""
        self._ended = 0
        self.worker = Worker(Choices(), self.clock, self, self._show, self._sync)
        self.worker._take(self.worker._roster)
        for thread in threading.enumerate():
            if thread.name == "last-successes":
                thread.join(60)

    def emit(self, event: Event) -> None:
        """Take note of what the worker says."""
        self.events.append(event)

    def named(self, name: str) -> list[Mapping[str, object]]:
        """Return the fields of every event of that name."""
        return [event.fields for event in self.events if event.name == name]

    def turn(self) -> None:
        """Let the worker do what there is to do at this moment, and runs come to their ends."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.worker.mailbox.empty():
                self.worker.mailbox.put(None)  # so that it does not wait
            self.worker._turn()
            if not self.worker._agenda.running and self.worker.mailbox.empty() and not self.worker._aging.busy:
                return
            time.sleep(0.0005)
        raise AssertionError("the worker never comes to rest")

    def until(self, end: datetime) -> None:
        """Let time pass as far as the worker itself would wait, over and over, and no longer than to `end`."""
        self.turn()
        while True:
            wakes = (self.worker._agenda.wakes_at, self.worker._soaking.wakes_at)
            at = min((each for each in wakes if each is not None), default=end)
            if at > end:
                self.clock.at = end
                self.turn()
                return
            self.clock.at = max(at, self.clock.at)
            self.turn()

    def _show(self, ended: Ended) -> None:
        self._ended += 1

    def _sync(self, choices: Choices, reporter: Reporter, known: Known) -> RunResult:
        (job,) = choices.jobs
        cause = self.worker._agenda.running[job]
        self.runs.append((job, cause, self.clock.now()))
        self.chosen.append((job, choices.targets))
        self.during(job)
        names = choices.targets or tuple(known.settings.targets)
        outcome = Outcome.FAILED if self.problem is not None else Outcome.UNCHANGED
        targets = tuple(TargetResult(name, Plan(job, name), problem=self.problem) for name in names)
        result = JobResult(job, outcome, {"type": "directory"}, targets=targets)
        return RunResult("r", (result,), 0.0, stages=self.stages)
