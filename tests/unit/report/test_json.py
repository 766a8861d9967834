"""What a program may rely on: field by field, as CONTRACT.md has it."""

import json
from dataclasses import replace
from typing import Any

from hubdata.errors import ConfigError
from hubdata.model.run import RunResult
from hubdata.report.json import exception_json, run_json, validation_json
from hubdata.report.record_json import record_json
from tests.unit.report import samples


def _run(result: RunResult = samples.EVERYTHING) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(run_json(result))
    return loaded


def _job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(job for job in _run()["jobs"] if job["job"] == name)
    return found


def test_a_run_has_the_contracts_fields() -> None:
    """The outermost object names the run, its exit code and its time."""
    run = _run()
    assert run["run_id"] == "20261122T163559Z-1a2b"
    assert run["exit_code"] == 5
    assert run["elapsed_s"] == 0.432
    assert run["dry_run"] is False
    assert run["notices"] == ["no credentials for geoip: left out"]


def test_a_published_job_has_the_contracts_fields() -> None:
    """Every field of the contract's example is there with its type; keys are plain strings."""
    job = _job("allowlists")
    assert job["outcome"] == "published"
    assert job["source"] == {"type": "git", "revision": "1149fa3c0ffee00112233445566778899aabbccd"}
    target = job["targets"][0]
    assert target["target"] == "aws"
    assert target["plan_id"] == samples.PUBLISHED.targets[0].plan.id
    assert target["puts"] == ["whitelists/e.txt"]
    assert target["deletes"] == []
    assert (target["unchanged"], target["bytes"], target["generation"]) == (171, 812, 12)
    assert target["requests"] == {"LIST": 1, "GET": 1, "PUT": 2, "HEAD": 0, "DELETE": 0}
    cdn = target["cdn"]
    assert cdn["invalidation_id"] == "I2"
    assert cdn["paths"] == ["/whitelists/e.txt", "/manifest.json"]
    assert cdn["pending"] is False


def test_findings_have_the_contracts_fields() -> None:
    """A finding is told whole; a missing line is null and not absent."""
    findings = _job("lists")["findings"]
    assert findings[1] == {
        "key": "whitelists/a.txt",
        "line": 3,
        "column": None,
        "rule": "cidr.host-bits",
        "severity": "error",
        "message": "10.0.0.1/8 has host bits set",
        "advice": "write 10.0.0.0/8",
        "waived": "",
    }
    assert findings[3]["line"] is None
    assert findings[2]["waived"] == "until 2027-03-31: soon"


def test_no_cdn_is_null_and_a_pending_one_says_so() -> None:
    """Programs tell the three states apart without guessing."""
    assert _job("web-patterns")["targets"][0]["cdn"] is None
    pending = _job("edge")["targets"][0]["cdn"]
    assert (pending["pending"], pending["invalidation_id"]) == (True, None)


def test_what_is_held_is_listed_apart_with_the_id_that_approves_it() -> None:
    """`puts` and `deletes` are what goes out; a held plan is told whole beside them, and its id is the plan id."""
    job = _job("geoip")
    target = job["targets"][0]
    assert job["outcome"] == "held"
    assert (target["puts"], target["deletes"], target["applied"]) == ([], [], False)
    assert target["plan_id"] == samples.HELD_PLAN.id
    assert target["held"]["puts"] == ["mmdb_update/GeoLite2-City.mmdb"]
    assert target["held"]["changes"][1] == {"action": "delete", "key": "old.txt", "reason": "removed", "size": 5}
    assert _job("allowlists")["targets"][0]["held"] is None


def test_a_dry_run_lists_what_it_would_put() -> None:
    """A plan that was not carried out names its keys; `applied` and `dry_run` tell that nothing happened."""
    planned = replace(samples.PUBLISHED.targets[0], applied=False)
    run = _run(RunResult("r", (replace(samples.PUBLISHED, targets=(planned,)),), 0.1, dry_run=True))
    target = run["jobs"][0]["targets"][0]
    assert run["dry_run"] is True
    assert (target["puts"], target["applied"]) == (["whitelists/e.txt"], False)
    assert target["changes"] == [{"action": "put", "key": "whitelists/e.txt", "reason": "changed", "size": 812}]


def test_a_failed_job_has_its_problem_without_secrets() -> None:
    """The message and advice are fields; a password in a URL is masked; a job without trouble has null."""
    problem = _job("appsec")["problem"]
    assert problem["message"] == "https://***@git.example/x: no such host"
    assert (problem["advice"], problem["exit_code"]) == ("check the job's url", 5)
    assert _job("allowlists")["problem"] is None


def test_output_is_ascii_and_one_object() -> None:
    """Any locale can print it, and nothing follows the object but a newline."""
    text = run_json(samples.EVERYTHING)
    assert text.isascii()
    assert text.endswith("}\n")


def test_validation_lists_files_and_findings() -> None:
    """Validation has exit code, every file with its statistics, and all findings in one list."""
    result = json.loads(validation_json(samples.CHECKED))
    assert result["exit_code"] == 3
    assert result["files"][0] == {
        "key": "whitelists/a.txt",
        "kind": "cidr",
        "stats": {"entries": 4, "ipv4_addresses": 1024},
    }
    assert [f["rule"] for f in result["findings"]] == ["cidr.host-bits", "cidr.overlap"]


def test_an_error_that_ends_the_process_is_an_object_too() -> None:
    """A program that asked for JSON gets JSON, whatever happens."""
    result = json.loads(exception_json(ConfigError("no job `x`", advice="hubdata config show lists them")))
    assert result == {
        "exit_code": 2,
        "error": {"message": "no job `x`", "advice": "hubdata config show lists them"},
    }


def test_a_record_says_the_same_on_one_line() -> None:
    """Every run that writes waits for its record; to lay it out would take longer than to send it."""
    targets = samples.EVERYTHING.jobs[0].targets[:1]
    only = replace(samples.EVERYTHING, jobs=(replace(samples.EVERYTHING.jobs[0], targets=targets),), stages=())
    text = record_json(only, targets[0].target)
    assert text.count("\n") == 1
    told = json.loads(text)
    assert {key: told[key] for key in _run(only)} == _run(only)
