"""Whatever the bytes, a kind answers with findings: an exception would stop the run that has to judge the rest."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubdata.model.job import Limits
from hubdata.plugins import KINDS, Seam, load
from tests.fuzz.bodies import bodies
from tests.support.judged import judged

LIMITS = Limits(min_entries=2, must_contain=("9.9.9.9", "row"), must_not_contain=("9.9.0.0/16",))


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(st.data())
@settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_no_bytes_make_a_kind_raise(kind: str, data: st.DataObject) -> None:
    """Good files hurt in a few places, poison, rows repeated, patterns of every dialect, with limits and without."""
    check_never_raises(kind, data.draw(bodies(kind)))


def check_never_raises(kind: str, body: bytes) -> None:
    """Judge `body` with limits and without, and hold every finding to what a report needs of it."""
    adapter = load(Seam.KIND, kind)
    lines = body.count(b"\n") + 1
    for limits in (Limits(), LIMITS):
        for finding in judged(adapter, body, limits=limits).findings:
            assert finding.line is None or 1 <= finding.line <= lines, finding
            assert finding.message.isprintable(), finding
            assert finding.advice, finding
