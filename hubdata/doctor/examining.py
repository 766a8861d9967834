"""Ask many things at once, each for so long and no longer; whatever one of them does, the others are told.

A service that swallows packets, a resolver that is silent and a library that raises what nobody thought of are what
this command is for, so each is a result and none an end. A thread that is still waiting when its time is up is left
behind: nothing in it can be interrupted, and it keeps no process alive.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from hubdata.doctor.catalogue import About, place_of
from hubdata.errors import HubdataError
from hubdata.model.checkup import Check

AT_ONCE = 16
LIMIT_S = 12.0
"""Longer than what any probe waits for by itself, so that mostly it says what it was that did not answer."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Something to find out. `ask` returns what it found; if it cannot, that is told of `about`."""

    about: About
    ask: Callable[[], Iterable[Check]]
    limit_s: float = LIMIT_S


@dataclass(frozen=True, slots=True)
class _Under:
    probe: Probe
    ends_at: float


def examine(probes: Iterable[Probe], *, monotonic: Callable[[], float] = time.monotonic) -> tuple[Check, ...]:
    """Return what all probes found, in the catalogue's order. Raises nothing of theirs."""
    waiting = list(enumerate(probes))[::-1]
    under: dict[int, _Under] = {}
    found: list[Check] = []
    done: SimpleQueue[tuple[int, tuple[Check, ...]]] = SimpleQueue()
    while waiting or under:
        while waiting and len(under) < AT_ONCE:
            number, probe = waiting.pop()
            under[number] = _Under(probe, monotonic() + probe.limit_s)
            threading.Thread(target=_answer, args=(number, probe, done), daemon=True, name="doctor").start()
        next_end = min(one.ends_at for one in under.values())
        try:
            number, checks = done.get(timeout=max(0.0, next_end - monotonic()))
        except Empty:
            for number, one in list(under.items()):
                if one.ends_at <= monotonic():
                    found.append(_late(one.probe))
                    del under[number]
        else:
            if under.pop(number, None) is not None:  # else it was too late
                found += checks
    return tuple(sorted(found, key=place_of))


def _answer(number: int, probe: Probe, done: "SimpleQueue[tuple[int, tuple[Check, ...]]]") -> None:
    checks: list[Check] = []  # what was found before something broke is told as well
    try:
        checks.extend(probe.ask())
    except HubdataError as err:
        checks.append(probe.about.fail(str(err), err.advice))
    except BaseException as err:  # noqa: BLE001 - what one probe raises must not cost the others
        why = f"it could not be found out: {type(err).__name__}: {err}"
        checks.append(probe.about.fail(why, "this is a bug in hubdata or in a plug-in: report it with this line"))
    done.put((number, tuple(checks)))


def _late(probe: Probe) -> Check:
    return probe.about.fail(
        f"no answer in {probe.limit_s:g} s", "see whether a firewall, proxy or resolver swallows what is sent"
    )
