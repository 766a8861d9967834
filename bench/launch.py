"""A small process that starts the tools and times them: lines of JSON in, lines of JSON out.

Until a new process executes its program, its memory is its starter's, and the operating system counts that as its peak.
So whoever starts them must be smaller than any of them: this file imports hardly anything, and nothing of ours. It is
run by its path, isolated, without site packages.
"""

import json
import os
import subprocess
import sys
import threading
import time

TOLD = 2_000
"""How much of what a tool has said is told, from its end."""


def timed(wish: dict) -> dict:  # type: ignore[type-arg]  # the shapes are `bench.timing`'s
    """Return what one run took: `wall_s`, `cpu_s`, `peak_mb`, its exit `code` and what it `said` last."""
    started = time.perf_counter()
    process = subprocess.Popen(
        wish["argv"],
        env=wish["env"],
        cwd=wish["cwd"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    guard = threading.Timer(wish["longest_s"], process.kill)
    guard.daemon = True
    guard.start()
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    guard.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return {
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
        "code": process.returncode,
        "said": said[-TOLD:].decode(errors="replace"),
    }


def main() -> None:
    """Serve until the standard input ends."""
    for line in sys.stdin:
        try:
            answer = timed(json.loads(line))
        except OSError as err:
            answer = {"wall_s": 0, "cpu_s": 0, "peak_mb": 0, "code": -1, "said": str(err)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
