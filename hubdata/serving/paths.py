"""Decide which key a request's path asks for; most paths ask for none.

A key has one spelling in a URL apart from needless percent signs: no dot segments, no doubled slashes, no encoded
slashes. Whatever else arrives is not tidied up but refused, so that no cache before this server can hold one file under
two names, and no two programs can disagree about what a path means. Names that begin with a dot are never public.
"""

from urllib.parse import unquote_to_bytes

from hubdata.model.key import RESERVED, key_problem

_ROOT = "index.html"


def key_of(target: bytes) -> str | None:
    """Return the key that a request's target (its path as it was sent, without a query) means; None for no key."""
    path = _without_authority(target)
    if not path.startswith(b"/"):
        return None
    if path == b"/":
        return _ROOT
    segments = [unquote_to_bytes(segment) for segment in path[1:].split(b"/")]
    if any(b"/" in segment or segment.startswith(b".") for segment in segments):
        return None
    try:
        key = b"/".join(segments).decode()
    except UnicodeDecodeError:
        return None
    return key if key in RESERVED or key_problem(key) is None else None


def _without_authority(target: bytes) -> bytes:
    """Return the path of a target that names scheme and host too, as clients of proxies send it (RFC 9112, 3.2.2)."""
    for scheme in (b"http://", b"https://"):
        if target[: len(scheme)].lower() == scheme:
            _, slash, path = target[len(scheme) :].partition(b"/")
            return slash + path or b"/"
    return target
