"""deploy/docker: its settings, its bucket and its nginx are run as they are, with Debian's programs for containers."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.support.command import Ended, hubdata
from tests.support.nginx import needs_nginx
from tests.support.ports import own_port
from tests.support.real import SEC_LISTS, needs_real
from tests.support.stack import BUCKET, DOCKER, Stack, stack

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((DOCKER / "compose.yml").read_text())
GEOIP = yaml.safe_load((DOCKER / "compose.geoip.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
ADDRESSES = {"ipv4": "127.0.0.1", "ipv6": "::1"}


def keys() -> dict[str, str]:
    """Return the worker's environment, without what is somewhere else here."""
    told = SERVICES["worker"]["environment"]
    return {name: value for name, value in told.items() if not name.startswith("HUBDATA_")}


def run(there: Stack, *arguments: str) -> Ended:
    """Return what hubdata said with the worker's own settings."""
    return hubdata(*arguments, cwd=there.home, env={**keys(), **there.places, "HUBDATA_CHECKOUT": str(SEC_LISTS)})


def ask(there: Stack, family: str, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a request to the stand-in over one family."""
    connection = http.client.HTTPConnection(ADDRESSES[family], urlsplit(there.url).port or 0, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the stack after the worker's jobs have run once."""
    with stack(tmp_path_factory.mktemp("stack")) as there:
        arguments = list(SERVICES["worker"]["command"])
        assert arguments[0] == "sync"
        ended = run(there, "sync", "--once", "--format", "json", *arguments[1:])
        assert ended.code == 0, ended.stdout + ended.stderr
        assert {job["outcome"] for job in ended.json["jobs"]} == {"published"}
        yield there


@needs_nginx
@needs_real
def test_the_worker_publishes_and_readers_of_both_families_have_it(published: Stack) -> None:
    """With the mounted settings: the run verified the public copy itself, and `hubdata verify` does so again."""
    ended = run(published, "verify", "--format", "json")
    assert ended.code == 0, ended.stdout + ended.stderr
    families = {each["family"]: each for each in ended.json["families"]}
    assert families.keys() == {"ipv4", "ipv6"}
    manifest = json.loads(published.store.objects(BUCKET)["manifest.json"])
    assert len(manifest["files"]) > 100
    again = run(published, "sync", "--once", "--format", "json", *SERVICES["worker"]["command"][1:])
    assert {job["outcome"] for job in again.json["jobs"]} == {"unchanged"}


@needs_nginx
@needs_real
def test_the_worker_is_healthy_once_its_jobs_are_fresh(published: Stack) -> None:
    """Its command and its health check as they stand but for the port; it ends with 0 on the image's signal."""
    port = own_port()
    check = [word.replace(":8081", f":{port}") for word in SERVICES["worker"]["healthcheck"]["test"]]
    assert check[:2] == ["CMD", "python"]
    assert check[3] != SERVICES["worker"]["healthcheck"]["test"][3]
    env = {**keys(), **published.places, "HUBDATA_CHECKOUT": str(SEC_LISTS), "HUBDATA_HTTP_LISTEN": f":{port}"}
    argv = [sys.executable, "-m", "hubdata", *SERVICES["worker"]["command"]]
    with (published.home / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            argv, cwd=published.home, env={"PATH": os.environ["PATH"], **env}, stderr=log, stdout=log
        )
    try:
        until = time.monotonic() + 60
        while subprocess.run([sys.executable, *check[2:]], capture_output=True, check=False, timeout=30).returncode:
            assert time.monotonic() < until, (published.home / "worker.log").read_text()
        (name,) = re.findall(r"^STOPSIGNAL (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        worker.send_signal(signal.Signals[name])
        assert worker.wait(float(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))) == 0
    finally:
        worker.kill()
        worker.wait()


@needs_nginx
@needs_real
@pytest.mark.parametrize("family", ADDRESSES)
def test_readers_get_what_is_public_and_nothing_else(published: Stack, family: str) -> None:
    """Files and pages, whole, by range and by HEAD; no private record however it is spelt; nothing is written."""
    status, headers, body = ask(published, family, "GET", "/manifest.json")
    assert (status, json.loads(body)["schema"]) == (200, 1)
    assert "last-modified" in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert not [name for name in headers if name.startswith(("x-amz-version", "x-amzn"))]
    assert ask(published, family, "HEAD", "/manifest.json")[1]["content-length"] == str(len(body))
    assert ask(published, family, "GET", "/manifest.json", Range="bytes=0-9")[::2] == (206, body[:10])
    assert ask(published, family, "GET", "/")[::2] == ask(published, family, "GET", "/index.html")[::2]
    private = ("/.hubdata/lease.json", "/%2Ehubdata/lease.json", "//.hubdata/lease.json", "/a/../.hubdata/lease.json")
    assert any(key.startswith(".hubdata/") for key in published.store.objects(BUCKET))
    for path in (*private, "/.HUBDATA/lease.json", "/.hubdata", "/absent.txt"):
        assert ask(published, family, "GET", path)[0] == 404, path
    assert "max-age=5" in ask(published, family, "GET", "/absent.txt")[1]["cache-control"]
    for method in ("PUT", "POST", "DELETE"):
        assert ask(published, family, method, "/manifest.json")[0] == 405
    assert ask(published, family, "GET", "/manifest.json", Authorization="AWS nobody:nothing")[0] == 200


def test_containers_may_do_no_more_than_they_must() -> None:
    """Read-only, without capabilities or new privileges, nobody as root; only this machine reaches the stand-in."""
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(mount.endswith(":ro") or mount.startswith("state:") for mount in service.get("volumes", ())), name
        assert all(re.match(r"127\.0\.0\.1:|\[::1\]:", port) for port in service.get("ports", ())), name
    assert SERVICES["cdn"]["ports"] == ["127.0.0.1:8080:8080", "[::1]:8080:8080"]
    assert SERVICES["cdn"]["image"].startswith("nginxinc/nginx-unprivileged:")
    assert all(SERVICES[name]["user"] == "65534:65534" for name in ("store", "bucket"))
    assert re.search(r"^USER 10001:10001$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert all(network["enable_ipv6"] for network in COMPOSE["networks"].values())


def test_mounted_files_exist_and_hold_no_secret() -> None:
    """Credentials of the vendor come from files outside the repository; the store's keys are any."""
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            assert mount.startswith("state:") or (DOCKER / mount.split(":")[0]).is_file()
    assert {SERVICES[name]["environment"]["AWS_SECRET_ACCESS_KEY"] for name in ("worker", "bucket")} == {"any"}
    assert all(secret["file"].startswith("${MAXMIND_DIR:?") for secret in GEOIP["secrets"].values())
    assert set(GEOIP["services"]["worker"]["secrets"]) == GEOIP["secrets"].keys()
    told = GEOIP["services"]["worker"]["environment"]
    assert {Path(path).name for path in told.values()} == GEOIP["secrets"].keys()


def test_the_volume_is_a_directory_that_the_image_has() -> None:
    """A new volume has the owner of what it covers; over a directory that the image lacks it would be root's."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    (home,) = re.findall(r"--create-home --home-dir (\S+)", dockerfile)
    assert f"state:{home}" in SERVICES["worker"]["volumes"]
    assert Path(re.findall(r"HUBDATA_SPOOL=(\S+)", dockerfile)[0]).is_relative_to(home)
    assert tomllib.loads((DOCKER / "hubdata.toml").read_text())["spool"].startswith(f"{home}/")


def test_services_name_what_there_is() -> None:
    """Dependencies, networks and volumes exist; who only prepares something is waited for by somebody who stays."""
    waited = {name: on for service in SERVICES.values() for name, on in service.get("depends_on", {}).items()}
    assert waited.keys() <= SERVICES.keys()
    once = {name for name, service in SERVICES.items() if service["restart"] == "no"}
    assert {name for name, on in waited.items() if on["condition"] == "service_completed_successfully"} == once
    assert all("healthcheck" in SERVICES[n] for n, on in waited.items() if on["condition"] == "service_healthy")
    assert {network for service in SERVICES.values() for network in service["networks"]} == COMPOSE["networks"].keys()
    named = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())}
    assert {name for name in named if not name.startswith("./")} == COMPOSE["volumes"].keys()


def test_the_store_is_the_version_that_is_tested_here() -> None:
    """The image's moto and the tests' are of one minor version."""
    pinned = re.search(r"^moto==(\d+\.\d+)\.", (ROOT / "requirements" / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    images = {SERVICES[name]["image"] for name in ("store", "bucket")}
    assert len(images) == 1
    assert images.pop().startswith(f"motoserver/moto:{pinned[1]}.")
