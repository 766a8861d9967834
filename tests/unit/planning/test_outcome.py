"""Outcomes: the worst thing that happened names the job's end, in the contract's order."""

import pytest

from hubdata.errors import Exit
from hubdata.model.finding import ITEM_FAILED, Finding, Severity
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.receipt import Invalidation
from hubdata.model.run import JobResult, Outcome, Problem, TargetResult
from hubdata.planning.outcome import job_result

CHANGE = Change(Action.PUT, "a", Reason.NEW, 1, "00", None)
EMPTY, FULL = Plan("job", "t"), Plan("job", "t", (CHANGE,))
BAD = Finding("a", 1, "r", Severity.ERROR, "m", "")
GONE = Finding("b", None, ITEM_FAILED, Severity.ERROR, "m", "")
ODD = Finding("a", 1, "r", Severity.WARNING, "m", "")
PENDING = Invalidation(("/a",), "ref", pending=True)
DOWN = Problem("down", "", Exit.SOURCE)
BROKEN = Problem("broken", "", Exit.TARGET)


def result(
    *targets: TargetResult, findings: tuple[Finding, ...] = (), problem: Problem | None = None, dry_run: bool = False
) -> JobResult:
    """Return the result of a job called `job`."""
    return job_result("job", {"type": "git"}, problem, findings, targets, dry_run=dry_run)


@pytest.mark.parametrize(
    ("got", "outcome", "code"),
    [
        (result(TargetResult("t", EMPTY)), Outcome.UNCHANGED, Exit.FINE),
        (result(TargetResult("t", EMPTY), findings=(ODD,)), Outcome.UNCHANGED, Exit.FINE),
        (result(TargetResult("t", FULL, applied=True)), Outcome.PUBLISHED, Exit.FINE),
        (result(TargetResult("t", FULL), dry_run=True), Outcome.PLANNED, Exit.FINE),
        (result(TargetResult("t", EMPTY), dry_run=True), Outcome.UNCHANGED, Exit.FINE),
        (
            result(TargetResult("t", FULL, applied=True, invalidation=PENDING)),
            Outcome.PUBLISHED,
            Exit.CDN_PENDING,
        ),
        (result(TargetResult("t", FULL, applied=True), findings=(BAD,)), Outcome.REFUSED, Exit.REFUSED),
        (result(TargetResult("t", EMPTY, held=FULL)), Outcome.HELD, Exit.HELD),
        (result(TargetResult("t", EMPTY, held=FULL), findings=(BAD,)), Outcome.HELD, Exit.HELD),
        (result(TargetResult("t", EMPTY, held=FULL), dry_run=True), Outcome.HELD, Exit.HELD),
        (result(problem=DOWN), Outcome.FAILED, Exit.SOURCE),
        (result(TargetResult("t", FULL, applied=True), findings=(GONE,)), Outcome.FAILED, Exit.SOURCE),
        (result(TargetResult("t", EMPTY, held=FULL), findings=(GONE, BAD)), Outcome.FAILED, Exit.SOURCE),
        (result(TargetResult("t", FULL, held=FULL, problem=BROKEN)), Outcome.FAILED, Exit.TARGET),
        (
            result(TargetResult("t", FULL, applied=True), TargetResult("u", EMPTY, problem=BROKEN), findings=(BAD,)),
            Outcome.FAILED,
            Exit.TARGET,
        ),
    ],
)
def test_worst_thing_names_the_outcome(got: JobResult, outcome: Outcome, code: Exit) -> None:
    """Findings, held plans, problems and pending invalidations give outcome and exit code together."""
    assert (got.outcome, got.exit_code) == (outcome, code)


def test_limit_broken_at_two_targets_is_told_once() -> None:
    """Equal findings of several targets are one finding; those of the files come first."""
    got = job_result("job", {}, None, (ODD,), (TargetResult("t", EMPTY, held=FULL),), held_by=(BAD, BAD))

    assert got.findings == (ODD, BAD)
