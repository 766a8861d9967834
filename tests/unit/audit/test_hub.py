"""The audit of a hub: every defect by its rule and line, and nothing told of what is right."""

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.audit.entries import TYPES
from hubdata.audit.expressions import How
from hubdata.audit.hub import Audit, audit
from hubdata.audit.items import read_items
from hubdata.audit.published import Place, Published
from hubdata.audit.uses import FITS
from hubdata.grammar.data_entries import is_item_file
from hubdata.model.finding import Finding, Severity
from hubdata.plugins import KINDS

BASE = "https://data.example.net"
PUBLISHED = Published(
    {
        "lists/nets.txt": "cidr",
        "lists/ips.txt": "ip-exact",
        "lists/names.txt": "rdns-suffix",
        "lists/names.regex": "rdns-regexp",
        "web/agents.txt": "regexp",
        "web/paths.txt": "needle",
        "web/uris.json": "jsonl-uri",
        "web/tech.json": "map",
        "bots/a.json": "bots",
        "waf/a.conf": "modsec",
        "waf/a.data": "phrases",
        "geo/City.mmdb": "mmdb",
        "about.json": "json",
    },
    (BASE,),
    frozenset({"owner/data"}),
)


def _item(data: str, expression: str = "", *, filter_: str = "") -> str:
    lines = ["name: me/item", *([f"filter: {filter_}"] if filter_ else [])]
    lines += ["whitelist:", "  expression:", f"    - {expression}"] if expression else []
    return "\n".join([*lines, "data:", *("  " + line for line in dedent(data).strip().splitlines())]) + "\n"


def _entry(key: str, type_: str, dest: str = "f", *, url: str = "") -> str:
    declared = f"\n  type: {type_}" if type_ else ""
    return f"- source_url: {url or f'{BASE}/{key}'}\n  dest_file: {dest}{declared}"


def _audit(hosts: Mapping[str, frozenset[str]] | None = None, /, **files: str) -> Audit:
    reads = [read_items(f"scenarios/{name}.yaml", body.encode()) for name, body in files.items()]
    return audit(reads, PUBLISHED, hosts or {})


def _told(found: Audit, *, mild: bool = False) -> list[tuple[str, int | None]]:
    """Return rules and lines, without orphans; notes only if `mild`."""
    return [
        (f.rule, f.line)
        for f in found.findings
        if f.rule != "audit.orphan" and (mild or f.severity is not Severity.INFO)
    ]


def _only(found: Audit) -> Finding:
    (finding,) = (f for f in found.findings if f.severity is not Severity.INFO)
    return finding


GOOD = {
    "lists/nets.txt": ("string", "any(File('f'), { IpInRange(ip, #) })"),
    "lists/ips.txt": ("string", "ip in File('f')"),
    "lists/names.txt": ("string", "any(File('f'), { evt.Enriched.reverse_dns endsWith # })"),
    "lists/names.regex": ("regexp", "RegexpInFile(evt.Enriched.reverse_dns, 'f')"),
    "web/agents.txt": ("regex", "RegexpInFile(evt.Parsed.agent, 'f')"),
    "web/paths.txt": ("string", "any(File('f'), { evt.Parsed.path contains # })"),
    "web/uris.json": ("string", "any(File('f'), { evt.Parsed.path contains JsonExtract(#, 'uri') })"),
    "web/tech.json": ("map", "LookupFile(evt.Parsed.path, 'f') != ''"),
    "bots/a.json": ("bots", "MatchKnownBot(a, b, c, 'f')"),
    "waf/a.conf": ("modsec", ""),
    "waf/a.data": ("modsec", ""),
    "geo/City.mmdb": ("", ""),
}


@pytest.mark.parametrize("key", GOOD)
def test_an_item_that_uses_a_file_as_its_kind_wants_is_not_mentioned(key: str) -> None:
    """The right type and the right use: no error and no warning, and the file is no orphan."""
    type_, expression = GOOD[key]
    found = _audit(a=_item(_entry(key, type_), f'"{expression}"' if expression else ""))
    assert _told(found) == []
    assert key not in {f.key for f in found.findings}


@pytest.mark.parametrize("key", GOOD)
@pytest.mark.parametrize("type_", ["string", "regexp", "map", "bots", "strings"])
def test_a_file_declared_as_another_type_is_broken(key: str, type_: str) -> None:
    """Every type but the kind's own is an error, at the entry's line."""
    fitting = TYPES[PUBLISHED.kinds[key]]
    told = _told(_audit(a=_item(_entry(key, type_))))
    assert told == ([] if type_ in fitting else [("audit.type", 3)])


@pytest.mark.parametrize("key", [key for key, (_, expression) in GOOD.items() if expression])
@pytest.mark.parametrize("other", [key for key, (_, expression) in GOOD.items() if expression])
def test_a_file_used_as_another_kind_is_broken(key: str, other: str) -> None:
    """The use of one kind on the file of another: an error at the expression, unless both are compared alike."""
    type_, expression = GOOD[key][0], GOOD[other][1]
    found = _audit(a=_item(_entry(key, type_), f'"{expression}"'))
    alike = {
        frozenset({"lists/ips.txt", "web/paths.txt"}),  # both compared whole
        frozenset({"lists/names.txt", "web/paths.txt"}),
        frozenset({"lists/names.regex", "web/agents.txt"}),
    }
    errors = [f.rule for f in found.findings if f.severity is Severity.ERROR]
    fits = PUBLISHED.kinds[key] in FITS[next(iter(_uses_of(expression)))]
    assert errors == ([] if fits else ["audit.use"])
    assert not fits or key == other or frozenset({key, other}) in alike


def _uses_of(expression: str) -> list[How]:
    from hubdata.audit.expressions import uses

    return [use.how for use in uses(expression)]


def test_networks_compared_as_text_are_told_with_the_consequence() -> None:
    """The mistake that nothing ever reports: an address is never equal to a network."""
    finding = _only(_audit(a=_item(_entry("lists/nets.txt", "string"), "\"ip in File('f')\"")))
    assert (finding.rule, finding.line, finding.severity) == ("audit.use", 4, Severity.ERROR)
    assert "never equal to a network" in finding.message
    assert "ip-exact" in finding.advice


@pytest.mark.parametrize(("key", "kind"), [("web/agents.txt", "rdns-regexp"), ("web/paths.txt", "rdns-suffix")])
def test_names_compared_with_unproven_patterns_are_a_warning(key: str, kind: str) -> None:
    """Reverse DNS against a file that is not checked as such: nobody proves that strangers cannot match it."""
    other = "lists/names.regex" if kind == "rdns-regexp" else "lists/names.txt"
    type_, expression = GOOD[other]
    finding = _only(_audit(a=_item(_entry(key, type_), f'"{expression}"')))
    assert (finding.rule, finding.severity) == ("audit.use", Severity.WARNING)
    assert kind in finding.advice


@pytest.mark.parametrize(
    ("held_to", "expression", "told"),
    [
        ("any", "Lower(evt.Parsed.path) contains #", True),
        ("upper", "Lower(evt.Parsed.path) endsWith #", True),
        ("lower", "Upper(evt.Parsed.path) == #", True),
        ("lower", "Lower(evt.Parsed.path) contains #", False),
        ("any", "Lower(evt.Parsed.path) contains Lower(#)", False),
        ("any", "evt.Parsed.path contains #", False),
        ("", "Lower(evt.Parsed.path) contains #", False),
    ],
)
def test_a_request_in_one_case_wants_needles_held_to_it(held_to: str, expression: str, told: bool) -> None:
    """An upper-case needle is never found in lower-case text; where the job is not known, nothing is said."""
    key = "web/paths.txt"
    public = Published(PUBLISHED.kinds, (BASE,), cases={key: held_to} if held_to else {})
    body = _item(_entry(key, "string"), f"\"any(File('f'), {{ {expression} }})\"")
    found = audit([read_items("scenarios/a.yaml", body.encode())], public, {})
    assert _told(found) == ([("audit.use", 4)] if told else [])


@pytest.mark.parametrize(
    ("url", "said", "advice"),
    [
        (f"{BASE}/lists/gone.txt", "nothing is published under lists/gone.txt", "publish it"),
        (f"{BASE}/lists", "is a directory with 4 files", "such as lists/"),
        (f"{BASE}/lists/", "is a directory with 4 files", "such as lists/"),
        (f"{BASE}/list/nets.txt", "nothing is published", "did you mean lists/nets.txt?"),
        (f"{BASE}/lists/NETS.txt", "nothing is published", "did you mean lists/nets.txt?"),
        (f"{BASE}/", "nothing is published", "remove the entry"),
        ("ftp://data.example.net/lists/nets.txt", "no http or https URL", "published file's URL"),
        ("lists/nets.txt", "no http or https URL", "published file's URL"),
        ("https://[::1/x", "no http or https URL", "published file's URL"),
    ],
)
def test_a_url_under_which_nothing_is_published_dangles(url: str, said: str, advice: str) -> None:
    """An error with the nearest thing that is there."""
    finding = _only(_audit(a=_item(_entry("", "string", url=url))))
    assert (finding.rule, finding.line, finding.severity) == ("audit.dangling", 3, Severity.ERROR)
    assert said in finding.message
    assert advice in finding.advice


def test_spellings_of_one_url_are_one_file() -> None:
    """Case of the host, the default port and percent-encoding make no difference; plain HTTP makes one."""
    for url in ("https://DATA.example.net/lists/nets.txt", f"{BASE}:443/lists/nets.txt", f"{BASE}/lists/nets%2Etxt"):
        assert PUBLISHED.address(url).key == "lists/nets.txt"
    assert PUBLISHED.address("https://data.example.net:8443/lists/nets.txt").place is Place.ELSEWHERE
    assert PUBLISHED.address("https://data.example.net.evil.example/lists/nets.txt").place is Place.ELSEWHERE
    finding = _only(_audit(a=_item(_entry("", "string", url="http://data.example.net/lists/nets.txt"))))
    assert (finding.rule, finding.severity) == ("audit.plain-http", Severity.WARNING)


def test_a_base_with_a_path_takes_only_what_lies_below_it() -> None:
    """A bucket may be served below a prefix, which is no part of the keys."""
    public = Published({"a.txt": "cidr"}, ("https://x.example/data/", BASE))
    assert public.address("https://x.example/data/a.txt").key == "a.txt"
    assert public.address("https://x.example/database/a.txt").place is Place.ELSEWHERE
    assert public.address(f"{BASE}/a.txt").key == "a.txt"


def test_a_foreign_host_is_a_warning_and_a_mirrored_copy_is_named() -> None:
    """By the name it is stored under, or by its own, if the published one can be loaded as declared."""
    by_dest = _item(_entry("", "string", "lists/nets.txt", url="https://www.example.com/v4"))
    by_name = _item(_entry("", "string", url="https://www.example.com/x/NETS.txt"))
    for body in (by_dest, by_name):
        finding = _only(_audit(a=body))
        assert (finding.rule, finding.severity) == ("audit.external-copy", Severity.WARNING)
        assert "lists/nets.txt" in finding.message
        assert "www.example.com" in finding.message
    as_other_type = _item(_entry("", "regexp", url="https://www.example.com/nets.txt"))
    assert _only(_audit(a=as_other_type)).rule == "audit.external"
    assert (
        _only(_audit(a=_item(_entry("", "string", url="https://www.example.com/other.txt")))).rule == "audit.external"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com/Owner/data/main/lists/nets.txt",
        "https://raw.githubusercontent.com/owner/data/refs/heads/main/lists/nets.txt",
        "https://github.com/owner/data/raw/main/lists/nets.txt",
        "https://raw.githubusercontent.com/owner/data/old-branch/elsewhere/nets.txt",
    ],
)
def test_the_repository_itself_is_an_unchecked_copy(url: str) -> None:
    """Engines that read the repository get every commit, past all checks. The file counts as used."""
    found = _audit(a=_item(_entry("", "string", url=url)))
    assert _only(found).rule == "audit.external-copy"
    assert "lists/nets.txt" in _only(found).message
    other = _item(_entry("", "string", url="https://raw.githubusercontent.com/owner/data/main/gone/gone.txt"))
    assert _only(_audit(a=other)).rule == "audit.external"
    stranger = _item(_entry("", "string", url="https://raw.githubusercontent.com/who/data/main/x.txt"))
    assert _only(_audit(a=stranger)).rule == "audit.external"


def test_hosts_without_ipv6_and_hosts_that_are_gone() -> None:
    """A warning, and an error; hosts with both, or of which nothing is known, are not mentioned."""
    body = _item(
        "\n".join(
            _entry("", "string", f"f{host}", url=f"https://{host}.example/{host}")
            for host in ("both", "four", "none", "mute")
        )
    )
    hosts = {
        "both.example": frozenset({"ipv4", "ipv6"}),
        "four.example": frozenset({"ipv4"}),
        "none.example": frozenset[str](),
    }
    told = [(f.rule, f.line) for f in _audit(hosts, a=body).findings if f.rule in ("audit.no-ipv6", "audit.no-address")]
    assert told == [("audit.no-address", 9), ("audit.no-ipv6", 6)]


def test_two_items_that_share_a_file_must_agree_on_it() -> None:
    """Different sources or types for one dest_file are an error in both; the same entry twice is none."""
    one = _item(_entry("lists/nets.txt", "string"))
    assert _told(_audit(a=one, b=one)) == []
    two = _item(_entry("web/paths.txt", "string"))
    assert _told(_audit(a=one, b=two)) == [("audit.same-dest", 3), ("audit.same-dest", 3)]
    as_regexp = _audit(a=_item(_entry("web/agents.txt", "regexp")), b=_item(_entry("web/agents.txt", "regex")))
    assert [f.rule for f in as_regexp.findings if f.severity is Severity.ERROR] == ["audit.same-dest"] * 2
    assert "scenarios/b.yaml" in as_regexp.findings[0].message


def test_an_item_that_declares_a_file_itself_is_judged_by_its_own_entry() -> None:
    """What another item means by the same name is told as a clash, not as a wrong use."""
    nets = _item(_entry("lists/nets.txt", "string"), "\"any(File('f'), { IpInRange(ip, #) })\"")
    ips = _item(_entry("lists/ips.txt", "string"), "\"ip in File('f')\"")
    assert {rule for rule, _ in _told(_audit(a=nets, b=ips))} == {"audit.same-dest"}


def test_an_expression_may_use_what_another_item_downloads() -> None:
    """Engines have one data directory; what no item downloads is a warning."""
    uses_it = "name: me/user\nfilter: \"ip in File('f')\"\n"
    assert _told(_audit(a=_item(_entry("lists/ips.txt", "string")), b=uses_it)) == []
    assert _told(_audit(b=uses_it)) == [("audit.undeclared", 2)]
    wrong = _audit(a=_item(_entry("lists/nets.txt", "string")), b=uses_it)
    assert _only(wrong).key == "scenarios/b.yaml"


def test_patterns_asked_for_every_event_want_a_cache() -> None:
    """A note for scenarios and parsers, not for what has overflowed, nor where answers are remembered."""
    bare = _entry("web/agents.txt", "regexp")
    item = _item(bare, "\"RegexpInFile(evt.Parsed.x, 'f')\"")
    assert ("audit.no-cache", 6) in _told(_audit(a=item), mild=True)
    cached = _item(bare + "\n  strategy: LRU", "\"RegexpInFile(evt.Parsed.x, 'f')\"")
    assert _told(_audit(a=cached), mild=True) == []
    off = _item(bare + "\n  strategy: LRU\n  cache: false", "\"RegexpInFile(evt.Parsed.x, 'f')\"")
    assert ("audit.no-cache", 6) in _told(_audit(a=off), mild=True)
    late = audit([read_items("postoverflows/s01/a.yaml", item.encode())], PUBLISHED, {})
    assert _told(late, mild=True) == []


def test_a_file_that_no_expression_uses_is_noted() -> None:
    """Every engine downloads and loads it for nothing."""
    assert _told(_audit(a=_item(_entry("lists/nets.txt", "string"))), mild=True) == [("audit.unused", 3)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_entry("lists/nets.txt", "string") + "\n  sha256: abc", "do not know `sha256`"),
        ("- dest_file: f\n  type: string", "no source_url"),
        (f"- source_url: {BASE}/lists/nets.txt\n  type: string", "no dest_file"),
        (_entry("lists/nets.txt", "string", "../f"), "leaves the engine's data directory"),
        (_entry("lists/nets.txt", "string", "/etc/f"), "leaves the engine's data directory"),
        ("- just text", "no table"),
    ],
)
def test_an_entry_that_engines_refuse_is_an_error(data: str, said: str) -> None:
    """Their YAML is strict: the whole item does not load."""
    (finding,) = (f for f in _audit(a=_item(data)).findings if f.rule == "audit.data-entry")
    assert finding.severity is Severity.ERROR
    assert said in finding.message
    assert finding.line is not None


def test_data_that_is_no_list_and_data_that_is_nothing() -> None:
    """A table in the list's place is an error; `data:` with nothing is an item without data."""
    assert _told(_audit(a="name: x\ndata:\n  source_url: y\n")) == [("audit.data-entry", 3)]
    assert _told(_audit(a="name: x\ndata:\n")) == []


def test_an_item_that_cannot_be_read_is_an_error_and_the_others_go_on() -> None:
    """One broken item does not hide the others."""
    told = _told(_audit(a="name: a\n  b: c\n", b=_item(_entry("lists/gone.txt", "string"))))
    assert told == [("audit.unreadable", 2), ("audit.dangling", 3)]


def test_every_document_of_a_file_is_an_item() -> None:
    """Lines count from the file's first."""
    body = _item(_entry("lists/nets.txt", "string")) + "---\n" + _item(_entry("lists/gone.txt", "string", "g"))
    assert _told(_audit(a=body)) == [("audit.dangling", 9)]


def test_orphans_are_one_action_a_directory() -> None:
    """Each is a note; the list of what to do counts them by directory."""
    found = _audit(a=_item(_entry("lists/nets.txt", "string"), "\"any(File('f'), {IpInRange(ip, #)})\""))
    orphans = [f.key for f in found.findings if f.rule == "audit.orphan"]
    assert orphans == sorted(set(PUBLISHED.kinds) - {"lists/nets.txt"})
    actions = {a.item: a.file for a in found.actions if a.rule == "audit.orphan"}
    assert actions["lists/"] == "3 files"
    assert actions["geo/"] == "geo/City.mmdb"


def test_errors_come_first() -> None:
    """In the findings and in the list of what to do."""
    found = _audit(
        a=_item(_entry("", "string", url="https://x.example/x")), b=_item(_entry("lists/gone.txt", "string", "g"))
    )
    severities = [f.severity for f in found.findings]
    assert severities == sorted(severities, key=list(Severity).index)
    assert found.actions[0].rule == "audit.dangling"


def test_every_kind_has_its_types_and_every_use_names_known_kinds() -> None:
    """A new kind must say how engines load it."""
    assert set(TYPES) == set(KINDS)
    assert set().union(*FITS.values()) <= set(KINDS)
    assert set(FITS) == set(How) - {How.OTHER}


def test_only_yaml_outside_hidden_directories_is_an_item() -> None:
    """A hub's own tests and workflows are no items."""
    assert is_item_file("scenarios/a/b.yaml")
    assert is_item_file("x.yml")
    assert not is_item_file(".tests/a/config.yaml")
    assert not is_item_file("scenarios/a/b.md")


_SCALARS = st.sampled_from(
    [
        "",
        "null",
        "~",
        f"{BASE}/lists/nets.txt",
        f"{BASE}:x/",
        "http://[",
        "https://a b",
        "f",
        "../f",
        "string",
        "regexp",
        "1",
    ]
)
_NAMES = st.sampled_from(["source_url", "dest_file", "type", "cache", "size", "other", "data", "<<"])


@given(st.lists(st.dictionaries(_NAMES, st.one_of(_SCALARS, st.text(max_size=20)), max_size=6), max_size=4), st.text())
def test_no_entry_makes_the_audit_raise(data: list[dict[str, str]], expression: str) -> None:
    """Whatever a hub's author writes is judged or told as unreadable."""
    body = json.dumps({"name": "x", "filter": expression, "data": data}).encode()
    found = audit([read_items("scenarios/a.yaml", body)], PUBLISHED, {})
    assert all(f.message and f.advice for f in found.findings)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_audit_raise(body: bytes) -> None:
    """Files that are no YAML, no text, or no item."""
    audit([read_items("scenarios/a.yaml", body)], PUBLISHED, {})
