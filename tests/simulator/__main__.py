"""Walk through the model for as long as there is time: `python -m tests.simulator --minutes 10`.

It stops at the first flaw, with the shortest story that ends in it, step by step; `--seed` tells the same one again.
"""

import argparse
import random
import sys
import time

from tests.simulator.driving import DONE
from tests.simulator.machine import explore


def main() -> None:
    """Explore with new seeds until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    ends = time.monotonic() + 60 * arguments.minutes
    chance = arguments.seed
    while time.monotonic() < ends:
        chance = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
        sys.stdout.write(f"seed {chance}\n")
        sys.stdout.flush()
        explore(100, seed=chance, shrink=True)
        if arguments.seed is not None:
            break
    sys.stdout.write(f"nothing is broken: {dict(sorted(DONE.items()))}\n")


if __name__ == "__main__":
    main()
