"""The deadline: one budget of time that everything shares."""

from datetime import timedelta

from hubdata.transfer.deadline import Deadline


class Watch:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_deadline_counts_down_to_zero_and_stays_there() -> None:
    """What is left shrinks with the clock, and is never negative."""
    watch = Watch()
    deadline = Deadline.after(timedelta(seconds=10), monotonic=watch)
    watch.now_s += 4
    assert (deadline.remaining_s, deadline.expired) == (6.0, False)
    watch.now_s += 600
    assert (deadline.remaining_s, deadline.expired) == (0.0, True)


def test_a_wait_is_allowed_only_if_time_is_left_after_it() -> None:
    """A wait that ends exactly at the deadline, or later, is of no use to anybody."""
    deadline = Deadline.after(timedelta(seconds=10), monotonic=Watch())
    assert deadline.allows(timedelta(seconds=9.9))
    assert not deadline.allows(timedelta(seconds=10))


def test_a_timeout_is_clipped_to_what_is_left_and_never_to_nothing() -> None:
    """Sockets take a timeout of zero for non-blocking, so the shortest is a millisecond."""
    watch = Watch()
    deadline = Deadline.after(timedelta(seconds=10), monotonic=watch)
    assert deadline.clip(3) == 3
    assert deadline.clip(30) == 10
    watch.now_s += 11
    assert deadline.clip(30) == 0.001
