"""Runs as processes that are stepped: what one was told, what it has proven, and how its calls go wrong."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from unittest import mock

from hubdata.errors import CdnError, Conflict, HubdataError, SourceError, TargetError
from hubdata.model.job import Job, Unit
from hubdata.model.run import RunResult
from hubdata.model.snapshot import Fetched, state_of
from hubdata.ports import Published
from hubdata.publishing.pages import KEYS as PAGES
from hubdata.running.visiting import Orders
from tests.simulator.source import ScriptedSource
from tests.simulator.stepping import Process, Stepper, StepPool, StepThreading, step_wait
from tests.simulator.wire import Call, Killed, Wire


class Fault(Enum):
    """How one call goes wrong."""

    ERROR = "refused before it had an effect"
    LOST = "its answer was lost after its effect"
    CONFLICT = "refused as if somebody else had written"
    KILL_BEFORE = "the process is killed before its effect"
    KILL_AFTER = "the process is killed after its effect"
    LATE = "it hangs on its way, whatever happens meanwhile"
    STILL = "after it the whole process stands still, whatever happens meanwhile"
    STRANGER = "somebody else writes that very object just before"


Aim = int | tuple[str, int]
"""Which call goes wrong: the run's n-th one, or the n-th of its sort."""

SORTS = (
    "LIST",
    "GET manifest.json",
    "PUT",
    "PUT lease.json",
    "PUT receipts.json",
    "PUT manifest.json",
    "PUT index.html",
    "GET page.json",
    "DELETE",
    "INVALIDATE",
)


def sort_of(call: Call) -> str:
    """Return the sort of `call`: its method, and for what is no data, on what."""
    own = call.key.startswith(".hubdata/") or call.key in ("manifest.json", *PAGES)
    return f"{call.method} {call.key.rpartition('/')[2]}" if own else call.method


def claims(job: Job, key: str) -> bool:
    """Tell whether a rule of `job` names `key`."""
    return any(fnmatchcase(key, rule.match) for rule in job.files)


class Run(Process):
    """One run: its orders, the jobs that take part, the others, and what came of it.

    `failed` are the objects, by target, that it could not put, as far as it knows.
    """

    def __init__(
        self,
        name: str,
        orders: Orders,
        jobs: Mapping[str, Job],
        *,
        skew: timedelta,
        machine: int,
        others: tuple[Job, ...] = (),
    ) -> None:
        super().__init__(name, skew=skew)
        self.orders = orders
        self.jobs = jobs
        self.others = others
        self.machine = machine
        self.faults: dict[Aim, Fault] = {}
        self.made: Counter[str] = Counter()
        self.failed: set[tuple[str, str]] = set()
        self.proven: set[tuple[str, str]] = set()
        self.refused: set[str] = set()
        self.heads: dict[str, int] = {}
        self.looked: dict[str, int] = {}

    @property
    def result(self) -> RunResult:
        """Return its result. Raises what it raised."""
        if self.main.error is not None:
            raise self.main.error
        result: RunResult = self.main.result
        return result

    @property
    def killed(self) -> bool:
        """Tell whether it was killed before it had a result."""
        return isinstance(self.main.error, Killed) or (self.main.error is None and self.main.result is None)

    @property
    def silent(self) -> tuple[Job, ...]:
        """Return the jobs of which it does not know what they want: those left out, and those not read."""
        return (*self.others, *(job for name, job in self.jobs.items() if name not in self.heads))

    def fault(self, call: Call) -> Fault | None:
        """Return how the next call, which is `call`, goes wrong."""
        sort = sort_of(call)
        number, self.made[sort] = self.made[sort], self.made[sort] + 1
        return self.faults.pop(self.calls, None) or self.faults.pop((sort, number), None)

    def saw(self, job: Job, head: int, files: Mapping[str, bytes]) -> None:
        """Note what it was given to judge, and what of it must pass: no file with a bad line."""
        files = {key: body for key, body in files.items() if claims(job, key)}
        bad = {key for key, body in files.items() if b"BAD" in body.splitlines()}
        if bad and job.unit is Unit.JOB:
            bad = set(files)
        self.refused |= bad
        self.proven |= {(key, hashlib.sha256(body).hexdigest()) for key, body in files.items() if key not in bad}
        self.heads[job.name] = head


class StepClock:
    """The clock of one machine, which may be wrong, though not in how fast it goes."""

    def __init__(self, stepper: Stepper, skew: timedelta) -> None:
        self._stepper = stepper
        self._skew = skew

    def now(self) -> datetime:
        """Return what this machine takes for the time."""
        return self._stepper.clock.now() + self._skew

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._stepper.clock.monotonic()

    def sleep(self, duration: timedelta) -> None:
        """Give way for `duration`."""
        self._stepper.wait(lambda: False, duration.total_seconds())


class StepWire(Wire):
    """A wire on which every call gives way to others before its effect and after it, and goes wrong as its run says."""

    def __init__(
        self, stepper: Stepper, sets_out: Callable[[Run, Call], bool], took_effect: Callable[[Run, Call, bool], None]
    ) -> None:
        super().__init__()
        self._stepper = stepper
        self._sets_out = sets_out
        self._took_effect = took_effect
        self._held = False
        self.meddle: Callable[[Call], None] = lambda _: None

    def record(self, call: Call, paths: tuple[str, ...] = ()) -> None:
        """Note an effect, and let the witness look at it."""
        super().record(call, paths)
        task = self._stepper.current
        assert task is not None
        assert isinstance(task.process, Run)
        self._took_effect(task.process, call, self._held)

    @contextmanager
    def crossing(self, call: Call) -> Iterator[None]:
        """Carry one call of the task that is let go."""
        task = self._stepper.current
        assert task is not None, f"{call}: nobody steps this thread"
        run = task.process
        assert isinstance(run, Run)
        held = self._sets_out(run, call)
        task.pause(lambda: True)
        fault = run.fault(call)
        if fault is Fault.LATE:
            run.hangs = True
            task.pause(lambda: not run.hangs)
        run.calls += 1
        self.calls.append(call)
        if fault is Fault.KILL_BEFORE:
            run.dead = True
            raise Killed
        if fault is Fault.STRANGER:
            self.meddle(call)
        try:
            if fault in (Fault.ERROR, Fault.CONFLICT):
                raise _error(call, fault)
            if call.method == "LIST":
                run.looked[call.actor] = len(self.calls)
            self._held = held
            yield
            if fault is Fault.LOST:
                raise _error(call, fault)
        except HubdataError:
            if call.method == "PUT":
                run.failed.add((call.actor, call.key))
            raise
        if fault is Fault.KILL_AFTER:
            run.dead = True
            raise Killed
        run.still = fault is Fault.STILL
        task.pause(lambda: True)


def _error(call: Call, fault: Fault) -> Exception:
    if call.method == "INVALIDATE":
        return CdnError(f"{call}: {fault.value}", retryable=True)
    if fault is Fault.CONFLICT and call.method in ("PUT", "DELETE"):
        return Conflict(f"{call}: {fault.value}", advice="run again", retryable=True)
    return TargetError(f"{call}: {fault.value}", advice="run again", retryable=True)


@dataclass
class HistorySource(ScriptedSource):
    """A source with a history, as a repository has: each state follows another, and the newest can be taken back."""

    stepper: Stepper | None = None
    job: Job | None = None
    parents: list[int | None] = field(default_factory=lambda: [None])
    states: list[dict[str, bytes]] = field(default_factory=lambda: [{}])
    head: int = 0

    def commit(self, files: Mapping[str, bytes]) -> None:
        """Let `files` follow the present state."""
        self.parents.append(self.head)
        self.states.append(dict(files))
        self.head = len(self.states) - 1

    def back(self) -> None:
        """Let a new state follow that is as the one before was."""
        before = self.parents[self.head]
        self.commit(self.states[before if before is not None else self.head])

    def follows(self, newer: int, older: int) -> bool:
        """Tell whether the state `newer` is `older` or came from it."""
        at: int | None = newer
        while at is not None and at != older:
            at = self.parents[at]
        return at == older

    def state(self, revision: str) -> int | None:
        """Return the number of the state that `revision` names; None when it is another source's."""
        name, _, number = revision.partition("@")
        return int(number) if self.job is not None and name == self.job.name else None

    def fetch(self, published: Published) -> Fetched:
        """Return the state that was the newest when this was asked, and which published states it does not follow."""
        assert self.stepper is not None
        assert self.job is not None
        task = self.stepper.current
        assert task is not None
        run, head = task.process, self.head
        assert isinstance(run, Run)
        if self.error is not None:
            raise self.error
        job = run.jobs[self.job.name]
        self.files, self.revision = self.states[head], f"{job.name}@{head}"
        public = published()
        self.files, self.revision = self.states[head], f"{job.name}@{head}"
        fetched = super().fetch(lambda: public)
        run.saw(job, head, {file.key: self.states[head][file.key] for file in fetched.files})
        known = {state_of(source) for source in public.values()}
        states = {revision: self.state(revision) for revision in known}
        rewinds = [r for r, state in sorted(states.items()) if state is not None and not self.follows(head, state)]
        return Fetched(fetched.revision, fetched.files, fetched.kept, tuple(rewinds))


def down() -> SourceError:
    """Return the error of a source that cannot be reached."""
    return SourceError("no route", advice="wait")


@contextmanager
def stepped(stepper: Stepper, runs: Mapping[str, Run]) -> Iterator[None]:
    """Let the threads of hubdata be stepped, and tell it which runs are alive."""

    def this_process() -> str:
        task = stepper.current
        assert task is not None
        return f"boot/1:{task.process.name}:1"

    def is_gone(process: str) -> bool:
        task, run = stepper.current, runs.get(process.split(":")[1])
        assert task is not None
        assert isinstance(task.process, Run)
        return run is not None and run.dead and run.machine == task.process.machine

    pool: Any = partial(StepPool, stepper)
    with ExitStack() as stack:
        publishing = (f"publishing.{name}" for name in ("survey", "apply", "sealing", "paging"))
        for module in ("pipeline", "running.explaining", "running.beside", *publishing):
            stack.enter_context(mock.patch(f"hubdata.{module}.ThreadPoolExecutor", pool))
        stack.enter_context(mock.patch("hubdata.publishing.paging.wait", partial(step_wait, stepper)))
        stack.enter_context(mock.patch("hubdata.publishing.lease.threading", StepThreading(stepper)))
        stack.enter_context(mock.patch("hubdata.publishing.lease.this_process", this_process))
        stack.enter_context(mock.patch("hubdata.publishing.lease.is_gone", is_gone))
        yield
