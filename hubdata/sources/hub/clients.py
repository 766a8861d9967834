"""Clients for many hosts and threads: each keeps its connections for its thread, and all end together.

A whole mirror has one deadline and one budget of bytes, each file a shorter deadline of its own.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import random as real_random

from hubdata.errors import SourceError
from hubdata.ports import SourceContext
from hubdata.sources.hub.options import HubOptions
from hubdata.transfer.conditional import ConditionalClient
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.upstream import Upstream
from hubdata.transfer.url import origin


@dataclass(slots=True)
class Budget:
    """How many bytes may still come, for all threads together."""

    left: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield `pieces`. Raises SourceError once more than all is spent."""
        for piece in pieces:
            with self._lock:
                self.left -= len(piece)
                spent = self.left < 0
            if spent:
                raise SourceError(
                    "more came in this run than `max_total_bytes` allows",
                    advice="see what has grown; if all of this is meant, raise `max_total_bytes` in the job",
                )
            yield piece


class Clients:
    """Clients by thread, host and trust; a context manager."""

    def __init__(
        self,
        options: HubOptions,
        context: SourceContext,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self.budget = Budget(options.max_total_bytes)
        self.deadline = Deadline.after(timedelta(seconds=options.timeout_s), monotonic=monotonic)
        self._options = options
        self._context = context
        self._monotonic = monotonic
        self._random = random
        self._mine = threading.local()
        self._all: list[ConditionalClient] = []
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise SourceError when the time for everything is up."""
        if self.deadline.expired:
            raise SourceError(
                f"not all was done within the {self._options.timeout_s:g} s allowed",
                advice="the next run goes on; raise `timeout_s` if the network is slow",
                retryable=True,
            )

    def upstream(self) -> Upstream:
        """Return the patience for one more file. Raises SourceError when there is none left for any."""
        self.check()
        left = max(self.deadline.remaining_s, 0.001)
        clock = self._context.clock
        return Upstream(
            self._options.model_copy(update={"timeout_s": min(left, self._options.file_timeout_s)}),
            self._context.environment,
            now=clock.now,
            sleep=clock.sleep,
            monotonic=self._monotonic,
            random=self._random,
        )

    def client(self, upstream: Upstream, url: str, *, public_only: bool) -> ConditionalClient:
        """Return this thread's client for the server of `url`."""
        mine: dict[object, ConditionalClient] | None = getattr(self._mine, "clients", None)
        if mine is None:
            mine = self._mine.clients = {}
        who = (origin(url), public_only)
        if who not in mine:
            mine[who] = upstream.client(url, public_only=public_only)
            with self._lock:
                self._all.append(mine[who])
        return mine[who]

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for client in self._all:
                with suppress(OSError):
                    client.close()
            self._all.clear()
