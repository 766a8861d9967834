"""Fuzz every kind for as long as there is time: `python -m tests.fuzz --minutes 10`. Prints the first that raises."""

import argparse
import random
import sys
import time

from hypothesis import HealthCheck, given, seed, settings

from hubdata.plugins import KINDS
from tests.fuzz.bodies import bodies
from tests.fuzz.test_never_raises import check_never_raises

_ROUND = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def one_round(kind: str, chance: int) -> None:
    """Judge some hundreds of bodies of one kind."""

    @seed(chance)
    @_ROUND
    @given(bodies(kind))
    def judge(body: bytes) -> None:
        check_never_raises(kind, body)

    judge()


def main() -> None:
    """Go round all kinds with new seeds until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    ends = time.monotonic() + 60 * parser.parse_args().minutes
    rounds = 0
    while time.monotonic() < ends:
        for kind in KINDS:
            one_round(kind, random.randrange(1 << 32))
        rounds += 1
    sys.stdout.write(f"{rounds} rounds of {len(KINDS)} kinds: nothing raised\n")


if __name__ == "__main__":
    main()
