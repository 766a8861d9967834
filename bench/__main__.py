"""Measure `hubdata sync --once` beside `aws s3 sync` on the real tree, against a moto server on loopback.

`python -m bench [--runs N] [--write]` prints a Markdown table, and writes it to bench/RESULTS.md. Both tools run as
whole processes, in turn; hubdata validates every file and verifies every digest, the peer does neither. Figures are
medians; compare ratios, not seconds. Requests are counted in a run of their own, through a counting proxy.
"""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from tempfile import TemporaryDirectory

from bench.peers import AWSCLI, aws
from bench.timing import Command, Run, interleaved, median, once
from tests.support.moto_server import MotoServer
from tests.support.proxy import Proxy
from tests.support.real import SEC_LISTS

SETTINGS = """\
spool = "{work}/spool"

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

JOBS = ("allowlists", "web-patterns", "appsec")
RESULTS = Path(__file__).with_name("RESULTS.md")
ONE_FILE = "whitelists/benign_bots/search_engine_crawlers/rdns_seo_bots.txt"


@dataclass(frozen=True)
class Scenario:
    """What stands before each run: an `empty` bucket, a `fresh` checkout, one file `changed` since the last."""

    name: str
    empty: bool = False
    fresh: bool = False
    changed: bool = False


SCENARIOS = (
    Scenario("first sync", empty=True),
    Scenario("no-op, same checkout"),
    Scenario("no-op, fresh checkout", fresh=True),
    Scenario("one file changed, fresh checkout", fresh=True, changed=True),
)


class Setting:
    """One moto server, one checkout, and the two tools pointed at it."""

    def __init__(self, server: MotoServer, work: Path) -> None:
        self.server = server
        self.work = work
        self.checkout = work / "checkout"
        self.config = work / "hubdata.toml"
        self.buckets = {"hubdata": server.bucket(), "aws": server.bucket()}
        self.distribution = server.distribution(self.buckets["hubdata"])
        # As installed: with compiled modules, which the warm-up run writes where an editable install has none.
        self.env = {name: value for name, value in server.env.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._changes = 0
        self.fresh_checkout()

    def fresh_checkout(self) -> None:
        """Lay the tree anew, as a clone does: every mtime is now."""
        shutil.rmtree(self.checkout, ignore_errors=True)
        shutil.copytree(SEC_LISTS, self.checkout, copy_function=shutil.copyfile)

    def commands(self, scenario: Scenario, url: str) -> tuple[Command, Command]:
        """Return both tools for `scenario`, talking to the server at `url`."""
        config = SETTINGS.format(
            work=self.work, bucket=self.buckets["hubdata"], url=url, distribution=self.distribution
        )
        self.config.write_text(config)
        jobs = [part for job in JOBS for part in ("--job", job)]
        ours = [str(Path(sys.executable).with_name("hubdata")), "sync", "--once", "-c", str(self.config), *jobs]
        theirs = [str(aws()), "s3", "sync", str(self.checkout), f"s3://{self.buckets['aws']}"]
        theirs += ["--endpoint-url", url, "--exclude", ".github/*"]
        argvs = {"hubdata": [*ours, "--checkout", str(self.checkout)], "aws": theirs}
        return tuple(  # type: ignore[return-value]  # two, as there are two tools
            Command(tool, argv, self.env, self.work, self._prepare(scenario, tool)) for tool, argv in argvs.items()
        )

    def _prepare(self, scenario: Scenario, tool: str) -> Callable[[], None]:
        def step() -> None:
            if scenario.empty:
                self._empty(self.buckets[tool])
            if scenario.fresh:
                self.fresh_checkout()
            if scenario.changed:
                self._changes += 1
                with (self.checkout / ONE_FILE).open("a") as file:
                    file.write(f"# changed {self._changes}\n")

        return step

    def _empty(self, bucket: str) -> None:
        s3 = self.server.client("s3")
        while found := s3.list_objects_v2(Bucket=bucket).get("Contents"):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": item["Key"]} for item in found]})


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    scenario: str
    tool: str
    run: Run
    wall_ratio: float
    cpu_ratio: float
    requests: str

    def __str__(self) -> str:
        figures = f"{self.run.wall_s:.3f} | {self.wall_ratio:.2f} | {self.run.cpu_s:.3f} | {self.cpu_ratio:.2f}"
        return f"| {self.scenario} | {self.tool} | {figures} | {self.run.peak_mb:.0f} | {self.requests} |"


def measured(setting: Setting, scenario: Scenario, runs: int) -> list[Row]:
    """Return the rows of one scenario."""
    figures = {
        tool: median(each) for tool, each in interleaved(setting.commands(scenario, setting.server.url), runs).items()
    }
    theirs = figures["aws"]
    return [
        Row(scenario.name, tool, run, run.wall_s / theirs.wall_s, run.cpu_s / theirs.cpu_s, requests)
        for (tool, run), requests in zip(figures.items(), counted(setting, scenario), strict=True)
    ]


def counted(setting: Setting, scenario: Scenario) -> list[str]:
    """Return the requests that each tool sends, counted between it and the server."""
    said = []
    with Proxy(setting.server.url) as proxy:
        for command in setting.commands(scenario, proxy.url):
            proxied = replace(command, env={**command.env, "AWS_ENDPOINT_URL": proxy.url})
            proxy.reset()
            once(proxied)
            said.append(" ".join(f"{count} {method}" for method, count in sorted(proxy.methods.items())))
    return said


def machine() -> str:
    """Return what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.machine()}; load {os.getloadavg()[0]:.1f} at the start; Python {python_version()}, "
        f"boto3 {version('boto3')}, moto {version('moto')} on loopback, "
        f"{AWSCLI.replace('==', ' ')} in its own environment"
    )


HEAD = """\
| scenario | tool | wall s | / aws | CPU s | / aws | peak MB | requests |
|---|---|---|---|---|---|---|---|"""

NOTES = """\
hubdata validates all files and compares every byte's SHA-256 with what is published; `aws s3 sync` compares sizes and
times, and validates nothing. From a fresh checkout, where every time is new, it uploads the whole tree.

What bounds what: a no-op is start-up (interpreter, click, pydantic, reading jobs: 0.3 s) and validation (0.2 s, a third
of it RE2 compiling the rule sets' patterns); the store's three reads cost little beside them. From the same checkout
aws only compares sizes and times, so its whole run is start-up. A first sync adds botocore's import and two clients
(0.25 s), and 1.8 ms of botocore's CPU for each put; from 4 to 32 threads make no difference on loopback, because the
process is bound by its own CPU. Peak memory follows the libraries that are imported.
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.parent.name}/{RESULTS.name}")
    wanted = parser.parse_args()
    intro = f"{machine()}.\nReal tree, medians of {wanted.runs} whole processes in turn after a warm-up."
    print(f"{intro}\n\n{HEAD}")
    rows = []
    with TemporaryDirectory() as work, MotoServer() as server:
        setting = Setting(server, Path(work))
        for scenario in SCENARIOS:
            for row in measured(setting, scenario, wanted.runs):
                print(row, flush=True)
                rows.append(str(row))
    if wanted.write:
        table = "\n".join([HEAD, *rows])
        RESULTS.write_text(f"# hubdata beside aws s3 sync\n\n`python -m bench --write`. {intro}\n\n{table}\n\n{NOTES}")


if __name__ == "__main__":
    main()
