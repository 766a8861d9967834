"""Run the application on its sockets until somebody ends it: uvicorn, told what it may not do.

As a command of its own, SIGTERM and SIGINT end it well, with what is being sent given a few seconds; a second one ends
it at once. uvicorn by itself would raise the signal again when it is done, and so end as if it had been killed. Beside
other work it runs in a thread, hears no signals, and ends when it is told.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from hubdata.errors import ConfigError
from hubdata.serving.connections import Limits, bounded
from hubdata.serving.listening import BACKLOG

_OWN_FILES = 64
_STARTS_IN_S = 30
_ENDS_IN_S = 2.0
"""What uvicorn takes at most, besides the time that answers under way have."""


def serve(app: ASGIApp, listeners: Sequence[socket.socket], limits: Limits, ready: Callable[[], None]) -> None:
    """Answer requests until SIGTERM or SIGINT; `ready` is called once, when both are heeded and requests answered.

    Raises ConfigError when so many connections cannot be had.
    """
    make_room(limits, files_each=2)
    _Server(_config(app, limits), ready).run(sockets=list(listeners))


def make_room(limits: Limits, *, files_each: int, word: str = "--max-connections") -> None:
    """Let the process open its socket, and what else each connection needs.

    Raises ConfigError when the system will not; `word` is what a person has written of the number.
    """
    import resource

    wanted = limits.sockets + (files_each - 1) * limits.connections + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError) as err:
        fewer = max(1, (hard - wanted) // files_each + limits.connections)
        raise ConfigError(
            f"{limits.connections} connections need {wanted} open files, but this process may have {hard}",
            advice=f"lower {word} to {fewer}, or raise the limit (`ulimit -Hn`)",
        ) from err


class Beside:
    """A server in a thread of its own: it answers while the context lasts, or until `told_to_end` says so.

    Its sockets are closed at the end. What it cannot do for want of files, `make_room` finds out before.
    """

    def __init__(
        self,
        app: ASGIApp,
        listeners: Sequence[socket.socket],
        limits: Limits,
        told_to_end: Callable[[], bool] = lambda: False,
    ) -> None:
        self._listeners, self._limits = list(listeners), limits
        self._ready = threading.Event()
        self._server = _Companion(_config(app, limits), self._ready.set, told_to_end)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(_STARTS_IN_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(self._limits.grace_s + _ENDS_IN_S)

    def _run(self) -> None:
        try:
            self._server.run(sockets=self._listeners)
        except Exception:
            logging.getLogger(__name__).exception("http.failed")
        finally:
            self._ready.set()
            for listener in self._listeners:
                listener.close()


def _config(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        # What it would say is said by the application, or is a stranger's doing and no matter for a log.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=bounded(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        workers=1,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=limits.connections + 1,  # it refuses the last one too
        timeout_keep_alive=limits.idle_s,
        timeout_graceful_shutdown=limits.grace_s,
        h11_max_incomplete_event_size=limits.head_bytes,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """End well on the signals that mean so, and leave them as they were."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # a shell's background job: so it was wanted
                signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own signature
        """Begin to end; when asked again, do not wait for anybody."""
        self.force_exit = self.should_exit
        self.should_exit = True


class _Companion(_Server):
    """A server in a thread: signals are another one's business."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], told_to_end: Callable[[], bool]) -> None:
        super().__init__(config, ready)
        self._told_to_end = told_to_end

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing: a thread can handle none."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Tell whether to end; asked ten times a second."""
        return await super().on_tick(counter) or self._told_to_end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and leave no connection behind whose client did not come to an end in time."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
