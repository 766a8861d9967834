"""`[notify]`: people are told of each change of state once, whoever runs hubdata, and whatever their webhook does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command import Ended, hubdata
from tests.support.small_world import GOOD, NEW, OTHER, WORDS, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, StrictS3
from tests.support.webhook import Conduct, Webhook

BAD = b"8.8.8.0/24\nnonsense\n"
RECORD = "mirror/.hubdata/notified.json"
PROGRAM = """\
#!/usr/bin/env python3
import json, os, sys
with open("told.jsonl", "a") as log:
    print(json.dumps({"argv": sys.argv[1:], "told": json.load(sys.stdin), "env": dict(os.environ)}), file=log)
print("heard it with", os.environ.get("PAGER_TOKEN"))
sys.exit(int(os.environ.get("PROGRAM_EXIT", "0")))
"""


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """Give a webhook's server."""
    with Webhook() as running:
        yield running


def sync(small: SmallWorld, hook: Webhook, *flags: str, code: int | None = None, **env: str) -> Ended:
    """Return how one run ended whose environment has the webhook's URL."""
    env = {"HUBDATA_NOTIFY_URL": hook.url, **env}
    ended = hubdata("sync", "--once", "--format", "json", *flags, cwd=small.root, env=env)
    assert "Traceback" not in ended.stderr
    assert code is None or ended.code == code, ended.stdout + ended.stderr
    return ended


def notify(small: SmallWorld, text: str) -> None:
    """Write the table `[notify]`."""
    settings = (small.root / "hubdata.toml").read_text().partition("[notify]")[0]
    small.write("hubdata.toml", settings + "[notify]\n" + text)


def test_a_refused_file_is_told_once_and_its_recovery_once(small: SmallWorld, hook: Webhook) -> None:
    """Not at every run; other files are a change; nothing is told, and no record kept, while all is well."""
    sync(small, hook, code=0)
    assert hook.news == []
    assert not (small.root / RECORD).exists()
    small.repo.commit({GOOD: BAD})
    ended = sync(small, hook, code=3)
    sync(small, hook, code=3)
    assert hook.news == [[("lists", "mirror", "refused")]]
    (change,) = hook.messages[0]["changes"]
    assert (change["keys"], change["count"], change["was"]) == ([GOOD], 1, [])
    assert "line 2" in change["reason"]
    assert change["advice"]
    assert hook.messages[0]["run_id"] == ended.json["run_id"]
    small.repo.commit({OTHER: BAD})
    sync(small, hook, code=3)
    assert hook.messages[1]["changes"][0]["keys"] == [GOOD, OTHER]
    small.repo.commit({GOOD: NEW, OTHER: b"9.9.9.0/24\n"})
    sync(small, hook, code=0)
    sync(small, hook, code=0)
    assert len(hook.messages) == 3
    (change,) = hook.messages[2]["changes"]
    assert (change["state"], change["was"], change["still"]) == ("recovered", ["refused"], [])
    assert json.loads((small.root / RECORD).read_text())["jobs"] == {}


def test_held_and_failed_are_told_and_who_waits_for_whom(small: SmallWorld, hook: Webhook) -> None:
    """A held plan's id comes with it. A source that is down is neither news of its held files nor their recovery."""
    small.write(f"data/{WORDS}", "".join(f"/probe-{n}\n" for n in range(200)))
    small.write("jobs/words.toml", (small.root / "jobs/words.toml").read_text() + "limits = { max_change = 0.1 }\n")
    sync(small, hook, "--approve", small.sync().job("words")["targets"][0]["plan_id"])
    assert hook.news == []
    small.write(f"data/{WORDS}", "".join(f"/probe-{n}\n" for n in range(20)))
    held = sync(small, hook, code=4)
    (change,) = hook.messages[0]["changes"]
    assert (change["job"], change["state"]) == ("words", "held")
    assert change["plan_id"] == held.job("words")["targets"][0]["plan_id"]
    (small.root / "data").rename(small.root / "gone")
    sync(small, hook, code=5)
    sync(small, hook, code=5)
    assert hook.news[1:] == [[("words", "mirror", "failed")]]
    (small.root / "gone").rename(small.root / "data")
    sync(small, hook, code=4)
    (change,) = hook.messages[2]["changes"]
    assert (change["state"], change["was"], change["still"]) == ("recovered", ["failed"], ["held"])
    sync(small, hook, "--approve", held.job("words")["targets"][0]["plan_id"])
    assert hook.news[3:] == [[("words", "mirror", "recovered")]]


def test_another_machine_tells_nothing_twice(small: SmallWorld, hook: Webhook, tmp_path: Path) -> None:
    """What was told lies in the target, not on the machine; and a run without [notify] asks for nothing of it."""
    small.repo.commit({GOOD: BAD})
    sync(small, hook, code=3)
    ended = sync(small, hook, code=3, HUBDATA_SPOOL=str(tmp_path / "another"))
    assert len(hook.messages) == 1
    assert "notify" not in ended.stdout
    (small.root / RECORD).unlink()
    without = hubdata("sync", "--once", "-v", cwd=small.root)
    assert without.code == 3
    assert "notify" not in without.stderr
    assert not (small.root / RECORD).exists()


def test_it_costs_one_request_and_none_without_notify(small: SmallWorld, hook: Webhook) -> None:
    """A run with no change of state asks once what was told, and writes nothing; without [notify], not even that."""
    with StrictS3() as store:
        text = (small.root / "hubdata.toml").read_text().partition("[targets")[0]
        text += f'[targets.aws]\ntype = "s3"\nbucket = "{S3_BUCKET}"\nregion = "us-east-1"\n'
        small.write("hubdata.toml", text + f'endpoint_url = "{store.url}"\n')
        small.repo.commit({GOOD: BAD})
        keys = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "sentinel"}
        sync(small, hook, code=3, **keys)
        assert hook.news == [[("lists", "aws", "refused")]]

        def asked(**env: str) -> list[tuple[str, str]]:
            before = len(store.seen)
            hubdata("sync", "--once", cwd=small.root, env={**keys, **env})
            return [(one.method, one.key) for one in store.seen[before:]]

        without = asked()
        assert sorted(asked(HUBDATA_NOTIFY_URL=hook.url)) == sorted([*without, ("GET", ".hubdata/notified.json")])
        assert {method for method, _ in without} <= {"GET", "HEAD", "LIST"}


@pytest.mark.parametrize(
    ("conduct", "words"),
    [
        (Conduct(500), "status 500"),
        (Conduct(404), "was deleted"),
        (Conduct(silent=True), "not done within"),
        (Conduct(302), "elsewhere"),
    ],
    ids=["error", "gone", "silent", "redirect"],
)
def test_a_webhook_that_fails_is_a_warning_and_tried_again(
    small: SmallWorld, hook: Webhook, conduct: Conduct, words: str
) -> None:
    """The run ends as it would have; the next one tells it; no redirect is followed, and no URL is printed."""
    if conduct.silent:
        notify(small, "timeout_s = 1\n")
    small.repo.commit({GOOD: BAD})
    redirect = {"Location": hook.elsewhere} if conduct.status == 302 else {}
    hook.conduct = Conduct(conduct.status, redirect, silent=conduct.silent)
    ended = sync(small, hook, code=3)
    (line,) = [line for line in ended.stderr.splitlines() if "notify.failed" in line]
    assert words in line
    assert "sentinel" not in (ended.stdout + ended.stderr).lower()
    hook.conduct = Conduct(204, body=b"")
    notify(small, "")
    again = sync(small, hook, code=3)
    assert "notify.failed" not in again.stderr
    sync(small, hook, code=3)
    assert hook.news == [[("lists", "mirror", "refused")]] * 2
    assert {path for path, _, _ in hook.requests} == {hook.url[hook.url.index("/services") :]}


@pytest.mark.parametrize(
    "conduct",
    [Conduct(drip=True, announced=10**9), Conduct(announced=10**15), Conduct(body=b"x" * 20_000_000)],
    ids=["drips", "announces a petabyte", "is 20 MB long"],
)
def test_what_a_webhook_answers_is_not_read(small: SmallWorld, hook: Webhook, conduct: Conduct) -> None:
    """A message that was taken was taken, however long its receipt is."""
    small.repo.commit({GOOD: BAD})
    hook.conduct = conduct
    ended = sync(small, hook, code=3)
    assert "notify.failed" not in ended.stderr
    sync(small, hook, code=3)
    assert len(hook.messages) == 1


def test_a_chat_is_sent_a_text_in_which_nothing_from_upstream_calls_anybody(small: SmallWorld, hook: Webhook) -> None:
    """`<!channel>` in a refused file's name stays a name."""
    notify(small, 'format = "slack"\n')
    small.repo.commit({"lists/<!channel>.txt": BAD})
    sync(small, hook, code=3)
    (message,) = hook.messages
    assert message.keys() == {"text"}
    assert message["text"].startswith("*lists -&gt; mirror: refused (1 file)*\n")
    assert "<" not in message["text"]
    assert "&lt;!channel&gt;" in message["text"]


def test_a_program_is_given_the_object_and_no_credential(small: SmallWorld, hook: Webhook) -> None:
    """On its standard input, without a shell; what it prints is masked; only what failed is tried again."""
    script = small.root / "pager"
    script.write_text(PROGRAM)
    script.chmod(0o755)
    command = json.dumps([str(script), "$(touch oops)"])
    notify(small, f'command = {command}\npass_environment = ["PAGER_TOKEN", "PROGRAM_EXIT"]\n')
    small.repo.commit({GOOD: BAD})
    secrets = {"AWS_SECRET_ACCESS_KEY": "sentinel-secret", "PAGER_TOKEN": "sentinel-pager-token"}
    first = sync(small, hook, "-v", code=3, PROGRAM_EXIT="9", **secrets)
    assert "ended with exit code 9" in first.stderr
    assert "heard it with ***" in first.stderr
    assert "sentinel" not in first.stdout + first.stderr
    sync(small, hook, code=3, **secrets)
    sync(small, hook, code=3, **secrets)
    calls = [json.loads(line) for line in (small.root / "told.jsonl").read_text().splitlines()]
    assert [call["told"]["changes"][0]["state"] for call in calls] == ["refused", "refused"]
    assert calls[0]["argv"] == ["$(touch oops)"]
    assert not (small.root / "oops").exists()
    assert {name for name, value in calls[0]["env"].items() if "sentinel" in value} == {"PAGER_TOKEN"}
    assert len(hook.messages) == 1, "the webhook had it the first time"


def test_a_target_that_is_down_is_told_once_and_its_return(small: SmallWorld, hook: Webhook) -> None:
    """It cannot keep what was told meanwhile: the spool does. What was refused before is no news either."""
    sync(small, hook)
    small.repo.commit({GOOD: BAD})
    sync(small, hook, code=3)
    (small.root / "mirror").rename(small.root / "away")
    small.write("mirror", "a file where a directory should be")
    for _ in range(2):
        sync(small, hook, code=6)
    assert hook.news[1:] == [[("lists", "mirror", "failed"), ("words", "mirror", "failed")]]
    (small.root / "mirror").unlink()
    (small.root / "away").rename(small.root / "mirror")
    for _ in range(2):
        sync(small, hook, code=3)
    assert hook.news[2:] == [[("lists", "mirror", "recovered"), ("words", "mirror", "recovered")]]
    assert hook.messages[2]["changes"][0]["still"] == ["refused"]
    kept = small.root / "spool/memory-notified"
    assert list(kept.iterdir()) == []


def test_only_what_is_asked_for_is_told(small: SmallWorld, hook: Webhook) -> None:
    """Neither refusals nor recoveries, if only failures are wanted; a dry run tells nothing at all."""
    notify(small, 'on = ["failed"]\n')
    small.repo.commit({GOOD: BAD})
    (small.root / "data").rename(small.root / "gone")
    sync(small, hook, "--dry-run")
    assert hook.news == []
    sync(small, hook)
    (small.root / "gone").rename(small.root / "data")
    sync(small, hook, code=3)
    assert hook.news == [[("words", "mirror", "failed")]]


def test_a_job_that_is_too_old_is_told_by_the_runs_that_do_not_mend_it(small: SmallWorld, hook: Webhook) -> None:
    """Since its first run that was no success, as far as one-shot runs know: those write nothing while all is well."""
    small.write("jobs/lists.toml", 'max_age = "1h"\n' + (small.root / "jobs/lists.toml").read_text())
    small.repo.commit({GOOD: BAD})
    sync(small, hook, code=3)
    record = small.root / RECORD
    kept = json.loads(record.read_text())
    kept["jobs"]["lists"]["since"] = "2026-01-01T00:00:00Z"
    record.write_text(json.dumps(kept))
    for _ in range(2):
        sync(small, hook, code=3)
    assert hook.news[1:] == [[("lists", "mirror", "stale")]]
    small.repo.commit({GOOD: NEW})
    sync(small, hook, code=0)
    assert hook.messages[2]["changes"][0]["was"] == ["refused", "stale"]


def test_a_refresh_by_hand_tells_as_any_run_does(small: SmallWorld, hook: Webhook) -> None:
    """`geoip refresh` of one edition is one run more that fails, and no other job's news."""
    small.write(
        "jobs/geoip.toml",
        '[source]\ntype = "maxmind"\neditions = ["GeoLite2-City", "GeoLite2-ASN"]\nurl = "http://127.0.0.1:9"\n'
        'retry_for_s = 0\n[[files]]\nmatch = "mmdb_update/*.mmdb"\nkind = "mmdb"\n',
    )
    keys = {"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY": "sentinel-licence", "HUBDATA_NOTIFY_URL": hook.url}
    for edition in ("GeoLite2-City", "GeoLite2-ASN"):
        ended = hubdata("geoip", "refresh", "--edition", edition, cwd=small.root, env=keys)
        assert ended.code == 5, ended.stdout + ended.stderr
    assert hook.news == [[("geoip", "mirror", "failed")]]


def test_settings_that_notify_nobody_are_told_by_config_check(small: SmallWorld) -> None:
    """No URL where one is named, a program that is not there, nothing at all: each with the line to look at."""
    notify(small, 'url_env = "OPS_WEBHOOK"\ncommand = ["/no/such/pager"]\n')
    said = hubdata("config", "check", cwd=small.root)
    assert "OPS_WEBHOOK is not set here" in said.stdout + said.stderr
    assert "/no/such/pager cannot be started" in said.stdout + said.stderr
    notify(small, 'format = "slack"\n')
    said = hubdata("config", "check", cwd=small.root)
    assert "nobody is notified" in said.stdout + said.stderr
    shown = hubdata("config", "show", cwd=small.root, env={"HUBDATA_NOTIFY_URL": "https://chat.example/sentinel-url"})
    assert "HUBDATA_NOTIFY_URL" in shown.stdout
    assert "sentinel" not in shown.stdout


def test_a_worker_that_is_told_to_end_tells_of_no_failure(small: SmallWorld, hook: Webhook, tmp_path: Path) -> None:
    """It breaks git off amid a fetch, which looks like a source that fails; a restart is no news."""
    (tmp_path / "git").write_text(f"#!/bin/sh\ntouch '{tmp_path}/asked'\nexec sleep 600\n")
    (tmp_path / "git").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(small.root), "HUBDATA_NOTIFY_URL": hook.url}
    with (tmp_path / "err").open("wb") as err:
        argv = [sys.executable, "-m", "hubdata", "sync", "--job", "lists"]
        running = subprocess.Popen(argv, cwd=small.root, env=env, stdout=subprocess.DEVNULL, stderr=err)
    try:
        said = tmp_path / "err"
        _until(lambda: "job.scheduled" in said.read_text())
        running.send_signal(signal.SIGUSR1)
        _until((tmp_path / "asked").exists)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    finally:
        running.kill()
    assert "source.failed" in said.read_text()
    assert hook.requests == []


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)
