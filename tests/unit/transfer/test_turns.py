"""Threads that compute take turns in the order of asking, and nobody is forgotten."""

import threading
import time

import pytest

from hubdata.transfer.turns import Turns


def _until_waiting(turns: Turns, count: int) -> None:
    deadline = time.monotonic() + 60
    while turns.waiting < count:
        assert time.monotonic() < deadline, "nobody came to wait"
        time.sleep(0.001)


def test_whoever_asked_first_is_next() -> None:
    """Turns are given in the order in which they were asked for."""
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        with turns:
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    with turns:
        for number, thread in enumerate(threads):
            thread.start()
            _until_waiting(turns, number + 1)
        assert order == []
    for thread in threads:
        thread.join(30)
    assert order == [0, 1, 2, 3, 4]


def test_giving_way_lets_the_others_in_and_comes_back() -> None:
    """Whoever gives way goes on when everybody that waited has had a turn; with nobody there, at once."""
    turns, order = Turns(), list[str]()

    def take() -> None:
        with turns:
            order.append("other")

    other = threading.Thread(target=take)
    with turns:
        turns.give_way()
        order.append("mine")
        other.start()
        _until_waiting(turns, 1)
        turns.give_way()
        order.append("mine again")
    other.join(30)
    assert order == ["mine", "other", "mine again"]


def test_a_turn_that_ends_in_an_error_is_over() -> None:
    """The next one does not wait for ever."""
    turns = Turns()
    with pytest.raises(ValueError, match="broken"), turns:
        raise ValueError("broken")
    with turns:
        assert turns.waiting == 0


def test_only_one_has_a_turn() -> None:
    """However many threads ask, and give way, again and again."""
    turns, inside, most = Turns(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns:
                inside += 1
                most = max(most, inside)
                inside -= 1
                turns.give_way()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert (most, inside, turns.waiting) == (1, 0, 0)
