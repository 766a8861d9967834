"""Say what a network library's error means, in words that quote nothing of the request.

The libraries put the whole URL into their messages, the signature of a presigned one included. So their text is never
used: the cause is looked for inside, and named.
"""

import http.client
import re
import sys
from collections.abc import Iterator
from typing import Any

from hubdata.transfer.guard import Blocked
from hubdata.transfer.retry import RequestFailed

_PROXY_ADVICE = "check HTTPS_PROXY, ALL_PROXY and NO_PROXY, and the proxy of a GeoIP.conf"
_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")


def is_network_error(err: Exception) -> bool:
    """Tell whether `err` comes from the network or the library that reads it, not from a bug of ours."""
    import requests
    import urllib3

    kinds = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
    return isinstance(err, kinds)


def broken(url: str, err: Exception) -> RequestFailed:
    """Return the error that `err` means for a request of `url`, which must be safe to print."""
    causes = tuple(causes_of(err))
    for cause in causes:
        if isinstance(cause, Blocked):
            return RequestFailed(
                f"{url}: {'this address' if cause.first else 'a redirect'} is refused: {cause}",
                advice="check the configured url; if it is right, tell the vendor",
            )
    what, retryable, advice = _meaning(causes)
    return RequestFailed(f"{url}: {what}", advice=advice, retryable=retryable)


def _meaning(causes: tuple[BaseException, ...]) -> tuple[str, bool, str]:
    import socket
    import ssl

    import requests
    import urllib3

    for cause in causes:  # before all else: the library wraps it as a proxy that does not answer
        if found := _of_proxy(cause):
            return found
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            advice = "check the host name, the clock, and REQUESTS_CA_BUNDLE if a proxy opens TLS"
            return f"its certificate is not trusted ({cause.verify_message})", False, advice
        if isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return "its host name does not resolve", True, "check the url's host and this machine's DNS"
        if isinstance(cause, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError):
            return "the proxy does not answer", True, _PROXY_ADVICE
        if isinstance(cause, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return "this URL cannot be requested", False, "check the configured url"
    for cause in causes:  # before time-outs: the library files a refused connection under those, too
        if isinstance(cause, OSError) and cause.errno is not None and cause.strerror:
            advice = "check the url, the network and HTTPS_PROXY; the next run tries again"
            return f"the connection failed ({cause.strerror})", True, advice
    if any(isinstance(c, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError) for c in causes):
        return "nothing came within the time allowed for one read", True, "the next run tries again"
    return "the connection broke off, or what came was not HTTP", True, "the next run tries again"


def _of_proxy(cause: BaseException) -> tuple[str, bool, str] | None:
    """Return what a proxy said against the request, None when it was not that."""
    tunnel = _TUNNEL.match(str(cause)) if isinstance(cause, OSError) else None
    if tunnel is not None:
        status = int(tunnel[1])
        if status == 407:
            return "the proxy refuses the user and password, or wants some (407)", False, _PROXY_ADVICE
        return f"the proxy answered {status} when asked for a tunnel to the host", status >= 500, _PROXY_ADVICE
    socks = sys.modules.get("socks")  # not imported: then it was not used
    if socks is None or not isinstance(cause, socks.ProxyError):
        return None
    if isinstance(cause, socks.SOCKS5AuthError):
        return "the proxy refuses the user and password, or wants some (SOCKS)", False, _PROXY_ADVICE
    if isinstance(cause, socks.SOCKS5Error | socks.SOCKS4Error):
        return "the proxy could not reach the host (SOCKS)", True, _PROXY_ADVICE
    if isinstance(cause, socks.ProxyConnectionError):
        return "the proxy does not answer", True, _PROXY_ADVICE
    if cause.socket_err is None:
        return "the proxy does not speak SOCKS as it should", False, _PROXY_ADVICE
    return None


def causes_of(err: BaseException) -> Iterator[BaseException]:
    """Yield `err` and every exception inside it, however a library tucked them in."""
    waiting: list[Any] = [err]
    seen: set[int] = set()
    while waiting and len(seen) < 50:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
