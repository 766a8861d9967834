"""Errors and exit codes: the worst of several wins, in the contract's order."""

from itertools import combinations

import pytest

from hubdata.errors import CdnError, ConfigError, Conflict, Exit, HubdataError, SourceError, TargetError, worst

ORDER = [1, 2, 6, 5, 4, 3, 7, 0]
"""CONTRACT: 1 6 5 4 3 7 0; a config error, which is not among them, comes right after a bug."""


@pytest.mark.parametrize(("first", "second"), list(combinations(ORDER, 2)))
def test_worst_of_two_codes_is_the_earlier_in_the_contract(first: int, second: int) -> None:
    """Whichever comes first in the list of results, the graver code ends the process."""
    assert worst([Exit(first), Exit(second)]) == worst([Exit(second), Exit(first)]) == first


def test_nothing_to_judge_is_fine() -> None:
    """A run without jobs ends with 0."""
    assert worst([]) is Exit.FINE


@pytest.mark.parametrize(
    ("error", "code"),
    [(HubdataError, 1), (ConfigError, 2), (SourceError, 5), (TargetError, 6), (Conflict, 6), (CdnError, 7)],
)
def test_every_error_knows_its_exit_code_and_advice(error: type[HubdataError], code: int) -> None:
    """An error says what happened, what to do, and whether trying again may help."""
    made = error("what", advice="do", retryable=True)

    assert (made.exit_code, str(made), made.advice, made.retryable) == (code, "what", "do", True)
    assert error("what").retryable is False
