"""A real engine's client installs items from a mirror, on a machine that has IPv6 and nothing else.

Real are the client and the engine (Debian's), items, data, the mirror's job, the rewrite, and `hubdata serve`.
The host that the client has built in for its hub is another machine here, which it trusts: as docs/mirror.md has it.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import crowdsec
from tests.support.certificates import certificate_for, showing
from tests.support.crowdsec import Unpacked
from tests.support.hub_world import HubServer, HubWorld, hub_on_the_web, index_of
from tests.support.islands import SERVERS, Island, islands, knowing, needs_namespaces
from tests.support.public_server import PublicServer
from tests.support.real import needs_real

pytestmark = [needs_namespaces, needs_real]

HUB = "hub-cdn.crowdsec.net"
SCENARIO, OVERFLOW = "crowdsecurity/http-backdoors-attempts", "crowdsecurity/seo-bots-whitelist"
BACKDOORS = "web/backdoors.txt"


@dataclass(frozen=True, slots=True)
class Closed:
    """The two machines: where mirror and hub are served, and where the engine is."""

    hub: HubWorld
    base: str
    servers: Island
    engine: Island
    program: Unpacked
    certificate: Path
    asked: list[str]
    public: PublicServer

    @property
    def root(self) -> Path:
        """Return where all of it lies."""
        return self.hub.world.root

    @property
    def data(self) -> dict[str, bytes]:
        """Return the data files that the engine has, by name."""
        return {path.name: path.read_bytes() for path in (self.root / "engine/data").iterdir()}

    def cscli(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Return what the client said, on the engine's machine."""
        return self._run("cscli", "-c", str(self.root / "engine/config.yaml"), *arguments)

    def load(self) -> "subprocess.CompletedProcess[str]":
        """Return what the engine itself says when it loads what is installed."""
        return self._run("crowdsec", "-c", str(self.root / "engine/config.yaml"), "-t", "-no-api", "-debug")

    def _run(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        argv = [*knowing({HUB: SERVERS}, self.root), str(self.program.program.with_name(name)), *arguments]
        environment = {**self.program.environment, "SSL_CERT_FILE": str(self.certificate), "HOME": str(self.root)}
        with self.engine.inside():
            return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """Give a mirror that is served, and a hub whose items and index do not name it yet."""
    program = crowdsec.needed()
    root = tmp_path_factory.mktemp("closed")
    with HubServer() as upstream, ExitStack() as stack:
        hub = HubWorld.create(root, upstream)
        assert hub.sync().code == 0
        shutil.copytree(root / "hub", root / "inside")
        (root / "inside/.index.json").write_bytes(index_of(root / "hub"))
        configure(root / "engine")
        certificate = certificate_for(HUB, root)
        servers, engine = stack.enter_context(islands())
        with servers.inside():
            public = stack.enter_context(PublicServer(root / "mirror", flags=("--host", SERVERS)))
            asked = stack.enter_context(hub_on_the_web(root / "inside", SERVERS, showing(certificate)))
        yield Closed(hub, public.urls[0].rstrip("/"), servers, engine, program, certificate, asked, public)


def configure(root: Path) -> None:
    """Write an engine's configuration, with nothing installed."""
    for name in ("hub", "data", "patterns"):
        (root / name).mkdir(parents=True)
    here = str(root)
    paths = {
        "config_dir": here,
        "data_dir": f"{here}/data",
        "hub_dir": f"{here}/hub",
        "index_path": f"{here}/hub/.index.json",
        "simulation_path": f"{here}/simulation.yaml",
        "notification_dir": here,
        "plugin_dir": here,
    }
    files: dict[str, Any] = {
        "config.yaml": {
            "common": {"daemonize": False, "log_media": "stdout", "working_dir": here},
            "config_paths": paths,
            "crowdsec_service": {"acquisition_path": f"{here}/acquis.yaml", "parser_routines": 1},
            "cscli": {"output": "raw", "hub_branch": "master"},
            "db_config": {"type": "sqlite", "db_path": f"{here}/never-made.db"},
            "api": {"client": {"credentials_path": f"{here}/credentials.yaml"}},
            "prometheus": {"enabled": False},
        },
        "simulation.yaml": {"simulation": False},
        "credentials.yaml": {"url": "http://[::1]:9/", "login": "x", "password": "none"},
        "acquis.yaml": {"filename": f"{here}/log", "labels": {"type": "x"}},
    }
    for name, value in files.items():
        (root / name).write_text(json.dumps(value))
    (root / "log").write_text("")


def states(closed: Closed, kind: str) -> dict[str, str]:
    """Return how the client says that each installed item stands."""
    listed = closed.cscli(kind, "list", "-o", "json")
    return {item["name"]: item["status"] for item in json.loads(listed.stdout)[kind]}


def test_without_a_rewrite_the_client_asks_for_what_it_cannot_reach(closed: Closed) -> None:
    """What a closed network has today: the item comes, its data does not, nothing is installed."""
    assert closed.cscli("hub", "update").returncode == 0
    ended = closed.cscli("scenarios", "install", "crowdsecurity/http-admin-interface-probing")
    assert ended.returncode == 1
    assert f"{closed.hub.server.origin}" in ended.stderr
    assert closed.data == {}


def test_with_it_the_client_installs_items_and_their_data_over_ipv6(closed: Closed) -> None:
    """The command rewrites items and index; the client of itself fetches these and the data, and calls none tainted."""
    ended = closed.hub.world.run(
        "rewrite", "--hub", "inside", "--base", closed.base, "--published", "mirror", "--format", "json"
    )
    assert (ended.code, len(ended.json["changed"]), ended.json["indexed"]) == (0, 22, 18), ended.stdout
    closed.asked.clear()
    for arguments in (
        ("hub", "update"),
        ("scenarios", "install", SCENARIO, "crowdsecurity/http-bad-user-agent"),
        ("postoverflows", "install", OVERFLOW),
    ):
        done = closed.cscli(*arguments)
        assert done.returncode == 0, done.stderr
    public = closed.hub.world.public()
    crawlers = "whitelists/benign_bots/search_engine_crawlers"
    assert closed.data == {
        "backdoors.txt": public[BACKDOORS],
        "bad_user_agents.regex.txt": public["web/bad_user_agents.regex.txt"],
        "rdns_seo_bots.txt": public[f"{crawlers}/rdns_seo_bots.txt"],
        "rdns_seo_bots.regex": public[f"{crawlers}/rnds_seo_bots.regex"],
        "ip_seo_bots.txt": public[f"{crawlers}/ip_seo_bots.txt"],
    }
    assert states(closed, "scenarios") == {SCENARIO: "enabled", "crowdsecurity/http-bad-user-agent": "enabled"}
    assert states(closed, "postoverflows") == {OVERFLOW: "enabled"}
    assert closed.asked[0] == "/master/.index.json"
    assert closed.engine.addresses("-4") == ""


def test_what_the_mirror_publishes_next_is_what_the_client_upgrades_to(closed: Closed) -> None:
    """A change upstream goes the whole way; an item whose digest the index has is not called tainted for it."""
    server = closed.hub.server
    server.files[f"/hub-data.crowdsec.net/{BACKDOORS}"] += b"x-new.php\n"
    assert closed.hub.sync().puts("mirror") == [BACKDOORS]
    assert closed.cscli("hub", "update").returncode == 0
    done = closed.cscli("hub", "upgrade", "--force")
    assert done.returncode == 0, done.stderr
    assert closed.data["backdoors.txt"].endswith(b"x-new.php\n")
    assert set(states(closed, "scenarios").values()) == {"enabled"}
    assert closed.public.stderr == ""


def test_the_engine_loads_what_was_installed(closed: Closed) -> None:
    """Each data file as its item declares it. (Today's scenarios have labels that this engine is too old to read.)"""
    assert closed.cscli("scenarios", "remove", "--all", "--force").returncode == 0
    done = closed.load()
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    for name, kind in (
        ("rdns_seo_bots.txt", "string"),
        ("rdns_seo_bots.regex", "regexp"),
        ("ip_seo_bots.txt", "string"),
    ):
        assert f"(file:{name}) (type:{kind})" in said
    assert "Loaded 1 nodes from 1 stages" in said
