"""`[retention]`: old releases go when their time has come, and nothing else ever does."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support.command import Ended
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.small_world import SmallWorld
from tests.support.strict_s3 import S3_BUCKET, Fault, StrictS3

KEY = "mmdb_update/GeoLite2-ASN.mmdb"
JOB = """\
prune = true
max_deletes = 1.0

[source]
type = "directory"
path = "../vendor"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
options = { max_age_days = 3650 }
limits = { max_change = 100.0 }

[retention]
days = 30
"""
TARGET = """\
[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""
DAY = timedelta(days=1)


class Calendar:
    """The store's time, which the test sets."""

    def __init__(self) -> None:
        self.today = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.today


@pytest.fixture
def calendar() -> Calendar:
    """Give the store's time."""
    return Calendar()


@pytest.fixture
def store(small: SmallWorld, calendar: Calendar) -> Iterator[StrictS3]:
    """Give a store that keeps versions, as the only target, and a job with `[retention]`."""
    with StrictS3(versioned=True, now=calendar) as server:
        settings = (small.root / "hubdata.toml").read_text().partition("[targets.")[0]
        small.write("hubdata.toml", settings + TARGET.format(bucket=S3_BUCKET, url=server.url))
        small.write("jobs/geoip.toml", JOB)
        yield server


def release(small: SmallWorld, number: int, name: str = KEY) -> bytes:
    """Have the vendor release a database and return it."""
    record = {"autonomous_system_number": number, "autonomous_system_organization": "EXAMPLE"}
    built = int(time.time()) - 86400 * (300 - number)
    edition = name.rpartition("/")[2].removesuffix(".mmdb")
    body = mmdb(edition, {ip_network("8.8.8.0/24"): record}, build_epoch=built)
    small.write(f"vendor/{name}", body)
    return body


def sync(small: SmallWorld, *flags: str) -> Ended:
    """Run everything."""
    return small.sync(*flags, env=CREDENTIALS)


def retention(ended: Ended) -> Any:
    """Return what the GeoIP job says of its past."""
    (target,) = ended.job("geoip")["targets"]
    return target["retention"]


def removed(ended: Ended) -> list[str]:
    """Return the version ids that a run removed."""
    return [state["version_id"] for state in retention(ended)["removed"]]


def kept(store: StrictS3, key: str = KEY) -> list[bytes]:
    """Return all bytes that the store still has of a key, the oldest first."""
    return [state.body for state in store.versions.get(key, ()) if not state.deleted]


def test_a_release_goes_thirty_days_after_the_next_one(small: SmallWorld, store: StrictS3, calendar: Calendar) -> None:
    """Not before, whether or not something is released on that day; the newer ones stay for a rollback."""
    bodies = []
    for number in range(3):  # on days 0, 10 and 20
        bodies.append(release(small, number))
        ended = sync(small)
        assert ended.code == 0, ended.stdout + ended.stderr
        assert removed(ended) == []
        calendar.today += 10 * DAY
    assert kept(store) == bodies
    calendar.today += 9 * DAY  # day 39: the first was replaced 29 days ago
    assert removed(sync(small)) == []
    calendar.today += 2 * DAY
    ended = sync(small)
    assert (ended.code, ended.job("geoip")["outcome"]) == (0, "unchanged")
    assert retention(ended)["days"] == 30
    assert [state["key"] for state in retention(ended)["removed"]] == [KEY]
    assert kept(store) == bodies[1:]
    calendar.today += 100 * DAY
    ended = sync(small)
    assert len(removed(ended)) == 1
    assert kept(store) == bodies[2:]
    assert store.objects[KEY].body == bodies[2]
    assert removed(sync(small)) == []


def test_nothing_but_the_jobs_past_is_touched(small: SmallWorld, store: StrictS3, calendar: Calendar) -> None:
    """Not the manifest's versions, not those of other jobs, not hubdata's records, however old."""
    for number in range(2):
        release(small, number)
        small.repo.commit({"lists/good.txt": f"8.8.{number}.0/24\n"})
        assert sync(small).code == 0
        calendar.today += DAY
    before = {key: [state.version_id for state in states] for key, states in store.versions.items()}
    calendar.today += 400 * DAY
    ended = sync(small)
    after = {key: [state.version_id for state in states] for key, states in store.versions.items()}
    gone = {key for key in before if set(before[key]) - set(after[key])}
    assert gone == {KEY}
    assert len(before[KEY]) == len(after[KEY]) + 1
    assert len(before["manifest.json"]) > 1
    assert [job["targets"][0]["retention"] for job in ended.json["jobs"] if job["job"] != "geoip"] == [None, None]


def test_a_withdrawn_database_is_forgotten_whole(small: SmallWorld, store: StrictS3, calendar: Calendar) -> None:
    """Its bytes first, then the marker, so that it never comes back on the way."""
    other = "mmdb_update/GeoLite2-Other.mmdb"
    release(small, 1)
    release(small, 1, other)
    assert sync(small).code in (0, 3)
    if other not in store.objects:
        pytest.fail("the second database was refused")
    (small.root / "vendor" / other).unlink()
    ended = sync(small)
    assert ended.job("geoip")["targets"][0]["deletes"] == [other]
    calendar.today += 31 * DAY
    sync(small)
    assert other not in store.objects
    assert kept(store, other) == []
    sync(small)
    assert store.versions[other] == []
    assert list(store.objects).count(KEY) == 1


def test_a_plan_and_a_held_approval_remove_nothing(small: SmallWorld, store: StrictS3, calendar: Calendar) -> None:
    """A dry run writes nothing at all; nor does a run go beyond the plans that it was given."""
    for number in range(2):
        release(small, number)
        assert sync(small).code == 0
    calendar.today += 31 * DAY
    states = len(store.versions[KEY])
    sync(small, "--dry-run")
    sync(small, "--approve", "0" * 64)
    assert len(store.versions[KEY]) == states
    sync(small)
    assert len(store.versions[KEY]) == states - 1


def test_a_store_that_refuses_is_a_warning(small: SmallWorld, store: StrictS3, calendar: Calendar) -> None:
    """What is published is published: exit 0, with the permission to grant; the next run goes on."""
    for number in range(4):
        release(small, number)
        assert sync(small).code == 0
    calendar.today += 31 * DAY
    new = release(small, 5)
    store.faults += [Fault("DELETE", 403, "AccessDenied") for _ in range(1)]
    ended = sync(small)
    assert (ended.code, ended.job("geoip")["outcome"]) == (0, "published")
    told = ended.job("geoip")["targets"][0]["retention"]
    assert (told["removed"], told["left"]) == ([], 3)
    assert "s3:DeleteObjectVersion" in told["problem"]["advice"]
    assert store.objects[KEY].body == new
    store.faults += [Fault("DELETE", 403, "AccessDenied")]
    said = small.run("sync", "--once", env=CREDENTIALS)
    assert said.code == 0
    assert "warning: geoip -> aws: old versions could not be removed:" in " ".join(said.stdout.split())
    said = small.run("sync", "--once", env=CREDENTIALS)
    assert "geoip -> aws: removed 3 old versions (" in said.stdout


def test_a_machine_whose_clock_is_a_year_ahead_removes_nothing(
    small: SmallWorld, store: StrictS3, calendar: Calendar
) -> None:
    """Only the store's own time counts, as it wrote the versions; here the store lives a year before the machine."""
    calendar.today -= 365 * DAY
    for number in range(3):
        release(small, number)
        assert removed(sync(small)) == []
        calendar.today += DAY
    assert len(kept(store)) == 3


def test_a_real_bucket_keeps_what_is_young(small: SmallWorld) -> None:
    """Against S3 as moto has it: every version is listed, none is due, and an unversioned bucket is no different."""
    cloud = shared()
    for versioned in (True, False):
        bucket = cloud.bucket(versioned=versioned)
        small.write("hubdata.toml", 'jobs = "jobs"\nspool = "spool"\n' + TARGET.format(bucket=bucket, url=cloud.url))
        small.write("jobs/geoip.toml", JOB)
        for number in range(3):
            release(small, number)
            ended = small.sync(env=cloud.env)
            assert ended.code == 0, ended.stdout + ended.stderr
            assert removed(ended) == []
        states = cloud.client("s3").list_object_versions(Bucket=bucket, Prefix=KEY)["Versions"]
        assert len(states) == (3 if versioned else 1)


def test_a_directory_lets_go_of_its_past_too(small: SmallWorld) -> None:
    """Its kept releases go when their time has come, also when nothing is released; the public one never does."""
    small.write("jobs/geoip.toml", JOB)
    for number in (1, 2):
        body = release(small, number)
        assert small.sync().code == 0
    public = small.root / "mirror" / KEY
    (old,) = (small.root / "mirror/.hubdata/versions").glob(f"*/{KEY}")
    replaced = time.time() - 29 * 86400
    os.utime(public, (replaced, replaced))
    assert small.sync().job("geoip")["targets"][0]["retention"]["removed"] == []
    replaced -= 2 * 86400
    os.utime(public, (replaced, replaced))
    ended = small.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    (gone,) = ended.job("geoip")["targets"][0]["retention"]["removed"]
    assert (gone["key"], gone["size"]) == (KEY, len(body))
    assert not old.exists()
    assert public.read_bytes() == body


@pytest.mark.parametrize("days", ["0", "-1", '"30"', "1.5", "4000"])
def test_days_that_are_none_are_refused(small: SmallWorld, days: str) -> None:
    """Zero would leave nothing to roll back to; a mistyped unit must not be guessed."""
    small.write("jobs/geoip.toml", JOB.replace("days = 30", f"days = {days}"))
    ended = small.run("config", "check", "--format", "json")
    assert ended.code == 2
    assert "retention.days" in json.dumps(ended.json)
