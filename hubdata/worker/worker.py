"""The worker's loop: wait for what is due, for signals and for runs that end; decide; begin; go on.

One thread decides, so nothing happens amid something else. Whoever asks for a run from another thread (`trigger`) is
answered at once. When the worker is told to end, nothing new is begun; what is under way has a few seconds for the
call that it is in; then leases are given back whether it has come to an end or not.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any

from hubdata import app, assembly, conducting
from hubdata.app import Choices, Known
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError, Exit, HubdataError
from hubdata.model.event import Event
from hubdata.model.success import Success
from hubdata.plugins import suggest
from hubdata.ports import Clock, Reporter
from hubdata.publishing.lease import give_all_back
from hubdata.report.redaction import redact
from hubdata.transfer import ending
from hubdata.transfer.code_digest import own_code
from hubdata.transfer.process import end_all
from hubdata.worker import watching
from hubdata.worker.agenda import Agenda, Answer
from hubdata.worker.aging import Aging, Told
from hubdata.worker.board import Board, LastRun
from hubdata.worker.orphans import reap
from hubdata.worker.runs import Ended, Runs, Sync, remembered
from hubdata.worker.schedule import Cause, at_start
from hubdata.worker.signals import ENDING, caught
from hubdata.worker.soaking import Soaking, stages_of
from hubdata.worker.watching import Roster, Watch

LOOK = timedelta(seconds=2)
"""How often files are looked at; the loop waits no longer, so a clock that is set is noticed as soon."""

GRACE = timedelta(seconds=5)
"""For the calls that are under way when the worker is told to end."""

GIVE_BACK = timedelta(seconds=2)
"""For leases of runs whose calls have not come to an end by then: in all below ten seconds, as containers get."""

_UNSCHEDULED = "give a job a schedule; `hubdata sync --once` runs all of them now and ends"
"""Said to whoever starts a worker that has nothing to wait for: mostly, `--once` was forgotten."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What targets keep of jobs that are new to this worker."""

    found: Mapping[str, Mapping[str, Success | None]]


class Worker:
    """All jobs, each on its schedule. `board` is for whoever shows how they stand, `trigger` for whoever wants a run.

    `show` is called with every run that ended. Raises ConfigError when there is nothing to begin with.
    """

    def __init__(
        self,
        choices: Choices,
        clock: Clock,
        reporter: Reporter,
        show: Callable[[Ended], None],
        sync: Sync = app.sync,
    ) -> None:
        self._choices, self._clock, self._reporter, self._show = choices, clock, reporter, show
        self.mailbox: SimpleQueue[Any] = SimpleQueue()
        self._runs = Runs(choices, clock, reporter, self.mailbox.put, sync)
        self._agenda, self._lock = Agenda(), threading.Lock()
        self.board = Board(clock.now())
        self._soaking = Soaking()
        self._aging = Aging(clock, reporter, self.mailbox.put)
        self._left_out: Mapping[str, str] = {}
        own_code()  # what is installed while this process lives is not what it judges by
        self._roster = watching.read(choices, None)
        for name in choices.jobs:
            if name not in self._roster.names:
                advice = suggest(name, sorted(self._roster.names))
                raise ConfigError(f"--job {name}: there is no such job", advice=advice)
        for name in choices.targets:
            if name not in self._roster.settings.targets:
                advice = suggest(name, self._roster.settings.targets)
                raise ConfigError(f"--target {name}: there is no such target", advice=advice)
        if not self._roster.jobs:
            said = [self._roster.problem, *self._roster.problems.values()]
            raise ConfigError("\n".join(filter(None, said)), advice="`hubdata config check` lists every problem")
        self._watch = Watch(self._fingerprint())
        self._targets = choices.targets or tuple(self._roster.settings.targets)

    def run(self) -> bool:
        """Work until SIGTERM or SIGINT; tell whether everything under way had come to its end by then."""
        with caught(self.mailbox):
            self._emit("worker.started", jobs=",".join(self._roster.jobs))
            self._take(self._roster)
            while (number := self._turn()) is None:
                pass
            return self._end(number)

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        with self._lock:
            return self._roster.settings

    @property
    def names(self) -> frozenset[str]:
        """Return every job that has a file."""
        with self._lock:
            return self._roster.names

    def trigger(self, job: str, cause: Cause = Cause.REQUEST, *, owe: bool = False) -> Answer:
        """Begin a run of `job` now, unless one goes on already, and return which; from any thread.

        With `owe`, one that goes on already is followed by another.
        """
        if ending.begun():
            answer = Answer.ENDING
        else:
            with self._lock:
                answer = self._agenda.begin(job, cause)
                if owe and answer is Answer.ALREADY_RUNNING:
                    self._agenda.owe(job, cause)
                known = Known(self._roster.settings, tuple(self._roster.jobs.values()))
        if answer is Answer.BEGUN:
            run_id = conducting.new_run_id(self._clock)
            self._emit("job.begun", job=job, cause=cause, run_id=run_id)
            self.board.note(job, running_since=self._clock.now(), running_cause=cause)
            self._runs.begin(job, cause, known, run_id)
        else:
            then = {"then": "it runs again after that"} if owe and answer is Answer.ALREADY_RUNNING else {}
            self._emit("job.not_begun", job=job, cause=cause, reason=answer, **then)
        return answer

    def _turn(self) -> signal.Signals | None:
        """Deal with what there is to deal with; return the signal that ends the worker, None while it goes on."""
        try:
            message = self.mailbox.get(timeout=self._pause())
        except Empty:
            message = None
        if isinstance(message, signal.Signals):
            if message in ENDING:
                return message
            self._heed(message)
        elif isinstance(message, Ended):
            self._note(message)
        elif isinstance(message, _Remembered):
            self._begin_at_start(message)
        elif isinstance(message, Told):
            self._heard(message)
        self._look()
        self._begin_due()
        self._aging.look(self.board.state(), self._roster.settings)
        return None

    def _pause(self) -> float:
        with self._lock:
            wakes = (self._agenda.wakes_at, self._soaking.wakes_at)
        left = [at - self._clock.now() for at in wakes if at is not None]
        return max(0.0, min(LOOK, *left).total_seconds()) if left else LOOK.total_seconds()

    def _heed(self, number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            self._read("SIGHUP")
            return
        for job in self._mine(self._roster):
            self.trigger(job, Cause.SIGNAL)

    def _look(self) -> None:
        if self._watch.changed(self._fingerprint()):
            self._read("changed")

    def _read(self, why: str) -> None:
        now = self._fingerprint()
        roster = watching.read(self._choices, self._roster)
        self._watch.read(now)
        if roster.settings.http != self._roster.settings.http:
            self._emit("http.unchanged", because="a change of [http] needs a restart")
        self._emit("jobs.read", because=why, jobs=",".join(roster.jobs))
        self._take(roster)

    def _take(self, roster: Roster) -> None:
        """Put `roster` in force, tell what is wrong with it, and ask when its new jobs have last succeeded."""
        for name, said in roster.problems.items():
            what = "its last good version stays in force" if name in roster.jobs else "it is not run"
            self._emit("job.broken", job=name, what=what, problem=said)
        if roster.problem:
            self._emit("settings.broken", what="what was read before stays in force", problem=roster.problem)
        left_out = assembly.lacking(roster.settings, (j for n, j in roster.jobs.items() if n not in self._choices.jobs))
        for name, why in left_out.items():
            if self._left_out.get(name) != why:
                self._emit("job.left_out", job=name, because=why)
        self._left_out = left_out
        mine = self._mine(roster)
        with self._lock:
            self._roster = roster
            new, gone = self._agenda.admit({name: roster.jobs[name] for name in mine}, self._clock.now())
        shown = (*mine, *(n for n in roster.problems if not self._choices.jobs or n in self._choices.jobs))
        self._targets = self._choices.targets or tuple(roster.settings.targets)
        self.board.keep(frozenset(shown))
        self.board.tell(problem=roster.problem, targets=tuple(self._targets))
        for name in shown:
            job = roster.jobs.get(name)
            self.board.note(name, file_problem=roster.problems.get(name, ""), next_fire=self._next(name))
            if job is not None:
                self.board.note(name, description=job.description, schedule=job.schedule, max_age=job.max_age)
        for name in new:
            at = self._next(name)
            self._emit("job.scheduled", job=name, next="never" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}")
        for name in gone:
            self._emit("job.unscheduled", job=name)
        if new and not any(self._begins_by_itself(roster, name) for name in mine):
            self._emit("schedule.none", what="no job has a schedule: none begins by itself", advice=_UNSCHEDULED)
        if new:
            known = Known(roster.settings, tuple(roster.jobs.values()))
            ask = threading.Thread(target=self._remember, args=(known, new), name="last-successes", daemon=True)
            ask.start()

    def _begins_by_itself(self, roster: Roster, name: str) -> bool:
        staged = bool(stages_of(roster.settings, self._choices.targets))
        return staged or self._next(name) is not None or roster.jobs[name].run_on_start

    def _remember(self, known: Known, jobs: tuple[str, ...]) -> None:
        try:
            found = remembered(known, jobs, tuple(self._targets), self._reporter)
        except HubdataError as err:
            self._emit("success.unknown", error=str(err))
            found = {job: dict.fromkeys(self._targets) for job in jobs}
        self.mailbox.put(_Remembered(found))

    def _begin_at_start(self, remembered: _Remembered) -> None:
        """Begin what was missed while no worker ran, or is to run whenever one starts."""
        for name, by_target in remembered.found.items():
            known = {target: success.ended_at for target, success in by_target.items() if success is not None}
            self.board.succeeded(name, known)
            job = self._roster.jobs.get(name)
            with self._lock:
                cron = self._agenda.cron(name)
            cause = None if job is None else at_start(job, cron, by_target.values(), self._clock.now())
            if cause is not None:
                self.trigger(name, cause)
        self._aging.ages.admit(remembered.found, self._clock.now())
        if stages_of(self._roster.settings, self._choices.targets):
            self._begin_soaked(remembered.found)  # nobody knows yet what soaks there

    def _begin_due(self) -> None:
        with self._lock:
            due = self._agenda.due(self._clock.now())
        for each in due:
            if each.owed:
                self._emit("job.already_running", job=each.job, cause=each.cause, then="it runs again after that")
            else:
                self.trigger(each.job, each.cause)
            self.board.note(each.job, next_fire=self._next(each.job))
        soaked = self._soaking.due(self._clock.now())
        for target in soaked:
            self._emit("stage.awaited", target=target)
        if soaked:
            self._begin_soaked(self._mine(self._roster))

    def _begin_soaked(self, jobs: Iterable[str]) -> None:
        """Run every job for the stages alone; one that runs for everything already does so anyhow, or once more."""
        for name in jobs:
            if self._roster.jobs.get(name) is not None:
                self.trigger(name, Cause.SOAK, owe=True)

    def _heard(self, told: Told) -> None:
        self._aging.heard(told)
        for each in told.newer:
            self.board.succeeded(each.job, {each.target: each.at})

    def _note(self, ended: Ended) -> None:
        """Show how a run ended, and begin what it is owed."""
        code = int(ended.exit_code)
        self._tell(ended, code)
        last = LastRun(ended.cause, ended.started_at, ended.ended_at, ended.exit_code, ended.outcome, ended.result)
        self.board.note(ended.job, running_since=None, running_cause=None)
        if ended.cause is not Cause.SOAK or ended.exit_code is not Exit.FINE:  # such a one says nothing of its source
            self.board.note(ended.job, last_run=last, last_error=redact(ended.error))
        self.board.succeeded(ended.job, dict.fromkeys(ended.succeeded, ended.ended_at))
        self._show(ended)
        if ended.result is not None:
            self._soaking.note(ended.result.stages, ended.ended_at)
        with self._lock:
            owed, idle = self._agenda.ended(ended.job), not self._agenda.running
        if idle and not self._aging.busy:
            reap()
        if owed is not None:
            self.trigger(ended.job, owed)

    def _end(self, number: signal.Signals) -> bool:
        """End in good order: what is under way first, then leases."""
        ending.begin()
        self.board.tell(ending=True)
        with self._lock:
            running = ",".join(self._agenda.running)
        self._emit("worker.ending", signal=number.name, running=running)
        end_all()
        done = self._runs.wait(GRACE)
        back = give_all_back(GIVE_BACK)
        end_all()  # what a run has tried once more meanwhile
        while not self.mailbox.empty():
            message = self.mailbox.get()
            if isinstance(message, Ended):
                self._note_last(message)
        self._emit("worker.ended", runs="ended" if done else "broken off", leases="given back" if back else "kept")
        return done

    def _note_last(self, ended: Ended) -> None:
        self._tell(ended, int(ended.exit_code))
        self._show(ended)

    def _tell(self, ended: Ended, code: int) -> None:
        own: dict[str, str | int] = {"outcome": ended.outcome, "exit_code": code, "error": ended.error}
        self._emit("job.ended", job=ended.job, **own, run_id=ended.run_id)

    def _mine(self, roster: Roster) -> tuple[str, ...]:
        chosen = self._choices.jobs
        return tuple(n for n in roster.jobs if (not chosen or n in chosen) and n not in self._left_out)

    def _fingerprint(self) -> watching.Fingerprint:
        return watching.fingerprint(self._choices, self._roster.settings)

    def _next(self, job: str) -> Any:
        with self._lock:
            slot = self._agenda.slot(job)
        return None if slot is None else slot.fire

    def _emit(self, name: str, **fields: str | int) -> None:
        self._reporter.emit(Event(name, fields))
