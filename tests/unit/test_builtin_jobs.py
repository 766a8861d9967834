"""The jobs that come with hubdata, held to the real tree: every file is claimed, judged, and passes or is waived."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.check import check
from hubdata.config.jobs import load_jobs
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule, Job, Unit
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import Claim, Claims, claim, rule_for
from hubdata.planning.diff import diff
from hubdata.planning.glob import matches
from hubdata.planning.limits import breaches
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Kind
from hubdata.running.proving import Proof, prove
from tests.support.real import HUB_ITEMS, SEC_LISTS, needs_real
from tests.unit.planning.samples import entry, inventory

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GIT_JOBS = ("allowlists", "appsec", "web-patterns")


@cache
def jobs() -> dict[str, Job]:
    """Return the built-in jobs by name."""
    return {job.name: job for job in load_jobs(builtin_jobs_dir())}


@cache
def claims() -> Claims:
    """Return who publishes what of the real tree."""
    paths = sorted(path for path in SEC_LISTS.rglob("*") if path.is_file())
    files = [SourceFile(path.relative_to(SEC_LISTS).as_posix(), path, path.stat().st_size, {}) for path in paths]
    return claim(tuple(jobs()[name] for name in GIT_JOBS), tuple(files))


@cache
def proof(name: str) -> Proof:
    """Return what one job may publish of the real tree, as a run would decide it."""
    return prove(jobs()[name], claims().by_job[name], _kind_of, now=NOW)


def _kind_of(rule: FileRule) -> Kind:
    kind: Kind = load(Seam.KIND, rule.kind)(parse_options(Seam.KIND, rule.kind, rule.options))
    return kind


def test_the_builtin_jobs_have_no_problem_at_all(tmp_path: Path) -> None:
    """Not even a warning: schedules, options, waivers and the default settings are all in order."""
    assert check(config=None, environment={}, flags={}, cwd=tmp_path, today=NOW.date()) == ()


def test_the_jobs_of_the_data_repository_share_one_fetch() -> None:
    """Equal source tables are fetched once, and the rules of the firewall are refused together."""
    assert set(jobs()) == {*GIT_JOBS, "geoip"}
    assert len({repr(jobs()[name].source) for name in GIT_JOBS}) == 1
    assert {name for name, job in jobs().items() if job.unit is Unit.JOB} == {"appsec"}
    assert not any(job.prune for job in jobs().values())


@needs_real
def test_every_real_file_is_claimed_once_or_ignored_by_name() -> None:
    """Of 173 files, 169 are published; README.md, LICENSE, `test` and what begins with a dot are not."""
    assert claims().findings == ()
    assert {name: len(mine) for name, mine in claims().by_job.items()} == {
        "allowlists": 40,
        "appsec": 115,
        "web-patterns": 14,
    }


@needs_real
def test_every_rule_and_every_ignore_is_for_some_real_file() -> None:
    """A rule that matches nothing would be a misspelt path; one that never wins would be dead."""
    keys = {each.file.key for mine in claims().by_job.values() for each in mine}
    for name in GIT_JOBS:
        won = {rule.match for key in keys if (rule := rule_for(jobs()[name], key))}
        unused = [rule.match for rule in jobs()[name].files if rule.match not in won]
        assert unused == [], name
        for glob in jobs()[name].ignore:
            assert any(matches(glob, path.name) for path in SEC_LISTS.iterdir()), glob


@needs_real
@pytest.mark.parametrize("name", GIT_JOBS)
def test_the_real_tree_passes_with_nothing_refused(name: str) -> None:
    """No finding refuses a file of the tree that is public today, and every file is part of the snapshot."""
    assert [f for f in proof(name).findings if f.severity is Severity.ERROR] == []
    assert set(proof(name).snapshot.artifacts) == {each.file.key for each in claims().by_job[name]}


@needs_real
def test_exactly_the_dangerous_files_are_waived_and_no_waiver_is_idle() -> None:
    """Each waiver lets out something that would be refused, says why, and ends within a year."""
    findings = [finding for name in GIT_JOBS for finding in proof(name).findings]
    assert [f for f in findings if f.rule in ("waiver.unused", "waiver.expired")] == []
    assert Counter((f.key.rpartition("/")[2], f.rule) for f in findings if f.waived) == {
        ("rnds_seo_bots.regex", "rdns-regexp.unanchored"): 4,
        ("rdns_letsencrypt.regex", "rdns-regexp.unescaped-dot"): 1,
        ("rdns_corporate_proxies.regex", "rdns-regexp.unescaped-dot"): 1,
        ("google-oauth2-before.conf", "modsec.quoting"): 1,
    }
    for job in jobs().values():
        for waiver in job.waivers:
            assert len(waiver.reason) > 40
            assert (waiver.until - NOW.date()).days < 366


@needs_real
def test_real_warnings_are_the_ones_known() -> None:
    """What the tree is warned of is what is really there: a new rule that cries wolf shows up here."""
    found = Counter(f.rule for name in GIT_JOBS for f in proof(name).findings if _plain_warning(f))
    assert found.keys() == {
        "phrases.trimmed",
        "rdns-regexp.no-final-dot",
        "rdns-regexp.unescaped-dot",
        "text.duplicate",
        "text.final-lf",
        "text.invisible",
    }
    assert found["text.final-lf"] == 7
    assert found["rdns-regexp.no-final-dot"] == 1


@needs_real
@pytest.mark.parametrize(
    ("item", "key", "kind"),
    [
        ("IpInRange(evt.Overflow.Alert.Source.IP ,#)", "whitelists/cdn_providers/cloudflare_ips.txt", "cidr"),
        ("Source.IP in File('quic_cloud_ips.txt')", "whitelists/cdn_providers/quic_cloud_ips.txt", "ip-exact"),
        ("Source.IP in File('cookiebot_ips.txt')", "whitelists/benign_bots/cookiebot_ips.txt", "ip-exact"),
        (
            "reverse_dns endsWith #",
            "whitelists/benign_bots/search_engine_crawlers/rdns_seo_bots.txt",
            "rdns-suffix",
        ),
        (
            "RegexpInFile(evt.Enriched.reverse_dns",
            "whitelists/benign_bots/search_engine_crawlers/rnds_seo_bots.regex",
            "rdns-regexp",
        ),
        ('RegexpInFile(evt.Parsed.http_user_agent, "bad_user', "web/bad_user_agents.regex.txt", "regexp"),
        ('File("admin_interfaces.txt"), { Lower(evt.Meta.http_path) contains #}', "web/admin_interfaces.txt", "needle"),
        ('JsonExtract(#, "uri")', "web/trendy_cves_uris.json", "jsonl-uri"),
        ('LookupFile(evt.Meta.http_path, "technology_probing.json")', "web/technology_probing.json", "map"),
    ],
)
def test_a_list_is_judged_as_the_item_that_reads_it_uses_it(item: str, key: str, kind: str) -> None:
    """The expression stands in a real hub item, and the file that it reads has the kind that fits."""
    assert any(item in path.read_text() for path in HUB_ITEMS.rglob("*.yaml"))
    assert _rule(key).kind == kind


@needs_real
@pytest.mark.parametrize(
    ("key", "bad", "rule"),
    [
        ("whitelists/cdn_providers/gcore_ipv4.txt", b"0.0.0.0/0\n", "cidr.special-purpose"),
        ("whitelists/cdn_providers/cloudflare_ips.txt", b"104.0.0.0/12\n", "cidr.too-wide"),
        ("whitelists/cdn_providers/gcore_ipv6.txt", b"192.0.32.1/32\n", "cidr.family"),
        ("whitelists/benign_bots/cookiebot_ips.txt", b"20.223.9.0/24\n", "ip-exact.network"),
        ("whitelists/benign_bots/rdns_letsencrypt.regex", b"letsencrypt\n", "rdns-regexp.unanchored"),
        ("web/bad_user_agents.regex.txt", b"(?<!x)y\n", "regexp.syntax"),
        ("web/admin_interfaces.txt", b"/Admin-Panel\n", "needle.case"),
        ("web/path_traversal.txt", b"/\n", "needle.too-short"),
        ("web/trendy_cves_uris.json", b"{\n", "jsonl-uri.syntax"),
        ("web/technology_probing.json", b"{}\n", "map.missing-key"),
    ],
)
def test_one_dangerous_line_refuses_the_real_file(tmp_path: Path, key: str, bad: bytes, rule: str) -> None:
    """Appended to the real file, the line is found at its place, and the file keeps its last good version."""
    body = (SEC_LISTS / key).read_bytes().rstrip(b"\n") + b"\n" + bad
    path = tmp_path / "file"
    path.write_bytes(body)
    job = next(job for job in jobs().values() if rule_for(job, key))
    result = prove(job, (Claim(_rule(key), SourceFile(key, path, len(body), {})),), _kind_of, now=NOW)
    errors = [f for f in result.findings if f.severity is Severity.ERROR]
    assert (errors[-1].rule, errors[-1].line) == (rule, body.count(b"\n"))
    assert result.snapshot.refused == {key}


@needs_real
@pytest.mark.parametrize("name", ["allowlists", "web-patterns"])
def test_a_list_of_which_most_is_gone_never_goes_out_unseen(tmp_path: Path, name: str) -> None:
    """A shrunken input stops: a third of a short list is refused, a third of a long one is held for approval."""
    stats = {artifact.key: artifact.stats for artifact in proof(name).judged}
    for each in claims().by_job[name]:
        rows = [row for row in each.file.path.read_bytes().splitlines(keepends=True) if not row.startswith(b"#")]
        if len(rows) < 10:
            continue
        path = tmp_path / "file"
        path.write_bytes(b"".join(rows[: len(rows) // 3]))
        shrunken = SourceFile(each.file.key, path, path.stat().st_size, {})
        result = prove(jobs()[name], (Claim(each.rule, shrunken),), _kind_of, now=NOW)
        found = {f.rule for f in result.findings if f.severity is Severity.ERROR}
        if not found:
            before = inventory({each.file.key: entry(each.file.key, b"", stats=stats[each.file.key])}, {})
            plan = diff(result.snapshot, before)
            limits = {each.file.key: each.rule.limits}
            found = {f.rule for f in breaches(plan, result.snapshot, before.manifest, limits)}
            assert len(rows) > 60, each.file.key
        assert found & {"limits.min-entries", "limits.max-change"}, each.file.key


@needs_real
@pytest.mark.parametrize(
    ("key", "line", "rule"),
    [
        ("appsec/crs/crs-setup.conf", 'SecAction "id:9512100,phase:1,pass,nolog"\n', "group.duplicate-id"),
        ("appsec/crs/4.14.0/crs-setup.conf", 'SecAction "id:920100,phase:1,pass,nolog"\n', "group.duplicate-id"),
        (
            "appsec/crs/crs-setup.conf",
            'SecRule ARGS "@pmFromFile gone.data" "id:42,phase:1,pass,nolog"\n',
            "group.missing-phrases",
        ),
    ],
    ids=["id-of-a-plugin", "id-of-another-file", "phrases-that-are-not-there"],
)
def test_rules_that_do_not_go_together_refuse_the_whole_set(tmp_path: Path, key: str, line: str, rule: str) -> None:
    """Each file would load alone; an engine that loads them together would not start."""
    changed = tmp_path / "changed.conf"
    changed.write_text((SEC_LISTS / key).read_text() + line)
    mine = tuple(
        Claim(each.rule, SourceFile(key, changed, changed.stat().st_size, {})) if each.file.key == key else each
        for each in claims().by_job["appsec"]
    )
    found = prove(jobs()["appsec"], mine, _kind_of, now=NOW)
    assert rule in {f.rule for f in found.findings if f.severity is Severity.ERROR}
    assert not found.snapshot.artifacts


def test_countries_and_systems_may_not_move_far_at_once() -> None:
    """Every GeoIP database is compared with the published one; the bound lies between weeks and years of releases."""
    limits = [rule.limits.max_country_change for rule in jobs()["geoip"].files]
    assert len(limits) == 2
    assert all(limit is not None and 0.01 <= limit <= 0.1 for limit in limits)


def test_canaries_ask_each_geoip_edition_over_both_families() -> None:
    """City and ASN, which engines would load swapped, each answer for an address that has stayed put for years."""
    job = jobs()["geoip"]
    assert job.source.type == "maxmind"
    editions = set(job.source.options["editions"])
    assert editions == {"GeoLite2-City", "GeoLite2-ASN"}
    for edition in editions:
        ips = [canary.ip for canary in job.canaries if canary.edition == edition]
        assert {":" in ip for ip in ips} == {True, False}
        key = f"{job.source.options['prefix']}{edition}.mmdb"
        assert (rule := rule_for(job, key)) is not None
        assert rule.kind == "mmdb"


def _rule(key: str) -> FileRule:
    rules = [rule for job in jobs().values() if (rule := rule_for(job, key))]
    assert len(rules) == 1
    return rules[0]


def _plain_warning(finding: Finding) -> bool:
    return finding.severity is Severity.WARNING and not finding.waived
