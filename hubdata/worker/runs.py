"""Begin runs, each in a thread of its own, and say how they ended. A run is one job, as `sync --once --job` does it.

However a run ends, it says so: an error that nobody foresaw ends that run and not the worker.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from hubdata import app, reaching
from hubdata.app import Choices, Known
from hubdata.errors import Exit, HubdataError
from hubdata.model.event import Event
from hubdata.model.run import JobResult, Outcome, Problem, RunResult
from hubdata.model.success import Success
from hubdata.planning.outcome import succeeded_at
from hubdata.ports import Clock, Reporter
from hubdata.publishing import successes
from hubdata.report.tagging import Tagged
from hubdata.transfer import ending
from hubdata.worker.schedule import Cause
from hubdata.worker.soaking import stages_of

AT_ONCE = 4
"""Runs at a time: they wait for each other's leases anyhow, and each may hold a large database."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run ended. `succeeded` are the targets at which it left nothing to be wished for."""

    job: str
    cause: Cause
    started_at: datetime
    ended_at: datetime
    result: RunResult | None = None
    problem: Problem | None = None
    succeeded: tuple[str, ...] = ()
    run_id: str = ""

    @property
    def own(self) -> JobResult | None:
        """Return what the run says of the job itself."""
        return next((job for job in self.result.jobs if job.job == self.job), None) if self.result else None

    @property
    def exit_code(self) -> Exit:
        """Return the code that `sync --once` would have ended with."""
        if self.result is not None:
            return self.result.exit_code
        return self.problem.exit_code if self.problem is not None else Exit.BUG

    @property
    def outcome(self) -> Outcome:
        """Return how the job ended."""
        return self.own.outcome if self.own is not None else Outcome.FAILED

    @property
    def error(self) -> str:
        """Return in one line what was wrong, empty when nothing was."""
        own = self.own
        problems = [self.problem, *((own.problem, *(t.problem for t in own.targets)) if own else ())]
        said = next((problem.message for problem in problems if problem is not None), "")
        return said or ("" if self.exit_code is Exit.FINE else f"{self.outcome.value}, exit code {self.exit_code:d}")


class Sync(Protocol):
    """What a run is: `app.sync`."""

    def __call__(self, choices: Choices, reporter: Reporter, known: Known) -> RunResult:
        """Return what the run did."""
        ...


class Runs:
    """The runs that go on now. `tell` is called with how each ended, from its own thread."""

    def __init__(
        self,
        choices: Choices,
        clock: Clock,
        reporter: Reporter,
        tell: Callable[[Ended], None],
        sync: Sync = app.sync,
    ) -> None:
        self._choices, self._clock, self._reporter, self._tell, self._sync = choices, clock, reporter, tell, sync
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def begin(self, job: str, cause: Cause, known: Known, run_id: str = "") -> None:
        """Begin a run of `job` as it is in `known`, with this id."""
        thread = threading.Thread(target=self._go, args=(job, cause, known, run_id), name=f"job-{job}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def wait(self, within: timedelta) -> bool:
        """Tell whether every run has ended `within` so long."""
        until = self._clock.monotonic() + within.total_seconds()
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - self._clock.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _go(self, job: str, cause: Cause, known: Known, run_id: str) -> None:
        started = self._clock.now()
        try:
            with self._room:
                started = self._clock.now()
                ended = self._run(job, cause, known, started, run_id)
            self._tell(ended)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _run(self, job: str, cause: Cause, known: Known, started: datetime, run_id: str) -> Ended:
        reporter = Tagged(self._reporter, run_id, (job,))
        result, problem = None, None
        kept: tuple[str, ...] = ()
        try:
            if ending.begun():
                raise HubdataError("the worker is ending")  # noqa: TRY301 - told as every other one
            result = self._sync(replace(self._chosen(job, cause, known), run_id=run_id), reporter, known)
            kept = self._keep(job, result, known, started, reporter)
        except HubdataError as err:
            problem = Problem(str(err), err.advice, err.exit_code)
        except Exception as err:  # noqa: BLE001 - the worker goes on, whatever befalls one run
            from hubdata.worker.telling import log_bug

            log_bug(job, run_id, err)
            said = f"this is a bug in hubdata: {type(err).__name__}: {err}"
            problem = Problem(said, "report it with the log", Exit.BUG)
        if problem is not None and result is None:
            self._notify(job, problem, known, reporter)
        return Ended(job, cause, started, self._clock.now(), result, problem, kept, run_id)

    def _chosen(self, job: str, cause: Cause, known: Known) -> Choices:
        """Return what a run of `job` is for: all that the worker is, or only what has soaked."""
        stages = stages_of(known.settings, self._choices.targets) if cause is Cause.SOAK else ()
        return replace(self._choices, jobs=(job,), targets=stages or self._choices.targets)

    def _notify(self, job: str, problem: Problem, known: Known, reporter: Reporter) -> None:
        """Tell people of a run that came to nothing, which could not do so itself."""
        settings = known.settings
        if settings.notify is None or ending.begun():
            return
        from hubdata.notifying.sightings import broken
        from hubdata.notifying.telling import Teller

        try:
            names = self._choices.targets or tuple(settings.targets)
            targets = [reaching.build_target(settings, name) for name in names]
        except HubdataError as err:
            reporter.emit(Event("notify.failed", {"error": str(err)}))
            return
        max_age = next((each.max_age for each in known.jobs if each.name == job), None)
        seen = broken(job, names, problem, max_age)
        Teller(settings.notify, settings.spool, reporter).tell(seen, targets, self._clock.now())

    def _keep(
        self, job: str, result: RunResult, known: Known, started: datetime, reporter: Reporter
    ) -> tuple[str, ...]:
        """Keep the success at each target where it was one; return these targets. The run has ended by then."""
        own = next((each for each in result.jobs if each.job == job), None)
        where = () if own is None else succeeded_at(own)
        success = Success(job, result.run_id, started, self._clock.now())
        for name in where:
            if not ending.begun():
                successes.keep(reaching.build_target(known.settings, name), success, reporter)
        return where


def remembered(
    known: Known, jobs: tuple[str, ...], targets: tuple[str, ...], reporter: Reporter
) -> Mapping[str, Mapping[str, Success | None]]:
    """Return the last success of each job at each target, as it is kept there; None where none is, or nobody knows."""
    found: dict[str, dict[str, Success | None]] = {job: {} for job in jobs}
    for name in targets:
        try:
            target = reaching.build_target(known.settings, name)
            for job in jobs:
                found[job][name] = successes.last(target, job)
        except HubdataError as err:
            reporter.emit(Event("success.unknown", {"target": name, "error": str(err)}))
            for job in jobs:
                found[job].setdefault(name, None)
    return found
