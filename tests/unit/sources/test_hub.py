"""The source of a hub's data files: what is asked, what is believed of the answers, and what fails alone."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import SourceError
from hubdata.model.finding import ITEM_FAILED
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Fetched
from hubdata.signing.comment import comment
from hubdata.signing.secret_key import SecretKey
from hubdata.sources.hub.options import HubOptions
from hubdata.sources.hub.source import HubSource
from tests.support.fetching import Fetching, as_published
from tests.support.list_server import PAGE
from tests.support.repos import Repo
from tests.support.url_server import UrlServer
from tests.unit.signing.keys_for_tests import secret

A, B, C = b"8.8.8.0/24\n", b"9.9.9.0/24\n", b"1.1.1.0/24\n"
KEY, FOREIGN = secret(1), secret(2)


@pytest.fixture(scope="module")
def running() -> Iterator[UrlServer]:
    """One server for all tests."""
    with UrlServer({}) as server:
        yield server


@pytest.fixture
def server(running: UrlServer) -> UrlServer:
    """The upstream, well and unasked, with three files."""
    running.mend()
    running.files.clear()
    running.files.update({"/hub/a.txt": A, "/hub/sub/b.txt": B, "/other/c.txt": C})
    return running


@pytest.fixture
def kit(server: UrlServer, tmp_path: Path) -> Fetching:
    """The source with three files in two items, two of them below the base; it remembers."""
    items(tmp_path, one=(url(server, "/hub/a.txt"), url(server, "/hub/sub/b.txt")), two=(url(server, "/other/c.txt"),))
    defaults = {"path": tmp_path / "hub", "base_url": url(server, "/hub")}
    found = Fetching(HubSource, tmp_path / "workspace", defaults=defaults)
    found.remember()
    return found


def url(server: UrlServer, path: str) -> str:
    """Return an address of the server."""
    return f"{server.origin}{path}"


def item(*urls: str) -> str:
    """Return an item that names these, each under a name of its own."""
    entries = (f"  - source_url: {json.dumps(u)}\n    dest_file: f{n}-{abs(hash(u))}.txt\n" for n, u in enumerate(urls))
    return "name: x/y\ndata:\n" + "".join(entries)


def items(root: Path, **named: tuple[str, ...]) -> None:
    """Write a hub of these items."""
    for name, urls in named.items():
        path = root / "hub" / "scenarios" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(item(*urls))


def made(fetched: Fetched) -> dict[str, bytes]:
    """Return the files by what their keys end with: the server's port is another one each time."""
    return {file.key.partition(":")[2].partition("/")[2] or file.key: file.path.read_bytes() for file in fetched.files}


def told(fetched: Fetched) -> set[tuple[str, str]]:
    """Return rule and key of each finding."""
    return {(finding.rule, finding.key) for finding in fetched.findings}


def manifest(files: Mapping[str, bytes], generation: int = 7) -> bytes:
    """Return an upstream's manifest of these files."""
    entries = {
        key: Entry(len(body), hashlib.sha256(body).hexdigest(), "cidr", "j", "e", None, "", "text/plain", "", {})
        for key, body in files.items()
    }
    return Manifest(generation, "2026-11-20T12:00:00Z", "r", entries).to_bytes()


def sign(body: bytes, generation: int = 7, key: SecretKey = KEY) -> bytes:
    """Return its signature."""
    said = comment(generation, "2026-11-20T12:00:00Z", "manifest.json")
    return key.sign(body, trusted_comment=said).to_bytes()


def test_every_file_that_an_item_names_is_fetched_once(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """Keys are paths below the base, host and path elsewhere; two items that name one file share it."""
    items(tmp_path, three=(url(server, "/hub/a.txt"), url(server, "/hub/%61.txt")))
    fetched = kit.fetch()
    assert made(fetched) == {"a.txt": A, "sub/b.txt": B, "other/c.txt": C}
    assert {file.key for file in fetched.files} == {"a.txt", "sub/b.txt", f"{server.origin[7:]}/other/c.txt"}
    assert server.count("/hub/a.txt") == 1
    assert (fetched.kept, fetched.findings, fetched.rewinds) == ((), (), ())


def test_an_unchanged_file_costs_one_conditional_request(kit: Fetching, server: UrlServer) -> None:
    """Three questions, and one for a manifest that is not there; another answer with the same bytes is remembered."""
    published = as_published(kit.fetch())
    server.mend()
    again = kit.fetch(published)
    assert sorted(server.endpoints) == ["/hub/a.txt", "/hub/sub/b.txt", "/other/c.txt", "missing"]
    assert sum("If-None-Match" in request.headers for request in server.requests) == 3
    assert (set(again.kept), again.files) == (set(published), ())
    server.files["/hub/a.txt"] = A + B
    assert made(kit.fetch(published)) == {"a.txt": A + B}
    assert set(made(kit.fetch(published, force=True))) == {"a.txt", "sub/b.txt", "other/c.txt"}


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "an error": ({"status": 404}, "404 Not Found"),
    "a page with status 200": ({"body": PAGE, "headers": {"Content-Type": "text/plain"}}, "found an HTML page"),
    "nothing": ({"body": b""}, "the answer is empty"),
    "too much": ({"body": b"1.1.1.1/32\n" * 200_000}, "longer than"),
    "a body cut short": ({"cut": 3}, "the connection broke off"),
    "a redirect into a private network": ({"status": 302, "headers": {"Location": "http://10.0.0.1/"}}, "refused"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_fails_is_a_finding_and_the_others_go_on(kit: Fetching, server: UrlServer, fault: str) -> None:
    """Its key has no bytes and is not called unchanged."""
    published = as_published(kit.fetch())
    what, words = FAULTS[fault]
    server.files |= {"/hub/a.txt": A + B, "/hub/sub/b.txt": B + C}
    server.fail("/hub/a.txt", **what)
    fetched = kit.fetch(published, max_bytes=1 << 20)
    assert made(fetched) == {"sub/b.txt": B + C}
    assert told(fetched) == {(ITEM_FAILED, "a.txt")}
    assert words in fetched.findings[0].message
    assert "a.txt" not in fetched.kept


def test_all_that_fail_are_one_error(kit: Fetching, server: UrlServer) -> None:
    """Then the network is gone."""
    server.files.clear()
    assert "404" in str(kit.refused(manifest="none"))


def test_bytes_and_time_are_bounded_for_all_together(kit: Fetching, server: UrlServer) -> None:
    """What fits is fetched; what does not is told; time that is up ends all."""
    server.files["/hub/a.txt"] = b"8.8.8.0/24\n" * 5000
    fetched = kit.fetch(max_total_bytes=40_000, concurrency=1)
    assert told(fetched) >= {(ITEM_FAILED, "a.txt")}
    assert "max_total_bytes" in str({finding.message for finding in fetched.findings})
    server.fail("/hub/a.txt", drip_s=0.05)
    assert "not done within" in str({finding.message for finding in kit.fetch(file_timeout_s=0.3).findings})


BAD_URLS = {
    "http://10.0.0.8/x.txt": "lets anybody between change",
    "https://10.0.0.8/x.txt": "private network",
    "https://[fd00::1]/x.txt": "private network",
    "https://169.254.169.254/latest/meta-data": "private network",
    "https://localhost/x.txt": "private network",
    "http://localhost:1/x.txt": "private network",
    "https://h.example/x.txt?a=1": "a query",
    "https://h.example/x.txt?token=s3cr3t": "a credential",
    "https://user:s3cr3t@h.example/x.txt": "user or password",
    "ftp://h.example/x.txt": "https://",
    "file:///etc/passwd": "https://",
    "x.txt": "https://",
    "https://h.example/a/../x.txt": "`..` segment",
    "https://h.example/a/%2e%2e/x.txt": "`..` segment",
    "https://h.example/a%2fx.txt": "escaped slash",
    "https://h.example/a%5Cx.txt": "escaped slash",
    "https://h.example/a%zz.txt": "escapes nothing",
    "https://h.example/%ff.txt": "not UTF-8",
    "https://h.example/": "names a directory",
    "https://h.example/a//x.txt": "cannot be a key",
    "https://h.example/x.txt#part": "fragment",
    "https://h.example/a b.txt": "a blank",
    "https://h.example/é.txt": "no URL has",
    "https://[broken/x.txt": "not a URL",
    "https://h.example/.git/config": "begins with a dot",
    "https://h.example/" + "d/" * 60 + "x.txt": "too deep",
    "https://h.example/" + "n" * 300: "too long",
    "https://h.example:9999/x.txt\n": "no URL has",
    "https://h.example/" + "x" * 2100: "characters",
}


def test_no_address_is_passed_over_in_silence(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """Each that cannot be mirrored is told by item and line, with no secret of it; the others are fetched."""
    items(tmp_path, bad=tuple(BAD_URLS))
    published = as_published(kit.fetch(path=tmp_path / "hub"))
    fetched = kit.fetch()
    assert set(made(fetched)) == {"a.txt", "sub/b.txt", "other/c.txt"}
    assert {finding.rule for finding in fetched.findings} == {"hub.url"}
    by_line = {finding.line: finding for finding in fetched.findings}
    for number, (address, words) in enumerate(BAD_URLS.items()):
        finding = by_line[3 + 2 * number]
        assert words in finding.message, address
        assert finding.key == "scenarios/bad.yaml"
        assert "s3cr3t@" not in finding.message
    gone = dict(published) | {"old.txt": {"type": "hub"}, "not-mine.txt": {"type": "http"}}
    assert "old.txt" in kit.fetch(gone).kept
    assert "not-mine.txt" not in kit.fetch(gone).kept


def test_a_name_that_leads_into_a_private_network_is_refused_at_the_socket(
    kit: Fetching, server: UrlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item's author owns the name and says where it leads: not to us."""
    import socket

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real("127.0.0.1" if "evil" in str(host) else host, *rest, **more),
    )
    port = server.origin.rpartition(":")[2]
    items(tmp_path, evil=(f"https://evil.example:{port}/hub/a.txt",))
    before = server.count("/hub/a.txt")
    fetched = kit.fetch()
    assert [finding.rule for finding in fetched.findings] == [ITEM_FAILED]
    assert "it leads to a loopback address" in fetched.findings[0].message
    assert server.count("/hub/a.txt") == before + 1  # the good item's
    trusted = kit.fetch(internal_hosts=["evil.example"])
    assert "loopback" not in trusted.findings[0].message


def test_a_key_given_by_hand_takes_what_has_none(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """A query is part of no key; the operator says what it is to be called."""
    server.files["/hub/q"] = C
    address = url(server, "/hub/q?raw=true")
    items(tmp_path, q=(address,))
    assert made(kit.fetch(keys={address: "by/hand.txt"}))["by/hand.txt"] == C


def test_two_addresses_with_one_key_take_nobodys_place(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """Without a published copy neither is fetched; the published one stays what it is, and the other is told."""
    port = server.origin.rpartition(":")[2]
    server.files |= {"/hub/dir": B, "/hub/dir/x.txt": A}
    clash = f"http://localhost:{port}/x"
    items(tmp_path, twice=(clash, url(server, "/hub/dir"), url(server, "/hub/dir/x.txt")))
    keys = {clash: "a.txt"}
    fetched = kit.fetch(keys=keys)
    assert {rule for rule, _ in told(fetched)} == {"hub.same-key"}
    assert set(made(fetched)) == {"sub/b.txt", "other/c.txt", "dir/x.txt"}
    published = {"a.txt": {"type": "hub", "url": url(server, "/hub/a.txt")}, "dir": {"type": "hub", "url": "x"}}
    again = kit.fetch(published, keys=keys)
    assert made(again)["a.txt"] == A
    assert again.kept == ("dir",)


def test_one_name_for_two_files_is_a_warning(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """Both are mirrored: it is engines that have one place for them."""
    text = "data:\n  - source_url: {}\n    dest_file: same.txt\n"
    for name, path in (("s1", "/hub/a.txt"), ("s2", "/hub/sub/b.txt")):
        (tmp_path / "hub" / f"{name}.yaml").write_text(text.format(url(server, path)))
    fetched = kit.fetch()
    assert [(each.rule, each.key, each.severity.value) for each in fetched.findings] == [
        ("hub.same-dest", "s1.yaml", "warning")
    ]
    assert {"a.txt", "sub/b.txt"} <= set(made(fetched))


def test_an_item_that_cannot_be_read_deletes_nothing(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """Nobody knows what it names: all that is published stays, and the rest is fetched."""
    published = as_published(kit.fetch())
    (tmp_path / "hub/scenarios/two.yaml").write_text("source_url: [\n")
    (tmp_path / "hub/scenarios/three.yaml").symlink_to("/etc/hostname")
    fetched = kit.fetch(published)
    assert set(fetched.kept) == set(published)
    assert {rule for rule, _ in told(fetched)} == {"audit.unreadable", "source.link"}
    (tmp_path / "hub/a\nb.yaml").write_text("source_url: [\n")
    assert ("source.unsafe-name", "a\\nb.yaml") in told(kit.fetch(published))


class TestManifest:
    """An upstream that says what its files are."""

    @pytest.fixture(autouse=True)
    def said(self, server: UrlServer) -> None:
        """Publish a manifest beside the hub's files."""
        server.files["/hub/manifest.json"] = manifest({"a.txt": A, "sub/b.txt": B})

    def test_what_it_names_is_held_to_it_and_one_request_tells_that_nothing_changed(
        self, kit: Fetching, server: UrlServer
    ) -> None:
        """One for all that it names, one for the file of another place."""
        published = as_published(kit.fetch())
        assert published["a.txt"]["generation"] == "7"
        server.mend()
        assert set(kit.fetch(published).kept) == set(published)
        assert sorted(server.endpoints) == ["/hub/manifest.json", "/other/c.txt"]
        assert all("If-None-Match" in request.headers for request in server.requests)

    def test_with_force_everything_is_fetched_all_the_same(self, kit: Fetching, server: UrlServer) -> None:
        """And still held to it."""
        published = as_published(kit.fetch())
        assert set(made(kit.fetch(published, force=True))) == {"a.txt", "sub/b.txt", "other/c.txt"}
        server.files["/hub/a.txt"] = C
        assert told(kit.fetch(published, force=True)) == {(ITEM_FAILED, "a.txt")}

    def test_more_than_it_says_is_not_even_read(self, kit: Fetching, server: UrlServer) -> None:
        """The download ends where the file should."""
        server.fail("/hub/a.txt", stream=lambda: iter([A, b"x" * 100] * 10_000))
        fetched = kit.fetch()
        assert told(fetched) == {(ITEM_FAILED, "a.txt")}
        assert "manifest says, found more" in fetched.findings[0].message

    def test_other_bytes_than_it_says_are_not_taken(self, kit: Fetching, server: UrlServer) -> None:
        """The last good version stays until file and manifest agree."""
        published = as_published(kit.fetch())
        server.files["/hub/a.txt"] = C
        assert "a.txt" in kit.fetch(published).kept  # the manifest is unchanged, so nobody asks
        server.files["/hub/manifest.json"] = manifest({"a.txt": A + B, "sub/b.txt": B}, 8)
        fetched = kit.fetch(published)
        assert told(fetched) == {(ITEM_FAILED, "a.txt")}
        assert "as the upstream's manifest says" in fetched.findings[0].message
        server.files["/hub/a.txt"] = A + B
        assert made(kit.fetch(published)) == {"a.txt": A + B}

    def test_what_it_does_not_name_is_told(self, kit: Fetching, server: UrlServer) -> None:
        """Fetched all the same while nobody demands signatures."""
        server.files["/hub/manifest.json"] = manifest({"a.txt": A})
        fetched = kit.fetch()
        assert told(fetched) == {("hub.unnamed", "sub/b.txt")}
        assert "sub/b.txt" in made(fetched)

    @pytest.mark.parametrize("fault", ["gone", "another's", "a page", "down", "older"])
    def test_one_that_was_there_is_demanded(self, kit: Fetching, server: UrlServer, fault: str) -> None:
        """Whoever can take it away, or bring an old one back, gets nothing past it; other places go on."""
        published = as_published(kit.fetch())
        server.files |= {"/hub/a.txt": C, "/other/c.txt": A}
        if fault == "gone":
            del server.files["/hub/manifest.json"]
        elif fault in ("another's", "a page"):
            server.files["/hub/manifest.json"] = PAGE if fault == "a page" else b'{"name": "app", "icons": []}'
        elif fault == "older":
            server.files["/hub/manifest.json"] = manifest({"a.txt": C, "sub/b.txt": B}, 6)
        else:
            server.fail("/hub/manifest.json", status=503)
        fetched = kit.fetch(published)
        assert told(fetched) == {(ITEM_FAILED, "manifest.json")}
        assert set(made(fetched)) == {"other/c.txt"}
        assert {"a.txt", "sub/b.txt"} <= set(fetched.kept)
        if fault == "older":
            assert set(made(kit.fetch(published, min_generation=6))) == {"a.txt", "other/c.txt"}
        if fault == "gone":
            assert set(made(kit.fetch(published, manifest="none"))) == {"a.txt", "other/c.txt"}

    def test_the_generation_is_known_without_a_memory(self, kit: Fetching, server: UrlServer) -> None:
        """A fresh container has none: what is published tells it."""
        published = as_published(kit.fetch())
        kit.memory = None
        server.files["/hub/manifest.json"] = manifest({"a.txt": C, "sub/b.txt": B}, 6)
        assert told(kit.fetch(published)) == {(ITEM_FAILED, "manifest.json")}

    def test_somebody_elses_file_of_that_name_is_nobodys_manifest(self, kit: Fetching, server: UrlServer) -> None:
        """Web applications have one, too: where none was named or seen, it says nothing."""
        server.files["/hub/manifest.json"] = b'{"name": "app", "icons": []}'
        fetched = kit.fetch()
        assert (fetched.findings, len(fetched.files)) == ((), 3)


class TestSigned:
    """An upstream whose key is known."""

    @pytest.fixture
    def signed(self, kit: Fetching, server: UrlServer) -> Fetching:
        """Publish a signed manifest, and demand it."""
        body = manifest({"a.txt": A, "sub/b.txt": B})
        server.files |= {"/hub/manifest.json": body, "/hub/manifest.json.minisig": sign(body)}
        kit.defaults["public_keys"] = [FOREIGN.public.text, KEY.public.text]
        return kit

    def test_a_signature_is_fetched_once_and_judged_each_time(self, signed: Fetching, server: UrlServer) -> None:
        """While nothing changes, one request; with another key in the settings, what is kept is worth nothing."""
        published = as_published(signed.fetch())
        server.mend()
        assert set(signed.fetch(published).kept) == set(published)
        assert sorted(server.endpoints) == ["/hub/manifest.json", "/other/c.txt"]
        fetched = signed.fetch(published, public_keys=[secret(3).public.text])
        assert told(fetched) == {("signature.unknown-key", "manifest.json")}
        assert set(fetched.kept) == set(published)

    @pytest.mark.parametrize(
        ("fault", "rule"),
        [
            ("none", "signature.missing"),
            ("of others", "signature.unknown-key"),
            ("changed", "signature.mismatch"),
            ("older", "signature.rolled-back"),
            ("half published", "signature.other-generation"),
            ("garbage", "signature.malformed"),
        ],
    )
    def test_what_does_not_hold_lets_nothing_in(
        self, signed: Fetching, server: UrlServer, fault: str, rule: str
    ) -> None:
        """Nothing below that manifest is taken; what is published stays."""
        published = as_published(signed.fetch())
        body = manifest({"a.txt": C, "sub/b.txt": B}, 6 if fault == "older" else 8)
        signature = {
            "none": None,
            "of others": sign(body, 8, secret(9)),
            "changed": sign(body + b" ", 8),
            "older": sign(body, 6),
            "half published": sign(manifest({"a.txt": C}, 9), 9),
            "garbage": b"hello",
        }[fault]
        server.files |= {"/hub/a.txt": C, "/hub/manifest.json": body}
        if signature is None:
            del server.files["/hub/manifest.json.minisig"]
        else:
            server.files["/hub/manifest.json.minisig"] = signature
        fetched = signed.fetch(published)
        assert told(fetched) == {(rule, "manifest.json")}
        assert fetched.files == ()
        assert set(fetched.kept) == set(published)

    def test_a_pair_that_is_half_published_is_asked_for_again(self, signed: Fetching, server: UrlServer) -> None:
        """The signature comes a moment after its manifest: that is no attack."""
        old = sign(manifest({"a.txt": C}, 6), 6)
        server.fail("/hub/manifest.json.minisig", body=old, times=1)
        fetched = signed.fetch()
        assert (fetched.findings, len(fetched.files)) == ((), 3)
        assert server.count("/hub/manifest.json.minisig") == 2

    def test_what_is_not_signed_is_not_fetched(self, signed: Fetching, server: UrlServer) -> None:
        """A file beside the manifest that it does not name."""
        body = manifest({"a.txt": A})
        server.files |= {"/hub/manifest.json": body, "/hub/manifest.json.minisig": sign(body)}
        fetched = signed.fetch()
        assert told(fetched) == {("hub.unnamed", "sub/b.txt")}
        assert set(made(fetched)) == {"a.txt", "other/c.txt"}


def index(root: Path, *, content: bool) -> bytes:
    """Return the index of the hub in `root`, as hubs publish it."""
    found: dict[str, dict[str, object]] = {}
    for path in sorted((root / "hub").rglob("*.yaml")):
        body = path.read_bytes()
        one: dict[str, object] = {
            "path": path.relative_to(root / "hub").as_posix(),
            "version": "0.2",
            "versions": {"0.1": {"digest": "0" * 64}, "0.2": {"digest": hashlib.sha256(body).hexdigest()}},
        }
        if content:
            one["content"] = base64.b64encode(body).decode()
        found[f"x/{path.stem}"] = one
    return json.dumps({"scenarios": found, "collections": {}}).encode()


@pytest.mark.parametrize("content", [True, False])
def test_an_index_on_the_web_names_items(kit: Fetching, server: UrlServer, tmp_path: Path, content: bool) -> None:
    """With their text in it, or beside it; an item is fetched once, as long as it has the same digest."""
    server.files["/master/.index.json"] = index(tmp_path, content=content)
    for name in ("one", "two"):
        server.files[f"/master/scenarios/{name}.yaml"] = (tmp_path / f"hub/scenarios/{name}.yaml").read_bytes()
    kit.defaults |= {"path": None, "index": url(server, "/master/.index.json")}
    published = as_published(kit.fetch())
    assert len(published) == 3
    assert server.count("/master/scenarios/one.yaml") == (0 if content else 1)
    server.mend()
    assert set(kit.fetch(published).kept) == set(published)
    assert [each for each in server.endpoints if "master" in each] == ["/master/.index.json"]
    for kept in () if content or kit.memory is None else (kit.memory / "items").iterdir():
        kept.write_bytes(b"source_url: damaged")
    assert (kit.fetch(published).findings, set(kit.fetch(published).kept)) == ((), set(published))
    server.files["/master/scenarios/one.yaml"] = b"source_url: x"
    kit.memory = None
    if not content:
        fetched = kit.fetch(published)
        assert told(fetched) == {(ITEM_FAILED, "scenarios/one.yaml")}
        assert set(fetched.kept) == set(published)


def test_an_index_on_disk_has_its_items_beside_it(kit: Fetching, tmp_path: Path) -> None:
    """As an engine's own hub directory has them; a link there is not followed."""
    (tmp_path / "hub" / ".index.json").write_bytes(index(tmp_path, content=False))
    kit.defaults |= {"path": None, "index_file": tmp_path / "hub" / ".index.json"}
    assert len(kit.fetch().files) == 3
    (tmp_path / "hub/scenarios/two.yaml").rename(tmp_path / "two.yaml")
    (tmp_path / "hub/scenarios/two.yaml").symlink_to(tmp_path / "two.yaml")
    assert told(kit.fetch()) == {(ITEM_FAILED, "scenarios/two.yaml")}
    (tmp_path / "hub/scenarios").rename(tmp_path / "elsewhere")
    (tmp_path / "hub/scenarios").symlink_to(tmp_path / "elsewhere")
    assert told(kit.fetch({"x": {"type": "hub"}})) == {
        (ITEM_FAILED, f"scenarios/{name}.yaml") for name in ("one", "two")
    }


@pytest.mark.parametrize("body", [b"[", b"[]", b"{}", b'{"a": 1}', b"[" * 100_000])
def test_what_is_no_index_is_said_to_be_none(kit: Fetching, server: UrlServer, body: bytes) -> None:
    """And no list becomes empty for it."""
    server.files["/i.json"] = body
    assert "no index of a hub" in str(kit.refused(path=None, index=url(server, "/i.json")))


def test_a_repository_of_items_is_read_at_its_ref(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """Without a checkout; the run names the commit."""
    repo = Repo.create(tmp_path / "repo")
    repo.commit({"scenarios/one.yaml": item(url(server, "/hub/a.txt")), ".github/x.yaml": "source_url: [", "a.md": ""})
    fetched = kit.fetch(path=None, url=repo.url, ref="master")
    assert made(fetched) == {"a.txt": A}
    assert len(fetched.revision or "") == 40


def test_a_hub_that_names_nothing_is_an_error(kit: Fetching, tmp_path: Path) -> None:
    """A wrong directory must not empty a mirror."""
    (tmp_path / "empty").mkdir()
    assert "holds no items" in str(kit.refused(path=tmp_path / "empty"))
    (tmp_path / "empty" / "a.yaml").write_text("name: x\n")
    assert "name no data files" in str(kit.refused(path=tmp_path / "empty"))
    assert "No such file" in str(kit.refused(path=tmp_path / "nowhere"))


def test_one_item_that_names_very_much_is_told_alone(kit: Fetching, server: UrlServer, tmp_path: Path) -> None:
    """By aliases a small text holds a hundred thousand entries; the others of the hub are fetched all the same."""
    text = f"data:\n- &e {{source_url: '{url(server, '/hub/q')}', dest_file: q, extra: 1}}\n" + "- *e\n" * 100_000
    (tmp_path / "hub/many.yaml").write_text(text)
    fetched = kit.fetch()
    assert told(fetched) == {("audit.unreadable", "many.yaml")}
    assert len(fetched.files) == 3


def test_a_hub_beyond_its_bounds_is_an_error(kit: Fetching) -> None:
    """Items, and files that they name."""
    assert "at most 1 items" in str(kit.refused(max_items=1))
    assert "at most 2 data files" in str(kit.refused(max_files=2))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "where the hub's items are"),
        ({"path": "a", "url": "https://x.example/y"}, "by one of"),
        ({"path": "a", "base_url": "http://x.example"}, "https://"),
        ({"path": "a", "manifest": "x"}, "none"),
        ({"path": "a", "public_keys": ["x"], "base_url": "https://x.example"}, "not a public key"),
        ({"path": "a", "public_keys": [KEY.public.text]}, "base_url"),
        ({"path": "a", "keys": {"https://x.example/a": "../b"}}, "cannot be a key"),
        ({"path": "a", "keys": {"https://x.example/a": "k", "https://x.example/b": "k"}}, "one key"),
        ({"path": "a", "index": "ftp://x"}, "https://"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: Mapping[str, object], words: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as caught:
        HubOptions.model_validate(given)
    assert words in str(caught.value)


def test_errors_are_of_our_own_tree(kit: Fetching, server: UrlServer) -> None:
    """Whatever lies at the index's address."""
    server.files["/i.json"] = json.dumps({"scenarios": {"a": {"path": "a.yaml", "content": "%%%"}}}).encode()
    with pytest.raises(SourceError):
        kit.fetch(path=None, index=url(server, "/gone.json"))
    assert told(kit.fetch({"x": {"type": "hub"}}, path=None, index=url(server, "/i.json"))) == {(ITEM_FAILED, "a.yaml")}
