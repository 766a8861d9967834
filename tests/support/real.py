"""Where the real data lies that tests are held to, and the mark for tests that cannot do without it."""

from pathlib import Path

import pytest

REAL = Path(__file__).parents[2].parent / "shared" / "real"
SEC_LISTS = REAL / "sec-lists"
"""The real data tree: lists, patterns and rule sets as published today."""
MMDB = REAL / "mmdb"
BAD_MMDB = MMDB / "bad"
HUB_ITEMS = REAL / "hub-items"

needs_real = pytest.mark.skipif(
    not SEC_LISTS.is_dir(),
    reason="NOT TESTED ON REAL INPUT: ../shared/real/sec-lists is absent; put the real data tree there and run again",
)
