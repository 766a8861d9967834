"""Bound what one client can hold: how long it may take, and how many there may be.

uvicorn ends a connection that is idle after an answer, and nothing else: one that never asks, sends its request a byte
a minute, or takes its answer as slowly, stays for ever. Here every connection has a clock for the state it is in. Time
that runs out ends the connection at once; what is unsent is dropped, since waiting for it is what has to end.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, in bytes and seconds; `connections` at once are answered, a few more are told to come back later."""

    connections: int = 512
    head_bytes: int = 16 << 10
    idle_s: int = 5
    """How long a connection is kept after an answer, for the next request."""
    head_s: float = 30
    """How long a request may take to arrive."""
    stall_s: float = 30
    """How long a client may take for what is on its way to it, some 100 KB: well below 10 KB/s it is cut off."""
    answer_s: float = 3600
    """How long an answer may take in all."""
    grace_s: int = 5
    """How long answers may go on once the server is to end."""

    @property
    def sockets(self) -> int:
        """Return how many connections there may be, those that are turned away included."""
        return self.connections + 64


def bounded(limits: Limits) -> type[H11Protocol]:
    """Return the protocol of connections that keep to `limits`."""

    class Bounded(_Bounded):
        bounds = limits

    return Bounded


class _Bounded(H11Protocol):
    bounds: Limits
    _clock: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.bounds.sockets:
            transport.abort()
        else:
            self._give(self.bounds.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._clock, self._stall):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before: Any = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._give(self.bounds.answer_s)

    def on_response_complete(self) -> None:
        self._give(self.bounds.head_s)  # before the next request, which may be waiting, is given its own time
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # amid an answer there is no room for another
        else:
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.bounds.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _give(self, seconds: float) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._clock = self.loop.call_later(seconds, self.transport.abort)
