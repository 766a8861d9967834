"""docs/geoip.md tells the truth: its commands work as they stand, and all that it names exists."""

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.schema import json_schema
from hubdata.demo.mmdb_writer import mmdb
from hubdata.errors import Exit
from hubdata.kinds.mmdb import MmdbKind
from hubdata.model.job import Limits
from hubdata.plugins import SOURCES
from hubdata.publishing.retention import MOST
from hubdata.rules import BY_ID
from hubdata.sources.maxmind.options import MaxmindOptions
from hubdata.targets.s3 import bucket
from tests.support.command import hubdata
from tests.support.maxmind_server import MaxmindServer
from tests.support.small_world import SmallWorld

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "geoip.md").read_text()
COMMANDS = re.findall(r"^\$ (hubdata .+)$", PAGE, re.MULTILINE)
WORDS = set(re.findall(r"`([^`\n]+)`", PAGE))
EDITIONS = ("GeoLite2-City", "GeoLite2-ASN")
JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City", "GeoLite2-ASN"]
url = "{url}"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
limits = {{ max_change = 100.0 }}
"""


def database(edition: str, *, days_old: int) -> bytes:
    """Return a small, sound database of an edition."""
    record: dict[str, object] = {"country": {"iso_code": "US"}}
    if edition.endswith("ASN"):
        record = {"autonomous_system_number": 15169, "autonomous_system_organization": "EXAMPLE"}
    return mmdb(edition, {ip_network("8.8.8.0/24"): record}, build_epoch=int(time.time()) - days_old * 86400)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Give a directory with what the page speaks of, its vendor, and the credentials."""
    small = SmallWorld.create(tmp_path_factory.mktemp("docs"))
    paths = {edition: small.root / f"{edition}.mmdb" for edition in EDITIONS}
    for edition, path in paths.items():
        path.write_bytes(database(edition, days_old=2))
    small.write("new/GeoLite2-ASN.mmdb", database("GeoLite2-ASN", days_old=1))
    with MaxmindServer(paths) as server:
        small.write("jobs/geoip.toml", JOB.format(url=server.url))
        yield small.root, {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}


def test_every_command_works_as_it_stands_in_this_order(workspace: tuple[Path, dict[str, str]]) -> None:
    """Typed into a shell one after the other, each ends well and says something."""
    root, credentials = workspace
    environment = {"HOME": str(root), "PATH": os.environ["PATH"], "COLUMNS": "120", **credentials}
    assert len(COMMANDS) >= 7
    said = {}
    for command in COMMANDS:
        line = re.sub(r"^hubdata", f"{sys.executable} -m hubdata", command)
        ended = subprocess.run(
            ["bash", "-c", line], cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        said[command] = ended.stdout
    assert "Would publish 2 files" in said["hubdata geoip refresh --dry-run"]
    assert "published" in said["hubdata geoip refresh"]
    assert "US" in said["hubdata geoip lookup 8.8.8.8"]
    only = said["hubdata geoip refresh --edition GeoLite2-ASN"]
    assert "GeoLite2-ASN" in only
    assert "unchanged" in only
    assert "GeoLite2-City" not in only
    assert said["hubdata geoip refresh --force"].count(" published") >= 2


def test_every_flag_exists() -> None:
    """Of the commands below `geoip`, but for `--once`, which is sync's."""
    helped = "".join(hubdata("geoip", name, "--help", cwd=ROOT).stdout for name in ("refresh", "verify", "lookup"))
    flags = {flag for word in WORDS for flag in re.findall(r"--[a-z][a-z-]+", word)} - {"--once"}
    assert flags >= {"--edition", "--force", "--job", "--allow-rollback", "--format"}
    assert {flag for flag in flags if flag not in helped} == set()


def test_every_rule_exists_and_does_what_the_page_says() -> None:
    """A rule that was renamed would leave its reader with nothing to look up."""
    named = {word for word in WORDS if re.fullmatch(r"(mmdb|limits)\.[a-z-]+", word)}
    assert len(named) >= 8
    assert named <= set(BY_ID)


def test_every_key_of_the_job_file_exists() -> None:
    """Those of the source, of the kind's options, of limits, and the retention."""
    snake = {word for word in WORDS if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", word)}
    fields = {*MaxmindOptions.model_fields, *MmdbKind.Options.model_fields, *Limits.__dataclass_fields__}
    assert snake - fields == {"build_epoch"}
    (example,) = re.findall(r"^```toml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    schema: dict[str, Any] = json_schema()["job"]
    days = schema["$defs"]["RetentionTable"]["properties"]
    assert set(tomllib.loads(example)["retention"]) == set(days)
    assert f"At most {MOST} in one run" in PAGE


def test_every_exit_code_is_told_but_the_bug() -> None:
    """The table has each code that a refresh ends with."""
    told = {int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)}
    assert told == {int(code) for code in Exit} - {int(Exit.BUG)}


def test_every_source_and_permission_exists() -> None:
    """The vendors' words are those of `[source]`; the IAM actions are those that errors ask for."""
    assert {"dbip", "ipinfo", "url", "file"} <= WORDS & set(SOURCES)
    asked = " ".join(bucket._PERMISSIONS.values())
    actions = {word for word in WORDS if word.startswith("s3:")}
    assert actions == {"s3:ListBucketVersions", "s3:DeleteObjectVersion"}
    assert all(action in asked for action in actions)


def test_every_link_leads_somewhere() -> None:
    """Files beside the page, and headings in them."""
    for path, anchor in re.findall(r"\]\(([^)#:]*)(?:#([a-z-]+))?\)", PAGE):
        target = ROOT / "docs" / path if path else ROOT / "docs" / "geoip.md"
        assert target.exists(), path
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if target.is_file() else []
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_the_built_in_job_is_as_described() -> None:
    """Editions, schedule and the exact type."""
    job = tomllib.loads((ROOT / "jobs" / "geoip.toml").read_text())
    assert job["source"]["editions"] == list(EDITIONS)
    assert f'schedule = "{job["schedule"]}"' in WORDS
    assert {file["options"]["edition"] for file in job["files"]} == set(EDITIONS)
