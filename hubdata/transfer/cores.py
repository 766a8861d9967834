"""How many processors this process may use: those that it may run on, and no more than its container's share of time.

A container with a limit of one processor on a machine of sixty-four sees all of them, and is stopped for half of each
tenth of a second if it uses two; with a limit of one and a half, for a quarter.
"""

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""In a container its own limit (cgroup v2): microseconds of processor time, or `max`, in each period of so many."""


def cores(quota: Path = _QUOTA) -> int:
    """Return how many processors serve this process, at least 1; 1 where nobody can say."""
    if not hasattr(os, "sched_getaffinity"):
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), _share(quota)))


def _share(quota: Path) -> int:
    """Return the container's limit in whole processors, 0 if it is less than one; very many where it has none."""
    try:
        time_us, _, period_us = quota.read_text("ascii").partition(" ")
        return int(time_us) // int(period_us)
    except (OSError, ValueError, ZeroDivisionError):
        return 1 << 20
