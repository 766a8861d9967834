"""Ask the resolver in which address families hosts exist, several at once and within a deadline.

The system's resolver cannot be interrupted, so each question is put by a thread that is left behind when time is up.
What the resolver could not find out (it did not answer, it refused) is left open, and never taken for a no.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue

from hubdata.transfer.deadline import Deadline

Lookup = Callable[[str, int], bool | None]
"""Asks for a host and an address family (`AF_INET6`): there is an address, there is none, or it cannot be told."""

_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_AT_ONCE = 16
_NO = {
    code for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if (code := getattr(socket, name, None)) is not None
}


def look_up(host: str, family: int) -> bool | None:
    """Return whether the system's resolver has an address of `family` for `host`, None when it cannot tell."""
    try:
        return bool(socket.getaddrinfo(host, None, family, socket.SOCK_STREAM))
    except socket.gaierror as err:
        return False if err.errno in _NO else None
    except (OSError, UnicodeError, ValueError):
        return None


def families_of(hosts: Iterable[str], deadline: Deadline, lookup: Lookup = look_up) -> Mapping[str, frozenset[str]]:
    """Return for each host its families, `ipv4` and `ipv6`; hosts of which not all is known in time are left out."""
    questions: SimpleQueue[tuple[str, str]] = SimpleQueue()
    answers: SimpleQueue[tuple[str, str, bool | None]] = SimpleQueue()
    asked = [(host, family) for host in sorted(set(hosts)) for family in _FAMILIES]
    for question in asked:
        questions.put(question)

    def work() -> None:
        while True:
            try:
                host, family = questions.get_nowait()
            except Empty:
                return
            answers.put((host, family, lookup(host, _FAMILIES[family])))

    for _ in range(min(_AT_ONCE, len(asked))):
        threading.Thread(target=work, daemon=True, name="resolve").start()
    known: dict[str, dict[str, bool]] = {}
    for _ in asked:
        try:
            host, family, answer = answers.get(timeout=max(0.0, deadline.remaining_s))
        except Empty:
            break
        if answer is not None:
            known.setdefault(host, {})[family] = answer
    return {
        host: frozenset(family for family, there in found.items() if there)
        for host, found in known.items()
        if len(found) == len(_FAMILIES)
    }
