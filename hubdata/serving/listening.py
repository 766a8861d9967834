"""Listen on IPv6 and IPv4 with a socket for each, so that both families are served alike on every system.

One socket for both would depend on a system's `bindv6only`, and show IPv4 clients as `::ffff:192.0.2.1` in logs.
"""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from hubdata.errors import ConfigError

EVERYWHERE = ("::", "0.0.0.0")  # noqa: S104 - a public copy is there to be reached
BACKLOG = 512

_NO_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})
_TRIES = 20
_UNSENT_BYTES = 128 << 10
"""How much the system may hold besides what is under way. Left alone it takes megabytes, and no more for a long time:
a client that reads 300 KB a second, without a pause, then looks for seconds as if it took nothing."""

_UNREAD_BYTES = 32 << 10
"""How much of what a client sends the system may hold, unread: heads and small bodies is all that comes. A crowd that
sends without end is held up, each of it, by so much."""

_ADVICE = {
    errno.EADDRINUSE: "choose another with {port}, or end the program that listens there (`ss -ltnp` names it)",
    errno.EACCES: "choose one from 1024 on with {port}, or give the process CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "choose one that this machine has with {host} (`ip address` lists them)",
    errno.EAFNOSUPPORT: "choose one of a family that this machine has with {host}",
}

_Address = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """What a person has written: how messages call the address and the port."""

    host: str = "--host"
    port: str = "--port"


_FLAGS = Words()


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: a family and an address of it, as `socket` wants them."""

    family: socket.AddressFamily
    address: _Address

    @property
    def host(self) -> str:
        """Return the address as it stands in a URL."""
        number = str(self.address[0])
        return f"[{number}]" if self.family is socket.AF_INET6 else number


def listen(hosts: Sequence[str], port: int, words: Words = _FLAGS) -> tuple[socket.socket, ...]:
    """Return a listening socket for each address of each host, all on one port; `port` 0 means any that is free.

    Without hosts, all addresses of this machine: of either family where one of the two is missing altogether. Raises
    ConfigError when it cannot be done, with nothing left open.
    """
    places = [place for host in hosts or EVERYWHERE for place in _places(host, words)]
    for _ in range(_TRIES):
        try:
            return _bound(list(dict.fromkeys(places)), port, words, optional=not hosts)
        except _Taken:
            continue  # a port that is free in one family need not be in the other
    raise ConfigError(
        f"no port was free on all of {', '.join(hosts or EVERYWHERE)}", advice=f"choose one with {words.port}"
    )


def url_of(listener: socket.socket) -> str:
    """Return the URL that a listening socket answers under."""
    address = listener.getsockname()
    return f"http://{Place(listener.family, address).host}:{address[1]}/"


class _Taken(Exception):
    """The port that the system chose for the first socket is not free for the others."""


def _places(host: str, words: Words) -> list[Place]:
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as err:
        raise ConfigError(
            f"{words.host} {host}: there is no such address ({getattr(err, 'strerror', None) or err})",
            advice="give an IP address of this machine, such as ::1 or 127.0.0.1",
        ) from err
    return [
        Place(socket.AddressFamily(family), address)  # type: ignore[arg-type]  # of these two families only
        for family, _, _, _, address in found
        if family in (socket.AF_INET6, socket.AF_INET)
    ]


def _bound(places: list[Place], port: int, words: Words, *, optional: bool) -> tuple[socket.socket, ...]:
    with ExitStack() as stack:
        bound: list[socket.socket] = []
        missing: OSError | None = None
        for place in places:
            wanted = port or (bound[0].getsockname()[1] if bound else 0)
            try:
                bound.append(stack.enter_context(_socket(place, wanted)))
            except OSError as err:
                if err.errno == errno.EADDRINUSE and not port and bound:
                    raise _Taken from err
                if not (optional and err.errno in _NO_FAMILY):
                    raise _refused(place, wanted, words, err) from err
                missing = err
        if not bound:
            raise ConfigError("this machine has neither IPv6 nor IPv4", advice="give it a network") from missing
        stack.pop_all()
        return tuple(bound)


def _socket(place: Place, port: int) -> socket.socket:
    # asyncio turns off Nagle's algorithm, which costs 40 ms an answer, only where the protocol is named.
    listener = socket.socket(place.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for old connections
        if place.family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # inherited by its connections
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNREAD_BYTES)  # inherited likewise
        listener.bind((place.address[0], port, *place.address[2:]))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _refused(place: Place, port: int, words: Words, err: OSError) -> ConfigError:
    what = "is in use already" if err.errno == errno.EADDRINUSE else (os.strerror(err.errno or 0)).lower()
    advice = _ADVICE.get(err.errno or 0, "look at what the system says, and choose another with {host} or {port}")
    return ConfigError(
        f"cannot listen on {place.host} port {port}: {what}",
        advice=advice.format(host=words.host, port=words.port),
    )
