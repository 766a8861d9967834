"""The real City database, held to the job that comes with hubdata."""

import mmap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.model.finding import Severity
from hubdata.model.job import Job
from hubdata.model.snapshot import Artifact, Stats
from hubdata.planning.claims import rule_for
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Demands, Verdict
from tests.support.big_mmdb import BUILD_EPOCH, real_city_database

CITY = "mmdb_update/GeoLite2-City.mmdb"
ASN = "mmdb_update/GeoLite2-ASN.mmdb"


@pytest.fixture(scope="module")
def body() -> Iterator[mmap.mmap]:
    """Give the 66 MB, mapped as a run maps them."""
    with real_city_database().open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        yield mapped


def geoip() -> Job:
    """Return the job that comes with hubdata."""
    return next(job for job in load_jobs(builtin_jobs_dir()) if job.name == "geoip")


def judged(body: mmap.mmap, key: str, *, days_old: int = 2) -> Verdict:
    """Return what the job says of the database under `key`, so many days after it was built."""
    job = geoip()
    rule = rule_for(job, key)
    assert rule is not None
    kind = load(Seam.KIND, rule.kind)(parse_options(Seam.KIND, rule.kind, rule.options))
    artifact = Artifact(key, Path("absent"), len(body), "", "", rule.kind, "", "", {})
    now = datetime.fromtimestamp(BUILD_EPOCH, UTC) + timedelta(days=days_old)
    verdict: Verdict = kind.check(artifact, body, Demands(rule.limits, now, job.canaries))
    return verdict


def test_the_real_city_passes_as_city_and_is_counted(body: mmap.mmap) -> None:
    """No finding at all; networks and coverage are those that the C reader finds when it iterates over all of it."""
    verdict = judged(body, CITY)
    assert verdict.findings == ()
    assert verdict.stats == Stats(5_823_847, 3_687_568_698, 2_132_584_332_621_666, BUILD_EPOCH)


def test_the_real_city_under_the_name_of_asn_is_refused_thrice(body: mmap.mmap) -> None:
    """By its type, by the canaries of that edition, and a month later with a warning of its age."""
    findings = judged(body, ASN, days_old=40).findings
    errors = [finding.rule for finding in findings if finding.severity is Severity.ERROR]
    assert errors == ["mmdb.type", *["mmdb.canary"] * 3]
    assert [finding.rule for finding in findings if finding.severity is Severity.WARNING] == ["mmdb.too-old"]
