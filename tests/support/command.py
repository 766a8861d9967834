"""Run the real command in a process of its own, as cron and CI do.

Its memory is read from the system while it runs: what a parent is told at the end begins with what the parent itself
had when it started the process, and a worker that has run other tests may have had a gigabyte.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended. `peak_mb` is its largest resident set, as last seen a few milliseconds before.

    Of a forked one it is not a number, and compares as such: only a process started `alone` has memory of its own.
    """

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
    alone: bool = False,
) -> Ended:
    """Return what `hubdata ARGUMENTS` said and did; ends it after `timeout` seconds.

    It is a process of its own in any case. Python is started for it, as for anybody's, where that can make a
    difference: `within` a command that runs the rest of its line (such as `nice` or `unshare`), with variables for
    Python itself in `env`, or where the test wants it `alone`, because it asks for its memory. Otherwise it is forked
    from a process that has done its imports, which spares the machine half a second (`forks.py`).
    """
    if not (alone or within or any(name.startswith("PYTHON") for name in env or ())):
        from tests.support.forks import forked

        return forked(*map(str, arguments), cwd=cwd, env=env, timeout=timeout, stdin=stdin)
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
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, _peak_mb_below(process.pid))
            time.sleep(_LOOK_S)
        out.seek(0)
        err.seek(0)
        return Ended(process.returncode, out.read().decode(), err.read().decode(), peak_mb)


def _peak_mb_below(parent: int) -> float:
    """Return the largest resident set that any process below `parent` has had since its program began."""
    peak = 0.0
    with suppress(OSError):  # it may end while it is looked at
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            status = Path(f"/proc/{child}/status").read_text()
            found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
            peak = max(peak, int(found[1]) / 1024 if found else 0.0, _peak_mb_below(int(child)))
    return peak
