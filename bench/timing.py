"""Time whole processes: wall clock, CPU and peak memory as the operating system accounts for them."""

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def once(command: Command) -> Run:
    """Return the figures of one run. Raises RuntimeError with the tool's output when it fails.

    This process must stay small: until a child executes its program, its memory is counted as the child's.
    """
    command.prepare()
    started = time.perf_counter()
    process = subprocess.Popen(
        command.argv, env=dict(command.env), cwd=command.cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    guard = threading.Timer(LONGEST_S, process.kill)
    guard.start()
    output = process.stdout.read()
    guard.cancel()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        said = output.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{command.name} ended with {process.returncode}:\n{said}")
    command.after()
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


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
