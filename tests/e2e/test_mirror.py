"""A mirror of the real items' data: whole runs, and every command of docs/mirror.md in its order."""

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.model.manifest import Entry, Manifest
from tests.support.hub_world import HUB_DATA, HubServer, HubWorld, named
from tests.support.list_server import PAGE
from tests.support.real import HUB_ITEMS, needs_real
from tests.support.small_world import findings

pytestmark = needs_real

PAGE_OF_DOCS = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text()
BACKDOORS, XSS, SECRETS = "web/backdoors.txt", "web/xss_probe_patterns.txt", "web/sensitive_data.txt"


@pytest.fixture(scope="module")
def running() -> Iterator[HubServer]:
    """One server for all."""
    with HubServer() as server:
        yield server


@pytest.fixture
def server(running: HubServer) -> Iterator[HubServer]:
    """The upstreams, well and unasked."""
    files = dict(running.files)
    running.mend()
    yield running
    running.files = files


@pytest.fixture
def hub(server: HubServer, tmp_path: Path) -> HubWorld:
    """A world with nothing published yet."""
    return HubWorld.create(tmp_path, server)


def path(key: str) -> str:
    """Return where the server has a key of the hub's own data."""
    return f"/{HUB_DATA}/{key}"


def expected(server: HubServer) -> dict[str, bytes]:
    """Return all that is to be public, by key."""
    host = server.origin.partition("://")[2]
    return {
        each.removeprefix(f"{HUB_DATA}/") if each.startswith(HUB_DATA) else f"{host}/{each}": server.files[f"/{each}"]
        for each in named()
    }


def test_all_that_the_real_items_name_is_published_and_costs_little_the_next_time(
    hub: HubWorld, server: HubServer
) -> None:
    """Byte for byte; then a conditional request a file, each answered by 304, and nothing is written."""
    first = hub.sync()
    assert first.code == 0, first.stdout
    assert hub.world.public() == expected(server)
    assert len(first.puts("mirror")) == len(named()) == 22
    server.mend()
    before = hub.world.untouched()
    again = hub.sync()
    assert (again.code, again.puts("mirror")) == (0, [])
    asked = [request for request in server.requests if "If-None-Match" in request.headers]
    assert len(asked) == 22
    assert len(server.requests) == 23  # and one for a manifest, which this upstream has not
    assert hub.world.untouched() == before


def test_what_goes_wrong_at_one_address_stays_there(hub: HubWorld, server: HubServer) -> None:
    """A page with status 200, a list that shrinks to nothing, one to a tenth, an error: each keeps its last good.

    Nothing is pruned for it, and what did change goes out.
    """
    assert hub.sync().code == 0
    good = hub.world.public()
    job = (hub.world.root / "jobs/mirror.toml").read_text()
    hub.world.write("jobs/mirror.toml", "prune = true\n" + job)
    fresh = server.files[path(SECRETS)] + b"/new-secret.txt\n"
    agents = "web/bad_user_agents.regex.txt"
    server.files |= {
        path(BACKDOORS): PAGE,
        path(XSS): b"\n",
        path(SECRETS): fresh,
        path(agents): b"".join(server.files[path(agents)].splitlines(keepends=True)[:50]),
    }
    server.fail(path("web/path_traversal.txt"), status=500)
    ended = hub.sync()
    assert (ended.code, ended.puts("mirror")) == (5, [SECRETS])
    errors = {(key, rule) for key, _, rule in findings(ended, "mirror", "error")}
    failed = "source.item-failed"
    assert errors == {
        (BACKDOORS, failed),
        (XSS, failed),
        ("web/path_traversal.txt", failed),
        (agents, "limits.max-change"),
    }
    assert hub.world.public() == {**good, SECRETS: fresh}


def test_an_upstream_with_a_manifest_is_asked_once_and_held_to_it(hub: HubWorld, server: HubServer) -> None:
    """One request while nothing changes; other bytes than it says are refused, the last good ones stay."""
    own = {each.removeprefix(path("")): body for each, body in server.files.items() if each.startswith(path(""))}

    def publish(generation: int) -> None:
        entries = {
            key: Entry(len(body), hashlib.sha256(body).hexdigest(), "x", "j", "e", None, "", "text/plain", "", {})
            for key, body in own.items()
        }
        server.files[path("manifest.json")] = Manifest(generation, "2026-11-20T12:00:00Z", "r", entries).to_bytes()

    publish(5)
    assert hub.sync().code == 0
    server.mend()
    assert hub.sync().code == 0
    assert sorted(server.endpoints) == [path("manifest.json"), "/www.arvancloud.ir/en/ips.txt"]
    good = hub.world.public()
    own |= {BACKDOORS: own[BACKDOORS] + b"x.php\n", XSS: own[XSS] + b"<x-y\n"}
    publish(6)
    server.files |= {path(BACKDOORS): own[BACKDOORS], path(XSS): own[XSS] + b"tampered\n"}
    ended = hub.sync()
    assert ended.code == 5, ended.stdout
    assert ended.puts("mirror") == [BACKDOORS]
    assert hub.world.public() == {**good, BACKDOORS: own[BACKDOORS]}
    own[XSS] = own[XSS][:-1]
    publish(4)
    ended = hub.sync()
    assert (ended.code, ended.puts("mirror")) == (5, []), ended.stdout
    assert "found 4: it has gone back" in ended.stdout


def test_a_run_that_is_killed_leaves_the_last_good_version(hub: HubWorld, server: HubServer) -> None:
    """In the middle of a download; the next run goes on as if there had been none."""
    assert hub.sync().code == 0
    good = hub.world.public()
    fresh = server.files[path(BACKDOORS)] + b"x.php\n"
    server.files[path(BACKDOORS)] = fresh
    server.fail(path(BACKDOORS), drip_s=1, times=1)
    count = server.count(path(BACKDOORS))
    argv = [sys.executable, "-m", "hubdata", "sync", "--once", "-q"]
    with subprocess.Popen(argv, cwd=hub.world.root, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while server.count(path(BACKDOORS)) == count:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.wait()
    assert hub.world.public() == good
    ended = hub.sync()
    assert (ended.code, ended.puts("mirror")) == (0, [BACKDOORS]), ended.stdout
    assert hub.world.public() == {**good, BACKDOORS: fresh}


def items(place: Path) -> dict[str, bytes]:
    """Return the items below a directory, by path."""
    return {each.relative_to(place).as_posix(): each.read_bytes() for each in place.rglob("*.yaml")}


def test_every_command_of_the_page_works_in_its_order(hub: HubWorld, server: HubServer) -> None:
    """With its own job and settings; then every item names the mirror, and differs from before in that alone."""
    commands = re.findall(r"^\$ (.+)$", PAGE_OF_DOCS, re.MULTILINE)
    words = [" ".join(command.split()[:2]) for command in commands]
    steps = ["config", "plan", "sync", "cp -a", "rewrite", "rewrite", "audit"]
    assert words == [each if each == "cp -a" else f"hubdata {each}" for each in steps]
    settings = re.search(r"```toml\n(\[targets.+?)```", PAGE_OF_DOCS, re.DOTALL)
    assert settings is not None
    hub.world.write("hubdata.toml", 'jobs = "jobs"\nspool = "spool"\n' + settings[1])
    source = re.search(r"```toml\n(\[source\].+?)```", PAGE_OF_DOCS, re.DOTALL)
    assert source is not None
    example = (Path(__file__).parents[2] / "docs/examples/jobs/hub-mirror.toml").read_text()
    assert all(re.sub(r"\s+#.*", "", line) in re.sub(r"\s+#.*", "", example) for line in source[1].splitlines())
    before = items(hub.world.root / "hub")
    for command in commands:
        program, *arguments = command.split()
        if program == "cp":
            subprocess.run([program, *arguments], cwd=hub.world.root, check=True)
            continue
        ended = hub.world.run(*arguments)
        assert ended.code == 0, f"{command}: {ended.stdout}{ended.stderr}"
        if "--dry-run" in command:
            assert items(hub.world.root / "inside") == before
            assert "Would rewrite 22 addresses in 18 files" in ended.stdout
    assert items(hub.world.root / "hub") == before
    told = re.compile(rb"source_url: \S+")
    for name, body in items(hub.world.root / "inside").items():
        assert told.sub(b"", body) == told.sub(b"", before[name])
        assert all(url.startswith(b'source_url: "http://[2001:db8::5]:8080/') for url in told.findall(body))
    assert len(before) == len(list(HUB_ITEMS.rglob("*.yaml")))


def test_a_rewrite_stays_in_the_hub(hub: HubWorld, server: HubServer, tmp_path: Path) -> None:
    """A link in it is not followed; what cannot be used is said before anything is touched."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(f"data:\n  - source_url: {server.base}/{BACKDOORS}\n    dest_file: x\n")
    (hub.world.root / "hub" / "linked.yaml").symlink_to(outside)
    (hub.world.root / "hub" / "there").symlink_to(tmp_path)
    assert hub.sync().code == 3  # a link is told, and not followed
    before = outside.read_bytes()
    ended = hub.world.run("rewrite", "--hub", "hub", "--base", "https://m.test", "--published", "mirror", "-q")
    assert (ended.code, outside.read_bytes()) == (3, before), ended.stdout  # what is behind it names what it named
    for flags, words in (
        (("--base", "m.test"), "no address of a mirror"),
        (("--base", "https://u:hunter2@m.test"), "no address of a mirror"),
        (("--base", "https://m.test", "--published", "nowhere"), "cannot be read"),
        (("--base", "https://m.test", "--published", "hubdata.toml"), "not a hubdata manifest"),
    ):
        ended = hub.world.run("rewrite", "--hub", "hub", *flags)
        assert (ended.code, words in ended.stderr, "hunter2" in ended.stderr) == (2, True, False), ended.stderr
