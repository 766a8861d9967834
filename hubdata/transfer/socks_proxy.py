"""Reach an upstream through a SOCKS proxy, under the same deadline as any other connection.

`socks5h` and `socks4a` leave it to the proxy to resolve the host's name, `socks5` and `socks4` resolve it here. The
socket is watched from before the first byte of the negotiation, so that a proxy that drips its answers is cut off,
too. PySocks negotiates; imported only where such a proxy is used.
"""

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubdata.transfer.guard import ConnectionGuard


def socks_pools(guard: "ConnectionGuard") -> dict[str, Any]:
    """Return the connection pools, by scheme, that a SOCKS proxy's manager shall use."""
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.contrib.socks import SOCKSConnection

    class PlainConnection(SOCKSConnection):
        def _new_conn(self) -> Any:
            return _connected(self, self._socks_options, guard)

    class TlsConnection(PlainConnection, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}


def _connected(connection: Any, options: Any, guard: "ConnectionGuard") -> Any:
    """Return a socket to the connection's host by way of the proxy; each of the proxy's addresses is tried."""
    import socks  # type: ignore[import-untyped]

    proxy, port = (options["proxy_host"] or "").strip("[]"), int(options["proxy_port"] or 1080)
    failure: OSError = OSError("the proxy has no address")
    for family, kind, protocol, _, _ in socket.getaddrinfo(proxy, port, 0, socket.SOCK_STREAM):
        sock = socks.socksocket(family, kind, protocol)
        try:
            guard.watch(sock)
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(connection.timeout)
            user, password = options["username"] or None, options["password"] or None
            sock.set_proxy(options["socks_version"], proxy, port, options["rdns"], user, password)
            sock.connect((connection.host.strip("[]"), connection.port))
        except OSError as err:
            sock.close()
            failure = err
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure
