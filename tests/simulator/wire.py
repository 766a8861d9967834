"""The wire between a run and the world: every call crosses it, is written down, and can be made to go wrong.

A fault is scripted for one boundary: before a call takes effect, or after it did while its answer is lost. A killed
process makes no further call from any thread, so after `kill` the wire is dead until `revive`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

Action = Callable[[], None]


class Killed(BaseException):
    """The process is gone: nothing catches this, as nothing catches SIGKILL."""


class When(Enum):
    """At which side of a call's effect something happens."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it set out. `key` is empty for a listing, and the reference for an invalidation."""

    actor: str
    method: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.actor} {self.method} {self.key}".strip()


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that changed: one key written or deleted at a store, or paths that a CDN newly agreed to forget."""

    call: Call
    paths: tuple[str, ...] = ()


@dataclass(slots=True)
class _Rule:
    fits: Callable[[int, Call], bool]
    when: When
    action: Action
    times: int


class Wire:
    """Carries calls one at a time; `calls` and `effects` tell what crossed and what came of it, in order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.effects: list[Effect] = []
        self._rules: list[_Rule] = []
        self._dead = False
        self._lock = threading.RLock()

    def on(
        self,
        method: str,
        key: str | None = None,
        *,
        do: Action,
        when: When = When.BEFORE,
        times: int = 1,
        actor: str = "",
    ) -> None:
        """Do `do` at the next `times` calls of `method` (on `key`, if given): raise an error, or let others act."""

        def fits(_: int, call: Call) -> bool:
            return call.method == method and key in (None, call.key) and actor in ("", call.actor)

        self._rules.append(_Rule(fits, when, do, times))

    def fail(
        self,
        method: str,
        key: str | None = None,
        *,
        error: BaseException,
        when: When = When.BEFORE,
        times: int = 1,
        actor: str = "",
    ) -> None:
        """Raise `error` at the next `times` calls of `method`; AFTER: the effect is there, its answer is lost."""

        def raise_it() -> None:
            raise error

        self.on(method, key, do=raise_it, when=when, times=times, actor=actor)

    def at(self, number: int, when: When, do: Action) -> None:
        """Do `do` at call `number`, counted from 0 over everything that ever crossed this wire."""
        self._rules.append(_Rule(lambda n, _: n == number, when, do, 1))

    def kill_at(self, number: int, when: When) -> None:
        """Kill the process at call `number`."""
        self.at(number, when, self.kill)

    def kill(self) -> None:
        """Kill the process that is calling."""
        self._dead = True
        raise Killed

    def revive(self) -> None:
        """Start a new process: calls cross again, and what was scripted for the old one is forgotten."""
        self._dead = False
        self._rules.clear()

    def record(self, call: Call, paths: tuple[str, ...] = ()) -> None:
        """Note that `call` changed something."""
        self.effects.append(Effect(call, paths))

    @contextmanager
    def crossing(self, call: Call) -> Iterator[None]:
        """Carry one call: what the caller does inside happens at once, as seen by all others."""
        with self._lock:
            self._check_alive()
            rule = self._take(len(self.calls), call)
            self.calls.append(call)
        if rule is not None and rule.when is When.BEFORE:
            rule.action()
        with self._lock:
            self._check_alive()
            yield
        if rule is not None and rule.when is When.AFTER:
            rule.action()

    def _check_alive(self) -> None:
        if self._dead:
            raise Killed

    def _take(self, number: int, call: Call) -> _Rule | None:
        for rule in self._rules:
            if rule.fits(number, call):
                rule.times -= 1
                if rule.times == 0:
                    self._rules.remove(rule)
                return rule
        return None
