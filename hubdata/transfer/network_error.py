"""Say what a network library's error means, in words that quote nothing of the request.

The libraries put the whole URL into their messages, the signature of a presigned one included. So their text is never
used: the cause is looked for inside, and named.
"""

import http.client
from collections.abc import Iterator
from typing import Any

from hubdata.transfer.guard import Blocked
from hubdata.transfer.retry import RequestFailed


def is_network_error(err: Exception) -> bool:
    """Tell whether `err` comes from the network or the library that reads it, not from a bug of ours."""
    import requests
    import urllib3

    kinds = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
    return isinstance(err, kinds)


def broken(url: str, err: Exception) -> RequestFailed:
    """Return the error that `err` means for a request of `url`, which must be safe to print."""
    causes = tuple(_causes(err))
    for cause in causes:
        if isinstance(cause, Blocked):
            return RequestFailed(
                f"{url}: a redirect is refused: {cause}",
                advice="check the configured url; if it is right, tell the vendor",
            )
    what, retryable, advice = _meaning(causes)
    return RequestFailed(f"{url}: {what}", advice=advice, retryable=retryable)


def _meaning(causes: tuple[BaseException, ...]) -> tuple[str, bool, str]:
    import socket
    import ssl

    import requests
    import urllib3

    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            advice = "check the host name, the clock, and REQUESTS_CA_BUNDLE if a proxy opens TLS"
            return f"its certificate is not trusted ({cause.verify_message})", False, advice
        if isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return "its host name does not resolve", True, "check the url's host and this machine's DNS"
        if isinstance(cause, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError):
            return "the proxy does not answer", True, "check HTTPS_PROXY and NO_PROXY"
        if isinstance(cause, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return "this URL cannot be requested", False, "check the configured url"
    for cause in causes:  # before time-outs: the library files a refused connection under those, too
        if isinstance(cause, OSError) and cause.errno is not None and cause.strerror:
            advice = "check the url, the network and HTTPS_PROXY; the next run tries again"
            return f"the connection failed ({cause.strerror})", True, advice
    if any(isinstance(c, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError) for c in causes):
        return "nothing came within the time allowed for one read", True, "the next run tries again"
    return "the connection broke off, or what came was not HTTP", True, "the next run tries again"


def _causes(err: BaseException) -> Iterator[BaseException]:
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
