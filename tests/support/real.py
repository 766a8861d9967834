"""Where the real data lies that tests are held to, and the mark for tests that cannot do without it."""

import re
from pathlib import Path

import pytest

REAL = Path(__file__).parents[2].parent / "shared" / "real"
SEC_LISTS = REAL / "sec-lists"
"""The real data tree: lists, patterns and rule sets as published today."""
MMDB = REAL / "mmdb"
BAD_MMDB = MMDB / "bad"
HUB_ITEMS = REAL / "hub-items"


def lasting(job: str) -> str:
    """Return a shipped job with waivers that never end, for tests to which it is no matter how long they are granted.

    Theirs is another test: the jobs as shipped are judged on a day within (tests/unit/test_builtin_jobs.py).
    """
    return re.sub(r"^until = \d{4}-\d\d-\d\d$", "until = 2999-12-31", job, flags=re.MULTILINE)


needs_real = pytest.mark.skipif(
    not SEC_LISTS.is_dir(),
    reason="NOT TESTED ON REAL INPUT: ../shared/real/sec-lists is absent; put the real data tree there and run again",
)
