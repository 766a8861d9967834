"""How jobs stand, for people and programs, and what exit code says so."""

import json
from datetime import timedelta

import pytest

from hubdata.errors import Exit
from hubdata.model.manifest import Manifest
from hubdata.model.run import Problem
from hubdata.report.page import Given, JobNote
from hubdata.report.page.status_json import status_json
from hubdata.report.standing import Standing
from hubdata.report.standing_json import standing_json
from hubdata.report.standing_text import standing_text
from hubdata.report.terminal import Screen
from tests.unit.report.page import samples

WIDE = Screen(140)
FRESH = JobNote("lists", max_age=timedelta(hours=3), last_success=samples.at(1))
STALE = JobNote("geoip", max_age=timedelta(hours=30), last_success=samples.at(31))
FAILED = Problem("GET https://user:hunter2@store failed", "look at it", Exit.TARGET)


def given(*notes: JobNote) -> Given:
    """Return a target at which nothing but these jobs is known."""
    return Given(Manifest(3, samples.stamp(samples.at(2)), "r"), samples.NOW, jobs=notes, private=True)


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing("t", given(FRESH)), Exit.FINE),
        (Standing("t", given(JobNote("x", last_success=samples.at(9_000)))), Exit.FINE),
        (Standing("t", given(FRESH, STALE)), Exit.SOURCE),
        (Standing("t", given(JobNote("x"))), Exit.SOURCE),
        (Standing("t", problem=FAILED), Exit.TARGET),
    ],
    ids=["fresh", "no limit", "stale", "never", "unreadable"],
)
def test_the_exit_code_says_whether_all_is_fresh(standing: Standing, code: Exit) -> None:
    """Stale and unknown are told alike; a job of which nobody said how old it may be is not late."""
    assert standing.exit_code is code
    assert json.loads(standing_json((standing,)))["exit_code"] == code


def test_what_the_newest_run_left_behind_counts_as_well() -> None:
    """Refused, held and failed by the codes that the run ended with; the worst of all wins."""
    told = samples.small(runs=(samples.TROUBLED,), jobs=samples.notes())
    assert Standing("t", told).exit_code is Exit.SOURCE
    text = standing_text((Standing("t", told),), WIDE)
    for word in ("refused", "held", "failed job geoip", "advice: "):
        assert word in text


def test_a_person_reads_a_line_a_job() -> None:
    """With its age and its limit; and is told what a one-shot run cannot tell."""
    text = standing_text((Standing("aws", given(FRESH, STALE)), Standing("r2", problem=FAILED)), WIDE)
    rows = {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line}
    assert rows["lists"].startswith("lists fresh 1 h ago 3 h - 0 -")
    assert rows["geoip"].startswith("geoip stale 1 d 7 h ago 1 d 6 h")
    assert "Job geoip is stale." in text
    assert "leaves no trace" in text
    assert "error: GET" in text
    assert "hunter2" not in text


def test_a_narrow_screen_gets_paragraphs() -> None:
    """Nothing is cut off."""
    text = standing_text((Standing("aws", given(FRESH)),), Screen(40))
    assert max(map(len, text.splitlines())) <= 40
    assert "freshness fresh" in " ".join(text.split())
    assert "leaves no trace" not in text


def test_a_program_reads_the_fields_of_status_json() -> None:
    """For each target; one that cannot be read has its problem instead, without its secrets."""
    told = samples.small()
    first, second = json.loads(standing_json((Standing("aws", told), Standing("r2", problem=FAILED))))["targets"]
    assert {k: v for k, v in first.items() if k not in ("target", "problem")} == json.loads(status_json(told))
    assert second["problem"]["exit_code"] == 6
    assert "hunter2" not in json.dumps(second)
