"""The past of targets, for people and programs; and the record that each run leaves."""

import json
from dataclasses import replace

from hubdata.errors import Exit
from hubdata.model.history import Generation, Run, TargetHistory
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.report.history_json import history_json
from hubdata.report.history_text import MOST_KEYS, history_text
from hubdata.report.record_json import MAX_BYTES, record_json
from hubdata.report.terminal import Screen
from tests.unit.report import samples

WIDE = Screen(140)
SECOND = Generation(2, "2026-01-02T00:00:00Z", "run-2", 3, added=("new",), changed=("a", "b"), jobs=("lists",))
UNKNOWN = Generation(1, "2026-01-01T00:00:00Z", "run-1", 2, known=False)
HISTORY = TargetHistory("aws", (SECOND, UNKNOWN), (Run("run-2", {"command": ["rollback", "--to", "1"]}), Run("odd")))


def test_a_person_reads_a_line_a_generation() -> None:
    """With the command that made it; `?` where nobody knows any more what it changed."""
    text = history_text((HISTORY,), WIDE)
    head, *rows = text.splitlines()[1:4]
    assert head.split() == ["GEN", "PUBLISHED", "FILES", "CHANGED", "NEW", "GONE", "JOBS", "RUN"]
    assert " ".join(rows[0].split()) == "2 2026-01-02T00:00:00Z 3 2 1 0 lists run-2 (rollback --to 1)"
    assert " ".join(rows[1].split()) == "1 2026-01-01T00:00:00Z 2 ? ? ? ? run-1"
    assert "what generation 1 changed is not kept any more" in text
    assert "+ new" not in text


def test_keys_are_named_when_asked_for() -> None:
    """Up to a number that somebody reads; no key can repaint the screen."""
    many = replace(SECOND, changed=tuple(f"k{n}" for n in range(MOST_KEYS + 7)), added=("ev\x1bil",))
    text = history_text((replace(HISTORY, generations=(many,)),), WIDE, verbose=True)
    assert "~ k0" in text
    assert "and 7 more" in text
    assert "+ ev\\x1bil" in text


def test_a_narrow_screen_gets_paragraphs() -> None:
    """Nothing is cut off."""
    text = history_text((HISTORY,), Screen(40))
    assert " ".join(text.split()).startswith("aws 2: published 2026-01-02T00:00:00Z, files 3, changed 2, new 1,")
    assert max(map(len, text.splitlines())) <= 40


def test_targets_without_a_past_say_so() -> None:
    """Nothing published; a store that keeps nothing; one that cannot be read, its secrets left out."""
    failed = Problem("GET https://user:hunter2@store failed", "look at it", Exit.TARGET)
    targets = (TargetHistory("new"), TargetHistory("r2", (SECOND,), archived=False), TargetHistory("x", problem=failed))
    text = history_text(targets, WIDE)
    lonely = replace(UNKNOWN, number=7)
    assert "no older generation is kept" in history_text((TargetHistory("aws", (lonely,)),), WIDE)
    assert "nothing has been published there" in text
    assert "its store keeps no older versions" in text
    assert "error: GET" in text
    assert "hunter2" not in text + history_json(targets)


def test_a_program_gets_every_key_and_every_record() -> None:
    """Fields by name; the worst of the targets' codes."""
    told = json.loads(history_json((HISTORY,)))
    (target,) = told["targets"]
    assert told["exit_code"] == 0
    assert target["generations"][0] == {
        "generation": 2,
        "published_at": "2026-01-02T00:00:00Z",
        "run_id": "run-2",
        "files": 3,
        "known": True,
        "added": ["new"],
        "changed": ["a", "b"],
        "removed": [],
        "jobs": ["lists"],
        "withdrawn": 0,
    }
    assert target["runs"] == [
        {"run_id": "run-2", "record": {"command": ["rollback", "--to", "1"]}},
        {"run_id": "odd", "record": {}},
    ]
    assert json.loads(history_json((TargetHistory("x", problem=Problem("m", "a", Exit.TARGET)),)))["exit_code"] == 6


def test_a_record_is_the_runs_report_of_one_target() -> None:
    """All jobs and findings, of the targets only that one; with the command that it was."""
    result = replace(samples.EVERYTHING, command=("geoip", "refresh"))
    record = json.loads(record_json(result, "aws"))
    assert (record["target"], record["command"]) == ("aws", ["geoip", "refresh"])
    assert (record["run_id"], record["exit_code"]) == (result.run_id, int(result.exit_code))
    assert [job["job"] for job in record["jobs"]] == [job.job for job in result.jobs]
    assert {target["target"] for job in record["jobs"] for target in job["targets"]} == {"aws"}
    assert "cut" not in record


def test_a_record_has_a_bounded_size() -> None:
    """However many files were published and however much was found; it says that it was cut."""
    keys = [f"lists/{number:06}-{'x' * 80}.txt" for number in range(20_000)]
    plan = Plan("lists", "aws", tuple(samples.put(key) for key in keys))
    findings = tuple(replace(samples.ERROR, key=key) for key in keys)
    job = JobResult("lists", Outcome.REFUSED, {}, findings, (TargetResult("aws", plan, applied=True),))
    for result in (RunResult("1", (job,), 0.1), RunResult("1", (job,) * 30, 0.1)):
        text = record_json(result, "aws")
        assert len(text) <= MAX_BYTES
        record = json.loads(text)
        (target,) = record["jobs"][0]["targets"]
        assert record["cut"] is True
        assert (target["plan_id"], target["bytes"]) == (plan.id, plan.bytes)
        assert target["puts"] == keys[: len(target["puts"])]
