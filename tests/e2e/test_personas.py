"""Three people, each from a fresh virtual environment and with nothing but the pages: a newcomer, the maintainer of a
data repository, and the operator of a closed network.

What they install is the wheel of this tree. Needs the package index, else these tests skip loudly.
"""

import re
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.support.hub_world import HubServer, job, put_items
from tests.support.list_server import ListServer
from tests.support.list_world import CLOUDFLARE, ListWorld
from tests.support.packaged import environment, with_uv
from tests.support.pages import ROOT, Reader
from tests.support.ports import own_port
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo

pytestmark = pytest.mark.slow

JOB = """\
[source]
type = "git"
url = "https://github.com/OWNER/data"
ref = "main"

[[files]]
match = "lists/*.txt"
kind = "cidr"

[[ignore]]
match = "jobs/*"

[[ignore]]
match = "*.t*"
"""
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.net"))
}


def person(home: Path) -> Reader:
    """Return somebody with an empty directory, git, and hubdata as it is installed."""
    port = str(own_port())
    installed = environment("demo", "jq", "sign", "worker")
    return Reader(home, {"8080": port}, dict(IDENTITY), path=installed.bin)


def test_a_newcomer_follows_the_tutorial(tmp_path: Path) -> None:
    """docs/tutorial.md from its first command to its last: a public copy on both families, and the way back."""
    who = person(tmp_path / "home")
    assert who.follow("docs/tutorial.md") >= 25
    public = who.home / "tutorial" / "public"
    assert (public / "lists/resolvers.txt").read_text() == "8.8.8.0/24\n9.9.9.0/24\n"
    assert (who.home / "hubdata-demo" / "public" / "manifest.json").is_file()


def test_a_maintainer_keeps_mistakes_out_of_a_data_repository(tmp_path: Path) -> None:
    """docs/pull-requests.md in a branch of a data repository: fine at first, then one file in it is refused."""
    origin = Repo.create(tmp_path / "origin")
    origin.commit({"lists/a.txt": "8.8.8.0/24\n", "jobs/lists.toml": JOB, "hubdata.toml": 'jobs = "jobs"\n'})
    origin.git("branch", "--move", "main")
    who = person(tmp_path / "home")
    assert who.run(f"git clone --quiet {origin.path} data && cd data && git switch --quiet --create mine").code == 0
    checkout = who.home / "data"
    (checkout / "lists/b.txt").write_text("9.9.9.0/24\n")
    (checkout / "draft.txt").write_text("1.1.1.0/24\n")
    assert who.follow("docs/pull-requests.md") == 6
    (checkout / "lists/b.txt").write_text("9.9.9.1/24\n")
    refused = who.run("hubdata validate --since origin/main --format github")
    assert refused.code == 3
    assert "::error file=lists/b.txt,line=1,title=cidr.host-bits::" in refused.stdout
    assert "lists/a.txt" not in refused.stdout


@needs_real
def test_a_maintainer_has_vendors_lists_come_by_pull_request(tmp_path: Path) -> None:
    """docs/pull.md in the real repository with its real list of sources: one vendor's change is one commit."""
    who = person(tmp_path / "home")
    with ListServer() as vendors:
        world = ListWorld.create(who.home, vendors)
        who.env["HUBDATA_CONFIG"] = str(who.home / "hubdata.toml")
        began = who.run("cd checkout && git init --quiet && git add . && git commit --quiet --message 'As it is'")
        assert began.code == 0, began.stderr
        vendors.set("cloudflare4", (SEC_LISTS / CLOUDFLARE).read_bytes() + b"\n198.41.0.0/24")
        assert who.follow("docs/pull.md") == 3
    log = who.run("git log --max-count 1 --name-only --format=%s%n%b").stdout
    assert log.startswith("Update cloudflare_ips.txt\n")
    assert "1 network gained (256 IPv4 addresses)" in log
    assert log.rstrip().endswith(CLOUDFLARE)
    assert (world.checkout / CLOUDFLARE).read_text().endswith("198.41.0.0/24")


def test_somebody_brings_an_adapter_of_their_own(tmp_path: Path) -> None:
    """The example of docs/plugins.md, installed where hubdata is, is found and found good."""
    installed = environment("sign")
    example = shutil.copytree(ROOT / "tests" / "data" / "plugin_example", tmp_path / "example")
    with_uv("pip", "install", "--quiet", "--no-deps", "--python", installed.bin / "python", example)
    who = Reader(tmp_path / "home", path=installed.bin)
    (who.home / "data").mkdir()
    (who.home / "data" / "names.txt").write_text("example.net\n")
    (who.home / "jobs").mkdir()
    job = '[source]\ntype = "directory"\npath = "../data"\n\n[[files]]\nmatch = "*.txt"\nkind = "hostnames"\n'
    (who.home / "jobs" / "names.toml").write_text(job)
    (who.home / "hubdata.toml").write_text('jobs = "jobs"\nspool = "spool"\n')
    assert who.follow("docs/plugins.md") == 2
    shown = next(ended for line, ended in who.ran if "config show" in line)
    assert "kinds.hostnames" in shown.stdout
    assert who.run("hubdata sync --once").code == 0


@needs_real
def test_an_operator_mirrors_a_hub_into_a_closed_network(tmp_path: Path) -> None:
    """docs/mirror.md with the real items: each address that a rewritten item names is answered inside."""
    page = (ROOT / "docs" / "mirror.md").read_text()
    who = person(tmp_path / "home")
    who.names = {"2001:db8::5": "::1", **who.names}
    (settings,) = re.findall(r"```toml\n(\[targets.+?)```", page, re.DOTALL)
    (who.home / "hubdata.toml").write_text(f'jobs = "jobs"\nspool = "spool"\n\n{settings}')
    (who.home / "jobs").mkdir()
    with HubServer() as upstream:
        put_items(who.home / "hub", upstream.origin)
        (who.home / "jobs" / "mirror.toml").write_text(job(upstream.base))
        typed = re.findall(r"^\$ (.+)$", page, re.MULTILINE)
        assert [line.split()[1] for line in typed if line.startswith("hubdata")][:3] == ["config", "plan", "sync"]
        for line in typed:
            ended = who.run(who.here(line))
            assert ended.code == 0, f"{line}\n{ended.stdout}{ended.stderr}"
    (serve,) = re.findall(r"^    (hubdata serve mirror .+)$", page, re.MULTILINE)
    base = who.here("http://[::1]:8080/")
    try:
        who.start(who.here(f"{serve} --port 8080"), f"{base}manifest.json")
        wanted = {
            url
            for item in (who.home / "inside").rglob("*.yaml")
            for url in re.findall(r"source_url: \W?(http[^\s\"']+)", item.read_text())
        }
        served = {url for url in wanted if url.startswith(base)}
        assert len(served) == 22
        for url in served:
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert answer.status == 200
    finally:
        who.leave()
