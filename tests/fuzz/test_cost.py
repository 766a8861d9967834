"""No file, however it was made to hurt, keeps its judge busy for long or fills the machine's memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hubdata.plugins import KINDS

MAX_YARDSTICKS = 15
"""For each megabyte, and for what is smaller: a second where the yardstick was made; the worst needs two thirds."""

MAX_TIMES = 10
ALLOWANCE = 20 << 20
"""Memory that does not grow with the file: a piece of it as objects, a short list's rows, compiled patterns."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_worst_case_hangs_bloats_or_raises(kind: str) -> None:
    """Each known pathology, two megabytes of it, in a process of its own that has the libraries and the body."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.cost", kind],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    costs = [json.loads(line) for line in ended.stdout.splitlines()]
    assert costs, ended.stderr
    for cost in costs:
        assert cost["raised"] == "", cost
        assert cost["yardsticks"] <= MAX_YARDSTICKS * max(1, cost["mib"]), cost
        assert cost["bytes"] <= MAX_TIMES * cost["mib"] * (1 << 20) + ALLOWANCE, cost
