"""Measures what judging a body costs: CPU time in yardsticks, and the most memory above what there was before.

`python -m tests.fuzz.cost KIND [BYTES]` prints one line of JSON for each worst case of the kind, each measured in a
process of its own that begins with the body and the libraries. The yardstick is a loop of plain Python, timed in the
same process right before the case and right after it, of which the slower counts: it makes the figure one of the code
and not of the machine.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads do not survive the forks below

import numpy as np  # noqa: F401 - what a library weighs is not what a body costs

from hubdata.plugins import Seam, load
from tests.fuzz.worst_cases import Make, cases
from tests.support.judged import judged

BYTES = 2 << 20
"""Large enough that a slope shows beside what every file needs, and of more rows than are kept as texts."""


def yardstick() -> float:
    """Return the CPU seconds of a fixed piece of work, a fourteenth of a second where the bounds were chosen."""
    started = time.process_time()
    seen: dict[str, int] = {}
    for number in range(200_000):
        text = f"{number % 5_000}:{number}"
        seen[text[:4]] = seen.get(text[:4], 0) + len(text.split(":"))
    return time.process_time() - started


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _write(path: Path, make: Make, size: int) -> None:
    path.write_bytes(make(size))


def _measure(adapter: Any, name: str, path: Path) -> None:
    body = path.read_bytes()
    unit_before = yardstick()
    before, started = _peak(), time.process_time()
    raised = ""
    try:
        judged(adapter, body)
    except Exception as err:  # noqa: BLE001 - that is what is looked for
        raised = repr(err)
    seconds = time.process_time() - started
    measured = {
        "case": name,
        "mib": len(body) / (1 << 20),
        "yardsticks": seconds / max(unit_before, yardstick()),
        "bytes": _peak() - before,
        "raised": raised,
    }
    sys.stdout.write(json.dumps(measured) + "\n")


def _apart(work: Callable[[], None]) -> None:
    """Do `work` in a process of its own: what it grows to is not this one's."""
    child = os.fork()
    if child == 0:
        work()
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)


def main(kind: str, size: int) -> None:
    """Print the costs of all worst cases of `kind`."""
    adapter = load(Seam.KIND, kind)
    judged(adapter, b"warm\n")
    with TemporaryDirectory() as work:
        path = Path(work) / "body"
        for name, make in cases(kind).items():
            _apart(partial(_write, path, make, size))
            _apart(partial(_measure, adapter, name, path))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else BYTES)
