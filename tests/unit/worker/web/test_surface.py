"""Every endpoint over real sockets: what it answers, to whom, and what is told of it."""

import json
import re
from datetime import timedelta

import pytest

from hubdata.errors import TargetError
from hubdata.worker.agenda import Answer
from hubdata.worker.board import Standing
from hubdata.worker.schedule import Cause
from tests.support.worker_surface import HOSTS, NOW, SECRET, TOKEN, Surface, delivery, push, running, signed

READABLE = ("/", "/healthz", "/readyz", "/status.json", "/metrics", "/openapi.json")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", READABLE)
def test_what_tells_is_there_for_get_and_head_over_both_families(surface: Surface, path: str, host: str) -> None:
    """HEAD has the same headers and no body; nothing may be kept, framed, sniffed or run."""
    got, head = surface.ask(path, host=host), surface.ask(path, "HEAD", host=host)
    assert (got.status, head.status, head.body) == (200, 200, b"")
    assert got.body
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["referrer-policy"] == "no-referrer"
    policy = got.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in got.headers


def test_the_page_may_do_what_its_own_policy_allows(surface: Surface) -> None:
    """The header is as strict as the policy inside, or its style and script would not act."""
    got = surface.ask("/")
    inside = re.search(r'Content-Security-Policy" content="([^"]*)"', got.body.decode())
    assert inside is not None
    assert got.headers["content-security-policy"] == f"{inside[1]}; frame-ancestors 'none'"
    assert got.headers["content-type"] == "text/html; charset=utf-8"


def test_it_is_alive_even_when_nothing_is_well(surface: Surface) -> None:
    """A restart would mend no job."""
    surface.desk.jobs = (Standing("daily", max_age=timedelta(hours=1), last_error="all is lost"),)
    assert surface.ask("/healthz").json == {"status": "alive"}
    assert surface.ask("/readyz").status == 503


def test_ready_turns_when_a_limit_has_passed(surface: Surface) -> None:
    """Each job is named with its age and its limit; and a worker that ends is not ready."""
    assert surface.ask("/readyz").json["ready"] is True
    surface.desk.time = NOW + timedelta(hours=27)
    late = surface.ask("/readyz")
    assert late.status == 503
    assert late.json["jobs"] == [{"job": "daily", "ready": False, "age_s": 97_200, "max_age_s": 93_600}]
    surface.desk.time = NOW
    surface.desk.ending = True
    ending = surface.ask("/readyz")
    assert (ending.status, ending.json["ending"]) == (503, True)


@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics"])
def test_a_target_that_cannot_be_read_is_told_without_its_words(surface: Surface, path: str) -> None:
    """They name hosts, buckets and paths; the operator has them in the log."""
    surface.desk.fails = TargetError("target aws: /secret/place on 10.0.0.1 is gone")
    got = surface.ask(path)
    assert got.status == 503
    assert set(got.json) == {"error"}
    assert b"secret" not in got.body
    assert b"10.0.0.1" not in got.body


@pytest.mark.parametrize("path", ["/", "/status.json"])
def test_a_bug_is_logged_whole_and_answered_with_a_word(
    surface: Surface, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No type, no text, no traceback gets outside."""
    surface.desk.fails = RuntimeError("nobody thought of /this")
    got = surface.ask(path)
    assert (got.status, got.json) == (500, {"error": "this is a bug; its log tells more"})
    assert any(record.exc_info and "nobody thought" in str(record.exc_info[1]) for record in caplog.records)
    surface.desk.fails = None
    assert surface.ask(path).status == 200


@pytest.mark.parametrize(
    ("path", "method", "status", "allow"),
    [
        ("/nothing", "GET", 404, None),
        ("/healthz/", "GET", 404, None),
        ("//healthz", "GET", 404, None),
        ("/jobs/daily/run/x", "POST", 404, None),
        ("/hooks", "POST", 404, None),
        ("/healthz", "POST", 405, {"GET", "HEAD"}),
        ("/", "DELETE", 405, {"GET", "HEAD"}),
        ("/jobs/daily/run", "GET", 405, {"POST"}),
        ("/hooks/github", "PUT", 405, {"POST"}),
        ("/healthz", "TRACE", 405, {"GET", "HEAD"}),
        ("/healthz", "BREW", 405, {"GET", "HEAD"}),
    ],
)
def test_nothing_else_is_there(surface: Surface, path: str, method: str, status: int, allow: set[str] | None) -> None:
    """Other paths are not found, other methods are told which there are; all in short JSON."""
    got = surface.ask(path, method)
    assert got.status == status
    assert set(got.json) == {"error"}
    assert (set(got.headers["allow"].split(", ")) if "allow" in got.headers else None) == allow


def test_a_run_is_begun_for_whoever_has_the_token(surface: Surface) -> None:
    """And is told of, once, with who asked."""
    got = surface.run("daily")
    assert (got.status, got.json) == (202, {"job": "daily", "answer": "begun"})
    assert surface.desk.asked == [("daily", Cause.REQUEST, False)]
    (event,) = surface.desk.told("http.accepted")
    assert event == {"route": "jobs", "job": "daily", "answer": "begun", "client": "127.0.0.1"}


@pytest.mark.parametrize(
    ("became", "status"), [(Answer.ALREADY_RUNNING, 409), (Answer.ENDING, 503), (Answer.UNKNOWN, 404)]
)
def test_what_is_not_begun_is_said_so(surface: Surface, became: Answer, status: int) -> None:
    """Never dropped in silence."""
    surface.desk.answers = {"daily": became}
    got = surface.run("daily")
    assert (got.status, got.json["answer"]) == (status, became.value)


@pytest.mark.parametrize("job", ["nobody", "..", "%2e%2e", "%00", "%ff", "x" * 5000, "DAILY"])
def test_a_job_that_there_is_not_is_unknown(surface: Surface, job: str) -> None:
    """Whatever its name would mean elsewhere; the name is not said back."""
    got = surface.run(job)
    assert (got.status, got.json) == (404, {"answer": "unknown"})
    assert surface.desk.asked == []
    assert all(len(str(event["job"])) <= 110 for event in surface.desk.told("http.accepted"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 403),
        ({"Authorization": f"Bearer {TOKEN}x"}, 403),
        ({"Authorization": f"Bearer {TOKEN.upper()}"}, 403),
    ],
)
def test_nobody_else_begins_one(surface: Surface, headers: dict[str, str], status: int) -> None:
    """No token is 401, another one 403; and whether the job exists is not told."""
    got, other = (surface.ask(f"/jobs/{job}/run", "POST", None, **headers) for job in ("daily", "nobody"))
    assert (got.status, got.body) == (other.status, other.body) == (status, got.body)
    assert ("www-authenticate" in got.headers) is (status == 401)
    assert surface.desk.asked == []
    assert {event["status"] for event in surface.desk.told("http.denied")} == {status}
    assert TOKEN[:-1] not in str(surface.desk.events)


def test_a_push_runs_the_configured_jobs_once(surface: Surface) -> None:
    """A job that runs already is owed another run: what it fetched may be older than the push."""
    got = surface.deliver(push(1))
    assert (got.status, got.json) == (202, {"answer": "heeded", "jobs": {"daily": "begun"}})
    surface.desk.answers = {"daily": Answer.ALREADY_RUNNING}
    got = surface.deliver(push(2))
    assert (got.status, got.json["jobs"]) == (202, {"daily": "already running"})
    assert surface.desk.asked == [("daily", Cause.PUSH, True)] * 2
    assert len(surface.desk.told("http.accepted")) == 2


def test_the_payload_names_nothing_that_is_done(surface: Surface) -> None:
    """Jobs, refs and places in it are only words."""
    body = push(3, jobs=["other"], job="other", clone_url="https://elsewhere.example/", head="refs/heads/evil")
    assert surface.deliver(body).json["jobs"] == {"daily": "begun"}
    assert surface.desk.asked == [("daily", Cause.PUSH, True)]


@pytest.mark.parametrize(
    ("event", "body", "said"),
    [
        ("ping", b'{"zen": "Design for failure."}', "pong"),
        ("issues", b"{}", "ignored: another event"),
        ("push", push(4, ref="refs/heads/other"), "ignored: another ref"),
        ("push", push(4, repository="example/other"), "ignored: another repository"),
        ("push", push(4, deleted=True), "ignored: the ref was deleted"),
    ],
)
def test_what_asks_for_nothing_is_answered_and_does_nothing(
    surface: Surface, event: str, body: bytes, said: str
) -> None:
    """GitHub is told so with 200, or it would show a failed delivery."""
    got = surface.deliver(body, **delivery(body, event))
    assert (got.status, got.json) == (200, {"answer": said, "jobs": {}})
    assert surface.desk.asked == []


def test_a_delivery_that_came_while_the_worker_ended_may_be_sent_again(surface: Surface) -> None:
    """503 tells GitHub so; it is not taken for a repetition later."""
    surface.desk.answers = {"daily": Answer.ENDING}
    assert surface.deliver(push(5)).status == 503
    surface.desk.answers = {}
    assert surface.deliver(push(5)).status == 202


def test_a_push_whose_jobs_are_not_known_is_not_lost(surface: Surface) -> None:
    """The worker has just begun, or their files are gone: GitHub is told to come back, and shows a failure."""
    known, surface.desk.jobs = surface.desk.jobs, (Standing("another"),)
    assert surface.deliver(push(6)).status == 503
    assert surface.desk.told("http.denied")[0]["because"] == "its jobs are not known"
    surface.desk.jobs = known
    assert surface.deliver(push(6)).status == 202


def test_too_many_pushes_are_told_when_to_come_back(surface: Surface) -> None:
    """Ten at once, and one a minute after that; one that was turned away is no repetition when it comes back."""
    assert [surface.deliver(push(100 + n)).status for n in range(11)] == [202] * 10 + [429]
    refused = surface.deliver(push(111))
    assert refused.headers["retry-after"] == "60"
    surface.desk.since += 60
    assert [surface.deliver(push(n)).status for n in (111, 112)] == [202, 429]


def test_without_secrets_and_metrics_their_paths_are_not_there() -> None:
    """404, for whatever method: nobody learns that they could be."""
    with running(token=None, github=None, metrics=None) as bare:
        for path in ("/jobs/daily/run", "/hooks/github", "/metrics"):
            for method in ("GET", "POST"):
                got = bare.ask(path, method, Authorization=f"Bearer {TOKEN}")
                assert (got.status, got.json) == (404, {"error": "not found"})
        assert bare.deliver(push()).status == 404
        described = bare.ask("/openapi.json").json
        assert sorted(described["paths"]) == ["/", "/healthz", "/openapi.json", "/readyz", "/status.json"]
        assert bare.ask("/").status == 200


def test_no_secret_is_in_anything_that_was_said(surface: Surface, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in answers, nor in events, nor in the log."""
    said = [surface.run("daily"), surface.run("daily", "wrong-token-here"), surface.deliver(push(7))]
    said += [surface.ask(path) for path in READABLE]
    said += [surface.deliver(push(8), X_Hub_Signature_256=signed(push(8), "another-secret"))]
    everything = json.dumps([[str(each.headers), each.body.decode()] for each in said]) + str(surface.desk.events)
    everything += caplog.text
    for secret in (TOKEN, SECRET, "wrong-token-here", signed(push(7))):
        assert secret not in everything
