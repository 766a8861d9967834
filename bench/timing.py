"""Time whole processes: wall clock, CPU and peak memory as the operating system accounts for them."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process. Times in seconds, memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Command:
    """A tool to measure: `prepare` runs before every run and is not timed."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    prepare: Callable[[], None]


def once(command: Command) -> Run:
    """Return the figures of one run. Raises RuntimeError with the tool's output when it fails."""
    command.prepare()
    started = time.perf_counter()
    process = subprocess.Popen(
        command.argv, env=dict(command.env), cwd=command.cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        raise RuntimeError(f"{command.name} ended with {process.returncode}:\n{output.decode(errors='replace')}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def interleaved(commands: Sequence[Command], runs: int) -> dict[str, list[Run]]:
    """Return `runs` counted runs of every command, in turn after one warm-up each: drift then hits all alike."""
    results: dict[str, list[Run]] = {command.name: [] for command in commands}
    for command in commands:
        once(command)
    for _ in range(runs):
        for command in commands:
            results[command.name].append(once(command))
    return results


def median(runs: Sequence[Run]) -> Run:
    """Return the median of each figure."""
    return Run(
        statistics.median(r.wall_s for r in runs),
        statistics.median(r.cpu_s for r in runs),
        statistics.median(r.peak_mb for r in runs),
    )
