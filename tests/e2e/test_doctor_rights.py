"""`hubdata doctor` names the permission that is missing, the ability that a store lacks, the quota that is spent."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hubdata.app import Choices
from hubdata.asking.doctoring import doctor
from hubdata.doctor.catalogue import About
from hubdata.doctor.stores import S3Store
from hubdata.errors import ConfigError, Exit
from hubdata.model.checkup import Check, Checkup, Status
from hubdata.targets.s3.abilities import KEY, Abilities
from hubdata.targets.s3.options import S3Options
from hubdata.transfer.downloads import Downloads
from tests.support.minisign import Minisign
from tests.support.moto_server import CREDENTIALS
from tests.support.small_world import SETTINGS, SmallWorld
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront
from tests.support.strict_s3 import S3_BUCKET, Fault, Object, StrictS3

S3 = """\
jobs = "jobs"
spool = "spool"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""
FAMILIES = ("AWS_", "MAXMIND_", "GEOIPUPDATE_", "HUBDATA_", "CLOUDFLARE_")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give two jobs; tests write settings of their own."""
    return SmallWorld.create(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True)
def _surroundings(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(FAMILIES) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "HOME": str(world.root)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.root)


def looked(world: SmallWorld, settings: str, *, network: bool = True, write: bool = False) -> Checkup:
    """Return what the doctor finds with these settings."""
    world.write("hubdata.toml", settings)
    return doctor(Choices(config=world.root / "hubdata.toml"), network=network, write=write)


def found(result: Checkup, name: str, subject: str = "") -> Check:
    """Return the one check of that name, whose subject holds the words."""
    (one,) = [check for check in result.checks if check.name == name and subject in check.subject]
    return one


def of(store: StrictS3) -> str:
    """Return settings with a target at this store."""
    return S3.format(bucket=S3_BUCKET, url=store.url)


def test_who_may_not_list_is_told_the_permission(world: SmallWorld) -> None:
    """The store answers, so that is well; the right is not."""
    with StrictS3(faults=[Fault("LIST", 403, "AccessDenied")]) as store:  # type: ignore[arg-type]
        result = looked(world, of(store))
    assert found(result, "store").status is Status.OK
    read = found(result, "read")
    assert read.status is Status.FAIL
    assert "grant s3:ListBucket on arn:aws:s3:::" in read.advice
    assert result.exit_code is Exit.TARGET


def test_who_may_not_read_write_or_delete_is_told_which(world: SmallWorld) -> None:
    """Each with its permission; an object that cannot be removed is named, and is a warning."""
    with StrictS3(versioned=True) as store:
        store.faults.append(Fault("HEAD", 403, "AccessDenied"))
        result = looked(world, of(store))
        assert "s3:GetObject" in found(result, "read").advice
        store.faults.append(Fault("PUT", 403, "AccessDenied"))
        result = looked(world, of(store), write=True)
        assert found(result, "write").status is Status.FAIL
        assert "s3:PutObject" in found(result, "write").advice
        store.faults.append(Fault("DELETE", 403, "AccessDenied"))
        result = looked(world, of(store), write=True)
        write = found(result, "write")
        assert write.status is Status.WARN
        assert ".hubdata/runs/doctor-" in write.found
        assert "s3:DeleteObject" in write.advice


def test_what_a_lesser_store_lacks_is_told(world: SmallWorld) -> None:
    """Tried with `--write`, or known from what a run has found; neither fails: hubdata does without."""
    with StrictS3(versioned=True, lacks=frozenset({"replaces", "checksums"})) as store:
        tried = looked(world, of(store), write=True)
        assert [found(tried, name).status for name in ("conditions", "checksums")] == [Status.WARN, Status.WARN]
        assert "does not enforce If-Match" in found(tried, "conditions").found
        assert tried.exit_code is Exit.FINE
    with StrictS3(versioned=True) as store:
        body = Abilities(replaces=False).to_bytes()
        store.keep(KEY, Object(body, {"Content-Type": "application/json"}))
        known = looked(world, of(store))
        assert found(known, "conditions").status is Status.WARN
        assert found(known, "checksums").status is Status.OK


def test_a_bucket_elsewhere_and_a_clock_that_is_wrong_are_told(world: SmallWorld) -> None:
    """An answer's headers say where it comes from, and when."""
    answer = {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}}}
    for region, status in (("us-east-1", Status.WARN), ("eu-west-1", Status.OK)):
        place = S3Store("aws", S3Options(bucket="b-b", region=region))._place(About("store", "aws"), answer)
        assert place.status is status
    assert place.found == "s3://b-b answers in eu-west-1"
    for off, status in ((60, Status.WARN), (-400, Status.FAIL), (3, Status.OK)):
        ahead = timedelta(seconds=off)
        with StrictS3(now=lambda ahead=ahead: datetime.now(UTC) + ahead) as store:  # type: ignore[misc]
            clock = found(looked(world, of(store)), "clock")
        assert clock.status is status, clock
    assert "within" in clock.found


def test_a_publisher_that_may_not_read_the_distribution_is_well(world: SmallWorld) -> None:
    """Its role needs no such right; what is not known for want of it is told with the permission."""
    cdn = '\n[cdns.edge]\ntype = "cloudfront"\ndistribution_id = "{id}"\nendpoint_url = "{url}"\n'
    with StrictS3() as store, StrictCloudfront(config_refusal=(403, "AccessDenied")) as edge:
        settings = of(store) + 'cdn = "edge"\n' + cdn.format(id=DISTRIBUTION, url=edge.url)
        result = looked(world, settings)
        assert {c.status for c in result.checks if c.name == "cdn"} == {Status.OK, Status.SKIPPED}
        ipv6 = found(result, "cdn-ipv6")
        assert ipv6.status is Status.SKIPPED
        assert "cloudfront:GetDistributionConfig" in ipv6.advice
        assert edge.batches == []
        edge.refusals.append((403, "AccessDenied"))
        refused = looked(world, settings, write=True)
        assert "cloudfront:CreateInvalidation" in " ".join(c.advice for c in refused.checks if c.name == "cdn")
        assert refused.exit_code is Exit.CDN_PENDING


@contextmanager
def cloudflare(status: int, body: object) -> Iterator[str]:
    """Give the URL of a service that answers every question so."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            assert self.path == "/client/v4/user/tokens/verify"
            assert self.headers["Authorization"] == "Bearer sentinel-cloudflare-token"
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/client/v4"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "state", "said"),
    [
        (
            200,
            {"success": True, "result": {"status": "active", "expires_on": "2027-01-01T00:00:00Z"}},
            "ok",
            "2027-01-01",
        ),
        (200, {"success": True, "result": {"status": "disabled"}}, "fail", "the token is disabled"),
        (401, {"success": False}, "fail", "does not take the token"),
        (200, ["captive portal"], "fail", "is not Cloudflare"),
    ],
)
def test_a_cloudflare_token_is_verified_and_never_shown(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch, status: int, body: object, state: str, said: str
) -> None:
    """By Cloudflare's own word; one that is not set is told with its variable."""
    zone = "0" * 32
    cdn = '\n[cdns.edge]\ntype = "cloudflare"\nzone_id = "{zone}"\nendpoint_url = "{url}"\nbase_url = "{base}"\n'
    with cloudflare(status, body) as url:
        settings = SETTINGS + 'cdn = "edge"\n' + cdn.format(zone=zone, url=url, base="http://127.0.0.1:9")
        missing = found(looked(world, settings), "credentials", "cdn edge")
        assert "CLOUDFLARE_API_TOKEN" in missing.found
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "sentinel-cloudflare-token")
        result = looked(world, settings)
    login = found(result, "credentials", "cdn edge")
    assert (login.status.value, said in login.found) == (state, True), login
    assert "sentinel" not in repr(result)


GEOIP = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City"]
url = "{url}"
daily_downloads = 12

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""


def test_a_geoip_account_is_looked_at_and_no_download_is_spent(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, then there, then with its quota spent as the spool remembers; the vendor is sent no request."""
    with socket.create_server(("127.0.0.1", 0)) as vendor:
        world.write("jobs/geoip.toml", GEOIP.format(url=f"http://127.0.0.1:{vendor.getsockname()[1]}"))
        try:
            missing = looked(world, SETTINGS)
            assert found(missing, "credentials", "geoip").status is Status.FAIL
            assert "MAXMIND_ACCOUNT_ID" in found(missing, "credentials", "geoip").found
            monkeypatch.setenv("MAXMIND_ACCOUNT_ID", "424242")
            monkeypatch.setenv("MAXMIND_LICENSE_KEY", "sentinel-license-key")
            fresh = looked(world, SETTINGS)
            assert "0 of 12 downloads used" in found(fresh, "geoip").found
            assert found(fresh, "source", "geoip").found == "127.0.0.1 answers over IPv4"
            memory = world.root / "spool" / "memory-maxmind"
            assert not memory.exists()
            ledger = Downloads(memory, "424242", "127.0.0.1", per_day=12)
            for number in range(10):
                ledger.begin(f"release {number}", datetime.now(UTC), forced=False)
            spent = looked(world, SETTINGS, network=False)
            assert found(spent, "geoip").status is Status.WARN
            assert "10 of 12 downloads used in 24 hours; none before" in found(spent, "geoip").found
            assert "sentinel" not in repr((missing, fresh, spent))
            vendor.settimeout(60)
            connection, _ = vendor.accept()
            connection.settimeout(60)
            assert connection.recv(100) == b""  # it was opened and closed, and nothing was asked
            connection.close()
        finally:
            (world.root / "jobs" / "geoip.toml").unlink()


def test_a_signing_key_is_opened_and_another_ones_is_told(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The key of the settings opens; none, or another, is told, and nothing of it is shown."""
    ours, other = (Minisign.generate(tmp_path, name) for name in ("ours", "other"))
    settings = SETTINGS + f'\n[sign]\npublic_key = "{ours.line}"\n'
    missing = looked(world, settings, network=False)
    assert found(missing, "signing").status is Status.FAIL
    assert "HUBDATA_SIGNING_KEY" in found(missing, "signing").found
    for pair, status in ((ours, Status.OK), (other, Status.FAIL)):
        monkeypatch.setenv("HUBDATA_SIGNING_KEY_FILE", str(pair.secret))
        assert found(looked(world, settings, network=False), "signing").status is status


def test_a_webhook_and_the_workers_secrets_are_looked_at(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not set, not usable, too short: each is told by its variable."""
    more = '\n[notify]\nurl_env = "MY_HOOK"\n\n[http]\nlisten = "127.0.0.1:0"\n'
    more += '[http.github]\nrepository = "a/b"\nref = "main"\njobs = ["lists"]\n'
    result = looked(world, SETTINGS + more, network=False)
    assert found(result, "notify").status is Status.FAIL
    assert found(result, "http", "TOKEN").status is Status.WARN
    assert found(result, "http", "GITHUB").status is Status.FAIL
    monkeypatch.setenv("MY_HOOK", "http://hooks.example.net/sentinel")
    monkeypatch.setenv("HUBDATA_HTTP_TOKEN", "a" * 32)
    monkeypatch.setenv("HUBDATA_GITHUB_SECRET", "b" * 32)
    result = looked(world, SETTINGS + more, network=False)
    assert "in the clear" in found(result, "notify").found
    assert "sentinel" not in repr(result)
    assert {check.status for check in result.checks if check.name == "http"} == {Status.OK}
    assert result.exit_code is Exit.CONFIG


def test_a_job_that_there_is_not_is_a_usage_error(world: SmallWorld) -> None:
    """As for every other command."""
    world.write("hubdata.toml", SETTINGS)
    with pytest.raises(ConfigError) as caught:
        doctor(Choices(config=world.root / "hubdata.toml", jobs=("lsits",)))
    assert caught.value.advice == "did you mean `lists`?"
