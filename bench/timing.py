"""Time whole processes: wall clock, CPU and peak memory as the operating system accounts for them."""

import atexit
import functools
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_S = 900
"""A process that runs for longer is killed, and has failed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process. Times in seconds, memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Command:
    """A tool to measure: `prepare` runs before every run and `after` afterwards; neither is timed."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    prepare: Callable[[], object]
    after: Callable[[], object] = lambda: None


class _Launcher:
    """The small process that starts the tools, itself started at the first."""

    def __init__(self) -> None:
        argv = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self.close)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, command: Command) -> dict[str, Any]:
        wish = {"argv": command.argv, "env": dict(command.env), "cwd": str(command.cwd), "longest_s": LONGEST_S}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))


_launcher = functools.cache(_Launcher)


def once(command: Command) -> Run:
    """Return the figures of one run. Raises RuntimeError with the tool's output when it fails."""
    command.prepare()
    took = _launcher().run(command)
    if took["code"] != 0:
        raise RuntimeError(f"{command.name} ended with {took['code']}:\n{took['said']}")
    command.after()
    return Run(took["wall_s"], took["cpu_s"], took["peak_mb"])


def interleaved(
    commands: Sequence[Command], runs: int, *, warm_up: bool = True, failed: dict[str, str] | None = None
) -> dict[str, list[Run]]:
    """Return `runs` counted runs of every command, in turn after one warm-up each: drift then hits all alike.

    Each round begins with the next command, so that nobody always follows the same one. A command that fails is left
    out from then on and told of in `failed`; without that, it ends everything with RuntimeError.
    """
    results: dict[str, list[Run]] = {command.name: [] for command in commands}
    for round_ in range(0 if warm_up else 1, runs + 1):
        first = round_ % len(commands)
        for command in (*commands[first:], *commands[:first]):
            if command.name not in results:
                continue
            try:
                run = once(command)
            except RuntimeError as err:
                if failed is None:
                    raise
                failed[command.name] = str(err)
                del results[command.name]
                continue
            if round_:
                results[command.name].append(run)
    return results


def median(runs: Sequence[Run]) -> Run:
    """Return the median of each figure."""
    return Run(
        statistics.median(r.wall_s for r in runs),
        statistics.median(r.cpu_s for r in runs),
        statistics.median(r.peak_mb for r in runs),
    )
