"""Run the application on its sockets until somebody ends it: uvicorn, told what it may not do.

SIGTERM and SIGINT end it well, with what is being sent given a few seconds; a second one ends it at once. uvicorn by
itself would raise the signal again when it is done, and so end as if it had been killed.
"""

import logging
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from hubdata.errors import ConfigError
from hubdata.serving.connections import Limits, bounded
from hubdata.serving.listening import BACKLOG

_OWN_FILES = 64


def serve(app: ASGIApp, listeners: Sequence[socket.socket], limits: Limits, ready: Callable[[], None]) -> None:
    """Answer requests until SIGTERM or SIGINT; `ready` is called once, when both are heeded and requests answered.

    Raises ConfigError when so many connections cannot be had.
    """
    _make_room(limits)
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        # What it would say is said by the application, or is a stranger's doing and no matter for a log.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
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
    _Server(config, ready).run(sockets=list(listeners))


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


def _make_room(limits: Limits) -> None:
    """Let the process open a socket and a file for every connection. Raises ConfigError when the system will not."""
    import resource

    wanted = limits.sockets + limits.connections + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError) as err:
        fewer = max(1, (hard - wanted) // 2 + limits.connections)
        raise ConfigError(
            f"{limits.connections} connections need {wanted} open files, but this process may have {hard}",
            advice=f"lower --max-connections to {fewer}, or raise the limit (`ulimit -Hn`)",
        ) from err
