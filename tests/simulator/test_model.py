"""A model of everything that may happen: the same walk every time here, new ones by `python -m tests.simulator`."""

import sys

from tests.simulator.driving import DONE
from tests.simulator.machine import explore


def test_invariants_hold_whatever_happens() -> None:
    """Thousands of steps of runs, crashes, races, faults and rollbacks; the witness is asked after each of them."""
    DONE.clear()

    explore(90, seed=None, shrink=False)

    sys.stdout.write(f"model: {dict(sorted(DONE.items()))}\n")
    assert DONE["steps"] >= 2000
    assert min(DONE[what] for what in ("killed", "PUT", "DELETE", "invalidation", "exit 3", "exit 4", "exit 6")) >= 10
    assert DONE["seals"] >= 100
    assert DONE["pages"] >= 100
