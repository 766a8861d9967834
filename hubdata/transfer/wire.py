"""Exchange requests and answers over a few connections that stay open, each within a time that is bounded as a whole.

For stores that are asked hundreds of times in a run: a connection costs a round trip or three, and building, signing
and parsing a request here a tenth of the CPU that a general HTTP client takes (docs/adr/0028). What makes a general
one general is left out: no redirects, proxies, cookies or retries, and an answer that is not plainly well formed is
none (`wire_answer.py`).

An idle connection on which anything has arrived is closed, never read: it could be the answer to somebody else's
request. One that the server closed while it was idle is noticed before it is used; if not even that (the two crossed),
the request is sent once more on a fresh one, and `Reply.sends` says so: the first may have been acted upon.
"""

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from hubdata.transfer.wire_answer import Head, NoAnswer, NotWhole, read_body, read_head
from hubdata.values import frozen

if TYPE_CHECKING:
    from ssl import SSLContext, SSLSession

CONNECT_TIMEOUT_S = 10.0
PAUSE_TIMEOUT_S = 20.0
"""How long the other side may be silent."""
EXCHANGE_TIMEOUT_S = 40.0
"""How long one exchange may take in all, besides the time that its bytes take at `SLOWEST_BYTES_S`."""
SLOWEST_BYTES_S = 8 << 10
IDLE_S = 20.0
"""How long a connection is kept that nobody uses; servers of S3 close it a little later."""

_PIECE = 1 << 16
"""What is received at once; and a body up to this size travels in one write with its headers."""
_STREAM = 1 << 17
"""What is sent within `PAUSE_TIMEOUT_S` at least, of a body that is larger."""


class Body(Protocol):
    """A body that is read as it is sent."""

    def __len__(self) -> int:
        """Return how many bytes it has."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; nothing at the end."""
        ...

    def seek(self, offset: int, /) -> int:
        """Begin anew at `offset`."""
        ...


@frozen
class Sending:
    """One request, ready to be sent. `headers` have `host` among them and names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | Body = b""


@frozen
class Reply:
    """A whole answer. `headers` have names in lower case; `sends`: how often the request was sent for it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sends: int


class Broken(Exception):
    """There was no whole answer. `sends`: how often the request was sent, in whole or in part; `late`: time was up."""

    def __init__(self, what: str, *, sends: int, late: bool = False) -> None:
        super().__init__(what)
        self.sends = sends
        self.late = late


class Wire:
    """Connections to one server, at most `most` at a time. `trust` makes what TLS is checked by, once; None: no TLS."""

    def __init__(self, host: str, port: int, *, most: int, trust: Callable[[], "SSLContext"] | None = None) -> None:
        self._address = (host, port)
        self._most = most
        self._trust = trust
        self._free = threading.Condition()
        self._busy = 0
        self._idle: list[_Line] = []
        self._coming: list[_Coming] = []
        self._pid = os.getpid()
        self._context: SSLContext | None = None
        self._session: SSLSession | None = None
        self._fastest_s: float | None = None
        self._close = weakref.finalize(self, _close_all, self._idle, self._coming)

    @property
    def fastest_s(self) -> float | None:
        """Return the shortest time that an answer took so far; None before the first."""
        return self._fastest_s

    def ease(self) -> None:
        """Use half as many connections from now on: the server says that it is busy."""
        with self._free:
            self._most = max(1, self._most // 2)

    def exchange(self, request: Sending, *, max_bytes: int) -> Reply:
        """Return the answer, its body of at most `max_bytes`. Raises Broken, and what a body raises as it is read."""
        with self._free:
            while self._busy >= self._most:
                self._free.wait()
            self._busy += 1
        try:
            return self._exchanged(request, max_bytes)
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify()

    def reach(self, count: int) -> None:
        """Begin to have `count` connections at hand, those that are there counted, and return at once.

        Each is made in a thread of its own, and waited for by who needs one while it is under way. What goes wrong is
        told to nobody: whoever asks then connects anew.
        """
        with self._free:
            missing = min(count, self._most) - self._busy - len(self._idle) - len(self._coming)
            with suppress(RuntimeError):  # no thread begins any more, here or on this machine
                self._coming += (_Coming(self._connected) for _ in range(missing))

    def close(self) -> None:
        """Close what is idle."""
        with self._free:
            _close_all(self._idle, self._coming)

    def _exchanged(self, request: Sending, max_bytes: int) -> Reply:
        head, sends = _head(request), 0
        for kept in (self._kept(), None):
            if kept is not None and not kept.usable():
                kept.close()
                continue
            line = kept or self._connected(sends)
            try:
                sends += 1
                status, headers, body = self._asked(line, head, request, max_bytes)
            except NoAnswer as err:
                line.close()
                if kept is None:
                    raise Broken(str(err), sends=sends) from err
                if not isinstance(request.body, bytes):
                    request.body.seek(0)
            except (OSError, NotWhole) as err:
                line.close()
                raise Broken(type(err).__name__, sends=sends, late=isinstance(err, TimeoutError)) from err
            except BaseException:
                line.close()
                raise
            else:
                return Reply(status, headers, body, sends)
        raise AssertionError("unreachable: a fresh connection answers or raises")

    def _asked(
        self, line: "_Line", head: bytes, request: Sending, max_bytes: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send the request and read its answer; keep the connection if it may be used again."""
        line.allow(len(request.body))
        try:
            line.send(head, request.body)
        except (BrokenPipeError, ConnectionResetError) as err:
            raise NoAnswer("closed while the request was sent") from err
        sent_at = time.monotonic()
        answer = read_head(line)
        self._learn(time.monotonic() - sent_at)
        line.allow(0 if request.method == "HEAD" else answer.length or 0)
        body = read_body(line, answer, of_head=request.method == "HEAD", max_bytes=max_bytes)
        self._keep(line, answer)
        return answer.status, answer.headers, body

    def _learn(self, took_s: float) -> None:
        if self._fastest_s is None or took_s < self._fastest_s:
            self._fastest_s = took_s

    def _kept(self) -> "_Line | None":
        with self._free:
            if self._pid != os.getpid():  # what a fork has brought along belongs to its parent
                _close_all(self._idle, self._coming)
                self._pid = os.getpid()
            if self._idle:
                return self._idle.pop()
            coming = self._coming.pop(0) if self._coming else None
        return None if coming is None else coming.line()

    def _keep(self, line: "_Line", head: Head) -> None:
        if not head.stays or line.left_over():
            line.close()
            return
        if self._trust is not None:
            self._session = line.tls_session() or self._session
        line.idle_since = time.monotonic()
        with self._free:
            self._idle.append(line)

    def _connected(self, sends: int) -> "_Line":
        host, port = self._address
        try:
            connection = socket.create_connection((_plainly(host), port), CONNECT_TIMEOUT_S)
        except (OSError, UnicodeError) as err:
            raise Broken("no connection", sends=sends, late=isinstance(err, TimeoutError)) from err
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._trust is not None:
                context = self._checked_by(self._trust)
                connection = context.wrap_socket(connection, server_hostname=host, session=self._session)
        except (OSError, ValueError) as err:
            connection.close()
            raise Broken("no connection", sends=sends, late=isinstance(err, TimeoutError)) from err
        return _Line(connection)

    def _checked_by(self, trust: Callable[[], "SSLContext"]) -> "SSLContext":
        with self._free:  # it takes 10 to 30 ms: once, whoever needs it first
            if self._context is None:
                self._context = trust()
            return self._context


class _Line:
    """One connection, and the time by which the exchange on it must be over."""

    def __init__(self, connection: socket.socket) -> None:
        self.idle_since = time.monotonic()
        self._socket = connection
        self._end = 0.0
        self._held = b""

    def allow(self, count: int) -> None:
        """Begin an exchange, or allow more time, for `count` bytes."""
        self._end = time.monotonic() + EXCHANGE_TIMEOUT_S + count / SLOWEST_BYTES_S

    def send(self, head: bytes, body: bytes | Body) -> None:
        """Send all of it. Raises OSError, and what the body raises."""
        if isinstance(body, bytes) and len(body) <= _PIECE:
            self._push(head + body)
            return
        self._push(head)
        if isinstance(body, bytes):
            with memoryview(body) as whole:
                for start in range(0, len(whole), _STREAM):
                    self._push(whole[start : start + _STREAM])
            return
        while chunk := body.read(_STREAM):
            self._push(chunk)

    def receive(self) -> bytes:
        """Return what has arrived, at least one byte; nothing when the other side has closed. Raises OSError."""
        if self._held:
            held, self._held = self._held, b""
            return held
        self._socket.settimeout(self._patience())
        return self._socket.recv(_PIECE)

    def give_back(self, surplus: bytes) -> None:
        """Take back what was received and not needed."""
        self._held = surplus + self._held

    def usable(self) -> bool:
        """Tell whether the idle connection is young and silent: what is to be read now is an end, or nobody's."""
        if time.monotonic() - self.idle_since > IDLE_S or self.left_over():
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except BlockingIOError:
            return True
        except OSError as err:
            return type(err).__name__ == "SSLWantReadError"  # of TLS, which had words of its own to read at most
        return False

    def left_over(self) -> bool:
        """Tell whether more arrived than the answer."""
        pending = getattr(self._socket, "pending", None)  # of TLS
        return bool(self._held or (pending is not None and pending()))

    def tls_session(self) -> "SSLSession | None":
        """Return what lets another connection be made in fewer steps."""
        return getattr(self._socket, "session", None)

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self._socket.close()

    def _push(self, data: bytes | memoryview) -> None:
        self._socket.settimeout(self._patience())
        self._socket.sendall(data)

    def _patience(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the exchange took too long")
        return min(left, PAUSE_TIMEOUT_S)


class _Coming:
    """A connection that is being made. Once it is, nothing here leads to the Wire, which nobody could drop then."""

    def __init__(self, connect: Callable[[int], _Line]) -> None:
        self._line: _Line | None = None
        self._late = False
        self._wanted = True
        self._deciding = threading.Lock()
        self._thread = threading.Thread(target=self._make, args=(connect,), name="connecting", daemon=True)
        self._thread.start()

    def line(self) -> _Line | None:
        """Return it once it is there; None when it could not be made. Raises Broken when that took all the time."""
        self._thread.join()
        if self._late:
            raise Broken("no connection", sends=0, late=True)
        return self._line

    def close(self) -> None:
        """Close it, now or when it is there."""
        with self._deciding:
            self._wanted = False
            if self._line is not None:
                self._line.close()

    def _make(self, connect: Callable[[int], _Line]) -> None:
        try:
            line = connect(0)
        except Broken as err:
            self._late = err.late
            return
        with self._deciding:
            if self._wanted:
                self._line = line
            else:
                line.close()


def _head(request: Sending) -> bytes:
    """Return the lines before a body. Raises Broken where a value would begin a line of its own."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if len(request.body) or request.method in ("PUT", "POST"):
        lines.append(f"content-length: {len(request.body)}")
    text = "\r\n".join(lines)
    if not text.isascii() or text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1 or "\0" in text:
        raise Broken("a header that is none", sends=0)
    return f"{text}\r\n\r\n".encode()


def _plainly(host: str) -> Any:
    """Return a name to be looked up, as bytes if it is ASCII: for a text, the rules of Unicode's are loaded first."""
    return host.encode() if host.isascii() else host


def _close_all(lines: list[_Line], coming: list[_Coming]) -> None:
    while lines:
        lines.pop().close()
    while coming:
        coming.pop().close()
