"""Which URLs a job file may name for a public file: no credentials, and nothing that others between could exchange."""

import re
from urllib.parse import parse_qsl, urlsplit

from hubdata.model.secret import names_secret
from hubdata.transfer.url import base_url_problem

_SIGNING = frozenset(("key", "sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token"))


_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical_url(url: str) -> str:
    """Return the one spelling of `url` by which it is told from others, itself where it is none.

    Scheme and host in lower case, no final dot, no port that goes without saying, no letter escaped that need not be
    (RFC 3986, 6.2).
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower().removesuffix("."), parts.port
    except ValueError:
        return url
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return url
    host = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{shown}{_ESCAPE.sub(_plainest, parts.path) or '/'}{query}"


def _plainest(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    return char if char in _UNRESERVED else found[0].upper()


def file_url_problem(url: str) -> str | None:
    """Return why `url` cannot be the address of a public file, or None when it can. It may have a query."""
    bare, _, query = url.partition("?")
    problem = base_url_problem(bare)
    if problem:
        return problem.replace("would send the credentials in the clear", "lets anybody between change what comes")
    if "#" in query:
        return "it must not have a fragment"
    if any(names_secret(name) or name.lower() in _SIGNING for name, _ in parse_qsl(query, keep_blank_values=True)):
        return "its query holds a credential, and job files hold none"
    return None
