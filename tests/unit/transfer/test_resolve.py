"""Address families of hosts: real answers, honest silence, and never longer than the deadline."""

import socket
import time
from datetime import timedelta
from threading import Event

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.resolve import families_of, look_up


def _soon() -> Deadline:
    return Deadline.after(timedelta(seconds=10))


def test_numbers_are_their_own_family() -> None:
    """The system's resolver answers for literals without asking anybody: no IPv6 for an IPv4 address."""
    assert families_of(["127.0.0.1", "::1"], _soon()) == {
        "127.0.0.1": frozenset({"ipv4"}),
        "::1": frozenset({"ipv6"}),
    }


def test_a_name_that_is_none_is_an_open_question() -> None:
    """Labels too long or empty cannot be asked for at all."""
    assert look_up("a" * 70 + ".example", socket.AF_INET) is None
    assert look_up("a..example", socket.AF_INET6) is None


def test_what_a_resolver_refuses_is_left_open_and_what_it_denies_is_not() -> None:
    """`Try again` is no answer; `no such name` is one."""

    def lookup(host: str, family: int) -> bool | None:
        if host == "half.example":
            return True if family == socket.AF_INET else None
        return host == "there.example"

    assert families_of(["there.example", "gone.example", "half.example"], _soon(), lookup) == {
        "there.example": frozenset({"ipv4", "ipv6"}),
        "gone.example": frozenset(),
    }


def test_a_resolver_that_hangs_holds_nobody_up() -> None:
    """At the deadline the answers that came are given, and the rest is left open."""
    release = Event()

    def lookup(host: str, family: int) -> bool | None:
        if host == "slow.example":
            release.wait(30)
        return True

    started = time.monotonic()
    deadline = Deadline.after(timedelta(seconds=0.5))
    found = families_of(["fast.example", "slow.example"], deadline, lookup)
    took = time.monotonic() - started
    release.set()
    assert found == {"fast.example": frozenset({"ipv4", "ipv6"})}
    assert took < 20


def test_each_question_is_put_once_and_many_at_a_time() -> None:
    """A hub names one host hundreds of times."""
    asked: list[tuple[str, int]] = []

    def lookup(host: str, family: int) -> bool | None:
        asked.append((host, family))
        return True

    found = families_of([f"h{n % 40}.example" for n in range(400)], _soon(), lookup)
    assert len(found) == 40
    assert len(asked) == 80
    assert families_of([], _soon(), lookup) == {}
