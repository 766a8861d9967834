"""What is public, and which of it a URL means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from posixpath import basename
from urllib.parse import unquote, urlsplit

_RAW_HOST = "raw.githubusercontent.com"
_GITHUB = ("github.com", "www.github.com")


class Place(StrEnum):
    """Where a URL leads."""

    PUBLISHED = "published"
    REPOSITORY = "repository"
    """To the repository that the published data comes from, past every check."""
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"
    """It is no URL that an engine can download."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL understood: where it leads, the key it means there (empty elsewhere), its host, and its last part."""

    place: Place
    key: str = ""
    host: str = ""
    plain_http: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """Every public key with its kind. `bases` are the URLs it is served under; `repositories` are `OWNER/NAME`.

    `cases` are the cases that needles are held to (`any`, `lower`, `upper`), where the job files are at hand.
    """

    kinds: Mapping[str, str]
    bases: tuple[str, ...]
    repositories: frozenset[str] = field(default_factory=frozenset)
    cases: Mapping[str, str] = field(default_factory=dict)

    def address(self, url: str) -> Address:
        """Return where `url` leads."""
        try:
            parts = urlsplit(url.strip())
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return Address(Place.NOWHERE)
        if parts.scheme not in ("http", "https") or not host:
            return Address(Place.NOWHERE)
        path = unquote(parts.path)
        plain, name = parts.scheme == "http", basename(path)
        for base in map(urlsplit, self.bases):
            prefix = unquote(base.path).rstrip("/") + "/"
            same_door = _port(base.port, base.scheme) == _port(port, parts.scheme)
            if (base.hostname or "").lower() == host and same_door and path.startswith(prefix):
                return Address(Place.PUBLISHED, path[len(prefix) :], host, plain, name)
        if key := self._in_repository(host, path):
            return Address(Place.REPOSITORY, key, host, plain, name)
        return Address(Place.ELSEWHERE, "", host, plain, name)

    def _in_repository(self, host: str, path: str) -> str:
        """Return the key of a file read from the repository itself: `/OWNER/NAME/REF/KEY`, with `raw` on the site."""
        segments = path.strip("/").split("/")
        repository = "/".join(segments[:2]).lower()
        if repository not in self.repositories:
            return ""
        if host == _RAW_HOST:
            rest = segments[2:]
            if rest[:2] == ["refs", "heads"]:
                rest = rest[2:]
        elif host in _GITHUB and segments[2:3] in (["raw"], ["blob"]):
            rest = segments[3:]
        else:
            return ""
        return "/".join(rest[1:])

    def namesakes(self, *names: str) -> tuple[str, ...]:
        """Return the public keys whose last part is one of `names`."""
        wanted = {name.lower() for name in names if name}
        return tuple(sorted(key for key in self.kinds if basename(key).lower() in wanted))


def _port(port: int | None, scheme: str) -> int:
    """Return what a port must be equal to; both schemes' own ports are the same door here."""
    return 443 if port is None or port == {"http": 80, "https": 443}.get(scheme) else port
