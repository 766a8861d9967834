"""Run the real command in a process of its own, as cron and CI do."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended. `peak_mb` is its largest resident set."""

    code: int
    stdout: str
    stderr: str
    peak_mb: float

    @property
    def json(self) -> Any:
        """Return stdout as the one JSON object that it is."""
        return json.loads(self.stdout)

    def job(self, name: str) -> Any:
        """Return one job of the JSON result."""
        return next(job for job in self.json["jobs"] if job["job"] == name)

    def puts(self, target: str) -> list[str]:
        """Return every key that was put at `target`, by all jobs."""
        return sorted(
            key for job in self.json["jobs"] for t in job["targets"] if t["target"] == target for key in t["puts"]
        )

    def requests(self, target: str) -> dict[str, int]:
        """Return the requests at `target`, summed over the jobs."""
        total: dict[str, int] = {}
        for job in self.json["jobs"]:
            for one in job["targets"]:
                if one["target"] == target:
                    for method, count in one["requests"].items():
                        total[method] = total.get(method, 0) + count
        return total


def hubdata(
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
    within: Sequence[str] = (),
    stdin: str = "",
) -> Ended:
    """Return what `hubdata ARGUMENTS` said and did; kills it after `timeout` seconds.

    `within` is a command that runs the rest of its line, such as `nice` or `unshare`.
    """
    argv = [*within, sys.executable, "-m", "hubdata", *map(str, arguments)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **(env or {})}
    with tempfile.TemporaryFile() as into, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        into.write(stdin.encode())
        into.seek(0)
        process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(timeout), *argv],
            cwd=cwd,
            env=environment,
            stdin=into,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Ended(process.returncode, out.read().decode(), err.read().decode(), usage.ru_maxrss / 1024)
