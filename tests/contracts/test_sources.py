"""What every source promises, whichever upstream it reads: held against a real one of each sort."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hubdata.errors import Exit, HubdataError, SourceError
from hubdata.model.key import key_problem
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Fetched, Provenance, state_of
from hubdata.plugins import SOURCES, OptionsError, Seam, load, parse_options
from hubdata.ports import Source, SourceContext
from tests.support.dbip_server import DbipServer
from tests.support.faulty_server import FaultyServer
from tests.support.fetching import TurningClock, as_published
from tests.support.ipinfo_server import SIGNATURE, IpinfoServer
from tests.support.maxmind_server import SIGNATURE as PRESIGNED
from tests.support.maxmind_server import MaxmindServer
from tests.support.repos import Repo
from tests.support.url_server import UrlServer

OLD, NEW = b"one thing\n" * 500, b"another thing\n" * 500
KEY_SECRET, TOKEN = "sentinel-license-key", "sentinel-ipinfo-token"
_NO_UPSTREAM = "http://127.0.0.1:9"


@dataclass(slots=True)
class Upstream:
    """One real upstream with one file: `change` makes its content another, `lost` are options with which it is gone.

    `requests` returns how many it has had so far; None where it is no server.
    """

    options: dict[str, object]
    change: Callable[[], None]
    lost: Mapping[str, object]
    environment: dict[str, str] = field(default_factory=dict)
    requests: Callable[[], int] | None = None
    secrets: tuple[str, ...] = ()
    keeps: bool = True


def _counting(server: FaultyServer) -> Callable[[], int]:
    return lambda: len(server.requests)


@contextmanager
def git(root: Path) -> Iterator[Upstream]:
    """A repository. It is fetched again each time, which is cheap: nothing is `kept`."""
    repo = Repo.create(root / "upstream")
    repo.commit({"file.txt": OLD})

    def change() -> None:
        repo.commit({"file.txt": NEW})

    lost = {"url": (root / "gone").as_uri(), "ref": "master"}
    yield Upstream({"url": repo.url, "ref": "master"}, change, lost, keeps=False)


@contextmanager
def directory(root: Path) -> Iterator[Upstream]:
    """A directory, read in place."""
    path = root / "tree"
    path.mkdir()
    (path / "file.txt").write_bytes(OLD)
    yield Upstream({"path": str(path)}, lambda: _write(path / "file.txt"), {"path": str(root / "gone")}, keeps=False)


@contextmanager
def maxmind(root: Path) -> Iterator[Upstream]:
    """MaxMind's service."""
    (root / "old").write_bytes(OLD)
    (root / "new").write_bytes(NEW)
    with MaxmindServer({"GeoLite2-City": root / "old"}, key=KEY_SECRET) as server:
        environment = {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}
        yield Upstream(
            {"editions": ["GeoLite2-City"], "url": server.url},
            lambda: server.publish("GeoLite2-City", root / "new", date="2026-11-21"),
            {"url": _NO_UPSTREAM},
            environment,
            lambda: len(server.requests),
            (KEY_SECRET, PRESIGNED),
        )


@contextmanager
def dbip(root: Path) -> Iterator[Upstream]:
    """DB-IP's files."""
    with DbipServer() as server:
        server.publish("dbip-city-lite", "2026-11", OLD)
        yield Upstream(
            {"editions": ["dbip-city-lite"], "url": server.url},
            lambda: server.publish("dbip-city-lite", "2026-11", NEW),
            {"url": _NO_UPSTREAM},
            requests=_counting(server),
        )


@contextmanager
def ipinfo(root: Path) -> Iterator[Upstream]:
    """IPinfo's service."""
    with IpinfoServer({"ipinfo_lite": OLD}, token=TOKEN) as server:
        yield Upstream(
            {"editions": ["ipinfo_lite"], "url": server.url},
            lambda: server.databases.update(ipinfo_lite=NEW),
            {"url": _NO_UPSTREAM},
            {"IPINFO_TOKEN": TOKEN},
            _counting(server),
            (TOKEN, SIGNATURE),
        )


@contextmanager
def url(root: Path) -> Iterator[Upstream]:
    """A web server with a file and its digest."""
    import hashlib

    with UrlServer({"/f": OLD, "/f.md5": hashlib.md5(OLD).hexdigest().encode()}) as server:
        yield Upstream(
            {"url": server.url("/f"), "digest_url": server.url("/f.md5"), "key": "data/file.txt"},
            lambda: server.files.update({"/f": NEW, "/f.md5": hashlib.md5(NEW).hexdigest().encode()}),
            {"url": f"{_NO_UPSTREAM}/f", "digest_url": f"{_NO_UPSTREAM}/f.md5"},
            requests=_counting(server),
        )


@contextmanager
def file(root: Path) -> Iterator[Upstream]:
    """A local file."""
    path = root / "file.txt"
    path.write_bytes(OLD)
    options: dict[str, object] = {"path": str(path), "key": "data/file.txt"}
    yield Upstream(options, lambda: _write(path), {"path": str(root / "gone")})


@contextmanager
def http(root: Path) -> Iterator[Upstream]:
    """A web server with a list."""
    with UrlServer({"/list": OLD}) as server:
        item = {"output": "data/file.txt"}
        yield Upstream(
            {"items": [{"url": server.url("/list"), **item}]},
            lambda: server.files.update({"/list": NEW}),
            {"items": [{"url": f"{_NO_UPSTREAM}/list", **item}]},
            requests=_counting(server),
        )


@contextmanager
def hub(root: Path) -> Iterator[Upstream]:
    """A hub with one item, and the web server that it names."""
    with UrlServer({"/list": OLD}) as server:
        base = server.url("/list").removesuffix("/list")
        item = root / "hub" / "scenarios" / "one.yaml"
        item.parent.mkdir(parents=True)
        item.write_text(f"name: a/one\ndata:\n  - source_url: {base}/list\n    dest_file: one.txt\n    type: string\n")
        lost: dict[str, object] = {"path": str(root / "gone")}
        yield Upstream(
            {"path": str(root / "hub"), "base_url": base, "manifest": "none"},
            lambda: server.files.update({"/list": NEW}),
            lost,
            requests=_counting(server),
        )


def _write(path: Path) -> None:
    path.write_bytes(NEW)


UPSTREAMS = {"git": git, "directory": directory, "maxmind": maxmind} | {
    "dbip": dbip,
    "ipinfo": ipinfo,
    "url": url,
    "file": file,
    "http": http,
    "hub": hub,
}


@dataclass(slots=True)
class Kit:
    """One word of the table, its upstream, and a private workspace for each run."""

    word: str
    upstream: Upstream
    root: Path
    runs: int = 0

    def options(self, **more: object) -> Any:
        """Return the source's own options, as a job file gives them."""
        return parse_options(Seam.SOURCE, self.word, {**self.upstream.options, **more})

    def fetch(
        self, published: Mapping[str, Provenance] | None = None, *, force: bool = False, **more: object
    ) -> Fetched:
        """Return what a run of its own fetches."""
        self.runs += 1
        context = SourceContext(self.workspace, self.upstream.environment, TurningClock(), force)
        source: Source = load(Seam.SOURCE, self.word)(self.options(**more), context)
        return source.fetch(lambda: published or {})

    @property
    def workspace(self) -> Path:
        """Return the private directory of the latest run."""
        return self.root / f"run-{self.runs}"


@pytest.fixture(params=sorted(SOURCES))
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    """Give a source of each sort with a real upstream; a new one without is an error here."""
    with UPSTREAMS[request.param](tmp_path) as upstream:
        yield Kit(request.param, upstream, tmp_path)


def test_every_source_is_held_to_this() -> None:
    """A new word in the table gets an upstream here."""
    assert set(UPSTREAMS) == set(SOURCES)


def test_the_first_fetch_brings_whole_files_under_safe_keys(kit: Kit) -> None:
    """Nothing is kept or rewound where nothing is published; sizes are those of the bytes."""
    fetched = kit.fetch()
    assert [(file.path.read_bytes(), file.size) for file in fetched.files] == [(OLD, len(OLD))]
    assert [key_problem(file.key) for file in fetched.files] == [None]
    assert (fetched.kept, fetched.rewinds, fetched.findings) == ((), (), ())


def test_what_was_downloaded_lies_in_the_private_workspace_alone(kit: Kit) -> None:
    """And nothing else does: no part, no archive."""
    fetched = kit.fetch()
    if kit.word == "directory":
        assert not kit.workspace.exists()
        return
    assert all(file.path.is_relative_to(kit.workspace) for file in fetched.files)
    if kit.word != "git":
        assert list(kit.workspace.iterdir()) == [file.path for file in fetched.files]


def test_its_origin_goes_through_the_manifest_and_names_its_type(kit: Kit) -> None:
    """Plain texts, public ones: what comes back from a target is what was written."""
    (file,) = kit.fetch().files
    assert file.source["type"] == kit.word
    assert all(type(name) is str and type(value) is str for name, value in file.source.items())
    entry = Entry(file.size, "0" * 64, "opaque", "job", "etag", None, "", "", "", file.source)
    again = Manifest.from_bytes(Manifest(files={file.key: entry}).to_bytes()).files[file.key]
    assert again.source == file.source
    assert str(kit.root) not in str(dict(file.source)) or kit.word == "git"  # its URL is a path only here
    for secret in kit.upstream.secrets:
        assert secret not in json.dumps(dict(file.source))


def test_what_is_published_and_unchanged_is_kept_or_the_same(kit: Kit) -> None:
    """Vendors are asked one small question; what costs nothing may be given again, and is the same."""
    first = kit.fetch()
    before = kit.upstream.requests() if kit.upstream.requests else 0
    again = kit.fetch(as_published(first))
    assert again.rewinds == ()
    if kit.upstream.keeps:
        assert (again.kept, again.files) == ((first.files[0].key,), ())
    else:
        assert [file.path.read_bytes() for file in again.files] == [OLD]
    if kit.upstream.requests:
        assert kit.upstream.requests() - before == 1


def test_what_changed_is_fetched(kit: Kit) -> None:
    """And its origin is another one, or nothing could tell the next run."""
    first = kit.fetch()
    kit.upstream.change()
    again = kit.fetch(as_published(first))
    assert [file.path.read_bytes() for file in again.files] == [NEW]
    assert (again.kept, again.rewinds) == ((), ())
    if kit.word != "directory":  # outside a checkout it has nothing to be told by
        assert again.files[0].source != first.files[0].source


def test_force_keeps_nothing(kit: Kit) -> None:
    """Everything is fetched, whatever is published."""
    again = kit.fetch(as_published(kit.fetch()), force=True)
    assert [file.path.read_bytes() for file in again.files] == [OLD]
    assert again.kept == ()


def test_another_sources_file_under_the_key_is_never_kept(kit: Kit) -> None:
    """What another upstream published is not this one's, however much of its origin is the same."""
    (file,) = kit.fetch().files
    again = kit.fetch({file.key: {**file.source, "type": "another"}})
    assert [file.path.read_bytes() for file in again.files] == [OLD]
    assert again.kept == ()


def test_a_published_origin_full_of_nonsense_does_no_harm(kit: Kit) -> None:
    """The manifest can be written by others: whatever stands there, the upstream's file is fetched."""
    (file,) = kit.fetch().files
    nonsense = {
        name: value if name == "type" else "\x00\r\nX: \u2028" + "x" * 5000 for name, value in file.source.items()
    }
    again = kit.fetch({file.key: nonsense})
    assert [file.path.read_bytes() for file in again.files] == [OLD]
    assert set(again.rewinds) <= {state_of(nonsense), nonsense.get("revision", "")}


def test_an_upstream_that_is_gone_is_an_error_with_advice(kit: Kit) -> None:
    """Exit 5, no secret told, nothing left behind, and never an empty answer."""
    with pytest.raises(SourceError) as caught:
        kit.fetch(None, force=False, **kit.upstream.lost)
    assert caught.value.exit_code is Exit.SOURCE
    assert caught.value.advice
    for secret in kit.upstream.secrets:
        assert secret not in str(caught.value) + caught.value.advice
    if kit.word != "git":
        assert not kit.workspace.exists() or list(kit.workspace.iterdir()) == []


def test_what_is_lacking_is_told_before_a_fetch(kit: Kit) -> None:
    """With its credentials nothing is; without them either nothing is, or the fetch fails for want of them."""
    source = load(Seam.SOURCE, kit.word)
    assert source.lacks(kit.options(), kit.upstream.environment) is None
    lacking = source.lacks(kit.options(), {})
    assert (lacking is None) is (not kit.upstream.environment)
    if lacking:
        assert any(name in lacking for name in kit.upstream.environment)
        kit.upstream.environment = {}
        with pytest.raises(HubdataError) as caught:
            kit.fetch()
        assert caught.value.exit_code is Exit.CONFIG


def test_an_unknown_setting_is_refused_without_being_quoted(kit: Kit) -> None:
    """It might be a secret in the wrong place."""
    with pytest.raises(OptionsError) as caught:
        kit.options(tokn="sentinel-mistyped")
    assert "tokn" in str(caught.value)
    assert "sentinel-mistyped" not in str(caught.value) + caught.value.advice
