"""`hubdata geoip refresh`: the GeoIP jobs now, told apart from changed and unchanged, edition by edition."""

import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.model.key import RESERVED
from tests.support.command import Ended
from tests.support.maxmind_server import MaxmindServer
from tests.support.small_world import GOOD, NEW, SmallWorld

CITY, ASN = "GeoLite2-City", "GeoLite2-ASN"
EDITIONS = (CITY, ASN)
KEYS = {edition: f"mmdb_update/{edition}.mmdb" for edition in (*EDITIONS, "GeoLite2-Country")}
JOB = """\
prune = true

[source]
type = "maxmind"
editions = {editions}
url = "{url}"

[[files]]
match = "mmdb_update/{match}.mmdb"
kind = "mmdb"
options = {{ max_age_days = 3650 }}
limits = {{ max_change = 100.0, floor_entries = 10 }}
"""
BUILT = int(time.time()) // 86400 * 86400 - 7200


class Vendor(MaxmindServer):
    """The vendor's server, with small databases of any age."""

    def release(self, edition: str, day: int, *, networks: int = 1) -> bytes:
        """Publish a database that was built `day` days after the first, and return it."""

        def record(number: int) -> dict[str, object]:
            if edition == ASN:
                return {"autonomous_system_number": 15169 + number, "autonomous_system_organization": "EXAMPLE"}
            return {"country": {"iso_code": "US"}, "number": number}

        rows = {ip_network(f"8.8.{n}.0/24"): record(1000 * day + n) for n in range(networks)}
        body = mmdb(edition, rows, build_epoch=BUILT - 86400 * (10 - day))
        path = Path(self._scratch.name) / f"{edition}-{day}.mmdb"
        path.write_bytes(body)
        self.publish(edition, path, date=f"2026-11-{10 + day:02}")
        return body


@pytest.fixture
def vendor(small: SmallWorld) -> Iterator[Vendor]:
    """Give the vendor's server, whose two databases are published already."""
    with Vendor({}) as server:
        for edition in EDITIONS:
            server.release(edition, 0)
        small.write("jobs/geoip.toml", JOB.format(url=server.url, editions=list(EDITIONS), match="GeoLite2-[CA]*"))
        assert refresh(small, server).code == 0
        server.requests.clear()
        yield server


def env(server: MaxmindServer) -> dict[str, str]:
    """Return the credentials of a server."""
    return {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}


def refresh(small: SmallWorld, server: MaxmindServer, *flags: str) -> Ended:
    """Run `geoip refresh` for a program."""
    return small.run("geoip", "refresh", "--format", "json", *flags, env=env(server))


def outcomes(ended: Ended, job: str = "geoip") -> dict[str, str]:
    """Return what became of each edition."""
    (target,) = ended.job(job)["targets"]
    return {database["edition"]: database["outcome"] for database in target["databases"]}


def asked(server: MaxmindServer, endpoint: str) -> list[str]:
    """Return the editions that an endpoint was asked for, in order."""
    requests = [request for request in server.requests if request.endpoint == endpoint]
    return [request.query.get("edition_id") or request.path.split("/")[3] for request in requests]


def test_nothing_new_is_told_from_something_new(small: SmallWorld, vendor: Vendor) -> None:
    """Both end with 0; a program reads `outcome`, of the job and of each edition. Asking costs no download."""
    ended = refresh(small, vendor)
    assert (ended.code, ended.job("geoip")["outcome"]) == (0, "unchanged")
    assert outcomes(ended) == {CITY: "unchanged", ASN: "unchanged"}
    assert (asked(vendor, "metadata"), asked(vendor, "download")) == ([CITY, ASN], [])
    new = vendor.release(ASN, 3)
    ended = refresh(small, vendor)
    assert (ended.code, ended.job("geoip")["outcome"]) == (0, "published")
    assert outcomes(ended) == {CITY: "unchanged", ASN: "published"}
    (target,) = ended.job("geoip")["targets"]
    assert target["puts"] == [KEYS[ASN]]
    assert [(d["date"], d["build_epoch"]) for d in target["databases"]] == [
        ("2026-11-13", BUILT - 7 * 86400),
        ("2026-11-10", BUILT - 10 * 86400),
    ]
    assert small.public()[KEYS[ASN]] == new
    assert asked(vendor, "download") == [ASN]


def test_only_geoip_jobs_run(small: SmallWorld, vendor: Vendor) -> None:
    """A force-refresh in the night must not publish what somebody pushed to the lists meanwhile."""
    small.repo.commit({GOOD: NEW})
    ended = refresh(small, vendor, "--force")
    assert [job["job"] for job in ended.json["jobs"]] == ["geoip"]
    assert small.public()[GOOD] != NEW


def test_force_downloads_and_publishes_the_same_again(small: SmallWorld, vendor: Vendor) -> None:
    """Also unchanged bytes are written: Last-Modified moves, so engines fetch them anew."""
    before = small.untouched()
    ended = refresh(small, vendor, "--force")
    assert outcomes(ended) == {CITY: "published", ASN: "published"}
    assert asked(vendor, "download") == [CITY, ASN]
    assert [c["reason"] for c in ended.job("geoip")["targets"][0]["changes"]] == ["forced", "forced"]
    assert small.public().keys() == {key for key in before if key not in RESERVED}


def test_an_edition_is_fetched_and_published_alone(small: SmallWorld, vendor: Vendor) -> None:
    """The other has a new release too and is not even asked for; it stays public, though the job prunes."""
    before = small.public()
    new = vendor.release(ASN, 3)
    vendor.release(CITY, 3)
    ended = refresh(small, vendor, "--edition", ASN, "--force")
    assert ended.code == 0, ended.stdout + ended.stderr
    assert outcomes(ended) == {ASN: "published"}
    assert ended.job("geoip")["targets"][0]["deletes"] == []
    assert ended.job("geoip")["findings"] == []
    assert {r.query.get("edition_id", ASN) for r in vendor.requests} == {ASN}
    assert small.public() == {**before, KEYS[ASN]: new}
    assert outcomes(refresh(small, vendor)) == {CITY: "published", ASN: "unchanged"}


def test_an_edition_that_nobody_publishes_is_a_mistake(small: SmallWorld, vendor: Vendor) -> None:
    """Exit code 2 before anything is asked or written, naming the editions there are."""
    small.write("jobs/country.toml", JOB.format(url=vendor.url, editions='["GeoLite2-Country"]', match="*Country"))
    for flags in (("--edition", "GeoLite2-Cty"), ("--edition", CITY, "--edition", "GeoLite2-Cty")):
        ended = refresh(small, vendor, *flags)
        assert ended.code == 2
        said = ended.json["error"]
        assert said["message"] == ("--edition GeoLite2-Cty: expected GeoLite2-ASN or GeoLite2-City or GeoLite2-Country")
        assert "did you mean `GeoLite2-City`?" in said["advice"]
    ended = refresh(small, vendor, "--job", "lists")
    assert (ended.code, ended.json["error"]["advice"]) == (2, "GeoIP jobs are: country, geoip")
    assert vendor.requests == []


def test_several_geoip_jobs_run_each_by_its_own(small: SmallWorld, vendor: Vendor) -> None:
    """One that fails does not keep the other from publishing; `--edition` leaves out who has nothing of it."""
    country = JOB.format(url=vendor.url, editions='["GeoLite2-Country"]', match="*Country")
    small.write("jobs/country.toml", country)
    vendor.release(CITY, 3)
    ended = refresh(small, vendor)
    assert ended.code == 5
    assert (ended.job("country")["outcome"], ended.job("geoip")["outcome"]) == ("failed", "published")
    vendor.release("GeoLite2-Country", 3)
    ended = refresh(small, vendor, "--edition", "GeoLite2-Country", "--edition", ASN)
    assert outcomes(ended, "country") == {"GeoLite2-Country": "published"}
    assert outcomes(ended) == {ASN: "unchanged"}
    ended = refresh(small, vendor, "--edition", CITY)
    assert [job["job"] for job in ended.json["jobs"]] == ["geoip"]


def test_databases_from_elsewhere_are_refreshed_too(small: SmallWorld, vendor: Vendor) -> None:
    """What a file is makes a GeoIP job, not whom it comes from: a directory that holds a database is one."""
    body = vendor.release("GeoLite2-Country", 3)
    small.write("local/geo/own.mmdb", body)
    small.write("local/geo/list.txt", "8.8.8.0/24\n")
    rules = '[[files]]\nmatch = "geo/own.mmdb"\nkind = "mmdb"\n[[files]]\nmatch = "geo/list.txt"\nkind = "cidr"\n'
    options = 'options = { edition = "GeoLite2-Country", max_age_days = 3650 }'
    rules = rules.replace('kind = "mmdb"', f'kind = "mmdb"\n{options}')
    small.write("jobs/own.toml", f'[source]\ntype = "directory"\npath = "../local"\n{rules}')
    ended = refresh(small, vendor, "--edition", "own")
    assert ended.code == 0, ended.stdout + ended.stderr
    assert outcomes(ended, "own") == {"own": "published"}
    assert vendor.requests == []
    assert "geo/list.txt" not in small.public()
    ended = refresh(small, vendor)
    assert {job["job"] for job in ended.json["jobs"]} == {"geoip", "own"}
    assert small.public()["geo/list.txt"] == b"8.8.8.0/24\n"


def test_a_person_reads_release_build_and_outcome_of_each(small: SmallWorld, vendor: Vendor) -> None:
    """One row an edition and target, whatever became of it."""
    vendor.release(ASN, 3)
    ended = small.run("geoip", "refresh", env=env(vendor))
    assert ended.code == 0, ended.stdout
    built = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(BUILT - 7 * 86400))
    said = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert any(line.startswith("GeoLite2-ASN") and f"2026-11-13 {built} mirror published" in line for line in said), (
        said
    )
    assert any(line.startswith("GeoLite2-City 2026-11-10 ") and line.endswith("mirror unchanged") for line in said)
    narrow = small.run("geoip", "refresh", env={**env(vendor), "COLUMNS": "40"}).stdout
    assert "GeoLite2-ASN: unchanged at mirror, 2026-11-13, built" in " ".join(narrow.split())


def test_without_credentials_it_fails_and_says_so(small: SmallWorld, vendor: Vendor, tmp_path: Path) -> None:
    """Asked for by name: where nothing is configured, too, it is not passed over with a notice."""
    ended = small.run("geoip", "refresh", "--format", "json")
    assert ended.code == 2
    assert "MAXMIND_LICENSE_KEY" in ended.job("geoip")["problem"]["advice"]
    (small.root / "hubdata.toml").unlink()
    ended = small.run("geoip", "refresh", "--format", "json")
    assert ended.code == 2
    assert "MAXMIND_LICENSE_KEY" in ended.stdout


def test_what_is_held_is_approved_by_the_command_it_names(small: SmallWorld, vendor: Vendor) -> None:
    """The command names the edition: another one's new release would otherwise be part of another plan."""
    small.edit("jobs/geoip.toml", "max_change = 100.0, floor_entries = 10", "max_change = 0.5, floor_entries = 0")
    body = vendor.release(ASN, 3, networks=40)
    vendor.release(CITY, 4, networks=40)
    ended = refresh(small, vendor, "--edition", ASN)
    assert (ended.code, outcomes(ended)) == (4, {ASN: "held"})
    shown = small.run("geoip", "refresh", "--edition", ASN, env=env(vendor))
    (line,) = [line.strip() for line in shown.stdout.splitlines() if "--approve" in line]
    words = line.split()
    assert words[:5] == ["hubdata", "geoip", "refresh", "--edition", ASN]
    assert small.run(*words[1:], env=env(vendor)).code == 0
    assert small.public()[KEYS[ASN]] == body


def test_a_dry_run_says_what_it_would_do(small: SmallWorld, vendor: Vendor) -> None:
    """Nothing is written."""
    vendor.release(ASN, 3)
    before = small.mirror_files()
    ended = refresh(small, vendor, "--dry-run")
    assert (ended.code, outcomes(ended)) == (0, {CITY: "unchanged", ASN: "planned"})
    assert small.mirror_files() == before
