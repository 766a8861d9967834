"""Where a message goes, what it says, and how long it may take: bounded, escaped, and without a secret."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Never

import pytest

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.finding import Finding, Severity
from hubdata.model.notify import Notify, Trouble
from hubdata.model.plan import Plan
from hubdata.model.run import RunResult, TargetResult
from hubdata.notifying.changes import Change, news
from hubdata.notifying.message import MOST, document, encoded, slack, summary
from hubdata.notifying.sending import NotSent, host_of, post, start
from hubdata.notifying.sightings import Condition, Sighting, sightings
from hubdata.notifying.telling import Teller
from hubdata.planning.outcome import job_result
from hubdata.report.redaction import Redactor
from hubdata.targets.directory import DirectoryTarget
from tests.support.webhook import Conduct, Webhook

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Deaf:
    """A reporter that takes no note."""

    def emit(self, event: Event) -> None:
        """Do nothing."""


def plain(text: str) -> str:
    """Return `text` as it is: there is nothing to hide."""
    return text


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://chat.example/hook", "in the clear"),
        ("ftp://chat.example/", "begin with https"),
        ("https:///hook", "begin with https"),
        ("https://user:password@chat.example/", "user or password"),
        ("https://[::1/", "begin with https"),
        ("https://chat.example/a b\n", "begin with https"),
        ("hook", "begin with https"),
    ],
)
def test_a_url_that_cannot_be_used_is_not_shown(url: str, why: str) -> None:
    """It is a secret however wrong it is; the variable's name is what a person needs."""
    with pytest.raises(NotSent, match=why) as caught:
        host_of(url, "HUBDATA_NOTIFY_URL")
    assert "HUBDATA_NOTIFY_URL" in str(caught.value)
    assert "hook" not in str(caught.value)
    assert "password@" not in str(caught.value)


def test_messages_name_the_host_alone() -> None:
    """Scheme, host and port: the rest is the secret."""
    assert host_of("https://hooks.example:8443/services/T0/B0/x?y=z", "V") == "https://hooks.example:8443"
    assert host_of("http://[::1]:80/x", "V") == "http://[::1]:80"


@pytest.mark.parametrize("silent", [True, False], ids=["never answers", "sends a status and no end"])
def test_a_slow_server_takes_no_longer_than_allowed(silent: bool) -> None:
    """Not even one that answers with headers and then a body without end: the status is all that is read."""
    allowed_s = 0.5 if silent else 20
    notify = Notify("HOOK", timeout=timedelta(seconds=allowed_s))
    with Webhook() as hook:
        hook.conduct = Conduct(silent=silent, drip=not silent, announced=10**12)
        redact = Redactor()
        before = time.monotonic()
        if silent:
            with pytest.raises(NotSent, match="not done within") as caught:
                post(notify, {}, {"HOOK": hook.url}, redact)
            assert "SENTINEL" not in str(caught.value)
        else:
            post(notify, {}, {"HOOK": hook.url}, redact)
        assert time.monotonic() - before < 20
        assert redact(f"POST {hook.url}") == "POST ***"
        assert "sentinel" not in redact("GET /services/T0SENTINEL/B0SENTINEL/webhook-sentinel-24-chars HTTP/1.1")


def test_nobody_there_is_told_in_words() -> None:
    """A refused connection, and a variable without a value."""
    with Webhook() as hook:
        url = hook.url
    with pytest.raises(NotSent) as caught:
        post(Notify("HOOK"), {}, {"HOOK": url}, Redactor())
    assert "sentinel" not in str(caught.value).lower()
    with pytest.raises(HubdataError, match="HOOK is not set"):
        post(Notify("HOOK"), {}, {}, Redactor())


def test_the_url_may_lie_in_a_file(tmp_path: Path) -> None:
    """As every secret may."""
    with Webhook() as hook:
        (tmp_path / "url").write_text(hook.url + "\n")
        post(Notify("HOOK"), {"a": 1}, {"HOOK_FILE": str(tmp_path / "url")}, Redactor())
        assert hook.messages == [{"a": 1}]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "exit code 3"),
        ("sleep 60", "had not ended after"),
        ("exec <&-; sleep 60 & wait", "had not ended after"),
        ("yes | head -c 3000000; exit 1", "exit code 1"),
    ],
)
def test_a_program_that_fails_is_told_and_ended(script: str, why: str) -> None:
    """By its code or by the clock; what it starts is ended with it, and it may write as much as it likes."""
    notify = Notify(None, argv=("sh", "-c", script), timeout=timedelta(seconds=2 if "sleep" in script else 60))
    before = time.monotonic()
    with pytest.raises(NotSent, match=why):
        start(notify, b"x" * 1_000_000, {"PATH": "/usr/bin:/bin"}, Deaf())
    assert time.monotonic() - before < 30


def test_a_program_need_not_read_what_it_is_given() -> None:
    """`true` is a fine program."""
    start(Notify(None, argv=("true",)), b"x" * 1_000_000, {"PATH": "/usr/bin:/bin"}, Deaf())


def test_a_bug_in_telling_fails_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody foresaw it: it is logged whole, and the run ends as it would have."""

    class Odd(DirectoryTarget):
        def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Never:
            raise ZeroDivisionError(key)

    seen = [Sighting("job", "t", {Trouble.FAILED: Condition("5", "down")})]
    teller = Teller(Notify("HOOK"), tmp_path, Deaf(), environment={})
    assert not teller.tell(seen, [Odd("t", Odd.Options(path=tmp_path))], NOON)
    assert caplog.records[0].exc_info is not None


def test_names_that_are_no_text_are_told_all_the_same() -> None:
    """A key with half of a surrogate pair has a mark, and goes through JSON."""
    odd = Finding("a\udc80.txt", None, "r", Severity.ERROR, "m", "")
    job = job_result("job", {}, None, (odd,), (TargetResult("t", Plan("job", "t")),))
    (seen,) = sightings(RunResult("r", (job,), 0.0), (), ("t",))
    (change,) = news({}, seen, frozenset({"refused"}))[0]
    assert json.loads(encoded(document((change,), run_id="r", at=NOON, redact=plain)))["changes"][0]["count"] == 1


def many(count: int) -> tuple[Change, ...]:
    """Return changes, each as long as upstream could make it."""
    condition = Condition("1", "<!channel> " * 400, "&" * 5000, tuple(f"{n}" * 900 for n in range(10)), 12_345)
    return tuple(Change(f"job-{n:03}", ("aws",), "refused", condition) for n in range(count))


def test_a_message_is_bounded_however_much_there_is_to_tell() -> None:
    """What does not fit is counted."""
    told = document(many(3000), run_id="r", at=NOON, redact=plain)
    assert (len(told["changes"]), told["more"]) == (MOST, 3000 - MOST)
    assert len(str(told)) < 1_000_000
    assert "and 2,997 changes more" in summary(many(3000), plain)
    text = slack(many(3000), run_id="r", redact=plain)["text"]
    assert len(text) < 13_000
    assert "<" not in text


def test_every_word_from_elsewhere_is_freed_of_secrets() -> None:
    """Job, target, keys, reason and advice, in both forms."""
    redact = Redactor()
    redact.add("sentinel-secret")
    condition = Condition("1", "r sentinel-secret", "a sentinel-secret", ("k/sentinel-secret", "b"), 2, "plan")
    changes = (Change("j-sentinel-secret", ("t-sentinel-secret",), "held", condition),)
    for told in (document(changes, run_id="r", at=NOON, redact=redact), slack(changes, run_id="r", redact=redact)):
        assert "sentinel" not in str(told)
        assert "***" in str(told)
