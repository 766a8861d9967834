"""A list that lost its rows is held back."""

import pytest

from hubdata.grammar.entries import too_few
from hubdata.model.job import Limits


@pytest.mark.parametrize(
    ("least", "entries", "refused"), [(None, 0, False), (3, 3, False), (3, 2, True), (0, 0, False)]
)
def test_fewer_entries_than_the_job_allows_is_an_error(least: int | None, entries: int, refused: bool) -> None:
    """Only a bound that is set, and broken, gives a finding."""
    findings = too_few("k", entries, Limits(min_entries=least))
    assert [f.rule for f in findings] == (["limits.min-entries"] if refused else [])
