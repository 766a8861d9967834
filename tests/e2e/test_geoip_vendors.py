"""The example jobs of every vendor, run as they stand: published once, and then nothing but one small question."""

import gzip
import hashlib
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.clock import SystemClock
from hubdata.demo.mmdb_writer import mmdb
from hubdata.sources.dbip import months
from tests.support.command import Ended, hubdata
from tests.support.dbip_server import DbipServer
from tests.support.faulty_server import PAGE, FaultyServer
from tests.support.ipinfo_server import SIGNATURE, IpinfoServer
from tests.support.small_world import findings, problem
from tests.support.url_server import UrlServer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "jobs"
TOKEN = "sentinel-ipinfo-token"
CITY = {"country": {"iso_code": "US"}}
ASN = {"autonomous_system_number": 15169, "autonomous_system_organization": "EXAMPLE"}
FLAT = {"country_code": "US", "country": "United States", "asn": "AS15169", "as_name": "EXAMPLE"}
TYPES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "dbip-city-lite": ("DBIP-City-Lite", CITY),
    "dbip-asn-lite": ("DBIP-ASN-Lite (compat=GeoLite2-ASN)", ASN),
    "ipinfo_lite": ("ipinfo bundle_location_lite.mmdb", FLAT),
    "own-city": ("Own-City", CITY),
    "GeoIP2-City": ("GeoIP2-City", CITY),
}
HOUR = 3600


def database(name: str, *, hours_old: float = 24) -> bytes:
    """Return a small, sound database as the vendor would make it."""
    database_type, record = TYPES[name]
    built = int(time.time() - hours_old * HOUR)
    return mmdb(database_type, {ip_network("8.8.8.0/24"): record}, build_epoch=built)


@dataclass(slots=True)
class Vendor:
    """One example and the upstream it is run against.

    `release` makes newer databases current there, `spoil` has the upstream answer with pages for people.
    """

    example: str
    names: tuple[str, ...]
    unchanged: list[str]
    job: str
    release: Callable[[], None]
    spoil: Callable[[], None]
    server: FaultyServer | None = None

    @property
    def keys(self) -> list[str]:
        """Return the keys it publishes, in order."""
        return sorted(f"mmdb_update/{name}.mmdb" for name in self.names)


def _edited(example: str, *edits: tuple[str, str]) -> str:
    text = (EXAMPLES / f"{example}.toml").read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def dbip(root: Path) -> Iterator[Vendor]:
    """DB-IP, in the middle of a month."""
    names = ("dbip-city-lite", "dbip-asn-lite")
    with DbipServer() as server:
        month, _ = months(SystemClock().now())

        def release(hours_old: float = 1) -> None:
            for name in names:
                server.publish(name, month, database(name, hours_old=hours_old))

        release(24)
        job = _edited("geoip-dbip", ('type = "dbip"\n', f'type = "dbip"\nurl = "{server.url}"\n'))
        yield Vendor("geoip-dbip", names, ["file"] * 2, job, release, lambda: server.fail("file", body=PAGE), server)


@contextmanager
def ipinfo(root: Path) -> Iterator[Vendor]:
    """IPinfo, with a token."""
    with IpinfoServer({"ipinfo_lite": database("ipinfo_lite")}, token=TOKEN) as server:

        def release() -> None:
            server.databases["ipinfo_lite"] = database("ipinfo_lite", hours_old=1)

        job = _edited("geoip-ipinfo", ('type = "ipinfo"\n', f'type = "ipinfo"\nurl = "{server.url}"\n'))
        names = ("ipinfo_lite",)
        spoil = lambda: server.fail("object", body=PAGE)  # noqa: E731
        yield Vendor("geoip-ipinfo", names, ["checksums"], job, release, spoil, server)


@contextmanager
def url(root: Path) -> Iterator[Vendor]:
    """Any web server."""
    file = "/geoip/own-city.mmdb.gz"
    with UrlServer({}) as server:

        def release(hours_old: float = 1) -> None:
            packed = gzip.compress(database("own-city", hours_old=hours_old))
            server.files[file] = packed
            server.files[file + ".sha256"] = f"{hashlib.sha256(packed).hexdigest()}  own-city.mmdb.gz\n".encode()

        release(24)
        job = _edited("geoip-url", ("https://mirror.example.net", server.origin))
        spoil = lambda: server.fail(file, body=PAGE)  # noqa: E731
        yield Vendor("geoip-url", ("own-city",), [file + ".sha256"], job, release, spoil, server)


@contextmanager
def file(root: Path) -> Iterator[Vendor]:
    """A file that something else writes."""
    path = root / "brought" / "GeoIP2-City.mmdb"
    path.parent.mkdir(parents=True)
    path.write_bytes(database("GeoIP2-City"))

    def release() -> None:
        path.write_bytes(database("GeoIP2-City", hours_old=1))

    job = _edited("geoip-file", ("/var/lib/GeoIP/GeoIP2-City.mmdb", "../brought/GeoIP2-City.mmdb"))
    yield Vendor(
        "geoip-file",
        ("GeoIP2-City",),
        [],
        job,
        release,
        path.unlink,
    )


VENDORS = {"dbip": dbip, "ipinfo": ipinfo, "url": url, "file": file}


class World:
    """One job, published into a directory, every run a process of its own."""

    def __init__(self, root: Path, vendor: Vendor) -> None:
        self.root = root
        self.vendor = vendor
        (root / "jobs").mkdir()
        (root / "jobs" / f"{vendor.example}.toml").write_text(vendor.job)
        settings = 'jobs = "jobs"\nspool = "spool"\n[targets.mirror]\ntype = "directory"\npath = "mirror"\n'
        (root / "hubdata.toml").write_text(settings)

    def run(self, *arguments: str, alone: bool = False) -> Ended:
        """Return what one process said; no secret may be in it, nor in anything that was published or left."""
        if self.vendor.server is not None:
            self.vendor.server.requests.clear()
            self.vendor.server.endpoints.clear()
        ended = hubdata(*arguments, cwd=self.root, env={"IPINFO_TOKEN": TOKEN}, alone=alone)
        told = ended.stdout + ended.stderr
        assert "Traceback" not in told, told
        stored = b"".join(path.read_bytes() for path in self.root.rglob("*") if path.is_file())
        for secret in (TOKEN, SIGNATURE):
            assert secret not in told
            assert secret.encode() not in stored
        return ended

    def sync(self, *flags: str, alone: bool = False) -> Ended:
        """Run `sync --once`."""
        return self.run("sync", "--once", "--format=json", "-vv", *flags, alone=alone)

    def asked(self) -> list[str]:
        """Return the endpoints that the last run asked."""
        return [] if self.vendor.server is None else list(self.vendor.server.endpoints)

    def public(self) -> dict[str, bytes]:
        """Return the published databases."""
        mirror = self.root / "mirror"
        return {path.relative_to(mirror).as_posix(): path.read_bytes() for path in mirror.rglob("*.mmdb")}


@pytest.fixture(params=sorted(VENDORS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world with one vendor's example job in it."""
    with VENDORS[request.param](tmp_path) as vendor:
        yield World(tmp_path, vendor)


def test_an_example_publishes_then_costs_one_small_request_then_publishes_again(world: World) -> None:
    """The first run publishes, the second finds nothing changed, the third publishes what was released meanwhile."""
    job = world.vendor.example
    first = world.sync()
    assert first.code == 0, first.stdout + first.stderr
    assert (first.job(job)["outcome"], first.puts("mirror")) == ("published", world.vendor.keys)
    before = world.public()
    assert sorted(before) == world.vendor.keys

    second = world.sync()
    assert second.code == 0, second.stdout + second.stderr
    assert (second.job(job)["outcome"], second.puts("mirror")) == ("unchanged", [])
    assert second.requests("mirror").get("PUT", 0) <= 1
    assert world.asked() == world.vendor.unchanged
    assert world.public() == before

    world.vendor.release()
    third = world.sync()
    assert third.code == 0, third.stdout + third.stderr
    assert third.puts("mirror") == world.vendor.keys
    assert all(world.public()[key] != before[key] for key in world.vendor.keys)


def test_force_fetches_and_publishes_what_is_unchanged(world: World) -> None:
    """Every database again, the same bytes."""
    world.sync()
    before = world.public()
    forced = world.sync("--force")
    assert forced.code == 0, forced.stdout + forced.stderr
    assert forced.puts("mirror") == world.vendor.keys
    assert world.public() == before


def test_an_upstream_that_fails_leaves_what_is_public(world: World) -> None:
    """Exit 5 with a line that says what to do; the spool is empty, the databases stay."""
    world.sync()
    before = world.public()
    world.vendor.release()
    world.vendor.spoil()
    ended = world.sync()
    problem(ended, world.vendor.example, 5)
    assert world.public() == before
    assert list((world.root / "spool").glob("run-*")) == []


def test_a_database_of_another_type_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples say which type they want, so nothing else comes under that name; the run costs nothing twice."""
    world.sync()
    before = world.public()
    for name in world.vendor.names:
        monkeypatch.setitem(TYPES, name, ("Some-Other-Thing", TYPES[name][1]))
    world.vendor.release()
    for _ in range(2):
        ended = world.sync()
        assert ended.code == 3, ended.stdout + ended.stderr
        assert findings(ended, world.vendor.example) == {(key, None, "mmdb.type") for key in world.vendor.keys}
    assert world.public() == before
    assert world.asked() == world.vendor.unchanged


def test_the_first_days_of_a_month_cost_one_small_request_more(tmp_path: Path) -> None:
    """DB-IP has last month's files alone: they are published, and kept by two questions each."""
    with dbip(tmp_path) as vendor:
        server = vendor.server
        assert isinstance(server, DbipServer)
        current, last = months(SystemClock().now())
        for name in vendor.names:
            server.withdraw(name, current)
            server.publish(name, last, database(name, hours_old=24 * 20))
        world = World(tmp_path, vendor)
        assert world.sync().puts("mirror") == vendor.keys
        again = world.sync()
        assert (again.code, again.job("geoip-dbip")["outcome"]) == (0, "unchanged")
        assert world.asked() == ["missing", "file"] * 2
        vendor.release()
        assert world.sync().puts("mirror") == vendor.keys


def _bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(512):
        yield packer.compress(bytes(1 << 20))
    yield packer.flush()


def test_a_bomb_of_512_mb_costs_no_memory_and_no_disk(tmp_path: Path) -> None:
    """The process is no larger than one that publishes; what is public stays, and the spool is empty."""
    with dbip(tmp_path) as vendor:
        assert vendor.server is not None
        vendor.job = vendor.job.replace('type = "dbip"\n', 'type = "dbip"\nmax_bytes = 100_000_000\n')
        world = World(tmp_path, vendor)
        good = world.sync(alone=True)
        before = world.public()
        vendor.release()
        vendor.server.fail("file", stream=_bomb)
        ended = world.sync(alone=True)
        problem(ended, "geoip-dbip", 5, "unpacks to more than")
        assert ended.peak_mb < good.peak_mb + 20
        assert world.public() == before
        assert list((tmp_path / "spool").glob("run-*")) == []


@pytest.mark.parametrize("vendor", ["dbip", "ipinfo"])
def test_geoip_refresh_knows_these_vendors_too(tmp_path: Path, vendor: str) -> None:
    """All editions, or one by name."""
    with VENDORS[vendor](tmp_path) as upstream:
        world = World(tmp_path, upstream)
        name = upstream.names[0]
        one = world.run("geoip", "refresh", "--edition", name, "--format=json")
        assert (one.code, one.puts("mirror")) == (0, [f"mmdb_update/{name}.mmdb"]), one.stdout + one.stderr
        rest = world.run("geoip", "refresh", "--format=json")
        assert rest.code == 0
        assert sorted(world.public()) == upstream.keys


def test_every_example_is_run_and_checked(tmp_path: Path) -> None:
    """As they stand, the files have no problem, not even a warning."""
    assert sorted(path.stem for path in EXAMPLES.glob("geoip-*.toml")) == sorted(f"geoip-{name}" for name in VENDORS)
    ended = hubdata("config", "check", "--jobs", EXAMPLES, cwd=tmp_path)
    assert ended.code == 0, ended.stdout + ended.stderr
    assert "geoip-" not in ended.stdout + ended.stderr
