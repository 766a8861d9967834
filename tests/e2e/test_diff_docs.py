"""docs/diff.md tells the truth: every command in it works as it stands, and its example says what it shows."""

import os
import re
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.plugins import KINDS
from tests.support.moto_server import shared
from tests.support.repos import Repo
from tests.support.small_world import GOOD, NEW, SETTINGS, SmallWorld

DOCS = (Path(__file__).parents[2] / "docs" / "diff.md").read_text()
COMMANDS = re.findall(r"^\$ (hubdata .+)$", DOCS, re.MULTILINE)
AWS = """
[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory with all that the page speaks of: settings, targets, a clone with a change, files, databases."""
    cloud = shared()
    small = SmallWorld.create(tmp_path_factory.mktemp("docs"))
    small.write("hubdata.toml", SETTINGS + AWS.format(bucket=cloud.bucket(versioned=True), url=cloud.url))
    assert small.sync(env=cloud.env).code == 0
    small.repo.commit({GOOD: NEW})
    assert small.sync(env=cloud.env).code == 0
    small.repo.git("clone", "--quiet", str(small.repo.path), str(small.root / "checkout"))
    Repo(small.root / "checkout").write({GOOD: b"104.16.0.0/16\n"})
    small.write("old.txt", "8.8.8.0/24\n9.9.9.0/24\n")
    small.write("new.txt", "9.9.9.0/25\n8.8.8.128/25\n104.16.0.0/16\n8.8.8.0/25\n")
    for name, code in (("old", "DE"), ("new", "FR")):
        rows = {ip_network("8.8.8.0/24"): {"country": {"iso_code": code}}}
        path = small.root / f"{name}.mmdb"
        path.write_bytes(mmdb("GeoLite2-City", rows, build_epoch=1))
    record = {"autonomous_system_number": 13335, "autonomous_system_organization": "CLOUDFLARENET"}
    small.write("geoip/GeoLite2-ASN.mmdb", mmdb("GeoLite2-ASN", {ip_network("104.16.0.0/13"): record}, build_epoch=1))
    return small.root


def _run(command: str, cwd: Path) -> str:
    line = re.sub(r"^hubdata", f"{sys.executable} -m hubdata", command)
    environment = {**shared().env, "HOME": str(cwd), "PATH": os.environ["PATH"], "COLUMNS": "120"}
    ended = subprocess.run(
        ["bash", "-c", line], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def _untimed(text: str) -> str:
    return re.sub(r"in [\d.]+ s$", "in T s", text.strip())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works_as_it_stands(workspace: Path, command: str) -> None:
    """Typed into a shell, each ends well."""
    out = _run(command, workspace)
    if "> " in command:
        assert (workspace / command.rpartition("> ")[2]).read_text()
    elif "--geoip" in command:
        assert "+ 104.16.0.0/16  AS13335 CLOUDFLARENET" in out
    else:
        assert out


def test_the_example_shows_what_the_command_says(workspace: Path) -> None:
    """Word for word, but for the time it took."""
    shown = re.findall(r"^```text\n(.+?)^```", DOCS, re.MULTILINE | re.DOTALL)[0]
    said = _run(COMMANDS[0], workspace)
    assert _untimed(said) == _untimed(shown)


def test_every_kind_is_in_the_table() -> None:
    """Whoever adds a kind says what is equal there."""
    rows = re.findall(r"^\| ([a-z, -]+) \| ", DOCS, re.MULTILINE)
    told = {kind for row in rows for kind in row.split(", ")} - {"kind"}
    assert told == set(KINDS)
