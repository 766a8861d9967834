"""Approvals in every form of the report: the command to paste, what waits, and an id that no plan has."""

import json
import shlex

import pytest

from hubdata.errors import Exit
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.report.github import run_github, run_summary_markdown
from hubdata.report.json import run_json
from hubdata.report.terminal import Screen
from hubdata.report.text import plan_text, run_text
from tests.unit.report import samples

STALE = "0" * 64
HELD = (
    Plan("lists", "aws", (samples.put("a.txt"),)),
    Plan("lists", "mirror", (samples.put("a.txt"),)),
    Plan("words", "aws", (samples.put("b.txt"),)),
)
WAITING = Plan("words", "mirror", (samples.put("b.txt"), samples.put("c.txt")))


def run(
    *jobs: JobResult, flags: tuple[str, ...] = (), unknown: tuple[str, ...] = (), dry_run: bool = False
) -> RunResult:
    """Return a run of `jobs`."""
    return RunResult("r", jobs, 0.1, dry_run, unknown_plans=unknown, flags=flags)


def held(*plans: Plan) -> JobResult:
    """Return a job of which `plans` are held."""
    targets = tuple(TargetResult(plan.target, Plan(plan.job, plan.target), held=plan) for plan in plans)
    return JobResult(plans[0].job, Outcome.HELD, {}, targets=targets, exit_code=Exit.HELD)


LEFT = JobResult(
    "words", Outcome.PLANNED, {}, targets=(TargetResult("mirror", Plan("words", "mirror"), waiting=WAITING),)
)


def test_each_held_job_has_a_command_of_its_own_with_every_flag_that_it_needs() -> None:
    """Pasted into a shell it approves one job, at all its targets, under the settings of this run."""
    flags = ("--config", "my settings.toml", "--force")
    result = run(held(*HELD[:2]), held(HELD[2]), flags=flags)

    commands = [shlex.split(line) for line in run_text(result, Screen(80)).splitlines() if "--approve" in line]

    start = ["hubdata", "sync", "--once", *flags]
    assert commands == [
        [*start, "--approve", HELD[0].id, "--approve", HELD[1].id],
        [*start, "--approve", HELD[2].id],
    ]
    for plan in HELD:
        assert f"--config 'my settings.toml' --force --approve {plan.id}\n" in run_github(result)


def test_an_unknown_id_is_told_in_every_form_with_the_plans_that_are_held() -> None:
    """Whoever approved the wrong thing reads it, whatever the format, and is told what to approve instead."""
    result = run(held(HELD[0]), unknown=(STALE,))
    assert result.exit_code is Exit.HELD
    for text in (
        run_text(result, Screen(500)),
        run_text(result, Screen(500), quiet=True),
        run_github(result),
        run_summary_markdown(result),
        json.loads(run_json(result))["problem"]["message"],
    ):
        assert f"no plan of this run has the id {STALE}" in text
        assert HELD[0].id in text
    assert json.loads(run_json(result))["unknown_plans"] == [STALE]


def test_an_unknown_id_alone_does_not_pass_for_success() -> None:
    """Nothing is held any more, and still the run ends with 4: what was asked for did not happen."""
    result = run(samples.UNCHANGED, unknown=(STALE,))

    assert result.exit_code is Exit.HELD
    assert "held are: none" in run_text(result, Screen(500))


def test_an_unknown_id_of_a_run_that_failed_says_why_there_may_be_no_plan() -> None:
    """A repository that cannot be reached makes no plan; the worse code wins."""
    down = JobResult("lists", Outcome.FAILED, {}, problem=Problem("down", "", Exit.SOURCE), exit_code=Exit.SOURCE)
    result = run(down, unknown=(STALE,))

    assert result.exit_code is Exit.SOURCE
    assert "(what failed made no plan)" in run_text(result, Screen(500))


@pytest.mark.parametrize("width", [60, 200])
def test_what_waits_is_counted_and_named_and_needs_nobody(width: int) -> None:
    """It broke no limit, so no command is printed for it; the next run brings it."""
    result = run(LEFT)

    assert result.exit_code is Exit.FINE
    text = " ".join(run_text(result, Screen(width)).split())
    assert "2 not approved" in text
    assert "Left 2 changes that nobody approved to the next run" in text
    assert "--approve" not in text
    assert "| planned |" in run_summary_markdown(result)
    (target,) = json.loads(run_json(result))["jobs"][0]["targets"]
    assert (target["puts"], target["waiting"]["puts"]) == ([], ["b.txt", "c.txt"])


def test_a_plan_shows_what_an_approval_would_leave() -> None:
    """`plan --approve ID` lists the rest under its own id, marked, and no empty plan beside it."""
    text = plan_text(run(LEFT, dry_run=True), Screen(80))

    assert f"plan {WAITING.id} (not approved)" in text
    assert text.count("words -> mirror") == 1
