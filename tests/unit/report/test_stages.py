"""What reports say of stages and gates: when the rest is due, what was promoted, and what a gate wrote."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.gate import Verdict
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, RunResult
from hubdata.model.stage import Coming, Promoted, StageResult
from hubdata.report import wording
from hubdata.report.github import run_summary_markdown
from hubdata.report.json import run_json
from hubdata.report.terminal import Screen
from hubdata.report.text import plan_text, run_text
from tests.unit.report.samples import PUBLISHED

DUE_AT = datetime(2026, 11, 22, 12, 47, 10, tzinfo=UTC)
STAGE = StageResult(
    "production",
    "canary",
    timedelta(minutes=30),
    last=Promoted("canary", 12, partial=True),
    due=12,
    coming=Coming(13, DUE_AT, timedelta(minutes=13, seconds=1.5)),
)
FINDING = Finding("", None, "gate.failed", Severity.ERROR, "the gate check refused", "mend it")
SAID = Verdict("check", 3, 0.5, "line 1\nrule 7 does not load", "gate.failed", "ended with exit code 1")


def barred() -> RunResult:
    """Return a run in which a gate kept two jobs from a target."""
    target = PUBLISHED.targets[0]
    kept = replace(target, plan=Plan("allowlists", "aws"), applied=False, gate=SAID, barred=target.plan, changed=())
    job = replace(
        PUBLISHED, outcome=Outcome.REFUSED, exit_code=Exit.REFUSED, findings=(FINDING,), targets=(kept,), problem=None
    )
    other: JobResult = replace(job, job="words")
    return RunResult("run-1", (job, other), 0.1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (119, "119 s"),
        (121, "3 min"),
        (3599, "1 h"),
        (3601, "1 h 1 min"),
        (86_400 * 3, "3 d"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_duration_is_rounded_up(seconds: float, words: str) -> None:
    """Whoever comes when it says finds it due."""
    assert wording.lasting(timedelta(seconds=seconds)) == words


def test_what_soaks_is_told_with_its_time() -> None:
    """One sentence for each stage that has something to come."""
    (told,) = wording.coming((STAGE, replace(STAGE, coming=None)))
    assert told.startswith("target production: generation 13 of canary is due at 2026-11-22 12:47:10 UTC, in 14 min,")
    assert told.endswith(" unless another takes its place there")


def test_stages_stand_in_the_result_for_programs() -> None:
    """With what the manifest says now, what this run planned, and what is next."""
    told = json.loads(run_json(replace(barred(), stages=(STAGE, replace(STAGE, last=None, due=None, coming=None)))))
    assert told["stages"] == [
        {
            "target": "production",
            "after": "canary",
            "soak_s": 1800.0,
            "promoted": {"from": "canary", "generation": 12, "partial": True},
            "due": 12,
            "next": {"generation": 13, "due_at": "2026-11-22T12:47:10Z", "in_s": 782},
        },
        {"target": "production", "after": "canary", "soak_s": 1800.0, "promoted": None, "due": None, "next": None},
    ]


def test_a_gate_that_refused_stands_in_the_result_for_programs() -> None:
    """With its plan under `refused`; nothing of it is among what was put."""
    target = json.loads(run_json(barred()))["jobs"][0]["targets"][0]
    assert (target["puts"], target["applied"]) == ([], False)
    assert target["gate"]["refused"]["puts"]
    assert target["plan_id"] == PUBLISHED.targets[0].plan.id
    assert (target["gate"]["passed"], target["gate"]["reason"]) == (False, "ended with exit code 1")


def test_a_person_reads_what_a_gate_wrote_once() -> None:
    """However many jobs it kept out: the finding, then its last lines."""
    text = run_text(barred(), Screen(width=200))
    assert text.count("gate.failed") == 1
    assert text.count("rule 7 does not load") == 1
    assert "refused by the gate" in text
    assert "The gate of aws refused, in 0.1 s" in text
    silent = barred()
    jobs = tuple(
        replace(j, targets=tuple(replace(t, gate=replace(SAID, output="")) for t in j.targets)) for j in silent.jobs
    )
    assert "the gate of aws wrote nothing" in run_text(replace(silent, jobs=jobs), Screen(width=200))
    assert "gate.failed" in run_summary_markdown(barred())


def test_a_plan_names_the_generation_that_it_promotes() -> None:
    """Whoever approves it knows what soaked."""
    job = replace(PUBLISHED, targets=tuple(replace(t, promoted=Promoted("canary", 12)) for t in PUBLISHED.targets))
    text = plan_text(RunResult("run-1", (job,), 0.1, dry_run=True), Screen(width=200))
    assert f"{job.job} -> aws (generation 12 of canary)" in text
