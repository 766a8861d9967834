"""Measure `hubdata sync --once` beside `aws s3 sync` on the real tree, against a moto server on loopback.

`python -m bench [--runs N]` prints a Markdown table. Both tools run as whole processes, in turn; hubdata validates
every file and verifies every digest, the peer does neither. Figures are medians; compare ratios, not seconds.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version
from tempfile import TemporaryDirectory

from bench.peers import AWSCLI, aws
from bench.timing import Command, Run, interleaved, median
from tests.support.moto_server import MotoServer
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


class Setting:
    """One moto server, one checkout, and the two tools pointed at it."""

    def __init__(self, server: MotoServer, work: Path) -> None:
        self.server = server
        self.work = work
        self.checkout = work / "checkout"
        self.config = work / "hubdata.toml"
        self.fresh_checkout()

    def fresh_checkout(self) -> None:
        """Lay the tree anew, as a clone does: every mtime is now."""
        shutil.rmtree(self.checkout, ignore_errors=True)
        shutil.copytree(SEC_LISTS, self.checkout, copy_function=shutil.copyfile)

    def scenario(self, *, empty: bool, fresh: bool) -> tuple[Command, Command]:
        """Return both tools for one scenario: into an `empty` bucket, from a `fresh` checkout."""
        buckets = {"hubdata": self.server.bucket(), "aws": self.server.bucket()}
        distribution = self.server.distribution(buckets["hubdata"])

        def prepare(tool: str) -> Callable[[], None]:
            def step() -> None:
                if empty:
                    buckets[tool] = self._emptied(buckets[tool])
                if fresh:
                    self.fresh_checkout()

            return step

        self.config.write_text(
            SETTINGS.format(work=self.work, bucket=buckets["hubdata"], url=self.server.url, distribution=distribution)
        )
        jobs = [part for job in JOBS for part in ("--job", job)]
        ours = [str(Path(sys.executable).with_name("hubdata")), "sync", "--once", "-c", str(self.config), *jobs]
        theirs = [str(aws()), "s3", "sync", str(self.checkout), f"s3://{buckets['aws']}", "--exclude", ".github/*"]
        return (
            Command(
                "hubdata", [*ours, "--checkout", str(self.checkout)], self.server.env, self.work, prepare("hubdata")
            ),
            Command("aws", theirs, self.server.env, self.work, prepare("aws")),
        )

    def _emptied(self, bucket: str) -> str:
        s3 = self.server.client("s3")
        while found := s3.list_objects_v2(Bucket=bucket).get("Contents"):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": item["Key"]} for item in found]})
        return bucket


SCENARIOS = {
    "first sync": {"empty": True, "fresh": False},
    "no-op, same checkout": {"empty": False, "fresh": False},
    "no-op, fresh checkout": {"empty": False, "fresh": True},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, Python {python_version()}, {os.cpu_count()} cores, {AWSCLI}, moto on loopback"
    )
    print(f"Real tree, medians of {runs}, whole processes in turn.\n")
    print("| scenario | tool | wall s | CPU s | peak MB | wall / aws |")
    print("|---|---|---|---|---|---|")
    with TemporaryDirectory() as work, MotoServer() as server:
        setting = Setting(server, Path(work))
        for name, how in SCENARIOS.items():
            figures = {tool: median(each) for tool, each in interleaved(setting.scenario(**how), runs).items()}
            for tool, run in figures.items():
                print(_row(name, tool, run, run.wall_s / figures["aws"].wall_s), flush=True)


def _row(scenario: str, tool: str, run: Run, ratio: float) -> str:
    return f"| {scenario} | {tool} | {run.wall_s:.3f} | {run.cpu_s:.3f} | {run.peak_mb:.0f} | {ratio:.2f} |"


if __name__ == "__main__":
    main()
