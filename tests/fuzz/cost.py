"""Measures what judging a body costs: CPU time in yardsticks, and the most memory above what there was before.

`python -m tests.fuzz.cost KIND` prints one line of JSON for each worst case of the kind, each measured in a process
of its own. The yardstick is a loop of plain Python, timed in the same process right before the case: it makes the
figure one of the code and not of the machine.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable

from hubdata.plugins import Seam, load
from tests.fuzz.worst_cases import cases
from tests.support.judged import judged


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


def _measured(kind: str, name: str, make: Callable[[], bytes]) -> dict[str, str | float]:
    adapter = load(Seam.KIND, kind)
    judged(adapter, b"warm\n")
    body = make()
    unit = yardstick()
    before, started = _peak(), time.process_time()
    raised = ""
    try:
        judged(adapter, body)
    except Exception as err:  # noqa: BLE001 - that is what is looked for
        raised = repr(err)
    seconds = time.process_time() - started
    return {
        "case": name,
        "mib": len(body) / (1 << 20),
        "yardsticks": seconds / unit,
        "bytes": _peak() - before,
        "raised": raised,
    }


def main(kind: str) -> None:
    """Print the costs of all worst cases of `kind`."""
    for name, make in cases(kind).items():
        child = os.fork()
        if child == 0:
            sys.stdout.write(json.dumps(_measured(kind, name, make)) + "\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1])
