"""GeoIP databases that are none, and a vendor that misbehaves: the published databases stay, and lists go on."""

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support.maxmind_server import MaxmindServer
from tests.support.small_world import GOOD, HTML, NEW, SmallWorld, findings, problem

EDITIONS = ("GeoLite2-City", "GeoLite2-ASN")
GEOIP_JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City", "GeoLite2-ASN"]
url = "{url}"
prefix = "mmdb_update/"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
options = {{ max_age_days = 3650 }}
"""
KEYS = {edition: f"mmdb_update/{edition}.mmdb" for edition in EDITIONS}


def database(edition: str, built_at: int) -> bytes:
    """Return a small, sound database of an edition."""
    city = {"country": {"iso_code": "US"}}
    asn = {"autonomous_system_number": 15169, "autonomous_system_organization": "EXAMPLE"}
    return mmdb(edition, {ip_network("8.8.8.0/24"): city if "City" in edition else asn}, build_epoch=built_at)


@pytest.fixture
def vendor(small: SmallWorld, tmp_path: Path) -> Iterator[MaxmindServer]:
    """Give the vendor's server, whose two databases are published already."""
    now = int(time.time()) - 7200
    paths = {}
    for edition in EDITIONS:
        paths[edition] = tmp_path / f"{edition}.mmdb"
        paths[edition].write_bytes(database(edition, now))
    with MaxmindServer(paths) as server:
        small.write("jobs/geoip.toml", GEOIP_JOB.format(url=server.url))
        ended = small.sync("--job", "geoip", env=keys(server))
        assert ended.code == 0, ended.stdout + ended.stderr
        yield server


def keys(server: MaxmindServer, key: str = "") -> dict[str, str]:
    """Return the credentials of a server."""
    return {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": key or server.key}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(lambda good: good[: len(good) // 2], "mmdb", id="cut short"),
        pytest.param(lambda good: HTML * 20, "mmdb", id="HTML"),
        pytest.param(lambda good: b"", "mmdb", id="empty"),
        pytest.param(lambda good: bytes(100_000), "mmdb", id="zeros"),
        pytest.param(lambda good: database("GeoLite2-City", int(time.time())), "mmdb", id="City under ASN's name"),
        pytest.param(
            lambda good: database("GeoLite2-ASN", int(time.time()) + 90 * 86400), "mmdb", id="from the future"
        ),
        pytest.param(lambda good: database("GeoLite2-ASN", 1), "mmdb", id="from 1970"),
    ],
)
def test_a_database_that_is_none(
    small: SmallWorld, vendor: MaxmindServer, tmp_path: Path, body: Callable[[bytes], bytes], rule: str
) -> None:
    """It is refused or the vendor's answer is, the published one stays, and the other edition and all lists go on."""
    before = small.public()
    bad, fresh = tmp_path / "bad.mmdb", tmp_path / "fresh.mmdb"
    bad.write_bytes(body(before[KEYS["GeoLite2-ASN"]]))
    fresh.write_bytes(database("GeoLite2-City", int(time.time()) - 60))
    vendor.publish("GeoLite2-ASN", bad, date="2026-11-21")
    vendor.publish("GeoLite2-City", fresh, date="2026-11-21")
    small.repo.commit({GOOD: NEW})
    ended = small.sync(env=keys(vendor))
    assert ended.code in (3, 5), ended.stdout + ended.stderr
    if ended.code == 3:
        found = findings(ended, "geoip")
        assert {key for key, _, _ in found} == {KEYS["GeoLite2-ASN"]}
        assert all(name.startswith(rule) for _, _, name in found)
        assert small.public()[KEYS["GeoLite2-City"]] == fresh.read_bytes()
    else:
        problem(ended, "geoip", 5, "GeoLite2-ASN")
    assert small.public()[KEYS["GeoLite2-ASN"]] == before[KEYS["GeoLite2-ASN"]]
    assert small.public()[GOOD] == NEW


@pytest.mark.parametrize(
    ("endpoint", "fault", "words"),
    [
        pytest.param("metadata", {"status": 503, "headers": {"Retry-After": "0"}}, ("503",), id="503"),
        pytest.param("metadata", {"body": HTML}, (), id="HTML for metadata"),
        pytest.param("download", {"status": 429, "body": b"{}"}, ("429",), id="too many downloads"),
        pytest.param("object", {"body": HTML}, (), id="HTML for the archive"),
        pytest.param("object", {"cut": 100}, (), id="cut short"),
        pytest.param("object", {"reset": True}, (), id="hangs up"),
        pytest.param("download", {"headers": {"Location": "http://169.254.169.254/x"}}, (), id="a redirect inward"),
    ],
)
def test_a_vendor_that_misbehaves(
    small: SmallWorld,
    vendor: MaxmindServer,
    tmp_path: Path,
    endpoint: str,
    fault: dict[str, object],
    words: tuple[str, ...],
) -> None:
    """The GeoIP job fails with 5, says so in a line without any credential, and the published databases stay."""
    before = small.public()
    fresh = tmp_path / "fresh.mmdb"
    fresh.write_bytes(database("GeoLite2-ASN", int(time.time()) - 60))
    vendor.publish("GeoLite2-ASN", fresh, date="2026-11-21")
    vendor.fail(endpoint, **fault)
    small.repo.commit({GOOD: NEW})
    ended = small.sync(env=keys(vendor))
    problem(ended, "geoip", 5, *words)
    assert vendor.key not in ended.stdout + ended.stderr
    assert small.public() == {**before, GOOD: NEW}


def test_a_key_that_the_vendor_does_not_know(small: SmallWorld, vendor: MaxmindServer) -> None:
    """A wrong licence key ends with a line that names the variables and never the key."""
    ended = small.sync("--job", "geoip", env=keys(vendor, "sentinel-wrong-key"))
    assert ended.code in (2, 5)
    problem(ended, "geoip", ended.code, "MAXMIND_LICENSE_KEY")
    assert "sentinel-wrong-key" not in ended.stdout + ended.stderr
