"""`hubdata doctor` against real servers: it finds what is wrong, says what to mend, and is done soon whatever hangs."""

import json
import os
import pwd
import re
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hubdata.app import Choices
from hubdata.asking.doctoring import doctor
from hubdata.doctor import machine, upstreams
from hubdata.doctor.catalogue import CHECKS, About
from hubdata.errors import ConfigError, Exit
from hubdata.model.checkup import Check, Checkup, Status
from tests.support.command import hubdata
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.public_server import PublicServer
from tests.support.small_world import SETTINGS, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, StrictS3

S3 = """\
jobs = "jobs"
spool = "spool"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""
LOGIN = (*CREDENTIALS, "CLOUDFLARE_API_TOKEN", "HUBDATA_NOTIFY_URL", "HUBDATA_HTTP_TOKEN", "HUBDATA_GITHUB_SECRET")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give two jobs and a directory to publish into; tests write settings of their own."""
    return SmallWorld.create(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True)
def _clean(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOGIN:
        monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(world.root))
    monkeypatch.chdir(world.root)
    world.write("hubdata.toml", SETTINGS)


@pytest.fixture
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def looked(world: SmallWorld, settings: str = "", *, network: bool = True, write: bool = False) -> Checkup:
    """Return what the doctor finds with these settings."""
    if settings:
        world.write("hubdata.toml", settings)
    result = doctor(Choices(config=world.root / "hubdata.toml"), network=network, write=write)
    assert {check.name for check in result.checks} <= set(CHECKS)
    return result


def found(result: Checkup, name: str, subject: str = "") -> Check:
    """Return the one check of that name, whose subject holds the words."""
    (one,) = [check for check in result.checks if check.name == name and subject in check.subject]
    return one


def states(result: Checkup) -> dict[str, Status]:
    """Return the state of each check by name and subject."""
    return {f"{check.name} {check.subject}".rstrip(): check.status for check in result.checks}


def bad(result: Checkup) -> list[str]:
    """Return what fails."""
    return [f"{check.name}: {check.found}" for check in result.checks if check.status is Status.FAIL]


def test_a_world_in_good_order_has_nothing_to_mend(world: SmallWorld) -> None:
    """Every upstream and target is told; nothing was made or written."""
    result = looked(world)
    assert bad(result) == []
    assert result.exit_code is Exit.FINE
    assert (
        states(result).items()
        >= {
            "git": Status.OK,
            "settings": Status.OK,
            "source lists": Status.OK,
            "source words": Status.OK,
            "spool": Status.OK,
            "store mirror": Status.OK,
            "write mirror": Status.SKIPPED,
        }.items()
    )
    assert not (world.root / "mirror").exists()
    assert "master is " in found(result, "source", "lists").found


LISTED = """\
[source]
type = "http"
items_file = "../listed.json"

[[files]]
match = "*.txt"
kind = "cidr"
"""


def test_items_that_lie_in_a_file_are_looked_at_like_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their publishers are asked, a filter among them needs its extra, and a file that is not there is told."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    world.write("jobs/listed.toml", LISTED)
    result = looked(world, SETTINGS, network=False)
    missing = found(result, "settings", "listed")
    assert (missing.status, "listed.json" in missing.found) == (Status.FAIL, True)
    items = [
        {"name": host, "url": f"https://{host}/a.json", "output": f"{host}.txt", "jq_filter": ".[]"}
        for host in ("one.example", "two.example")
    ]
    world.write("listed.json", json.dumps(items))
    monkeypatch.setitem(machine.EXTRAS, "jq", ("no_such_module",))
    result = looked(world, network=False)
    asked = {name for name in states(result) if name.startswith("source ")}
    assert asked == {"source listed one.example", "source listed two.example"}
    extra = found(result, "extra", "jq")
    assert (extra.status, "job listed" in extra.found) == (Status.FAIL, True)


def test_a_mirror_that_demands_a_signature_needs_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library nothing of such an upstream could be believed."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
    source = f'type = "hub"\npath = "../hub"\nbase_url = "https://hub.example"\npublic_keys = ["{key}"]\n'
    world.write("jobs/listed.toml", re.sub(r'type = "http"\nitems_file.*\n', source, LISTED))
    monkeypatch.setitem(machine.EXTRAS, "sign", ("no_such_module",))
    extra = found(looked(world, SETTINGS, network=False), "extra", "sign")
    assert (extra.status, "job listed" in extra.found) == (Status.FAIL, True)


def test_whatever_is_wrong_is_told_with_what_to_do(world: SmallWorld) -> None:
    """A ref that there is not, a directory that is gone, a key misspelt: each is told beside all the others."""
    try:
        world.edit("jobs/lists.toml", 'ref = "master"', 'ref = "main"')
        world.edit("jobs/words.toml", "../data", "../dta")
        result = looked(world)
        assert "has no ref main" in found(result, "source", "lists").found
        assert found(result, "source", "words").status is Status.FAIL
        assert result.exit_code is Exit.SOURCE
        assert all(check.advice for check in result.checks if check.status is Status.FAIL)
        result = looked(world, SETTINGS.replace("spool =", "spol ="))
        assert found(result, "settings").advice == "did you mean `spool`?"
        assert result.exit_code is Exit.CONFIG
    finally:
        world.edit("jobs/lists.toml", 'ref = "main"', 'ref = "master"')
        world.edit("jobs/words.toml", "../dta", "../data")


@pytest.mark.parametrize(
    ("ref", "said"),
    [("master", "master is "), ("HEAD", "HEAD is "), ("refs/heads/master", "is "), ("0" * 40, "its host answers")],
)
def test_every_sort_of_ref_is_understood(world: SmallWorld, ref: str, said: str) -> None:
    """A branch, a full name, and a commit that only a fetch could find."""
    about = About("source", "lists")
    (check,) = upstreams.git(about, {"url": world.repo.url, "ref": ref}, os.environ)
    assert (check.status, said in check.found) == (Status.OK, True), check


@pytest.mark.parametrize("ref", ["aster", "main", "x/master", "refs/tags/master"])
def test_a_ref_that_there_is_not_is_told(world: SmallWorld, ref: str) -> None:
    """One whose name another one ends with, too: git lists that."""
    (check,) = upstreams.git(About("source", "lists"), {"url": world.repo.url, "ref": ref}, os.environ)
    assert check.status is Status.FAIL


def test_a_target_that_there_is_not_is_a_usage_error(world: SmallWorld) -> None:
    """As for every other command."""
    with pytest.raises(ConfigError) as caught:
        doctor(Choices(config=world.root / "hubdata.toml", targets=("mirrr",)))
    assert caught.value.advice == "did you mean `mirror`?"


@pytest.mark.usefixtures("_login")
def test_a_bucket_is_looked_at_and_with_write_tried(world: SmallWorld) -> None:
    """Reads alone by default; with `write` a throw-away object that is gone afterwards, and no lasting trace."""
    bucket = shared().bucket(versioned=True)
    settings = S3.format(bucket=bucket, url=shared().url)
    result = looked(world, settings)
    told = states(result)
    assert bad(result) == []
    assert told["credentials AWS"] is Status.OK
    assert found(result, "credentials").found == "from the environment, without an end that is known"
    assert [told[f"{name} aws"] for name in ("store", "read", "versions")] == [Status.OK] * 3
    assert [told[f"{name} aws"] for name in ("write", "conditions", "checksums")] == [Status.SKIPPED] * 3
    assert told["clock store aws"] is Status.OK
    client = shared().client("s3")
    assert client.list_object_versions(Bucket=bucket).get("Versions") is None

    result = looked(world, settings, write=True)
    assert bad(result) == []
    told = states(result)
    assert [told[f"{name} aws"] for name in ("write", "conditions")] == [Status.OK] * 2
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


@pytest.mark.usefixtures("_login")
def test_what_a_store_enforces_is_told_as_it_is(world: SmallWorld) -> None:
    """A strict store refuses what it must; of the lenient one that is told, and costs no exit code."""
    with StrictS3(versioned=True) as store:
        result = looked(world, S3.format(bucket=S3_BUCKET, url=store.url), write=True)
        told = states(result)
        assert [told[f"{name} aws"] for name in ("write", "conditions", "checksums")] == [Status.OK] * 3
        assert [key for key in store.objects if "doctor" in key] == []
    assert found(result, "versions").status is Status.OK


@pytest.mark.usefixtures("_login")
def test_a_bucket_that_there_is_not_and_a_login_that_is_none(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's own word, in ours; without a login that is what is told."""
    result = looked(world, S3.format(bucket="no-such-bucket-here", url=shared().url))
    assert "there is no such bucket" in found(result, "store").found
    assert result.exit_code is Exit.TARGET
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    result = looked(world)
    world.write("hubdata.toml", S3.format(bucket="b-b", url=shared().url))
    result = looked(world)
    assert found(result, "credentials").status is Status.FAIL
    assert "AWS_ACCESS_KEY_ID" in found(result, "credentials").advice
    assert result.exit_code is Exit.CONFIG


@pytest.mark.usefixtures("_login")
def test_no_secret_is_ever_shown(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of a login, nor of a webhook, nor of the worker, be it good or not."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sentinel-aws-secret-key")
    monkeypatch.setenv("HUBDATA_NOTIFY_URL", "https://hooks.example.net/services/sentinel-webhook-token")
    monkeypatch.setenv("HUBDATA_HTTP_TOKEN", "sentinel-token")
    settings = S3.format(bucket="b-b", url=shared().url) + '\n[notify]\n\n[http]\nlisten = "127.0.0.1:0"\n'
    result = looked(world, settings)
    assert "sentinel" not in repr(result)
    assert found(result, "notify").found.startswith("https://hooks.example.net, from HUBDATA_NOTIFY_URL")
    assert "too short" in found(result, "http", "TOKEN").found


@pytest.mark.usefixtures("_login")
def test_a_distribution_is_asked_what_it_says_of_itself(world: SmallWorld) -> None:
    """One with IPv6 switched off is to be mended; with `write` the right to invalidate is tried; a wrong id is told."""
    bucket = shared().bucket()
    distribution = shared().distribution(bucket)
    cdn = '\n[cdns.edge]\ntype = "cloudfront"\ndistribution_id = "{id}"\nendpoint_url = "{url}"\n'
    settings = S3.format(bucket=bucket, url=shared().url) + 'cdn = "edge"\n'
    result = looked(world, settings + cdn.format(id=distribution, url=shared().url), write=True)
    cdns = [check for check in result.checks if check.name == "cdn"]
    assert [check.status for check in cdns] == [Status.OK, Status.OK]
    assert "may ask for invalidations (tried)" in [check.found for check in cdns]
    assert found(result, "cdn-ipv6").status in (Status.OK, Status.FAIL)
    result = looked(world, settings + cdn.format(id="E0NOSUCH", url=shared().url))
    assert "there is no such distribution" in found(result, "cdn").found
    assert result.exit_code is Exit.CDN_PENDING


def test_readers_are_looked_at_over_each_family(world: SmallWorld, tmp_path: Path) -> None:
    """Addresses, a HEAD and the clock of both; a host without AAAA, and a root that is none, are told."""
    public = tmp_path / "public"
    public.mkdir()
    (public / "manifest.json").write_text("{}")
    with PublicServer(public) as server:
        port = server.urls[0].rstrip("/").rpartition(":")[2]
        verify = f'\n[verify]\nurl = "http://localhost:{port}"\n'
        result = looked(world, SETTINGS + verify)
        assert bad(result) == []
        told = {check.subject: check for check in result.checks if check.name in ("dns", "public", "clock")}
        assert told["AAAA localhost"].found == "::1"
        assert told["A localhost"].found == "127.0.0.1"
        for family in ("IPv4", "IPv6"):
            same = [c for c in result.checks if c.subject == f"{family} localhost"]
            assert [(c.name, c.status) for c in same] == [("public", Status.OK), ("clock", Status.OK)]
        lost = SETTINGS + f'\n[verify]\nurl = "http://127.0.0.1:{port}/data"\n'
        result = looked(world, lost)
        assert found(result, "dns", "AAAA").status is Status.FAIL
        assert "AAAA record" in found(result, "dns", "AAAA").advice
        assert found(result, "public", "IPv4").status is Status.WARN
        assert result.exit_code is Exit.CDN_PENDING


@pytest.fixture
def silent() -> Iterator[str]:
    """Give the URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def blackhole() -> Iterator[str]:
    """Give the URL of an address that swallows what is sent there: not even a connection comes about."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the kernel's queue is full then, and every further request to connect is dropped
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.usefixtures("_login")
@pytest.mark.parametrize("where", ["silent", "blackhole"])
def test_what_hangs_is_told_and_costs_a_few_seconds(
    world: SmallWorld, where: str, request: pytest.FixtureRequest
) -> None:
    """A store, a CDN and a public copy that never answer: all are told, side by side, and the rest is too."""
    url = request.getfixturevalue(where)
    settings = (
        S3.format(bucket="b-b", url=url)
        + f"""\
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "E1"
endpoint_url = "{url}"

[verify]
url = "{url}"
families = ["ipv4"]
"""
    )
    began = time.monotonic()
    result = looked(world, settings)
    assert time.monotonic() - began < 40
    for name in ("store", "cdn", "public"):
        check = found(result, name)
        assert check.status is Status.FAIL, check
        assert check.advice
    assert found(result, "git").status is Status.OK
    assert found(result, "source", "lists").status is Status.OK


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take the network away")
def test_with_a_dead_network_everything_is_told(world: SmallWorld) -> None:
    """No route and no resolver: each service is told as such, at once, and what lies on this machine is well."""
    world.write("hubdata.toml", S3.replace("endpoint_url", "# ") + '\n[verify]\nurl = "https://hub-data.example.net"\n')
    world.edit("hubdata.toml", "{bucket}", "hub-data")
    ended = hubdata(
        "doctor",
        "--format=json",
        cwd=world.root,
        env={**CREDENTIALS, "HOME": str(world.root)},
        within=("unshare", "--net"),
    )
    assert ended.code == 6, ended.stdout
    failed = {
        f"{check['name']} {check['subject']}": check for check in ended.json["checks"] if check["status"] == "fail"
    }
    assert failed.keys() == {"store aws", "dns A hub-data.example.net", "dns AAAA hub-data.example.net"}
    assert all(check["advice"] for check in failed.values())


def test_without_network_nothing_is_asked(world: SmallWorld, silent: str) -> None:
    """`--no-network` answers at once, and says what it did not look at."""
    settings = S3.format(bucket="b-b", url=silent) + f'\n[verify]\nurl = "{silent}"\n'
    result = looked(world, settings, network=False)
    for name in ("store", "public"):
        assert {c.status for c in result.checks if c.name == name} == {Status.SKIPPED}
    assert found(result, "source", "lists").status is Status.SKIPPED
    assert found(result, "source", "words").status is Status.OK
    assert result.exit_code is Exit.FINE


def test_a_spool_that_cannot_be_used_is_told(world: SmallWorld, tmp_path: Path) -> None:
    """One that is a file, and one that others may write to; nothing is left in a good one."""
    (tmp_path / "file").write_text("x")
    result = looked(world, SETTINGS.replace('"spool"', json.dumps(str(tmp_path / "file" / "below"))))
    assert found(result, "spool").status is Status.FAIL
    assert result.exit_code is Exit.CONFIG
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    result = looked(world, SETTINGS.replace('"spool"', json.dumps(str(tmp_path / "open"))))
    assert found(result, "spool").status is Status.WARN
    assert "chmod 700" in found(result, "spool").advice
    assert list((tmp_path / "open").iterdir()) == []
    assert not stat.S_ISREG((tmp_path / "open").stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_read_only_spool_without_a_home_is_told_to_another_user(world: SmallWorld) -> None:
    """Somebody who may write nowhere is told where; who may not even read the settings is told that."""
    nobody = pwd.getpwnam("nobody")
    become = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    with tempfile.TemporaryDirectory() as name:  # below pytest's own only its user may look
        root = Path(name)
        (root / "locked").mkdir(mode=0o755)
        (root / "jobs").mkdir(mode=0o755)
        (root / "jobs" / "words.toml").write_text((world.root / "jobs" / "words.toml").read_text())
        (root / "closed").mkdir(mode=0o700)
        (root / "hubdata.toml").write_text(SETTINGS.replace('"spool"', '"locked"').replace('"mirror"', '"closed/b"'))
        root.chmod(0o755)
        flags = ("doctor", "--no-network", "--format=json")
        ended = hubdata(*flags, cwd=root, env={"HOME": "/nonexistent"}, within=become)
        told = {check["name"]: check["found"] for check in ended.json["checks"] if check["status"] == "fail"}
        assert told["spool"] == f"{root}/locked cannot be written to: Permission denied"
        assert told["store"] == f"{root}/closed/b: Permission denied"
        assert ended.code == 2
        (root / "hubdata.toml").chmod(0o600)
        ended = hubdata(*flags, cwd=root, env={"HOME": "/nonexistent"}, within=become)
        assert ended.code == 2
        assert "cannot be read: Permission denied" in ended.stdout


def test_the_command_says_the_same_to_people_and_programs(world: SmallWorld) -> None:
    """A table and an object of the same checks; the codes agree, and `-q` says nothing when all is well."""
    text = hubdata("doctor", cwd=world.root)
    assert text.code == 0, text.stdout + text.stderr
    assert "ok    git " in text.stdout
    assert text.stdout.splitlines()[-1].endswith(" s")
    data = hubdata("doctor", "--format", "json", cwd=world.root)
    assert data.json.keys() == {"exit_code", "elapsed_s", "checks"}
    assert all(check.keys() == {"name", "subject", "status", "found", "advice"} for check in data.json["checks"])
    assert {check["status"] for check in data.json["checks"]} <= {"ok", "warn", "fail", "skipped"}
    quiet = hubdata("doctor", "-q", "--no-network", cwd=world.root)
    assert (quiet.code, quiet.stdout) == (0, "")
    wrong = hubdata("doctor", "--no-network", "--write", cwd=world.root)
    assert wrong.code == 2
