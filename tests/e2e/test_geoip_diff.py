"""`hubdata geoip diff`, and a release that moves countries too far: told, held, approved."""

import hashlib
import json
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support.big_mmdb import old_city_database, real_city_database
from tests.support.command import Ended, hubdata
from tests.support.moto_server import MotoServer, shared
from tests.support.real import BAD_MMDB, MMDB, needs_real

CITY, ASN = "geo/GeoLite2-City.mmdb", "geo/GeoLite2-ASN.mmdb"
JOB = """\
unit = "file"

[source]
type = "directory"
path = "../data"

[[files]]
match = "geo/*.mmdb"
kind = "mmdb"
limits = { max_country_change = 0.05 }
"""
DIRECTORY = 'jobs = "jobs"\nspool = "spool"\n[targets.mirror]\ntype = "directory"\npath = "mirror"\n'
BUCKET = """\
jobs = "jobs"
spool = "spool"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""


def _city(*codes: str, built: int = 1_700_000_000) -> bytes:
    """Return a database of /24s, one for each of `codes`; an empty code leaves its network out."""
    rows = {ip_network(f"81.2.{n}.0/24"): {"country": {"iso_code": code}} for n, code in enumerate(codes) if code}
    return mmdb("GeoLite2-City", rows, build_epoch=built)


def _asn(*numbers: int, built: int = 1_700_000_000) -> bytes:
    rows = {ip_network(f"81.2.{n}.0/24"): {"autonomous_system_number": number} for n, number in enumerate(numbers)}
    return mmdb("GeoLite2-ASN", rows, build_epoch=built)


@dataclass
class World:
    """A directory of databases, the job that publishes them, and what it publishes to."""

    root: Path
    env: Mapping[str, str] | None = None

    def hold(self, key: str, body: bytes) -> None:
        """Let the source hold `body`."""
        path = self.root / "data" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def run(self, *arguments: str | Path, alone: bool = False) -> Ended:
        """Run a command; nothing it says may be a bug or a traceback."""
        ended = hubdata(*arguments, cwd=self.root, env=self.env, alone=alone)
        assert "Traceback" not in ended.stderr
        assert ended.code != 1, ended.stderr
        return ended

    def sync(self, *flags: str, alone: bool = False) -> Ended:
        """Run every job once."""
        return self.run("sync", "--once", "--format", "json", *flags, alone=alone)

    def rules(self, ended: Ended) -> list[tuple[str, str]]:
        """Return the findings of the job, key and rule."""
        return [(finding["key"], finding["rule"]) for finding in ended.job("geo")["findings"]]


def _world(root: Path, settings: str, env: Mapping[str, str] | None = None) -> World:
    (root / "jobs").mkdir()
    (root / "jobs" / "geo.toml").write_text(JOB)
    (root / "hubdata.toml").write_text(settings)
    world = World(root, env)
    world.hold(CITY, _city(*["DE"] * 40))
    world.hold(ASN, _asn(*range(1, 41)))
    first = world.sync()
    assert first.code == 0, first.stdout + first.stderr
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world whose two databases are published in a directory."""
    return _world(tmp_path, DIRECTORY)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Give two databases: one of forty /24s changed, one gained, one lost."""
    (tmp_path / "old.mmdb").write_bytes(_city(*["DE"] * 40))
    (tmp_path / "new.mmdb").write_bytes(_city("FR", "", *["DE"] * 38, "US"))
    return tmp_path


def test_two_files_are_compared_without_settings(files: Path) -> None:
    """Shares and moves for a person; the same for a program."""
    ended = hubdata("geoip", "diff", "old.mmdb", "new.mmdb", cwd=files)
    assert (ended.code, ended.stderr) == (0, "")
    assert "DE -> FR" in ended.stdout
    assert "no country -> US" in ended.stdout
    ended = hubdata("geoip", "diff", "old.mmdb", "new.mmdb", "--format", "json", cwd=files)
    (measure,) = ended.json["difference"]["measures"]
    told = {name: measure["ipv4"][name] for name in ("same", "changed", "gained", "lost", "known")}
    assert told == {"same": 38 * 256, "changed": 256, "gained": 256, "lost": 256, "known": 41 * 256}
    assert measure["displaced"] == 0.05


def test_a_page_is_written_whole_or_not_at_all(files: Path) -> None:
    """To stdout, or to a file that appears beside nothing else; a place that is not there is a usage error."""
    page = hubdata("geoip", "diff", "old.mmdb", "new.mmdb", "--format", "html", cwd=files)
    assert page.stdout.startswith("<!DOCTYPE html>")
    flags = ("--format", "html", "--output")
    ended = hubdata("geoip", "diff", "old.mmdb", "new.mmdb", *flags, "page.html", cwd=files)
    assert (ended.code, ended.stdout) == (0, "")
    written = (files / "page.html").read_text()
    assert written.partition("Compared in")[0] == page.stdout.partition("Compared in")[0]
    ended = hubdata("geoip", "diff", "old.mmdb", "new.mmdb", *flags, "absent/page.html", cwd=files)
    assert ended.code == 2
    assert "absent/page.html" in ended.stderr
    assert sorted(path.name for path in files.iterdir()) == ["new.mmdb", "old.mmdb", "page.html"]


@needs_real
@pytest.mark.parametrize("path", sorted(BAD_MMDB.glob("*.mmdb")), ids=lambda path: path.stem)
def test_a_bad_database_is_refused_before_it_is_read(path: Path, tmp_path: Path) -> None:
    """On either side: exit 3, the reason, and no figures."""
    good = MMDB / "good" / "GeoLite2-City-Test.mmdb"
    for pair in ((good, path), (path, good)):
        ended = hubdata("geoip", "diff", *pair, "--format", "json", cwd=tmp_path, timeout=60)
        assert ended.code == 3, ended.stdout + ended.stderr
        assert ended.json["difference"] is None
        assert {finding["key"] for finding in ended.json["findings"]} == {str(path)}
        assert all(finding["rule"].startswith("mmdb.") for finding in ended.json["findings"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("absent.mmdb", CITY), "absent.mmdb: cannot be read"),
        (("published",), "Missing argument 'NEW'"),
        (("published", "data"), "data: cannot be read"),
        (
            ("published", "published"),
            "expected one GeoIP database, found geo/GeoLite2-ASN.mmdb, geo/GeoLite2-City.mmdb",
        ),
        (("generation:x", "published", "--edition", "GeoLite2-City"), "a generation is a whole number"),
        (("published", f"data/{CITY}", "--edition", "GeoLite2-Country"), "expected GeoLite2-Country, found"),
        (("published", f"data/{CITY}", "--format", "sarif"), "'sarif' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(world: World, arguments: tuple[str, ...], words: str) -> None:
    """Exit 2, one line that says what was expected."""
    ended = world.run("geoip", "diff", *arguments)
    assert ended.code == 2
    assert words in ended.stderr


def test_a_file_is_compared_with_what_is_published(world: World) -> None:
    """The published database is the one of the same type; `--edition` names another."""
    world.hold("other.mmdb", _city(*["DE"] * 39, "FR"))
    told = world.run("geoip", "diff", "published", "data/other.mmdb", "--format", "json").json
    assert told["old"] == f"{CITY} (mirror, generation 1)"
    assert told["difference"]["measures"][0]["ipv4"]["changed"] == 256
    flags = ("--edition", "GeoLite2-ASN", "--format", "json")
    told = world.run("geoip", "diff", "published", f"data/{ASN}", *flags).json
    assert [measure["measure"] for measure in told["difference"]["measures"]] == ["system"]
    assert told["difference"]["displaced"] == 0


def test_a_release_that_moves_little_goes_out(world: World) -> None:
    """Two of forty networks are a twentieth, as much as the limit allows; the next two again."""
    world.hold(CITY, _city("FR", "FR", *["DE"] * 38))
    assert world.sync().puts("mirror") == [CITY]
    world.hold(CITY, _city("FR", "FR", "US", "US", *["DE"] * 36))
    assert world.sync().puts("mirror") == [CITY]


def test_a_release_that_moves_too_much_is_held_and_can_be_approved(world: World) -> None:
    """The published copy stays, the other database goes out, the plan tells the moves, and its id lets it out."""
    published = (world.root / "mirror" / CITY).read_bytes()
    world.hold(CITY, _city("FR", "FR", "FR", *["DE"] * 37))
    world.hold(ASN, _asn(*range(1, 40), 64496))
    held = world.sync()
    assert held.code == 4
    assert held.puts("mirror") == [ASN]
    assert world.rules(held) == [(CITY, "limits.max-country-change")]
    assert (world.root / "mirror" / CITY).read_bytes() == published

    text = world.run("plan").stdout
    assert "another country, or none now: 7.50 % of IPv4 (768 addresses)" in " ".join(text.split())
    assert "~ DE -> FR" in text
    plan = world.run("plan", "--format", "json")
    (target,) = plan.job("geo")["targets"]
    (change,) = target["held"]["changes"]
    moves = change["meaning"]["geo"]["measures"][0]["ipv4"]["moves"]
    assert moves == [{"old": "DE", "new": "FR", "amount": 768}]

    approved = world.sync("--approve", target["plan_id"])
    assert (approved.code, approved.puts("mirror")) == (0, [CITY])


def test_systems_are_limited_as_countries_are(world: World) -> None:
    """Three of forty networks under another number are held."""
    world.hold(ASN, _asn(64496, 64497, 64498, *range(4, 41)))
    held = world.sync()
    assert (held.code, world.rules(held)) == (4, [(ASN, "limits.max-country-change")])


def test_what_is_newly_known_is_not_held(world: World) -> None:
    """Networks that had no country get one: nobody is moved."""
    world.hold(CITY, _city(*["DE"] * 40, *["US"] * 100))
    assert world.sync().puts("mirror") == [CITY]


def test_a_published_copy_that_somebody_broke_holds_nothing(world: World) -> None:
    """Nobody can tell what moved: a warning says so, and the sound release takes its place."""
    (world.root / "mirror" / CITY).write_bytes(b"<html>somebody was here</html>")
    world.hold(CITY, _city(*["FR"] * 40))
    ended = world.sync()
    assert (ended.code, ended.puts("mirror")) == (0, [CITY])
    assert world.rules(ended) == [(CITY, "limits.not-compared")]
    assert (world.root / "mirror" / CITY).read_bytes() == _city(*["FR"] * 40)


def test_an_unchanged_database_is_not_compared(world: World) -> None:
    """A run that changes nothing reads nothing, and `--force` of the same bytes compares nothing."""
    first = world.sync()
    assert first.requests("mirror")["GET"] <= 3
    assert world.sync("--force").code == 0


@pytest.fixture(scope="module")
def moto() -> MotoServer:
    """Give an S3 of the test process."""
    return shared()


def test_a_bucket_is_asked_for_a_database_only_when_nobody_here_has_it(moto: MotoServer, tmp_path: Path) -> None:
    """Published by this machine: compared with the copy in the spool. Without it, one GET, and kept from then on."""
    bucket = moto.bucket(versioned=True)
    world = _world(tmp_path, BUCKET.format(bucket=bucket, url=moto.url), moto.env)
    gets = {}
    for run, code in enumerate(("FR", "US", "GB", "NL")):
        world.hold(CITY, _city(code, *["DE"] * 39))
        if run == 2:
            for path in (tmp_path / "spool" / "databases").iterdir():
                path.unlink()
        ended = world.sync()
        assert (ended.code, ended.puts("aws")) == (0, [CITY]), ended.stdout
        gets[run] = ended.requests("aws")["GET"]
    assert gets[0] == gets[1] == gets[3] == gets[2] - 1

    told = world.run("geoip", "diff", "published", f"data/{CITY}", "--format", "json").json
    assert told["old"] == f"{CITY} (aws, generation 5)"
    assert told["difference"]["displaced"] == 0
    flags = ("--edition", "GeoLite2-City", "--format", "json")
    told = world.run("geoip", "diff", "generation:2", "published", *flags).json
    assert told["difference"]["measures"][0]["ipv4"]["moves"] == [{"old": "FR", "new": "NL", "amount": 256}]
    world.hold(CITY, _city(*["FR"] * 40))
    assert world.sync().code == 4
    kept = {path.name for path in (tmp_path / "spool" / "databases").iterdir()}
    public = hashlib.sha256(_city("NL", *["DE"] * 39)).hexdigest()
    assert kept == {public}, "nothing older than what is public"


def test_two_real_city_databases_seven_years_apart(tmp_path: Path) -> None:
    """The whole command on 61 and 66 MB: what moved, and a page of it, in bounded memory."""
    flags = ("--format", "html", "--output", "page.html")
    ended = hubdata("geoip", "diff", old_city_database(), real_city_database(), *flags, cwd=tmp_path, alone=True)
    assert ended.code == 0, ended.stderr
    assert ended.peak_mb < 1_500
    page = (tmp_path / "page.html").read_text()
    assert "US &#8594; GB" in page
    ended = hubdata("geoip", "diff", old_city_database(), real_city_database(), "--format", "json", cwd=tmp_path)
    (measure,) = _measures(ended)
    assert measure["ipv4"]["same"] == 3_428_509_980
    assert measure["ipv4"]["moves"][0] == {"old": "US", "new": "GB", "amount": 23_545_847}
    assert round(measure["displaced"], 4) == 0.0998


def test_a_real_database_of_another_decade_is_held(world: World) -> None:
    """By the bound that the job in `jobs/geoip.toml` has: what years have moved does not go out in one night."""
    path = world.root / "data" / CITY
    for database, bound, code in ((old_city_database(), 1.0, 0), (real_city_database(), _bound(), 4)):
        (world.root / "jobs" / "geo.toml").write_text(JOB.replace("0.05", str(bound)))
        shutil.copyfile(database, path)
        ended = world.sync("--allow-rollback", alone=True)  # the small one it follows says that it is newer
        assert ended.code == code, ended.stdout
    (finding, *more) = ended.job("geo")["findings"]
    assert finding["message"].startswith("6.91% of IPv4 (254,614,169 of 3,683,124,149 addresses) have another country")
    assert [each["rule"] for each in more] == ["limits.max-country-change"]
    assert ended.peak_mb < 1_500


def _bound() -> float:
    job = tomllib.loads((Path(__file__).parents[2] / "jobs" / "geoip.toml").read_text())
    bound: float = job["files"][0]["limits"]["max_country_change"]
    return bound


def _measures(ended: Ended) -> list[dict[str, Any]]:
    measures: list[dict[str, Any]] = json.loads(ended.stdout)["difference"]["measures"]
    return measures
