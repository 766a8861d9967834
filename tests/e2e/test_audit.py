"""`hubdata audit` as a maintainer runs it: real hubs, every way to say what is public, every format, its exit codes."""

import shutil
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from hubdata.app import Choices
from hubdata.asking.auditing import Question, audit_hub
from hubdata.model.finding import Severity
from tests.support.command import Ended, hubdata
from tests.support.real import HUB_ITEMS, SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.sarif import run_of

BASE = "https://data.example.net"
JOB = """
[source]
type = "directory"
path = "../data"

[[files]]
match = "nets.txt"
kind = "cidr"

[[files]]
match = "old.txt"
kind = "needle"
"""
SETTINGS = f"""
jobs = "jobs"
spool = "spool"
[targets.store]
type = "directory"
path = "store"
[verify]
url = "{BASE}"
"""
GOOD = f"""name: me/good
data:
  - source_url: {BASE}/nets.txt
    dest_file: nets.txt
    type: string
whitelist:
  expression:
    - "any(File('nets.txt'), {{ IpInRange(evt.Meta.source_ip, #) }})"
"""
BROKEN = GOOD.replace("me/good", "me/broken").replace("/nets.txt\n", "/gone.txt\n", 1).replace("nets.txt", "gone.txt")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Return a directory with data, jobs, settings and a hub in which all is well; nothing is published."""
    for name, text in {
        "hubdata.toml": SETTINGS,
        "jobs/lists.toml": JOB,
        "data/nets.txt": "1.1.1.0/24\n",
        "data/old.txt": "old needle\n",
        "hub/scenarios/me/good.yaml": GOOD,
        "hub/.tests/good/config.yaml": "data: nonsense\n",
        "hub/README.md": "about\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def _audit(world: Path, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ended:
    return hubdata("audit", *arguments, cwd=world, env=env)


def _rules(ended: Ended) -> list[tuple[str, str]]:
    return [(f["rule"], f["key"]) for f in ended.json["findings"]]


def test_against_a_checkout_an_orphan_is_told_and_breaks_nothing(world: Path) -> None:
    """The job files say what would be public. Notes end with 0."""
    ended = _audit(world, "--hub", "hub", "--published", "data", "--format", "json")
    assert ended.code == 0, ended.stderr
    assert _rules(ended) == [("audit.orphan", "old.txt")]
    assert {name: ended.json[name] for name in ("items", "entries", "published")} == {
        "items": 1,
        "entries": 1,
        "published": 2,
    }


def test_a_broken_item_ends_with_three_in_every_format(world: Path) -> None:
    """Text with a table, JSON, annotations with a summary, SARIF by its schema: each names item, line and rule."""
    (world / "hub/scenarios/me/broken.yaml").write_text(BROKEN)
    run = ("--hub", "hub", "--published", "data")
    text = _audit(world, *run)
    assert text.code == 3
    assert "[audit.dangling]" in text.stdout
    assert "error     scenarios/me/broken.yaml:3  gone.txt  audit.dangling" in text.stdout
    assert "1 error, 1 note" in text.stdout
    as_json = _audit(world, *run, "--format", "json")
    assert as_json.code == as_json.json["exit_code"] == 3
    assert as_json.json["actions"][0] == {
        "severity": "error",
        "item": "scenarios/me/broken.yaml",
        "line": 3,
        "file": "gone.txt",
        "rule": "audit.dangling",
        "do": as_json.json["findings"][0]["advice"],
    }
    summary = world / "summary.md"
    annotated = _audit(world, *run, "--format", "github", env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert annotated.code == 3
    assert "::error file=hub/scenarios/me/broken.yaml,line=3,title=audit.dangling::" in annotated.stdout
    assert "old.txt" not in annotated.stdout
    assert "audit.dangling" in summary.read_text()
    assert "old.txt" in summary.read_text()
    sarif = _audit(world, *run, "--format", "sarif")
    assert sarif.code == 3
    first = run_of(sarif.json)["results"][0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "hub/scenarios/me/broken.yaml"


def test_without_more_the_targets_manifest_says_what_is_public(world: Path) -> None:
    """Before the first publication that is told with advice; afterwards the manifest is used, by file and URL too."""
    before = _audit(world, "--hub", "hub")
    assert before.code == 2
    assert "nothing is published there" in before.stderr
    assert hubdata("sync", "--once", cwd=world).code == 7, "published, but nobody serves what `[verify]` names"
    (world / "data/nets.txt").unlink()
    for where in ((), ("--target", "store"), ("--published", "store/manifest.json")):
        ended = _audit(world, "--hub", "hub", *where, "--format", "json")
        assert ended.code == 0, ended.stderr
        assert _rules(ended) == [("audit.orphan", "old.txt")]
    assert _audit(world, "--hub", "hub", "--target", "nowhere").code == 2

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (world / "store/manifest.json").read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/manifest.json"
        by_url = _audit(world, "--hub", "hub", "--published", url, "--format", "json")
        server.shutdown()
        thread.join()
    assert _rules(by_url) == [("audit.orphan", "old.txt")]
    assert by_url.json["against"] == url


def test_a_hub_may_be_a_git_repository(world: Path, tmp_path: Path) -> None:
    """Fetched like any upstream, at a branch, tag or commit, without a checkout."""
    repo = Repo.of_tree(tmp_path / "hub-repository", world / "hub")
    repo.git("tag", "good")
    repo.commit({"scenarios/me/broken.yaml": BROKEN})
    run = ("--published", "data", "--format", "json", "--hub", repo.url)
    assert _audit(world, *run).code == 3
    assert _audit(world, *run, "--ref", "good").code == 0
    assert _audit(world, *run, "--ref", "nowhere").code == 5
    assert _audit(world, *run, "--ref=--upload-pack=x").code == 2


def test_other_base_urls_may_be_named(world: Path) -> None:
    """The flag goes before the settings: the item's URL is then a stranger's, with a copy published."""
    ended = _audit(
        world, "--hub", "hub", "--published", "data", "--base-url", "https://cdn.example.net", "--format", "json"
    )
    assert ("audit.external-copy", "scenarios/me/good.yaml") in _rules(ended)
    assert ended.code == 0
    both = ("--base-url", "https://cdn.example.net", "--base-url", BASE)
    assert _rules(_audit(world, "--hub", "hub", "--published", "data", *both, "--format", "json")) == [
        ("audit.orphan", "old.txt")
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--published", "data"], 2, "--hub"),
        (["--hub", "nowhere", "--published", "data"], 2, "no such directory"),
        (["--hub", "data", "--published", "data"], 5, "holds no items"),
        (["--hub", "ext::sh -c id", "--published", "data"], 2, "https://HOST/PATH"),
        (["--hub", "hub", "--published", "nowhere.json"], 2, "cannot be read"),
        (["--hub", "hub", "--published", "hubdata.toml"], 6, "not a hubdata manifest"),
        (["--hub", "hub", "--published", "http://127.0.0.1:1/manifest.json"], 5, "127.0.0.1"),
        (["--hub", "hub", "--published", "data", "--base-url", "data.example.net"], 2, "no http or https URL"),
    ],
)
def test_what_cannot_be_read_is_told_with_advice(world: Path, arguments: list[str], code: int, said: str) -> None:
    """A wrong name is 2, a hub or data that cannot be had 5, a manifest of somebody else's 6; never a traceback."""
    ended = _audit(world, *arguments)
    assert ended.code == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_resolve_asks_for_each_host_once_and_leaves_open_what_is_not_known(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts without IPv6 are a warning, hosts that do not exist an error, and silence of the DNS is a note."""
    monkeypatch.chdir(world)
    entries = "".join(
        f"  - source_url: https://{host}.example/{host}\n    dest_file: {host}\n    type: string\n"
        for host in ("both", "four", "gone", "mute", "four")
    )
    (world / "hub/scenarios/me/hosts.yaml").write_text(f"name: me/hosts\ndata:\n{entries}")
    asked: list[str] = []

    def lookup(host: str, family: int) -> bool | None:
        asked.append(host)
        ipv6 = family.name == "AF_INET6" if hasattr(family, "name") else False
        return {"both.example": True, "four.example": not ipv6, "gone.example": False}.get(host)

    question = Question("hub", published="data", resolve=True)
    result = audit_hub(Choices(), question, lookup=lookup)
    told = {(f.rule, f.line) for f in result.findings if f.rule in ("audit.no-ipv6", "audit.no-address")}
    assert told == {("audit.no-ipv6", 6), ("audit.no-ipv6", 15), ("audit.no-address", 9)}
    assert sorted(set(asked)) == ["both.example", "data.example.net", "four.example", "gone.example", "mute.example"]
    assert len(asked) == 10
    assert result.notices == (
        "the DNS did not say enough about data.example.net, mute.example: nothing is known of their addresses",
    )
    asked.clear()
    audit_hub(Choices(), Question("hub", published="data"), lookup=lookup)
    assert asked == []


def test_a_machine_without_dns_accuses_nobody(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When not one host has an address, the resolver is at fault: that is told, and no item is called broken."""
    monkeypatch.chdir(world)
    result = audit_hub(Choices(), Question("hub", published="data", resolve=True), lookup=lambda host, family: False)
    assert result.exit_code == 0
    assert [f.rule for f in result.findings] == ["audit.orphan"]
    assert "data.example.net" in result.notices[0]


USED_TODAY = {
    "web/admin_interfaces.txt",
    "web/backdoors.txt",
    "web/bad_user_agents.regex.txt",
    "web/jira_cve_2021-26086.txt",
    "web/log4j2_cve_2021_44228.txt",
    "web/path_traversal.txt",
    "web/sensitive_data.txt",
    "web/sqli_probe_patterns.txt",
    "web/technology_probing.json",
    "web/thinkphp_cve_2018-20062.txt",
    "web/trendy_cves_uris.json",
    "web/xss_probe_patterns.txt",
    "whitelists/benign_bots/cookiebot_ips.txt",
    "whitelists/benign_bots/search_engine_crawlers/google_special_crawlers_ipv4.txt",
    "whitelists/benign_bots/search_engine_crawlers/google_special_crawlers_ipv6.txt",
    "whitelists/benign_bots/search_engine_crawlers/ip_seo_bots.txt",
    "whitelists/benign_bots/search_engine_crawlers/rdns_seo_bots.txt",
    "whitelists/benign_bots/search_engine_crawlers/rnds_seo_bots.regex",
    "whitelists/cdn_providers/cloudflare_ip6s.txt",
    "whitelists/cdn_providers/cloudflare_ips.txt",
    "whitelists/cdn_providers/quic_cloud_ips.txt",
}
ARVAN = "postoverflows/s01-whitelist/crowdsecurity/cdn-arvan-whitelist.yaml"


@needs_real
def test_the_real_hub_against_the_real_data_shows_exactly_todays_defects(tmp_path: Path) -> None:
    """One item on a foreign host although a copy is published, the orphans (that copy among them), and nothing else."""
    ended = _audit(tmp_path, "--hub", HUB_ITEMS, "--published", SEC_LISTS, "--format", "json")
    assert ended.code == 0, ended.stderr
    result = ended.json
    assert (result["items"], result["entries"], result["published"]) == (18, 22, 171)
    mild = [f for f in result["findings"] if f["rule"] != "audit.orphan"]
    assert [(f["rule"], f["severity"], f["key"], f["line"]) for f in mild] == [
        ("audit.external-copy", "warning", ARVAN, 8)
    ]
    assert "www.arvancloud.ir" in mild[0]["message"]
    assert "whitelists/cdn_providers/arvancloud_ips.txt" in mild[0]["message"]
    orphans = {f["key"] for f in result["findings"] if f["rule"] == "audit.orphan"}
    assert len(orphans) == 150
    assert not orphans & USED_TODAY
    assert {"web/bad_user_agents.txt", "web/trendy_cves.txt", "mmdb_update/GeoLite2-City.mmdb"} <= orphans
    assert "whitelists/cdn_providers/arvancloud_ips.txt" in orphans
    assert len(orphans) + len(USED_TODAY) == result["published"]
    assert [a["rule"] for a in result["actions"]][:2] == ["audit.external-copy", "audit.orphan"]


@needs_real
@pytest.mark.parametrize(
    ("item", "old", "new", "rule"),
    [
        ("cdn-qc-whitelsit", "'quic_cloud_ips.txt'", "'quic_cloud_ip.txt'", "audit.undeclared"),
        ("cdn-qc-whitelsit", "cdn_providers/quic_cloud_ips.txt", "cdn_providers/", "audit.dangling"),
        ("cdn-qc-whitelsit", "cdn_providers/quic_cloud_ips.txt", "cdn_providers/cloudflare_ips.txt", "audit.use"),
        ("cdn-whitelist", "IpInRange(evt.Overflow.Alert.Source.IP ,#)", "evt.Meta.ip == #", "audit.use"),
        ("seo-bots-whitelist", "type: regexp", "type: string", "audit.type"),
        ("seo-bots-whitelist", "endsWith #", "contains #", "audit.use"),
        ("seo-bots-whitelist", "rdns_seo_bots.txt'", "ip_seo_bots.txt'", "audit.use"),
        ("cookiebot-whitelist", "type: string", "type: string\n    sha256: 00", "audit.data-entry"),
        ("cookiebot-whitelist", "dest_file: cookiebot_ips.txt", "dest_file: cloudflare_ips.txt", "audit.same-dest"),
        ("http-bad-user-agent", "strategy: LRU\n    size: 40\n    ttl: 10s", "", "audit.no-cache"),
        ("http-bad-user-agent", "https://hub-data.crowdsec.net", "http://hub-data.crowdsec.net", "audit.plain-http"),
        (
            "http-bad-user-agent",
            "https://hub-data.crowdsec.net",
            "https://raw.githubusercontent.com/crowdsecurity/sec-lists/master",
            "audit.external-copy",
        ),
        (
            "http-technology-probing",
            'LookupFile(evt.Meta.http_path, "technology',
            'RegexpInFile(evt.Meta.http_path, "technology',
            "audit.use",
        ),
        ("http-cve-probing", 'JsonExtract(#, "uri")', "#", "audit.use"),
        ("http-admin-interface-probing", "Lower(", "Upper(", "audit.use"),
        ("http-cve-probing", "name: crowdsecurity", "name: a\nname: crowdsecurity", "audit.unreadable"),
    ],
)
def test_one_mistake_in_a_real_item_is_found(tmp_path: Path, item: str, old: str, new: str, rule: str) -> None:
    """Each is a mistake that a hand could make today, and that no engine would report."""
    hub = tmp_path / "hub"
    shutil.copytree(HUB_ITEMS, hub)
    (path,) = hub.rglob(f"{item}.yaml")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result = audit_hub(Choices(), Question(str(hub), published=str(SEC_LISTS)))
    found = [f for f in result.findings if f.key == path.relative_to(hub).as_posix()]
    assert rule in {f.rule for f in found}
    broken = any(f.severity is Severity.ERROR for f in found)
    assert result.exit_code == (3 if broken else 0)
