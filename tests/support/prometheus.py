"""Prometheus' own programs, Debian's, unpacked and never installed (`debian.py`): who reads metrics in the world."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import debian
from tests.support.ports import own_port

_START_S = 60


def promtool() -> str:
    """Return the program that checks rules and metrics; skips the test, loudly, where there is none."""
    return shutil.which("promtool") or _program("prometheus", "promtool")


def _program(package: str, name: str) -> str:
    try:
        return str(debian.unpacked(package, package) / "usr/bin" / name)
    except debian.NotHad as err:
        pytest.skip(f"NOT TESTED WITH PROMETHEUS' OWN PROGRAMS: {err}")


@contextmanager
def pushgateway(home: Path, *flags: str) -> Iterator[str]:
    """Give the URL of a real Pushgateway that keeps nothing, for as long as the context lasts."""
    command = [_program("prometheus-pushgateway", "prometheus-pushgateway"), *flags]
    with _listening(command, home) as url:
        yield url


@contextmanager
def node_exporter(home: Path, textfiles: Path) -> Iterator[str]:
    """Give the URL of a real node_exporter that reads the textfiles of a directory and nothing else."""
    command = [
        _program("prometheus-node-exporter", "prometheus-node-exporter"),
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={textfiles}",
    ]
    with _listening(command, home) as url:
        yield url


@contextmanager
def prometheus(home: Path, scraped: str, *rules: Path) -> Iterator[str]:
    """Give the URL of a real Prometheus that scrapes one address (`host:port`) and evaluates rules, every second."""
    (home / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        f"rule_files: {json.dumps([str(path) for path in rules])}\n"
        f"scrape_configs: [{{job_name: hubdata, static_configs: [{{targets: ['{scraped}']}}]}}]\n"
    )
    command = [_program("prometheus", "prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with _listening(command, home, ready="-/ready") as url:
        yield url


def asked(url: str, path: str) -> Any:
    """Return the data that Prometheus answers a question of its API with."""
    with urllib.request.urlopen(f"{url}/api/v1/{path}", timeout=30) as answer:
        return json.load(answer)["data"]


def scraped(url: str) -> str:
    """Return what is to be read at `url`/metrics."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


@contextmanager
def _listening(command: list[str], home: Path, ready: str = "metrics") -> Iterator[str]:
    port = own_port()
    log = home / "prometheus.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"],
            cwd=home,
            env={"PATH": os.environ["PATH"]},
            stdout=out,
            stderr=out,
        )
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + _START_S
        while True:
            try:
                with urllib.request.urlopen(f"{url}/{ready}", timeout=30):
                    break
            except OSError as err:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[0]} does not listen: {log.read_text()[-500:]}") from err
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def named_metrics(expression: str) -> set[str]:
    """Return the metrics of ours that a PromQL expression names, a histogram's parts by the histogram's name."""
    names = re.findall(r"(?<![\w:])hubdata_\w+", re.sub(r'"[^"]*"', '""', expression))
    return {re.sub(r"^(hubdata_run_duration_seconds)_(sum|count|bucket)$", r"\1", name) for name in names}
