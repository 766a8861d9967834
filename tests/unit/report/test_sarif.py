"""SARIF: valid against the standard's own schema, and what a code scanning service makes of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.validation import CheckedFile, ValidationResult
from hubdata.report.sarif import findings_sarif, validation_sarif
from tests.support.sarif import NotSarif, run_of

BAD = Finding("lists/a b:c#d.txt", 3, "cidr.host-bits", Severity.ERROR, "1.1.1.1/8 has host bits", "write 1.0.0.0/8", 2)
MILD = Finding("lists/z.txt", None, "text.final-newline", Severity.WARNING, "no final line feed", "add one")
NOTE = Finding("", None, "job.empty", Severity.INFO, "nothing", "")


def _log(*findings: Finding, **more: Any) -> Any:
    return run_of(json.loads(findings_sarif(findings, Exit.REFUSED, **more)))


def test_a_log_of_every_sort_of_finding_is_valid_sarif() -> None:
    """Errors, warnings, notes, waivers, findings without line or file, strange names, notices: all by the schema."""
    waived = replace(MILD, waived="until 2030-01-01: known")
    odd = replace(BAD, key="\udcff\u202e%20/../::x", message="\x1b[2J\ud800\u0000 `", line=1)
    run = _log(BAD, MILD, NOTE, waived, odd, BAD, notices=("a note",), base="data/")
    assert len(run["results"]) == 6
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "a note"


def test_the_schema_would_notice_a_broken_log() -> None:
    """The check is a real one: a level that SARIF does not know fails it."""
    log = json.loads(findings_sarif([BAD], Exit.REFUSED))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(NotSarif):
        run_of(log)


def test_a_result_points_at_file_line_and_column_in_the_repository() -> None:
    """The URI is encoded, relative to the repository's root, and begins with where the checkout lies in it."""
    (result,) = _log(BAD, base="data/")["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "data/lists/a%20b%3Ac%23d.txt", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3, "startColumn": 2}
    assert result["message"]["text"] == "1.1.1.1/8 has host bits. write 1.0.0.0/8"


def test_the_worst_comes_first_and_rules_are_listed_once() -> None:
    """A service that takes only so many results gets the errors; each result names its rule by id and index."""
    run = _log(NOTE, MILD, BAD, replace(BAD, line=9))
    assert [r["level"] for r in run["results"]] == ["error", "error", "warning", "note"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert ids == sorted({BAD.rule, MILD.rule, NOTE.rule})
    assert all(ids[r["ruleIndex"]] == r["ruleId"] for r in run["results"])


def test_more_results_than_a_service_takes_are_counted_not_sent() -> None:
    """GitHub refuses a log with more than 25,000 results, so the mildest are left out, and that is said."""
    many = [replace(MILD, line=n) for n in range(1, 25_002)]
    run = json.loads(findings_sarif([*many, BAD], Exit.REFUSED))["runs"][0]
    assert len(run["results"]) == 25_000
    assert run["results"][0]["ruleId"] == BAD.rule
    assert "2 more" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_fingerprint_survives_lines_that_move_and_tells_twins_apart() -> None:
    """The same finding further down is the same alert; two of the same text are two."""

    def marks(*found: Finding) -> list[str]:
        return [r["partialFingerprints"]["hubdataFinding/v1"] for r in _log(*found)["results"]]

    assert marks(BAD) == marks(replace(BAD, line=700))
    assert len(set(marks(BAD, replace(BAD, line=4)))) == 2
    assert marks(BAD) != marks(replace(BAD, key="other.txt"))


def test_a_waived_finding_is_a_suppressed_result() -> None:
    """Who has accepted a finding in the job file need not accept it again in the service."""
    (result,) = _log(replace(MILD, waived="until 2030-01-01: known"))["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "waived until 2030-01-01: known"}]


def test_a_validation_without_findings_is_a_log_without_results() -> None:
    """An empty `results` closes the alerts of before; leaving it out would not."""
    run = run_of(json.loads(validation_sarif(ValidationResult((CheckedFile("a", "cidr"),)))))
    assert run["results"] == []
    assert run["invocations"][0]["exitCode"] == 0
