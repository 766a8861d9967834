"""Read the record of a run (`.hubdata/runs/`) as far as a status page tells of it. Never raises.

Records are read back from a store, where an older hubdata, a newer one or a stranger may have written them. So each
field is taken only where it has the type that it must have; what is odd is left out, and lists are bounded.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hubdata.errors import Exit
from hubdata.model.finding import HOLDING, Severity
from hubdata.model.history import Run
from hubdata.model.run import Outcome

MOST_JOBS, MOST_TROUBLES = 100, 200
"""Read of one run, and of one job; the counts beyond are told."""

_STAMP = "%Y%m%dT%H%M%SZ"


class Sort(StrEnum):
    """What became of something that did not go out: the job failed, its file was refused, or its change is held."""

    FAILED = "failed"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that kept data from going out. `key` and `rule` are empty for a job that failed."""

    sort: Sort
    job: str
    message: str
    advice: str
    key: str = ""
    rule: str = ""
    line: int | None = None
    exit_code: Exit | None = None


@dataclass(frozen=True, slots=True)
class JobTold:
    """One job in one run. `plan_ids` may be approved; `untold` troubles are beyond what is read."""

    job: str
    outcome: Outcome | None
    puts: int = 0
    deletes: int = 0
    plan_ids: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    untold: int = 0


@dataclass(frozen=True, slots=True)
class RunTold:
    """One run. `at` is when it began, None where its id does not say; a `dry` one changed nothing."""

    run_id: str
    at: datetime | None
    command: str = ""
    exit_code: Exit | None = None
    elapsed_s: float | None = None
    dry: bool = False
    jobs: tuple[JobTold, ...] = ()

    def job(self, name: str) -> JobTold | None:
        """Return what became of job `name`, None when it was not part of the run."""
        return next((each for each in self.jobs if each.job == name), None)


def told(run: Run) -> RunTold:
    """Return what a record tells; only its id, where nothing in it can be read."""
    record = run.record
    elapsed = record.get("elapsed_s")
    command = record.get("command")
    return RunTold(
        run.run_id,
        _began(run.run_id),
        " ".join(word for word in command if isinstance(word, str)) if isinstance(command, list) else "",
        _exit(record.get("exit_code")),
        float(elapsed) if type(elapsed) in (int, float) and 0 <= elapsed < math.inf else None,  # type: ignore[operator, arg-type]
        record.get("dry_run") is True,
        tuple(map(_job, _objects(record.get("jobs"), MOST_JOBS))),
    )


def _began(run_id: str) -> datetime | None:
    try:
        return datetime.strptime(run_id.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _job(row: Mapping[str, Any]) -> JobTold:
    name = _text(row, "job")
    targets = tuple(_objects(row.get("targets"), MOST_JOBS))
    found = tuple(_troubles(row, targets, name))
    plans = (_text(target, "plan_id") for target in targets if isinstance(target.get("held"), dict))
    return JobTold(
        name,
        _outcome(row.get("outcome")),
        sum(_length(target.get("puts")) for target in targets),
        sum(_length(target.get("deletes")) for target in targets),
        tuple(dict.fromkeys(plan for plan in plans if plan)),
        found[:MOST_TROUBLES],
        max(0, len(found) - MOST_TROUBLES) + _length(row.get("untold")),
    )


def _troubles(row: Mapping[str, Any], targets: tuple[Mapping[str, Any], ...], job: str) -> Iterator[Trouble]:
    seen: set[tuple[str, str]] = set()
    for problem in (row.get("problem"), *(target.get("problem") for target in targets)):
        if isinstance(problem, dict):
            said = (_text(problem, "message"), _text(problem, "advice"))
            if said not in seen:
                seen.add(said)
                yield Trouble(Sort.FAILED, job, *said, exit_code=_exit(problem.get("exit_code")))
    for finding in _objects(row.get("findings"), None):
        if finding.get("severity") == Severity.ERROR.value:
            rule, line = _text(finding, "rule"), finding.get("line")
            yield Trouble(
                Sort.HELD if rule in HOLDING else Sort.REFUSED,
                job,
                _text(finding, "message"),
                _text(finding, "advice"),
                _text(finding, "key"),
                rule,
                line if type(line) is int and 0 < line < 1 << 53 else None,
            )


def _objects(value: object, most: int | None) -> Iterator[Mapping[str, Any]]:
    rows = value if isinstance(value, list) else []
    return (row for row in rows[:most] if isinstance(row, dict))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _length(value: object) -> int:
    """Return how many members a list has; a memory of runs holds the mere number."""
    if type(value) is int:
        return value if 0 <= value < 1 << 53 else 0
    return len(value) if isinstance(value, list) else 0


def _exit(value: object) -> Exit | None:
    return Exit(value) if type(value) is int and value in set(Exit) else None


def _outcome(value: object) -> Outcome | None:
    return Outcome(value) if isinstance(value, str) and value in set(Outcome) else None
