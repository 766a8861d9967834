"""Patience: what is spent on one request is not there for the next."""

from datetime import timedelta

from hubdata.transfer.patience import Patience


def patience(seconds: float) -> tuple[Patience, list[float]]:
    """Return a budget and the list of what was slept."""
    slept: list[float] = []
    return Patience(timedelta(seconds=seconds), slept.append), slept


def test_the_last_wait_is_cut_to_what_is_left() -> None:
    """Ten seconds are two waits of six, the second cut short; after that nobody waits."""
    budget, slept = patience(10)
    assert [budget.wait(6), budget.wait(6), budget.wait(6)] == [True, True, False]
    assert slept == [6, 4]
    assert budget.waited_s == 10


def test_a_wait_that_must_be_whole_is_not_begun_in_vain() -> None:
    """Who is told to come back in a minute does not come back in ten seconds."""
    budget, slept = patience(10)
    assert not budget.wait(60, whole=True)
    assert budget.wait(9, whole=True)
    assert slept == [9]


def test_no_wait_at_all_is_always_granted() -> None:
    """A service that says `Retry-After: 0` is asked again, budget or not."""
    budget, slept = patience(0)
    assert budget.wait(0, whole=True)
    assert not budget.wait(1)
    assert slept == []
