"""Watch a client's connections: cut them when the deadline passes, refuse peers that no redirect may reach.

Both need the socket itself. The check runs on the address that was really connected to, before a byte is sent, so a
name that resolves differently the second time gains nothing. The cut is a `shutdown` from a timer: it ends a read
that is fed one byte at a time and so never times out.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.reach import Reach, reach_of
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.socks_proxy import socks_pools

if TYPE_CHECKING:
    from requests import Response, Session
    from requests.adapters import HTTPAdapter


class Blocked(OSError):
    """The peer's address is one that a redirect must not lead to; `first`: not even the first request."""

    def __init__(self, message: str, *, first: bool = False) -> None:
        super().__init__(message)
        self.first = first


Dial = Callable[[str, int, float | None], socket.socket]
"""Connects to a host and port, waiting for so many seconds (None: for ever)."""


class ConnectionGuard:
    """Knows every socket of one client. `dial` makes direct connections, where it matters to which address they go."""

    def __init__(self, dial: Dial | None = None) -> None:
        self.dial = dial
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.base_reach: frozenset[Reach] = frozenset()
        self._at_base = True
        self._first = False
        self._deadline: Deadline | None = None

    def admit_any(self, *, at_base: bool, first: bool = False) -> None:
        """Say whether the next connection goes to the configured origin, which may lie anywhere; or is the `first`."""
        self._at_base = at_base
        self._first = first

    def connected(self, sock: socket.socket) -> None:
        """Take note of a new direct connection. Raises Blocked when its peer may not be reached."""
        reach = reach_of(sock.getpeername()[0])
        if self._at_base:
            self.base_reach |= {reach}
        elif reach is not Reach.GLOBAL and reach not in self.base_reach:
            raise Blocked(f"it leads to a {reach.value} address", first=self._first)
        self.watch(sock)

    def watch(self, sock: socket.socket) -> None:
        """Have `sock` cut at the deadline. A duplicate is kept: TLS takes the original's handle away."""
        with self._lock:
            self._sockets.append(sock.dup())

    @contextmanager
    def until(self, deadline: Deadline) -> Iterator[None]:
        """Cut every connection if the context still lasts at `deadline`."""
        self._deadline = deadline
        if deadline.expired:
            self.check("the request")
        timer = threading.Timer(deadline.clip(threading.TIMEOUT_MAX), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def check(self, url: str) -> None:
        """Raise RequestFailed when the deadline has passed."""
        if self._deadline is not None and self._deadline.expired:
            raise RequestFailed(
                f"{url}: not done within the {self._deadline.budget.total_seconds():g} s allowed in all",
                advice="the next run tries again; raise `timeout_s` if the network is slow",
                retryable=True,
            )

    def drop(self) -> None:
        """Cut all connections and forget them; the next request opens a new one."""
        self._cut()
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()

    def _cut(self) -> None:
        with self._lock:
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster

    def session(self) -> "Session":
        """Return a session whose connections report here, that follows no redirect and adds nothing from `.netrc`."""
        from requests import Session

        class GuardedSession(Session):
            def get_redirect_target(self, resp: "Response") -> None:
                """Hide redirects: even unfollowed ones would have their body read into memory, whatever its size."""

        session = GuardedSession()
        session.trust_env = False
        for scheme in ("https://", "http://"):
            session.mount(scheme, self.adapter())
        return session

    def adapter(self) -> "HTTPAdapter":
        """Return a transport for `requests` whose connections report here. It never retries by itself."""
        from requests.adapters import HTTPAdapter

        direct, proxied = _pools(self, direct=True), _pools(self, direct=False)
        by_socks = cache(lambda: socks_pools(self))

        class GuardedAdapter(HTTPAdapter):
            def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
                super().init_poolmanager(*args, **kwargs)
                self.poolmanager.pool_classes_by_scheme = direct

            def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
                manager = super().proxy_manager_for(proxy, **kwargs)
                manager.pool_classes_by_scheme = by_socks() if proxy.lower().startswith("socks") else proxied
                return manager

        return GuardedAdapter(max_retries=0)


def _pools(guard: ConnectionGuard, *, direct: bool) -> dict[str, Any]:
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    # Behind a proxy the peer is the proxy, which the operator chose: only the deadline applies.
    note = guard.connected if direct else guard.watch

    def opened(sock: socket.socket) -> socket.socket:
        try:
            note(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    dial = guard.dial if direct else None

    class PlainConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return opened(super()._new_conn() if dial is None else dial(self.host, self.port or 80, self.timeout))

    class TlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return opened(super()._new_conn() if dial is None else dial(self.host, self.port or 443, self.timeout))

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}


class _HideQueries(logging.Filter):
    """Shortens every argument that looks like a path or URL with a query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(a) for a in record.args)
        return True


def _without_query(argument: object) -> object:
    text = argument if isinstance(argument, str) else None
    return text.partition("?")[0] + "?..." if text is not None and "?" in text else argument


def hide_queries_in_logs() -> None:
    """See to it that the HTTP library's debug log, which quotes each request's path, leaves the query out."""
    logger = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(f, _HideQueries) for f in logger.filters):
        logger.addFilter(_HideQueries())
