"""`--log-format json`; and that no secret of any sort is in anything that a run writes, however it ends."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, hubdata
from tests.support.faulty_server import Answer, FaultyServer, Request
from tests.support.small_world import GOOD, NEW, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, StrictS3
from tests.support.webhook import Webhook

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIASENTINELACCESSID",
    "AWS_SECRET_ACCESS_KEY": "sentinel/aws+secret=key",
    "AWS_SESSION_TOKEN": "sentinel-aws-session",
    "MAXMIND_ACCOUNT_ID": "123456",
    "MAXMIND_LICENSE_KEY": "sentinel_maxmind_licence_key",
    "CLOUDFLARE_API_TOKEN": "sentinel-cloudflare-bearer",
    "GIT_READER_TOKEN": "sentinel-git-token",
    "HUBDATA_HTTP_TOKEN": "sentinel-http-token-that-is-long-enough",
    "HUBDATA_GITHUB_SECRET": "sentinel-github-secret-long-enough",
    "HUBDATA_SIGNING_PASSWORD": "sentinel-signing-password",
    "HTTPS_PROXY": "http://user:sentinel-proxy-password@127.0.0.1:9",
}
"""Every sort of secret that hubdata knows. The webhook's URL is planted beside them."""

MAXMIND = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City"]
url = "{url}"
retry_for_s = 0

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""
FETCHED = """\
[source]
type = "url"
timeout_s = 5
url = "{url}/list"
key = "urls/list.txt"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"

[[files]]
match = "urls/*.txt"
kind = "cidr"
"""


class Rude(FaultyServer):
    """An upstream that answers with what it was told, as badly written ones do."""

    def answer(self, request: Request) -> Answer:
        """Refuse, and repeat the credentials; or lead to a presigned URL, where it does."""
        if request.path == "/list":
            return Answer("list", 302, {"Location": "/object?X-Amz-Signature=sentinel-presigned-signature"})
        said = f"bad login {request.headers.get('Authorization')} {request.path} {dict(request.query)}".encode()
        return Answer("any", 401, {}, said)


def parsed(text: str) -> list[Any]:
    """Return every line of a log, each one JSON object."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_says_everything_in_json_lines(small: SmallWorld) -> None:
    """One object a line and nothing else; each of a run says which run and which job; warnings alone without -v."""
    small.repo.commit({GOOD: NEW, "lists/bad.txt": "nonsense\n"})
    ended = hubdata("sync", "--once", "--format", "json", "--log-format", "json", "-v", cwd=small.root)
    said = parsed(ended.stderr)
    assert {line["run_id"] for line in said} == {ended.json["run_id"]}
    assert all(line["job"] for line in said)
    names = [line["event"] for line in said]
    assert (names[0], names[-1]) == ("run.began", "run.ended")
    assert {"source.fetched", "plan.made", "file.refused", "lease.taken", "put.done", "manifest.swapped"} <= set(names)
    refused = next(line for line in said if line["event"] == "file.refused")
    assert (refused["job"], refused["key"], refused["line"]) == ("lists", "lists/bad.txt", 1)
    assert hubdata("sync", "--once", cwd=small.root, env={"HUBDATA_LOG_FORMAT": "json"}).stderr == ""


@pytest.mark.parametrize(
    ("words", "code"), [(("--job", "lisst"), 2), (("--no-such-flag",), 2), (("--target", "nowhere"), 2)]
)
def test_what_goes_wrong_is_a_line_too(small: SmallWorld, words: tuple[str, ...], code: int) -> None:
    """Even where the flags cannot be understood; by flag or by variable."""
    for flags, env in ((("--log-format", "json"), {}), ((), {"HUBDATA_LOG_FORMAT": "json"})):
        ended = hubdata("sync", "--once", *words, *flags, cwd=small.root, env=env)
        (line,) = parsed(ended.stderr)
        assert (ended.code, line["event"], line["exit_code"]) == (code, "hubdata.error", code)
        assert line["message"]


def test_a_run_that_is_broken_off_says_so_in_a_line(small: SmallWorld, tmp_path: Path) -> None:
    """SIGTERM amid a fetch: every line is an object still, and the last tells how it ended."""
    (tmp_path / "git").write_text(f"#!/bin/sh\ntouch '{tmp_path}/asked'\nexec sleep 600\n")
    (tmp_path / "git").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(small.root)}
    argv = [sys.executable, "-m", "hubdata", "sync", "--once", "--job", "lists", "--log-format", "json", "-v"]
    running = subprocess.Popen(argv, cwd=small.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "asked").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=60)
    finally:
        running.kill()
    said = parsed(err.decode())
    assert (running.returncode, said[-1]["event"], said[-1]["exit_code"]) == (143, "hubdata.ended", 143)
    assert said[0]["event"] == "run.began"


def test_the_worker_logs_in_json(small: SmallWorld) -> None:
    """By the variable, as a container sets it; runs that go at once are told apart by their ids."""
    env = {"PATH": os.environ["PATH"], "HOME": str(small.root), "HUBDATA_LOG_FORMAT": "json"}
    err = small.root / "err"
    with err.open("wb") as file:
        argv = [sys.executable, "-m", "hubdata", "sync", "--format", "json"]
        running = subprocess.Popen(argv, cwd=small.root, env=env, stdout=subprocess.PIPE, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while err.read_text().count('"job.scheduled"') < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGUSR1)
        while err.read_text().count('"job.ended"') < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    results = {line["job"]: line["run_id"] for line in parsed(out.decode())}
    said = parsed(err.read_text())
    for job, run_id in results.items():
        own = [line["event"] for line in said if line.get("run_id") == run_id]
        assert all(line["job"] == job for line in said if line.get("run_id") == run_id)
        assert {"job.begun", "run.began", "plan.made", "run.ended", "job.ended"} <= set(own)
    assert {line["event"] for line in said if "run_id" not in line} <= {
        "worker.started",
        "job.scheduled",
        "schedule.none",
        "worker.ending",
        "worker.ended",
    }


@pytest.fixture
def planted(small: SmallWorld) -> Iterator[tuple[SmallWorld, dict[str, str], Webhook, StrictS3]]:
    """Give a world that uses every sort of secret, and the environment that has them."""
    with StrictS3() as store, Webhook() as hook, Rude() as rude:
        script = small.root / "nosy"
        script.write_text('#!/bin/sh\nenv\ncat\necho "$NOSY_TOKEN" >&2\nexit 1\n')
        script.chmod(0o755)
        text = (small.root / "hubdata.toml").read_text() + (
            f'[targets.aws]\ntype = "s3"\nbucket = "{S3_BUCKET}"\nregion = "us-east-1"\nendpoint_url = "{store.url}"\n'
            'cdn = "flare"\n'
            f'[cdns.flare]\ntype = "cloudflare"\nzone_id = "{"0" * 32}"\nbase_url = "https://x.example"\n'
            f'endpoint_url = "{rude.origin}/client/v4"\npatience_s = 0\n'
            f'[hooks]\non_published = ["{script}"]\npass_environment = ["NOSY_TOKEN"]\n'
            f'[notify]\ncommand = ["{script}"]\npass_environment = ["NOSY_TOKEN"]\n'
        )
        small.write("hubdata.toml", text)
        small.write("jobs/geoip.toml", MAXMIND.format(url=rude.origin))
        small.write("jobs/fetched.toml", FETCHED.format(url=rude.origin))
        private = small.root / "jobs/private.toml"
        private.write_text(
            (small.root / "jobs/lists.toml")
            .read_text()
            .replace('ref = "master"', 'ref = "gone"')
            .replace("lists/", "p/")
        )
        env = {**SECRETS, "NOSY_TOKEN": "sentinel-nosy-token", "NO_PROXY": "127.0.0.1", "HUBDATA_NOTIFY_URL": hook.url}
        yield small, env, hook, store


def leaks(texts: Mapping[str, str]) -> list[str]:
    """Return where a secret is, by its name and whatever is around it."""
    words = [value for value in SECRETS.values() if "sentinel" in value.lower()]
    words += ["sentinel", "SENTINEL", base64.b64encode(b"123456:sentinel_maxmind").decode()[:24]]
    return [
        f"{name}: ...{text[max(0, text.find(word) - 80) : text.find(word) + 60]}"
        for name, text in texts.items()
        for word in words
        if word in text
    ]


def written(small: SmallWorld, ended: Ended, hook: Webhook, store: StrictS3) -> dict[str, str]:
    """Return everything that a run has written anywhere, by where."""
    texts = {"stdout": ended.stdout, "stderr": ended.stderr}
    texts |= {f"mirror {key}": body.decode("latin-1") for key, body in small.mirror_files().items()}
    texts |= {f"bucket {key}": held.body.decode("latin-1") for key, held in store.objects.items()}
    texts |= {f"notification {n}": body.decode() for n, (_, body, _) in enumerate(hook.requests)}
    spool = (path for path in (small.root / "spool").rglob("*") if path.is_file())
    return texts | {f"spool {path.name}": path.read_bytes().decode("latin-1") for path in spool}


@pytest.mark.parametrize(
    "flags",
    [
        ("--format", "json", "-vv"),
        ("--format", "text", "-vv", "--log-format", "json"),
        ("--format", "github", "-v"),
    ],
    ids=["json", "text and log lines in json", "github"],
)
def test_no_secret_is_in_anything_that_a_run_writes(
    planted: tuple[SmallWorld, dict[str, str], Webhook, StrictS3], flags: tuple[str, ...], tmp_path: Path
) -> None:
    """Sources, a CDN, a hook and a command that fail and repeat what they were told; published, refused, notified."""
    small, env, hook, store = planted
    small.repo.commit({GOOD: NEW, "lists/bad.txt": "nonsense\n"})
    summary = tmp_path / "summary.md"
    ended = hubdata(
        "sync", "--once", *flags, cwd=small.root, env={**env, "GITHUB_STEP_SUMMARY": str(summary)}, timeout=120
    )
    assert ended.code not in (0, 1, 2), ended.stdout + ended.stderr
    assert hook.requests, "people were told"
    assert any(key.startswith(".hubdata/runs/") for key in store.objects), "there is a record"
    assert b"<html" in store.objects["index.html"].body, "there is a page"
    texts = written(small, ended, hook, store)
    if summary.exists():
        texts["summary"] = summary.read_text()
    assert leaks(texts) == []
    assert "***" in ended.stderr, "something was there to be hidden"
    shown = hubdata("config", "show", "--format", "json", cwd=small.root, env=env)
    history = hubdata("history", "--format", "json", cwd=small.root, env=env)
    broken = hubdata("sync", "--once", "--config", "sentinel://user:sentinel-in-path@x", cwd=small.root, env=env)
    assert broken.code == 2
    said = {"show": shown.stdout + shown.stderr, "history": history.stdout + history.stderr}
    assert leaks(said) == []
