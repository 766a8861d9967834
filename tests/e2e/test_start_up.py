"""What a run imports that finds nothing to change, seen in the real process: start-up is most of what it costs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront
from tests.support.strict_s3 import S3_BUCKET, StrictS3

REPOSITORY = Path(__file__).parents[2]
SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"
endpoint_url = "{edge}"
"""
LISTS = """\
[source]
type = "directory"
path = "../lists"

[[files]]
match = "*.txt"
kind = "cidr"
limits = { min_entries = 1 }
"""
RECORD = """\
import atexit, sys
atexit.register(lambda: open("modules", "w").write(" ".join(sys.modules)))
from hubdata.cli import main
main()
"""

LIBRARIES = {"pydantic", "pydantic_core", "botocore", "boto3", "urllib3", "requests", "numpy", "rich", "re2", "yaml"}
"""None of them is needed to find out that nothing has changed."""

OF_PYTHON = {"importlib.metadata", "difflib", "asyncio", "zipfile", "pkgutil"}

OF_OURS = {
    # what only some settings ask for
    "hubdata.model.verification",
    "hubdata.model.monitoring",
    "hubdata.model.hook",
    "hubdata.notifying.telling",
    "hubdata.asking.viewing",
    "hubdata.extensions",
    # what only an unselected job's adapter needs: its options were checked
    "hubdata.sources.maxmind.source",
    "hubdata.sources.maxmind.release",
    "hubdata.transfer.tar_member",
    # what only faults need
    "hubdata.tables.twin",
    "hubdata.transfer.git_messages",
    "hubdata.report.log_line",
    # what only changes need
    "hubdata.running.gating",
    "hubdata.running.promoting",
    "hubdata.running.writing",
    "hubdata.publishing.apply",
    "hubdata.publishing.lease",
    "hubdata.publishing.paging",
    "hubdata.publishing.sealing",
    "hubdata.publishing.retention",
    "hubdata.model.meaning",
    "hubdata.model.geo",
    "hubdata.running.hooks",
    "hubdata.running.explaining",
    "hubdata.report.page.published",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a directory whose lists are published in a bucket, with another job beside that takes no part."""
    root = tmp_path_factory.mktemp("world")
    with StrictS3() as store, StrictCloudfront() as edge:
        at = {"bucket": S3_BUCKET, "url": store.url, "distribution": DISTRIBUTION, "edge": edge.url}
        (root / "hubdata.toml").write_text(SETTINGS.format(**at))
        (root / "jobs").mkdir()
        (root / "jobs/lists.toml").write_text(LISTS)
        shutil.copy(REPOSITORY / "jobs/geoip.toml", root / "jobs/geoip.toml")
        (root / "lists").mkdir()
        (root / "lists/a.txt").write_text("8.8.8.0/24\n")
        first = _sync(root)
        assert (first.returncode, first.stderr) == (0, ""), first.stderr
        yield root


def _sync(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RECORD, "sync", "--once", "--job", "lists"],
        cwd=root,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(root),
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_run_without_changes_imports_nothing_that_changes_need(world: Path) -> None:
    """Each of these modules was once imported by every run; together they cost half of it."""
    again = _sync(world)
    assert again.returncode == 0, again.stderr
    assert "1 unchanged" in again.stdout or "nothing" in again.stdout.lower(), again.stdout
    loaded = set((world / "modules").read_text().split())
    assert {"hubdata.pipeline", "hubdata.targets.s3.target"} <= loaded
    assert sorted({name.partition(".")[0] for name in loaded} & LIBRARIES) == []
    assert sorted(loaded & OF_PYTHON) == []
    assert sorted(loaded & OF_OURS) == []


def test_run_that_publishes_a_change_imports_no_client_of_aws(world: Path) -> None:
    """Lease, receipt, file, manifest, page, CDN and record go out over plain connections: none of it needs botocore."""
    (world / "lists/a.txt").write_text("8.8.8.0/24\n9.9.9.0/24\n")
    changed = _sync(world)
    assert changed.returncode == 0, changed.stderr
    assert "published" in changed.stdout, changed.stdout
    loaded = set((world / "modules").read_text().split())
    assert {"hubdata.publishing.apply", "hubdata.report.page.published"} <= loaded
    assert sorted({name.partition(".")[0] for name in loaded} & LIBRARIES) == []
