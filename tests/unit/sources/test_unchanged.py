"""What asking costs when nothing is new, of every source of databases: requests and bytes, counted on the wire."""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hubdata.plugins import SOURCES
from hubdata.sources.dbip import DbipSource
from hubdata.sources.file import FileSource
from hubdata.sources.ipinfo import IpinfoSource
from hubdata.sources.maxmind.source import MaxmindSource
from hubdata.sources.url import UrlSource
from hubdata.transfer import downloads
from tests.support.dbip_server import DbipServer
from tests.support.fetching import Fetching, as_published
from tests.support.ipinfo_server import IpinfoServer
from tests.support.maxmind_server import MaxmindServer
from tests.support.proxy import Proxy
from tests.support.url_server import UrlServer

CITY = "GeoLite2-City"
BODY = random.Random(4).randbytes(2_000_000)
SMALL = 1500
"""Bytes of a request and its answer together: about what one packet holds."""

Kit = tuple[Fetching, Callable[[], list[Any]], Proxy | None]


@contextmanager
def maxmind(root: Path, **options: object) -> Iterator[Kit]:
    """The update service; with `protocol` the permalinks."""
    (root / CITY).write_bytes(BODY)
    with MaxmindServer({CITY: root / CITY}) as server, Proxy(server.url) as proxy:
        login = {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}
        defaults = {"editions": [CITY], "url": proxy.url, **options}
        yield Fetching(MaxmindSource, root / "w", defaults=defaults, environment=login), lambda: server.requests, proxy


@contextmanager
def permalink(root: Path) -> Iterator[Kit]:
    """The digest beside a permalink."""
    with maxmind(root, protocol="permalink") as kit:
        yield kit


@contextmanager
def dbip(root: Path) -> Iterator[Kit]:
    """This month's file."""
    with DbipServer() as server, Proxy(server.origin) as proxy:
        server.publish("dbip-city-lite", "2026-11", BODY)
        defaults = {"editions": ["dbip-city-lite"], "url": f"{proxy.url}/free"}
        yield Fetching(DbipSource, root / "w", defaults=defaults), lambda: server.requests, proxy


@contextmanager
def ipinfo(root: Path) -> Iterator[Kit]:
    """The checksums."""
    with IpinfoServer({"ipinfo_lite": BODY}) as server, Proxy(server.origin) as proxy:
        defaults = {"editions": ["ipinfo_lite"], "url": f"{proxy.url}/data"}
        environment = {"IPINFO_TOKEN": server.token}
        yield (
            Fetching(IpinfoSource, root / "w", defaults=defaults, environment=environment),
            (lambda: server.requests),
            proxy,
        )


@contextmanager
def url(root: Path) -> Iterator[Kit]:
    """The digest beside a file."""
    line = f"{hashlib.sha256(BODY).hexdigest()}  own.mmdb\n".encode()
    with UrlServer({"/dist/own.mmdb": BODY, "/dist/own.mmdb.sha256": line}) as server, Proxy(server.origin) as proxy:
        place = f"{proxy.url}/dist/own.mmdb"
        defaults = {"url": place, "digest_url": f"{place}.sha256", "key": "own.mmdb"}
        yield Fetching(UrlSource, root / "w", defaults=defaults), lambda: server.requests, proxy


class LocalFile(FileSource):
    """A file, which has no use for a clock."""

    def __init__(self, options: Any, context: Any, **_: object) -> None:
        super().__init__(options, context)


@contextmanager
def file(root: Path) -> Iterator[Kit]:
    """Nobody is asked."""
    (root / "own.mmdb").write_bytes(BODY)
    yield Fetching(LocalFile, root / "w", defaults={"path": root / "own.mmdb", "key": "own.mmdb"}), list, None


class Case(NamedTuple):
    """A vendor and how many requests an unchanged release costs."""

    upstream: Callable[[Path], Any]
    requests: int


CASES: Mapping[str, Case] = {
    "maxmind": Case(maxmind, 1),
    "maxmind permalink": Case(permalink, 1),
    "dbip": Case(dbip, 1),
    "ipinfo": Case(ipinfo, 1),
    "url": Case(url, 1),
    "file": Case(file, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_an_unchanged_upstream_costs_one_small_request(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run brings two megabytes; the next asks once, keeps what is published, and writes nothing."""
    monkeypatch.setattr(downloads, "_ROUNDS", 10)  # the digest of an account is slow on purpose
    case = CASES[name]
    with case.upstream(tmp_path) as (kit, requests, proxy):
        first = kit.fetch()
        assert first.files[0].path.read_bytes() == BODY
        kit.next_run()
        requests().clear()
        if proxy is not None:
            proxy.reset()
        again = kit.fetch(as_published(first))
        assert ([file.key for file in first.files], again.files) == (list(again.kept), ())
        assert kit.left_over() == []
        assert len(requests()) == case.requests
        if proxy is not None:
            counts = proxy.counts()
            assert counts["requests"] == {"GET": case.requests}
            assert 0 < counts["sent"] + counts["received"] < SMALL, counts


def test_every_source_of_databases_is_counted() -> None:
    """A new one needs a line here; those of lists have such tests of their own."""
    assert {name.partition(" ")[0] for name in CASES} == set(SOURCES) - {"git", "directory", "http", "hub"}
