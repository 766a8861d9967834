"""`status.json`: what the page says for programs, with fields that are documented, all of them and no others."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubdata.model.manifest import Manifest
from hubdata.report.page import Given, status_json
from tests.unit.report.page import samples

PAGE = Path(__file__).parents[4] / "docs" / "status.md"


def told(given: Given) -> dict[str, Any]:
    """Return what a program reads."""
    text = status_json(given)
    assert text.isascii()
    value: dict[str, Any] = json.loads(text)
    return value


def test_a_program_reads_what_the_page_says() -> None:
    """Freshness in seconds and instants, builds, troubles with advice, and runs."""
    status = told(samples.small(runs=(samples.TROUBLED,), jobs=samples.notes()))
    assert (status["schema"], status["state"], status["generation"]) == (1, "bad", 12)
    assert status["written_at"] == "2026-11-22T12:30:00Z"
    assert status["counts"] == {"files": 3, "bytes": 65_888_611, "jobs": 4, "failed": 1, "refused": 1, "held": 2}
    allowlists = status["jobs"][0]
    assert (allowlists["freshness"], allowlists["age_s"], allowlists["max_age_s"]) == ("fresh", 720, 10_800)
    assert allowlists["fresh_until"] == "2026-11-22T15:18:00Z"
    assert [len(job["held_plans"]) for job in status["jobs"]] == [0, 0, 0, 1]
    assert status["databases"][0]["built_at"] == "2026-11-19T04:30:00Z"
    assert [(each["state"], each["key"]) for each in status["troubles"]] == [
        ("failed", ""),
        ("refused", "whitelists/a.txt"),
        ("held", "whitelists/d.txt"),
        ("held", "web/xss.txt"),
    ]
    assert status["troubles"][1]["advice"] == "write 10.0.0.0/8"
    assert status["runs"][0]["jobs"][0] == {"job": "allowlists", "outcome": "refused", "puts": 0, "deletes": 0}


def test_the_state_is_good_only_when_all_is() -> None:
    """Fresh and nothing refused is `good`; nobody knows is `doubtful`; stale is `bad`."""
    assert told(samples.small())["state"] == "good"
    assert told(samples.small(runs=(), jobs=()))["state"] == "doubtful"
    assert told(samples.small(runs=(), jobs=samples.notes(hours=40)))["state"] == "bad"
    assert told(Given(Manifest(), samples.NOW))["state"] == "doubtful"


def test_a_public_status_tells_no_message_of_a_failure() -> None:
    """Hosts, buckets and paths are for maintainers; that it failed, and how, is for everybody."""
    given = samples.small(runs=(samples.TROUBLED,))
    failed = told(given)["troubles"][0]
    assert (failed["message"], failed["advice"], failed["exit_code"]) == ("", "", 5)
    assert "no answer in 30 s" in told(replace(given, private=True))["troubles"][0]["message"]


def test_what_strangers_wrote_never_breaks_it() -> None:
    """Odd records and manifests give a status too, of bounded size."""
    assert told(samples.hostile())["counts"]["refused"] == 1
    assert told(samples.many(10_000))["counts"]["files"] == 10_000
    assert len(status_json(samples.many(10_000))) < 10_000


def test_every_field_is_documented_and_no_other_is() -> None:
    """docs/status.md has a row for each field that a program may read."""
    rows = re.findall(r"^\| `([\w.\[\]]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    status = told(samples.small(runs=(samples.TROUBLED,), jobs=samples.notes()))
    assert sorted(rows) == sorted(set(_fields(status, "")))


def _fields(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [each for name, inner in value.items() for each in _fields(inner, f"{path}.{name}" if path else name)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [each for inner in value for each in _fields(inner, f"{path}[]")]
    return [path]
