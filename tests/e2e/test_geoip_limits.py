"""GeoIP databases that are sound and yet too different from the published one: held, and let out by their plan's id."""

import json
import time
from ipaddress import ip_network
from typing import Any

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support.small_world import SmallWorld, findings

KEY = "mmdb_update/GeoLite2-City.mmdb"
JOB = """\
[source]
type = "directory"
path = "../vendor"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
options = { edition = "GeoLite2-City", languages = ["en"], ip_version = 6 }
limits = { min_entries = 4, max_change = 0.2 }

[[canaries]]
ip = "20.0.0.1"
edition = "GeoLite2-City"
expect = { "country.iso_code" = "US" }
"""
PUBLISHED_AT = int(time.time()) - 7200


def city(networks: int, length: int = 24, *, built: int = PUBLISHED_AT + 60, country: str = "US") -> bytes:
    """Return a City database of so many IPv4 networks of one length."""
    record: dict[str, Any] = {"country": {"iso_code": country}}
    return mmdb(
        "GeoLite2-City", {ip_network(f"20.0.{n}.0/{length}"): record for n in range(networks)}, build_epoch=built
    )


@pytest.fixture
def world(small: SmallWorld) -> SmallWorld:
    """Give a world that has published a database of ten networks."""
    small.write("jobs/geoip.toml", JOB)
    small.write(f"vendor/{KEY}", city(10, built=PUBLISHED_AT))
    ended = small.sync("--job", "geoip")
    assert ended.code == 0, ended.stdout + ended.stderr
    return small


def test_what_a_database_covers_is_in_the_manifest(world: SmallWorld) -> None:
    """Networks with a record, and how much of each address space they are."""
    manifest = json.loads(world.mirror_files()["manifest.json"])
    assert manifest["files"][KEY]["stats"] == {
        "entries": 10,
        "ipv4_addresses": 2560,
        "ipv6_64s": 0,
        "build_epoch": PUBLISHED_AT,
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(city(7), "entries go from 10 to 7", id="networks lost"),
        pytest.param(city(10, 25), "IPv4 addresses go from 2,560 to 1,280", id="half of each network lost"),
        pytest.param(city(13), "entries go from 10 to 13", id="networks gained"),
        pytest.param(city(10, built=PUBLISHED_AT - 60), "built at", id="older"),
    ],
)
def test_a_database_that_moved_too_far_is_held_until_its_plan_is_approved(
    world: SmallWorld, body: bytes, said: str
) -> None:
    """What is public stays, the code is 4; with the plan's id exactly that database goes out."""
    before = world.public()
    world.write(f"vendor/{KEY}", body)
    held = world.sync("--job", "geoip")
    assert held.code == 4, held.stdout
    assert any(said in finding["message"] for finding in held.job("geoip")["findings"])
    assert world.public() == before
    (target,) = held.job("geoip")["targets"]
    approved = world.sync("--job", "geoip", "--approve", target["plan_id"])
    assert approved.code == 0, approved.stdout
    assert world.public()[KEY] == body


def test_a_small_move_goes_out_by_itself(world: SmallWorld) -> None:
    """One network in ten is what releases do."""
    world.write(f"vendor/{KEY}", city(9))
    assert world.sync("--job", "geoip").code == 0
    assert world.public()[KEY] == city(9)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(city(3), "limits.min-entries", id="fewer than any release has"),
        pytest.param(city(10, country="DE"), "mmdb.canary", id="everything is elsewhere"),
    ],
)
def test_a_database_that_no_approval_should_let_out_is_refused(world: SmallWorld, body: bytes, rule: str) -> None:
    """What the job file says of the file itself, only the job file takes back: the code is 3."""
    before = world.public()
    world.write(f"vendor/{KEY}", body)
    ended = world.sync("--job", "geoip")
    assert ended.code == 3, ended.stdout
    assert rule in {found for _, _, found in findings(ended, "geoip")}
    assert world.public() == before
