"""Measure a force-refresh of the real City database, end to end, beside the sum of what it cannot do without.

A refresh is a whole process (`python -m bench --only refresh`): metadata and download from a vendor's server on
loopback, unpacking, digests, proof, coverage and canaries, comparison with the published release, upload into a
bucket, manifest, invalidation. The parts are timed alone, in this process, once each a round: SHA-256 and MD5 of the
file, a copy of it, and its verification on as many threads as the refresh has: the structural proof alone, and all that
the kind `mmdb` looks at (proof, coverage, canaries). The aim is within twice the sum. Servers are processes of their
own; refreshes and parts alternate, so that drift hits all alike.

Each refresh finds a newer build of the database than is published (its build time moves by a second): before each, and
uncounted, the older one is published again. In one scenario it downloads the very same bytes that are public.
"""

import gzip
import hashlib
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.__main__ import main
from bench.peers import environment
from bench.results import Part, Table
from bench.store import Store
from bench.tables import CELLS, cells
from bench.timing import Command, Run, median, once
from hubdata.kinds.mmdb import MmdbKind
from hubdata.mmdb.proof import prove
from hubdata.model.job import Canary, Limits
from hubdata.model.snapshot import Artifact
from hubdata.ports import Body, Demands
from tests.support.big_mmdb import BUILD_EPOCH, real_city_database

ROOT = Path(__file__).parents[1]
TITLE = "A refresh of the 66 MB database, end to end"
HEAD = ("", *CELLS, "wall / with proof", "/ with all", "CPU / with proof", "/ with all")
NOTE = """\
The parts are timed alone and once each: hashing, copying and verifying the database on two threads. Ratios are of a
whole refresh to their sum, once with the structural proof as the verification, once with all that the kind looks at
(proof, coverage, canaries). The refresh that compares countries reads all of the
published database besides, which is no part of either sum.

What bounds a refresh: start-up, unpacking, the proof, and the put, whose server digests on the same cores; where
countries are compared, the comparison."""
EDITION = "GeoLite2-City"
BUCKET, DISTRIBUTION = "geoip", "E2EXAMPLE"
SETTINGS = """\
spool = "{work}/spool"
jobs = "{work}/jobs"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"
endpoint_url = "{url}"
"""
JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City"]
url = "{url}"

[[files]]
match = "mmdb_update/GeoLite2-City.mmdb"
kind = "mmdb"
limits = {{ min_entries = 2_000_000, max_change = 0.2{limit} }}

[[canaries]]
ip = "8.8.8.8"
expect = {{ "country.iso_code" = "US" }}
"""
DATES = ("2026-11-17", "2026-11-20")
PROOF, CHECK = "proof alone", "proof, coverage, canaries"
UNPACKED, PUT = (
    "not in the sum: unpacking, on one core",
    "not in the sum: a put, by a client that has nothing else to do",
)
LEVEL = 6
THREADS = min(2, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class Scenario:
    """`newer`: the older build is public before each run; `limit`: what the job limits besides the count."""

    name: str
    newer: bool
    limit: str = ""


SCENARIOS = (
    Scenario("the same build again (--force)", newer=False),
    Scenario("a newer build", newer=True),
    Scenario("a newer build, countries compared", newer=True, limit=", max_country_change = 0.05"),
)


def builds(original: Path, work: Path) -> tuple[Path, Path]:
    """Return two builds of the database in `work`, a second apart."""
    field = re.compile(rb"(?<=\x4bbuild_epoch\x04\x02)" + re.escape(BUILD_EPOCH.to_bytes(4)))
    whole = original.read_bytes()
    made = []
    for number in range(2):
        path = work / f"build-{number}.mmdb"
        changed, count = field.subn((BUILD_EPOCH + number).to_bytes(4), whole)
        if count != 1:
            raise RuntimeError("the database's build time was not found")
        path.write_bytes(changed)
        made.append(path)
    return made[0], made[1]


@contextmanager
def vendor(build: Path, date: str) -> Iterator[dict[str, str]]:
    """Run the vendor's server in a process of its own; give `url`, `account` and `key`."""
    argv = [sys.executable, "-m", "tests.support.maxmind_server", "--database", f"{EDITION}={build}", "--date", date]
    argv += ["--level", str(LEVEL)]  # as vendors pack what is downloaded many times
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@dataclass(frozen=True)
class Bench:
    """A bucket with a distribution before it, two vendors' servers (the older build's first), and a directory."""

    store: Store
    vendors: tuple[dict[str, str], dict[str, str]]
    work: Path

    def command(self, scenario: Scenario) -> Command:
        """Return the refresh that finds the newer build at the vendor."""
        older, newer = self.vendors
        env = environment()
        env["PYTHONPATH"] = str(ROOT)  # whatever is installed, this is what is measured
        env |= {"MAXMIND_ACCOUNT_ID": newer["account"], "MAXMIND_LICENSE_KEY": newer["key"]}
        argv = [str(Path(sys.executable).with_name("hubdata")), "geoip", "refresh", "--force"]
        argv += ["-c", str(self.work / "hubdata.toml")]

        def prepare() -> None:
            # Whichever server is asked, the source is the same service to hubdata: it knows a release by its MD5.
            if scenario.newer:
                self._release(older, "")
                subprocess.run([*argv, "--allow-rollback"], env=env, cwd=self.work, check=True, capture_output=True)
            self._release(newer, scenario.limit)

        return Command("refresh", argv, env, self.work, prepare)

    def _release(self, vendor: dict[str, str], limit: str) -> None:
        """Have the next refresh ask this vendor."""
        (self.work / "jobs").mkdir(exist_ok=True)
        (self.work / "jobs/geoip.toml").write_text(JOB.format(url=vendor["url"], limit=limit))
        (self.work / "hubdata.toml").write_text(
            SETTINGS.format(work=self.work, bucket=BUCKET, url=self.store.url, distribution=DISTRIBUTION)
        )


def parts(path: Path, work: Path) -> dict[str, Callable[[], object]]:
    """Return what cannot be done without, each by itself."""
    key = f"mmdb_update/{EDITION}.mmdb"
    artifact = Artifact(key, path, path.stat().st_size, "", "", "mmdb", "", "", {})
    demands = Demands(
        Limits(min_entries=2_000_000), datetime.now(UTC), (Canary("8.8.8.8", {"country.iso_code": "US"}),)
    )
    kind = MmdbKind(MmdbKind.Options())

    def proof(body: Body) -> None:
        if prove(body, threads=THREADS).problems:
            raise RuntimeError("the database was not proven")

    def check(body: Body) -> None:
        if kind.check(artifact, body, demands).findings:
            raise RuntimeError("the database was not passed")

    def mapped(look: Callable[[Body], None]) -> Callable[[], object]:
        def run() -> None:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
                look(body)

        return run

    def hashed(name: str) -> Callable[[], object]:
        def run() -> None:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: hashlib.new(name, usedforsecurity=False))

        return run

    return {
        "SHA-256": hashed("sha256"),
        "MD5": hashed("md5"),
        "copy": lambda: shutil.copyfile(path, work / "copy"),
        PROOF: mapped(proof),
        CHECK: mapped(check),
    }


def beside(path: Path, work: Path, store: Store) -> dict[str, Callable[[], object]]:
    """Return what a refresh does besides, each by itself: it bounds a refresh, and is no part of the sum."""
    packed = work / "packed.gz"
    with path.open("rb") as plain, gzip.GzipFile(packed, "wb", compresslevel=LEVEL) as archive:
        shutil.copyfileobj(plain, archive, 1 << 20)

    def unpacked() -> None:
        with gzip.open(packed) as archive:
            while archive.read(1 << 20):
                pass

    def put() -> None:
        place = urlsplit(store.url)
        line = HTTPConnection(place.hostname or "", place.port)
        line.request("PUT", f"/{BUCKET}/beside", body=path.read_bytes())
        line.getresponse().read()
        line.close()

    return {UNPACKED: unpacked, PUT: put}


def timed(call: Callable[[], object]) -> Run:
    """Return what a call takes; of memory nothing is told."""
    started, cpu = time.perf_counter(), time.process_time()
    call()
    return Run(time.perf_counter() - started, time.process_time() - cpu, 0)


def measured(bench: Bench, wanted: dict[str, Callable[[], object]], runs: int) -> Part:
    """Return a row for each part and for each scenario, medians of all."""
    spent: dict[str, list[Run]] = {name: [] for name in wanted}
    found: dict[str, list[Run]] = {scenario.name: [] for scenario in SCENARIOS}
    for round_ in range(runs + 1):
        for scenario in SCENARIOS:
            run = once(bench.command(scenario))
            if round_:  # the first round warms up
                found[scenario.name].append(run)
        for name, call in wanted.items():
            took = timed(call)
            if round_:
                spent[name].append(took)
    rows: list[tuple[str, ...]] = [(name, *cells(each), "", "", "", "") for name, each in spent.items()]
    sums = [_sum({name: median(each) for name, each in spent.items()}, verified) for verified in (PROOF, CHECK)]
    for name, each in found.items():
        run = median(each)
        wall, cpu = ([run.wall_s / total.wall_s for total in sums], [run.cpu_s / total.cpu_s for total in sums])
        rows.append((f"refresh: {name}", *cells(each), *(f"{ratio:.2f}" for ratio in (*wall, *cpu))))
    figures = {"a newer build": median(found[SCENARIOS[1].name]).wall_s / sums[1].wall_s}
    return Part("refresh", tables=(Table(TITLE, HEAD, tuple(rows), NOTE),), figures=figures)


def _sum(medians: dict[str, Run], verified: str) -> Run:
    counted = [medians[name] for name in ("SHA-256", "MD5", "copy", verified)]
    return Run(sum(run.wall_s for run in counted), sum(run.cpu_s for run in counted), 0)


def measure(runs: int, quick: bool) -> Part:
    """Return what a refresh takes, and what its parts do."""
    del quick
    with TemporaryDirectory() as scratch, Store() as store:
        work = Path(scratch)
        store.empty(BUCKET)
        first, second = builds(real_city_database(), work)
        with vendor(first, DATES[0]) as one, vendor(second, DATES[1]) as two:
            wanted = parts(first, work) | beside(first, work, store)
            return measured(Bench(store, (one, two), work), wanted, runs)


if __name__ == "__main__":
    sys.exit(main(["--only", "refresh"]))
