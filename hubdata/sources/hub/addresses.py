"""Decide under which key a URL is published, and which URLs cannot be mirrored at all.

A key is the URL's host and path, or its path below `base_url`: so one URL has one key, and whoever rewrites the items
can tell the one from the other. Where that does not hold, somebody is told, and no file takes another's place. Items
are written by strangers: what they name is asked for only in the public internet.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from hubdata.model.key import key_problem
from hubdata.transfer.public_url import canonical_url, file_url_problem
from hubdata.transfer.reach import Reach, is_loopback_host, reach_of
from hubdata.transfer.url import origin

MAX_URL_CHARS = 2048
_MAX_NAME, _MAX_DEPTH = 255, 40
"""What file systems take as one name, in bytes, and fewer directories than anybody needs."""
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SLASH_INSIDE = re.compile(r"%(?:2f|5c|00)", re.IGNORECASE)
_GIVE_KEY = 'give it a key of its own in [source.keys], as "URL" = "key"'
_MEND = "correct the item; until then engines get nothing from the mirror for it"


class Unusable(Exception):
    """A URL cannot be mirrored; `advice` says what to do about it."""

    def __init__(self, message: str, advice: str = _MEND) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its one spelling, and its key. `public_only`: nobody here vouches for its host."""

    url: str
    key: str
    public_only: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """What addresses are held to: the `base` that keys begin below, and keys given by hand.

    `hosts` and `origins` are the operator's own, which may lie in a private network.
    """

    base: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    origins: frozenset[tuple[str, str, int]] = frozenset()

    def address(self, text: str) -> Address:
        """Return what `text`, a `source_url`, means here. Raises Unusable."""
        url = canonical_url(text)
        parts = self._parts(text, url)
        return Address(url, self.keys.get(url) or self._derived(parts), public_only=not self._own(url))

    def _own(self, url: str) -> bool:
        return origin(url) in self.origins or origin(url)[1] in self.hosts

    def _parts(self, text: str, url: str) -> SplitResult:
        if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
            raise Unusable("it holds a blank or a character that no URL has")
        if len(text) > MAX_URL_CHARS:
            raise Unusable(f"it has more than {MAX_URL_CHARS} characters")
        if "#" in text:
            raise Unusable("it has a fragment, which no server sees")
        if problem := file_url_problem(url):
            raise Unusable(problem.replace(", and job files hold none", ", and items are read by all"))
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if not self._own(url) and (is_loopback_host(host) or _reach(host) not in (None, Reach.GLOBAL)):
            raise Unusable(
                f"{host} lies in a private network, and whoever writes items could read what is there",
                "correct the item; if that is your own server, name its host in `internal_hosts`",
            )
        return parts

    def _derived(self, parts: SplitResult) -> str:
        if parts.query:
            raise Unusable("it has a query, which is no part of a key", _GIVE_KEY)
        path = _decoded(parts.path)
        base = urlsplit(self.base or "")
        prefix = unquote(base.path) + "/"
        if self.base and (base.scheme, base.netloc) == (parts.scheme, parts.netloc) and path.startswith(prefix):
            key = path.removeprefix(prefix)
        else:
            key = parts.netloc + path
        if problem := key_problem(key):
            raise Unusable(f"{key!r} cannot be a key: {problem}", _GIVE_KEY)
        if key.count("/") > _MAX_DEPTH or any(len(part.encode()) > _MAX_NAME for part in key.split("/")):
            raise Unusable("its path is too deep, or a part of it too long, for a directory", _GIVE_KEY)
        if any(part.startswith(".") for part in key.split("/")):
            raise Unusable("a part of its path begins with a dot, and such names are kept private", _GIVE_KEY)
        return key


def sharing(addresses: Iterable[Address], published: Mapping[str, str]) -> Mapping[Address, Address]:
    """Return the addresses that cannot be mirrored beside another, with that other.

    Of several with one key, the one that is `published` (key to URL) stays, else none. A key that is a directory of
    others has no place in a directory: those others stay.
    """
    by_key: dict[str, list[Address]] = {}
    for address in addresses:
        by_key.setdefault(address.key, []).append(address)
    lost: dict[Address, Address] = {}
    for key, claimants in by_key.items():
        if len(claimants) > 1:
            stays = next((each for each in claimants if each.url == published.get(key)), None)
            for each in claimants:
                if each is not stays:
                    lost[each] = stays or next(other for other in claimants if other is not each)
    for key, claimants in by_key.items():
        above = key.rpartition("/")[0]
        while above:
            for each in by_key.get(above, ()):
                lost.setdefault(each, claimants[0])
            above = above.rpartition("/")[0]
    return lost


def _decoded(path: str) -> str:
    """Return a URL's path as part of a key. Raises Unusable where that could be read in another way."""
    if _BAD_ESCAPE.search(path):
        raise Unusable("it holds a per cent sign that escapes nothing")
    if _SLASH_INSIDE.search(path):
        raise Unusable("it holds an escaped slash, which some servers take for a slash and others do not", _GIVE_KEY)
    try:
        plain = unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise Unusable("its path is not UTF-8", _GIVE_KEY) from None
    if plain.endswith("/"):
        raise Unusable("it names a directory, and no file")
    if any(part in (".", "..") for part in plain.split("/")):
        raise Unusable("it has a `.` or `..` segment")
    return plain


def _reach(host: str) -> Reach | None:
    """Return where a host that is a number lies; None for a name."""
    try:
        return reach_of(host)
    except ValueError:
        return None
