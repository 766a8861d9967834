"""What the worker knows of each job at this moment: values that an endpoint, a page or a metric may read.

The worker writes, anybody reads; what is read is a value and does not change any more.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hubdata.errors import Exit
from hubdata.model.run import Outcome, RunResult
from hubdata.worker.schedule import Cause


@dataclass(frozen=True, slots=True)
class LastRun:
    """How a job's run ended. `result` is None when nothing was attempted."""

    cause: Cause
    started_at: datetime
    ended_at: datetime
    exit_code: Exit
    outcome: Outcome
    result: RunResult | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one job stands. All times are aware UTC.

    `running_since` is None while it does not run; `successes` are the ends of its last successes by target, as far as
    known. `last_error` is what its last run had to say for itself, empty when it was well; `file_problem` what is wrong
    with its job file, while an older version of it is in force, or none.
    """

    job: str
    description: str = ""
    schedule: str | None = None
    max_age: timedelta | None = None
    running_since: datetime | None = None
    running_cause: Cause | None = None
    next_fire: datetime | None = None
    last_run: LastRun | None = None
    successes: Mapping[str, datetime] = field(default_factory=dict)
    last_error: str = ""
    file_problem: str = ""

    @property
    def last_success(self) -> datetime | None:
        """Return when it last succeeded at all of its targets that are known of; the oldest counts."""
        return min(self.successes.values(), default=None)


@dataclass(frozen=True, slots=True)
class State:
    """The whole board. `problem` is what is wrong with the settings, while older ones are in force."""

    started_at: datetime
    jobs: tuple[Standing, ...]
    targets: tuple[str, ...] = ()
    problem: str = ""
    ending: bool = False


class Board:
    """The board itself. Safe for threads."""

    def __init__(self, started_at: datetime) -> None:
        self._lock = threading.Lock()
        self._state = State(started_at, ())
        self._rows: dict[str, Standing] = {}

    def state(self) -> State:
        """Return everything, as of now."""
        with self._lock:
            return replace(self._state, jobs=tuple(self._rows[name] for name in sorted(self._rows)))

    def job(self, name: str) -> Standing | None:
        """Return how one job stands, None when there is no such job."""
        with self._lock:
            return self._rows.get(name)

    def keep(self, names: frozenset[str]) -> None:
        """Have rows for `names` and for nothing else."""
        with self._lock:
            self._rows = {name: self._rows.get(name, Standing(name)) for name in names}

    def note(self, name: str, **values: Any) -> None:
        """Write what has changed of a job; nothing when it is gone meanwhile."""
        with self._lock:
            if name in self._rows:
                self._rows[name] = replace(self._rows[name], **values)

    def succeeded(self, name: str, at: Mapping[str, datetime]) -> None:
        """Write that a job succeeded at these targets."""
        with self._lock:
            if name in self._rows:
                row = self._rows[name]
                self._rows[name] = replace(row, successes={**row.successes, **at})

    def tell(self, **values: Any) -> None:
        """Write what has changed of the worker itself."""
        with self._lock:
            self._state = replace(self._state, **values)
