"""A GeoIP job that is restarted again and again: the thirty downloads a day stay, as the vendor itself counts them."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command import hubdata
from tests.support.geoip_world import CITY, JOB, KEY, database, keys
from tests.support.maxmind_server import DAILY_DOWNLOADS, MaxmindServer
from tests.support.small_world import SmallWorld, findings, problem


@pytest.fixture
def vendor(small: SmallWorld, tmp_path: Path) -> Iterator[MaxmindServer]:
    """Give a vendor, and a job of which nothing is published yet."""
    (tmp_path / "new.mmdb").write_bytes(database(60))
    with MaxmindServer({CITY: tmp_path / "new.mmdb"}) as server:
        small.write("jobs/geoip.toml", JOB.format(url=server.url, more=""))
        yield server


def test_forty_restarts_of_a_run_that_cannot_publish_cost_one_download(
    small: SmallWorld, vendor: MaxmindServer
) -> None:
    """Each is a process of its own and fails at the target; when the target is well, the kept copy is published."""
    small.write("mirror/mmdb_update", "a file where the directory belongs")
    for _ in range(40):
        problem(small.sync("--job", "geoip", env=keys(vendor)), "geoip", 6)
    assert (vendor.count("download"), vendor.count("metadata")) == (1, 40)
    assert vendor.downloads_left == DAILY_DOWNLOADS - 1
    (small.root / "mirror/mmdb_update").unlink()
    ended = small.sync("--job", "geoip", env=keys(vendor))
    assert ended.job("geoip")["outcome"] == "published"
    assert small.public()[KEY] == (vendor._releases[CITY].path).read_bytes()
    ended = small.sync("--job", "geoip", env=keys(vendor))
    assert ended.job("geoip")["outcome"] == "unchanged"
    assert vendor.count("download") == 1


def test_a_refused_database_is_judged_again_and_not_downloaded_again(
    small: SmallWorld, vendor: MaxmindServer, tmp_path: Path
) -> None:
    """The vendor's release is bad: every run says so, none pays for it twice."""
    (tmp_path / "bad.mmdb").write_bytes(database(60)[:-100] + bytes(90))
    vendor.publish(CITY, tmp_path / "bad.mmdb", date="2026-11-24")
    for _ in range(3):
        ended = small.sync("--job", "geoip", env=keys(vendor))
        assert ended.code == 3
        assert {key for key, _, _ in findings(ended, "geoip")} == {KEY}
    assert vendor.count("download") == 1


def test_a_plan_and_the_sync_after_it_cost_one_download(small: SmallWorld, vendor: MaxmindServer) -> None:
    """Whoever looks first does not pay for it."""
    planned = small.run("plan", "--job", "geoip", "--format", "json", env=keys(vendor))
    assert planned.code == 0, planned.stdout
    assert small.sync("--job", "geoip", env=keys(vendor)).job("geoip")["outcome"] == "published"
    assert vendor.count("download") == 1


def test_without_its_spool_what_is_published_is_memory_enough(small: SmallWorld, vendor: MaxmindServer) -> None:
    """A fresh container each time: runs that end well cost one download in all."""
    for _ in range(3):
        shutil.rmtree(small.root / "spool", ignore_errors=True)
        assert small.sync("--job", "geoip", env=keys(vendor)).code == 0
    assert vendor.count("download") == 1


def test_forced_refreshes_are_held_to_the_quota(small: SmallWorld, vendor: MaxmindServer) -> None:
    """Each downloads anew and is counted; the one too many says when, and asks the vendor for nothing but metadata."""
    small.edit("jobs/geoip.toml", 'type = "maxmind"', 'type = "maxmind"\ndaily_downloads = 2')
    for _ in range(2):
        assert small.sync("--job", "geoip", "--force", env=keys(vendor)).code == 0
    ended = small.sync("--job", "geoip", "--force", env=keys(vendor))
    problem(
        ended, "geoip", 5, "no download before", "UTC: 2 downloads", "`daily_downloads` = 2", "set `daily_downloads`"
    )
    assert vendor.count("download") == 2
    assert small.sync("--job", "geoip", env=keys(vendor)).job("geoip")["outcome"] == "unchanged"


def test_runs_that_are_killed_while_they_download_are_counted(small: SmallWorld, vendor: MaxmindServer) -> None:
    """Out of memory, again and again: after two the third waits, and asks for no download."""
    vendor.fail("object", drip_s=0.1)
    for killed in (1, 2):
        with ThreadPoolExecutor(1) as pool:
            arguments = ("sync", "--once", "--job", "geoip")
            run = pool.submit(hubdata, *arguments, cwd=small.root, env=keys(vendor), within=("sh", "-c", _PID, "sh"))
            until = time.monotonic() + 60
            while vendor.count("object") < killed and time.monotonic() < until:
                time.sleep(0.02)
            _kill(small.root)
            assert run.result().code != 0
    ended = small.sync("--job", "geoip", env=keys(vendor))
    problem(ended, "geoip", 5, "2 downloads of this release in a row did not end well", "`--force` downloads now")
    assert vendor.count("download") == 2


_PID = 'echo $$ >pid; exec "$@"'


def _kill(root: Path) -> None:
    os.kill(int((root / "pid").read_text()), signal.SIGKILL)


def test_two_runs_at_once_share_the_ledger(small: SmallWorld, vendor: MaxmindServer) -> None:
    """Both may download, as neither has ended; what the ledger says is what the vendor counts."""
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(small.sync, "--job", "geoip", "--force", env=keys(vendor)) for _ in range(3)]
        codes = [run.result().code for run in runs]
    assert 0 in codes
    ledger = (small.root / "spool/memory-maxmind/downloads.json").read_text()
    (past,) = json.loads(ledger)["accounts"].values()
    assert len(past["downloads"]) == vendor.count("download") == 3
