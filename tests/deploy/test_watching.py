"""The modules observability and worker-schedule keep what they promise; and ages are measured as they say."""

import importlib.util
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Stats
from hubdata.model.success import Success, key_of
from tests.support.iam import Request, allowed
from tests.support.moto_server import shared
from tests.support.terraform import MODULES, Mutant, Verdict, judged, mutants, needs_terraform

WATCHING = tuple(("observability", each) for each in mutants("observability"))
RUNNING = tuple(("worker-schedule", each) for each in mutants("worker-schedule"))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Verdict]]:
    """Return by module what its tests say of it and of its mutants."""
    home = tmp_path_factory.mktemp("watching")
    return {
        module: judged(module, [mutant for _, mutant in hurt], home / module)
        for module, hurt in (("observability", WATCHING), ("worker-schedule", RUNNING))
    }


@needs_terraform
def test_the_modules_keep_their_promises(verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    """Every run of their own tests passes."""
    assert {module: found[""].failures for module, found in verdicts.items()} == {
        "observability": (),
        "worker-schedule": (),
    }


@needs_terraform
@pytest.mark.parametrize(
    ("module", "mutant"), [*WATCHING, *RUNNING], ids=lambda each: each.name if isinstance(each, Mutant) else each
)
def test_a_mistake_is_noticed(module: str, mutant: Mutant, verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    """With one mistake in a module, its own tests fail."""
    assert verdicts[module][mutant.name].failures


@pytest.fixture
def ages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return `ages.py` as a module, with the double of AWS to ask."""
    for name, value in shared().env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("ages", MODULES / "observability" / "ages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(built: datetime | None) -> Entry:
    """Return what the manifest says of a database, or of a list, which nobody built."""
    kind, job = ("mmdb", "geoip") if built else ("cidr", "lists")
    stats = Stats(build_epoch=int(built.timestamp())) if built else Stats()
    served = ("application/octet-stream", "public, max-age=60")
    return Entry(1, "0" * 64, kind, job, "0" * 32, None, "2026-11-23T00:00:00Z", *served, {"type": "git"}, stats)


def published(prefix: str = "") -> str:
    """Return a bucket with two databases, a list, and the last successes of two jobs, as hubdata writes them."""
    bucket = shared().bucket()
    built = {"geoip/City.mmdb": NOW - 3 * DAY, "geoip/ASN.mmdb": NOW - 5 * DAY, "lists/good.txt": None}
    files = {key: entry(epoch) for key, epoch in built.items()}
    bodies = {"manifest.json": Manifest(generation=1, files=files).to_bytes()}
    for job, ended in (("geoip", NOW - timedelta(hours=30)), ("lists", NOW - timedelta(hours=2))):
        bodies[key_of(job)] = Success(job, "run", ended - timedelta(minutes=1), ended).to_bytes()
    for key, body in bodies.items():
        shared().client("s3").put_object(Bucket=bucket, Key=prefix + key, Body=body)
    return bucket


@contextmanager
def told_at(moment: datetime) -> Iterator[None]:
    """Hold the clock that ages are measured by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", moment.timestamp)
        yield


@pytest.mark.parametrize("prefix", ["", "data/public/"])
def test_ages_are_those_of_databases_and_of_last_successes(ages: ModuleType, prefix: str) -> None:
    """Each database by its vendor's build, each job by its end, and the newest of both for alarms."""
    bucket = published(prefix)
    found = ages.ages_in(shared().client("s3"), bucket, prefix, NOW.timestamp())
    assert {(metric, what): seconds for metric, _, what, seconds in found} == {
        ("NewestGeoIPAge", ""): 3 * 86400,
        ("LastSuccessAge", ""): 2 * 3600,
        ("GeoIPAge", "geoip/City.mmdb"): 3 * 86400,
        ("GeoIPAge", "geoip/ASN.mmdb"): 5 * 86400,
        ("SuccessAge", "geoip"): 30 * 3600,
        ("SuccessAge", "lists"): 2 * 3600,
    }


def test_ages_reach_cloudwatch_under_the_names_that_alarms_watch(
    ages: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is put has the namespace, the bucket and one more dimension; a line on stdout says the same."""
    bucket = published()
    with told_at(NOW):
        assert ages.main(bucket, "", "watched") == 0
    told = json.loads(capsys.readouterr().out)["ages"]
    assert {"metric": "NewestGeoIPAge", "of": "", "seconds": 3 * 86400} in told
    metrics = shared().client("cloudwatch").list_metrics(Namespace="watched")["Metrics"]
    named = {(each["MetricName"], tuple((d["Name"], d["Value"]) for d in each["Dimensions"])) for each in metrics}
    assert ("NewestGeoIPAge", (("Bucket", bucket),)) in named
    assert ("SuccessAge", (("Bucket", bucket), ("Job", "lists"))) in named
    assert len(named) == 6


@pytest.mark.parametrize(("code", "told"), [(0, {"LastSuccessAge": 0}), (3, {})])
def test_a_run_made_by_it_tells_its_success_and_ends_as_it_ended(
    ages: ModuleType, code: int, told: Mapping[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """`sync --once` leaves nothing in the bucket when nothing has changed: whoever runs it knows that it succeeded."""
    bucket = shared().bucket()
    shared().client("s3").put_object(Bucket=bucket, Key="manifest.json", Body=Manifest().to_bytes())
    command = (sys.executable, "-c", f"raise SystemExit({code})")
    assert ages.main(bucket, "", f"made-{code}", *command) == code
    assert {each["metric"]: each["seconds"] for each in json.loads(capsys.readouterr().out)["ages"]} == told


def test_a_bucket_without_databases_tells_no_age_of_any(ages: ModuleType) -> None:
    """Then nothing is told, rather than a zero that would look fresh."""
    bucket = shared().bucket()
    shared().client("s3").put_object(Bucket=bucket, Key="manifest.json", Body=Manifest().to_bytes())
    assert ages.ages_in(shared().client("s3"), bucket, "", NOW.timestamp()) == []


def test_who_measures_may_make_each_request_that_it_makes(ages: ModuleType) -> None:
    """The policy that the module's tests hold word for word allows what `ages.py` asks, and nothing of the data."""
    bucket = "arn:aws:s3:::b"
    policy: Mapping[str, Any] = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket,
                "Condition": {"StringLike": {"s3:prefix": ".hubdata/last/*"}},
            },
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": [f"{bucket}/manifest.json", f"{bucket}/.hubdata/last/*"],
            },
        ]
    }
    assert allowed(Request("s3:ListBucket", bucket, context={"s3:prefix": ages.LAST}), policy)
    assert allowed(Request("s3:GetObject", f"{bucket}/{key_of('lists')}"), policy)
    assert not allowed(Request("s3:GetObject", f"{bucket}/.hubdata/lease.json"), policy)
    assert not allowed(Request("s3:ListBucket", bucket, context={"s3:prefix": ""}), policy)
