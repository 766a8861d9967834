"""Ports that nobody else takes: where a program is told to listen, or where nobody listens.

A port that the system gave, and that was closed again, may be given to any other process before the program has it:
among thousands of tests that happens. These lie below those that the system gives, and each is this process's until it
ends: a name in the kernel that nothing else may have stands for it, and leaves no file behind.
"""

import itertools
import os
import socket

_FIRST, _COUNT = 20_000, 10_000
_mine: list[socket.socket] = []
_turns = itertools.count(os.getpid() * 37)


def own_port() -> int:
    """Return a port at which nobody listens, in either family, and that no other test will be given."""
    for turn in itertools.islice(_turns, _COUNT):
        port = _FIRST + turn % _COUNT
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0hubdata-tests-port-{port}")
            _see_free(port)
        except OSError:
            name.close()
            continue
        _mine.append(name)
        return port
    raise RuntimeError("no port is free")


def _see_free(port: int) -> None:
    """Raise OSError when somebody listens there, or a connection of somebody's lingers."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with socket.socket(family) as tried:
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind((address, port))
