"""Runs that go one step at a time: a test decides, call by call, which process and which of its threads goes on.

Every thread of every run is a real one, but only one of them ever moves, from one point where it could be overtaken to
the next: a call on the wire, a wait for another thread, a sleep. So two runs of the real code can be interleaved in any
way, and the same choices give the same run again.
"""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from tests.simulator.clock import SettableClock
from tests.simulator.wire import Killed

_PATIENCE_S = 60


class Task:
    """One thread of a process, that moves only when it is let go."""

    def __init__(self, stepper: "Stepper", process: "Process", work: Callable[[], Any], *, aside: bool) -> None:
        self.process = process
        self.aside = aside
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.until: Callable[[], bool] = lambda: True
        self.wakes: float | None = None
        self._stepper = stepper
        self._work = work
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    def ready(self, now: float) -> bool:
        """Tell whether it could go on if it were let go at `now`."""
        return not self.done and (self.until() or (self.wakes is not None and self.wakes <= now))

    def let_go(self) -> None:
        """Let it move until it pauses or ends."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._main, daemon=True)
            self._thread.start()
        else:
            self._go.release()
        if not self._back.acquire(timeout=_PATIENCE_S):
            raise AssertionError("a thread of the simulation hangs outside of it")

    def pause(self, until: Callable[[], bool], wakes: float | None = None) -> None:
        """Give way, called by itself; return when let go again. Raises Killed when its process is dead by then."""
        if not self.process.dead:
            self.until, self.wakes = until, wakes
            self._back.release()
            self._go.acquire()
            self.until, self.wakes = (lambda: True), None
        if self.process.dead:
            raise Killed

    def _main(self) -> None:
        self._stepper.here.task = self
        try:
            if not self.process.dead:
                self.result = self._work()
        except BaseException as err:  # noqa: BLE001 - whoever waits for it is told
            self.error = err
        self.done = True
        self._back.release()


class Process:
    """One run as the machine it is on sees it: its threads, its clock, and how often it has called.

    While it `hangs`, one of its calls is on its way, and time does not pass for its sake. While it stands `still`, none
    of its threads moves.
    """

    def __init__(self, name: str, *, skew: timedelta = timedelta()) -> None:
        self.name = name
        self.skew = skew
        self.dead = False
        self.hangs = False
        self.still = False
        self.calls = 0
        self.tasks: list[Task] = []

    @property
    def over(self) -> bool:
        """Tell whether it has ended, in whatever way."""
        return all(task.done for task in self.tasks)

    @property
    def main(self) -> Task:
        """Return its first thread."""
        return self.tasks[0]


class Stepper:
    """Lets processes move, one thread at a time."""

    def __init__(self, clock: SettableClock) -> None:
        self.clock = clock
        self.here = threading.local()

    @property
    def current(self) -> Task | None:
        """Return the task that is asking; None for the test itself."""
        task: Task | None = getattr(self.here, "task", None)
        return task

    def spawn(self, process: Process, work: Callable[[], Any], *, aside: bool = False) -> Task:
        """Return a new thread of `process`, not yet begun. One that runs `aside` does not keep the process alive."""
        task = Task(self, process, work, aside=aside)
        process.tasks.append(task)
        return task

    def advance(self, process: Process, calls: int, order: int = 0) -> None:
        """Let `process` make `calls` more calls, or end. `order` 0 prefers its oldest threads, others mix them.

        When all its threads sleep, time passes for everybody.
        """
        goal = process.calls + calls
        choice = random.Random(order)
        while not process.over and process.calls < goal and not process.still:
            if all(task.done or task.aside for task in process.tasks):
                self.bury(process)
                return
            now = self.clock.monotonic()
            ready = [task for task in process.tasks if task.ready(now)]
            if not ready:
                sleepers = [task.wakes for task in process.tasks if not task.done and task.wakes is not None]
                if process.hangs:
                    return
                self.clock.sleep(timedelta(seconds=min(sleepers) - now))
                continue
            (ready[0] if order == 0 else choice.choice(ready)).let_go()
            if process.dead:
                self.bury(process)

    def bury(self, process: Process) -> None:
        """Let every thread of a process that is dead, or has nothing more to do, come to its end."""
        process.dead = True
        while not process.over:
            next(task for task in process.tasks if not task.done).let_go()

    def wait(self, until: Callable[[], bool], seconds: float | None = None) -> None:
        """Pause the task that is asking until something is so, or for so long."""
        task = self.current
        assert task is not None
        wakes = None if seconds is None else self.clock.monotonic() + seconds
        if task.process.dead or not until():
            task.pause(until, wakes)


class StepFuture:
    """What `submit` of a pool gives: implements what hubdata uses of `concurrent.futures.Future`."""

    def __init__(self, stepper: Stepper, task: Task) -> None:
        self._stepper = stepper
        self._task = task

    def done(self) -> bool:
        """Tell whether the thread has ended."""
        return self._task.done

    def result(self) -> Any:
        """Return what the thread returned, or raise what it raised."""
        self._stepper.wait(lambda: self._task.done)
        if self._task.error is not None:
            raise self._task.error
        return self._task.result


class StepPool:
    """Implements what hubdata uses of `concurrent.futures.ThreadPoolExecutor`, with threads that are stepped."""

    def __init__(self, stepper: Stepper, max_workers: int, thread_name_prefix: str = "") -> None:
        task = stepper.current
        assert task is not None, f"{thread_name_prefix}: nobody steps this thread"
        self._stepper = stepper
        self._process = task.process
        self._most = max_workers
        self._tasks: list[Task] = []

    def submit(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> StepFuture:
        """Queue `work`; as many as there are workers go at once, first come, first served."""
        number = len(self._tasks)

        def free() -> bool:
            return sum(not task.done for task in self._tasks[:number]) < self._most

        task = self._stepper.spawn(self._process, lambda: work(*arguments, **named))
        task.until = free
        self._tasks.append(task)
        return StepFuture(self._stepper, task)

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """Return the results in order."""
        futures = [self.submit(work, item) for item in items]
        return (future.result() for future in futures)

    def shutdown(self, *, wait: bool = True, cancel_futures: bool = False) -> None:
        """Wait for all threads, if asked."""
        if wait:
            self._stepper.wait(lambda: all(task.done for task in self._tasks))

    def __enter__(self) -> "StepPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()


def step_wait(stepper: Stepper, futures: Iterable[StepFuture], timeout: float) -> None:
    """Stand in for `concurrent.futures.wait`: return once all have ended, or after `timeout` simulated seconds."""
    all_of_them = tuple(futures)
    stepper.wait(lambda: all(future.done() for future in all_of_them), timeout)


class StepThreading:
    """Stands in for the module `threading` where hubdata renews its lease."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper

    def Event(self) -> "StepEvent":  # noqa: N802 - the module's own names
        """Return an event that is waited for in simulated time."""
        return StepEvent(self._stepper)

    def Lock(self) -> "StepLock":  # noqa: N802
        """Return a lock."""
        return StepLock(self._stepper)

    def Thread(self, *, target: Callable[[], None], name: str, daemon: bool) -> "StepThread":  # noqa: N802
        """Return a thread that ends with its process."""
        return StepThread(self._stepper, target)


class StepThread:
    """A thread of the process that starts it."""

    def __init__(self, stepper: Stepper, work: Callable[[], None]) -> None:
        self._stepper = stepper
        self._work = work

    def start(self) -> None:
        """Begin."""
        task = self._stepper.current
        assert task is not None
        self._stepper.spawn(task.process, self._work, aside=True)


class StepEvent:
    """An event."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._set = False

    def set(self) -> None:
        """Let whoever waits go on."""
        self._set = True

    def wait(self, timeout: float) -> bool:
        """Tell whether it was set within `timeout` seconds of simulated time."""
        self._stepper.wait(lambda: self._set, timeout)
        return self._set


class StepLock:
    """A lock."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._taken = False

    def __enter__(self) -> None:
        self._stepper.wait(lambda: not self._taken)
        self._taken = True

    def __exit__(self, *_: object) -> None:
        self._taken = False
