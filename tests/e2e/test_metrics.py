"""What is measured, of real processes: a worker that is scraped, and runs that leave a textfile and a push."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from hubdata.report.metrics import catalogue as c
from hubdata.report.metrics.exposition import read_back
from hubdata.report.metrics.series import Told
from tests.support.geoip_world import CITY, JOB, KEY, database, keys
from tests.support.maxmind_server import MaxmindServer
from tests.support.prometheus import asked, prometheus, promtool, pushgateway, scraped
from tests.support.small_world import HTML, WORDS, SmallWorld

RULES = tuple(sorted((Path(__file__).parents[2] / "deploy" / "prometheus").glob("*.rules.yml")))
WITHIN_S = 60
TEXTFILE = '\n[metrics]\ntextfile = "node/hubdata.prom"\n'
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
YEARLY = f'schedule = "0 0 15 {(YESTERDAY.month + 5) % 12 + 1} *"\nmax_age = "365d"\n'
"""A time that has not come since yesterday, nor comes today."""


def until(reached: Callable[[], bool], said: Callable[[], object] = str) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + WITHIN_S
    while not reached():
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)


def of(told: Told, metric: c.Metric) -> dict[tuple[str, ...], object]:
    """Return the series of one metric by their labels."""
    return {series.values: value for series, value in told.items() if series.metric is metric}


def added(world: SmallWorld, path: str, text: str) -> None:
    """Add to a file of the world."""
    world.write(path, (world.root / path).read_text() + text)


@dataclass
class Scraped:
    """A worker that listens at `url`; `log` is what it says."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def told(self) -> Told:
        """Return what it tells now."""
        return read_back(scraped(self.url))


@contextmanager
def worker(world: SmallWorld) -> Iterator[Scraped]:
    """Give a worker of its own process that listens on a free port."""
    log = world.root / f"worker-{time.monotonic_ns()}.err"
    with log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "hubdata", "sync"],
            cwd=world.root,
            env={"PATH": os.environ["PATH"], "HOME": str(world.root), "HUBDATA_HTTP_LISTEN": "127.0.0.1:0"},
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
    try:
        until(lambda: "http.listening" in log.read_text() and "worker.started" in log.read_text(), log.read_text)
        found = re.search(r"http\.listening url=(\S+?)/?\n", log.read_text())
        assert found is not None
        yield Scraped(found[1], process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0, log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


def test_a_worker_tells_at_once_what_was_so_before_it_started(small: SmallWorld) -> None:
    """The last success at each target, the generation and the limits are there with no run begun; then runs count.

    Prometheus' own tool has nothing to say about the whole of it.
    """
    small.write("jobs/words.toml", YEARLY + (small.root / "jobs/words.toml").read_text())
    record = {"schema": 1, "job": "words", "run_id": "r"}
    times = {"started_at": YESTERDAY - timedelta(seconds=5), "ended_at": YESTERDAY}
    record |= {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in times.items()}
    small.write("mirror/.hubdata/last/words.json", json.dumps(record))
    with worker(small) as watched:
        until(lambda: bool(of(watched.told(), c.LAST_SUCCESS)) and bool(of(watched.told(), c.GENERATION)))
        told = watched.told()
        assert of(told, c.LAST_SUCCESS) == {("words", "mirror"): YESTERDAY.timestamp()}
        assert of(told, c.MAX_AGE) == {("words", "mirror"): 365 * 86_400}
        assert of(told, c.RUNS)["words", "unchanged"] == 0
        assert of(told, c.GENERATION) == {("mirror",): 1}
        watched.process.send_signal(signal.SIGUSR1)
        until(lambda: sum(map(float, of(watched.told(), c.RUNS).values())) == 2, watched.log.read_text)  # type: ignore[arg-type]
        text = scraped(watched.url)
        assert of(read_back(text), c.LAST_SUCCESS).keys() == {("words", "mirror"), ("lists", "mirror")}
        said = subprocess.run(
            [promtool(), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
        )
        assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_a_real_prometheus_scrapes_the_worker_and_evaluates_every_alert(small: SmallWorld, tmp_path: Path) -> None:
    """From the worker's first scrape on, each rule is evaluated without an error, and what is wrong is pending."""
    small.write(f"data/{WORDS}", HTML)
    small.write("jobs/words.toml", "run_on_start = true\n" + YEARLY + (small.root / "jobs/words.toml").read_text())
    with worker(small) as watched:
        until(lambda: of(watched.told(), c.REFUSED) == {("words",): 1}, watched.log.read_text)
        with prometheus(tmp_path, urlsplit(watched.url).netloc, *RULES) as url:

            def rules() -> list[dict[str, object]]:
                return [rule for group in asked(url, "rules")["groups"] for rule in group["rules"]]

            def found() -> set[object]:
                return {rule["name"] for rule in rules() if rule["state"] == "pending"}

            until(lambda: found() == {"HubdataFilesRefused", "HubdataJobNeverSucceeded"}, rules)
            until(lambda: {rule["health"] for rule in rules()} == {"ok"}, rules)
            (series,) = asked(url, f"query?query={quote('hubdata_refused_files')}")["result"]
            assert series["metric"]["job_name"] == "words"
            assert series["metric"]["job"] == "hubdata"
            assert series["value"][1] == "1"


def test_runs_leave_a_textfile_and_keep_what_others_left(small: SmallWorld) -> None:
    """A run of one job after another fills the file; one whose upstream fails takes nothing back."""
    added(small, "hubdata.toml", TEXTFILE)
    (small.root / "node").mkdir()
    path = small.root / "node" / "hubdata.prom"
    assert small.sync("--job", "words").code == 0
    before = read_back(path.read_text())
    assert of(before, c.RUNS).keys() == {
        ("words", each) for each in ("failed", "held", "planned", "published", "refused", "unchanged")
    }
    (small.root / "upstream").rename(small.root / "gone")
    assert small.sync("--job", "lists").code == 5
    after = read_back(path.read_text())
    assert of(after, c.SOURCE_OK) == {("words",): 1, ("lists",): 0}
    assert of(after, c.EXIT_CODE) == {("words",): 0, ("lists",): 5}
    assert of(after, c.LAST_SUCCESS) == of(before, c.LAST_SUCCESS)
    assert of(after, c.LAST_SUCCESS).keys() == {("words", "mirror")}
    assert small.sync("--job", "words", "--dry-run").code == 0
    assert read_back(path.read_text()) == after


def test_a_refresh_tells_when_databases_were_built(small: SmallWorld, tmp_path: Path) -> None:
    """`geoip refresh` leaves the build of what is public; while the vendor is away, and after a worker's start, too."""
    added(small, "hubdata.toml", TEXTFILE)
    (small.root / "node").mkdir()
    body = database(3600)
    (tmp_path / "new.mmdb").write_bytes(body)
    with MaxmindServer({CITY: tmp_path / "new.mmdb"}) as vendor:
        small.write("jobs/geoip.toml", JOB.format(url=vendor.url, more="timeout_s = 5\nretry_for_s = 0"))
        refreshed = small.run("geoip", "refresh", "--edition", CITY, "--format", "json", env=keys(vendor))
        assert refreshed.code == 0
        credentials = keys(vendor)
    path = small.root / "node" / "hubdata.prom"
    before = read_back(path.read_text())
    (build,) = of(before, c.GEOIP_BUILD).values()
    assert of(before, c.GEOIP_BUILD) == {("geoip", "mirror", KEY): build}
    assert time.time() - 7200 < float(str(build)) < time.time() - 3000
    assert small.sync("--job", "geoip", env=credentials).code == 5
    after = read_back(path.read_text())
    assert of(after, c.SOURCE_OK)["geoip",] == 0
    assert of(after, c.GEOIP_BUILD) == of(before, c.GEOIP_BUILD)
    with worker(small) as watched:
        until(lambda: of(watched.told(), c.GEOIP_BUILD) == of(before, c.GEOIP_BUILD), watched.log.read_text)


def test_a_push_that_fails_is_a_notice_and_changes_no_outcome(small: SmallWorld, tmp_path: Path) -> None:
    """The run succeeds, says what was not told, and never with the password; the next push tells it."""
    with pushgateway(tmp_path) as url:
        place = urlsplit(url).netloc
        variable = {"HUBDATA_METRICS__PUSHGATEWAY": f"http://me:pa55word@{place}"}
        assert small.sync(env=variable).json["notices"] == []
        assert of(read_back(scraped(url), {"job": "hubdata", "instance": ""}), c.RUNS)["words", "unchanged"] == 1.0
    ended = small.sync(env=variable)
    assert ended.code == 0
    (notice,) = ended.json["notices"]
    assert notice.startswith("metrics: the Pushgateway did not take them: ")
    assert "pa55word" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(("told", "loaded"), [("", False), (TEXTFILE, True)], ids=["without", "with"])
def test_only_who_measures_loads_the_library(small: SmallWorld, told: str, loaded: bool) -> None:
    """A run without [metrics] starts as fast as ever."""
    added(small, "hubdata.toml", told)
    (small.root / "node").mkdir()
    code = (
        "import sys\n"
        "from hubdata.cli import main\n"
        "sys.argv = ['hubdata', 'sync', '--once', '-q', '--job', 'words']\n"
        "try:\n    main()\n"
        "finally:\n    print('prometheus_client' in sys.modules)\n"
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(small.root)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=small.root, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert said.stdout == f"{loaded}\n", said.stderr
    assert said.returncode == 0
