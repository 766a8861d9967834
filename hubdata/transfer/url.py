"""What may be said of a URL, and which URLs may follow which: pure decisions, no request is made.

A redirect is the upstream's wish, not the operator's. It may not lead from HTTPS to HTTP, nor from the world into a
network that is not public; and what is printed of any URL has lost its query, where presigned URLs carry a signature.
"""

from collections.abc import Mapping, Set
from urllib.parse import unquote, urlsplit

from hubdata.transfer.reach import Reach, is_loopback_host, reach_of

PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_MAX_SOCKS_LOGIN = 127  # RFC 1929 allows 255, the library writes the length wrongly from 128 on


def safe_url(url: str) -> str:
    """Return `url` fit for a log: without user, password, fragment, and with `?...` for any query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(a malformed URL)"
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}{parts.path}{'?...' if parts.query else ''}"


def base_url_problem(url: str) -> str | None:
    """Return why `url` cannot be the base of an upstream that is sent credentials, or None when it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in ("https", "http") or not host:
        return "it must begin with https:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "it must not hold a user or password"
    if parts.query or parts.fragment:
        return "it must not have a query or fragment"
    if parts.scheme == "http" and not is_loopback_host(host):
        return "http:// would send the credentials in the clear: use https://"
    return None


def proxies_for(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy for `url` as `requests` wants it, from `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` and the like.

    A proxy without a scheme is an HTTP one. It may hold a user and password: it must not be printed.
    """
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    parts = urlsplit(url)
    names = {name.lower(): value for name, value in environment.items() if name.lower().endswith("_proxy") and value}
    proxy = names.get(f"{parts.scheme}_proxy") or names.get("all_proxy")
    if not proxy or proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": names.get("no_proxy", "")}):
        return {}
    return {parts.scheme: proxy if "://" in proxy else f"http://{proxy}"}


def proxy_problem(proxy: str) -> str | None:
    """Return why `proxy` cannot be the URL of one, None when it can; nothing of it is quoted but its scheme."""
    try:
        parts = urlsplit(proxy)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in PROXY_SCHEMES:
        return f"its scheme is {parts.scheme!r}, and must be one of {', '.join(PROXY_SCHEMES)}"
    if not host or any(c.isspace() for c in host):
        return "it names no host"
    login = (unquote(part or "").encode() for part in (parts.username, parts.password))
    if parts.scheme.startswith("socks") and max(map(len, login)) > _MAX_SOCKS_LOGIN:
        return f"its user or password has more than {_MAX_SOCKS_LOGIN} bytes"
    return None


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port: what decides who may see credentials."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port


def hop_problem(here: str, there: str) -> str | None:
    """Return why a redirect from `here` must not lead `there`, its host left aside; None when it may."""
    try:
        parts = urlsplit(there)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it leads to a malformed URL"
    if parts.scheme not in ("https", "http") or not host:
        return f"it leads to {parts.scheme or 'no'} scheme, not to HTTP"
    if parts.scheme == "http" and urlsplit(here).scheme == "https":
        return "it leads from https to http"
    if parts.username is not None or parts.password is not None:
        return "it holds a user or password"
    return None


def host_problem(host: str, allowed: Set[Reach]) -> str | None:
    """Return why a redirect must not lead to `host`, or None.

    Judged by spelling, as behind a proxy there is no other way; direct connections are judged again by address.
    """
    for reach in spelled_reach(f"https://[{host}]" if ":" in host else f"https://{host}"):
        if reach is not Reach.GLOBAL and reach not in allowed:
            return f"it leads to a {reach.value} address"
    return None


def spelled_reach(url: str) -> frozenset[Reach]:
    """Return where the URL's host lies if its spelling tells; empty for a name that has to be resolved."""
    host = urlsplit(url).hostname or ""
    if is_loopback_host(host):
        return frozenset((Reach.LOOPBACK,))
    try:
        return frozenset((reach_of(host),))
    except ValueError:
        return frozenset()
