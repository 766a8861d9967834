"""What a file means, kind by kind: what an engine would not notice is equal, what it would is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.meaning.difference import difference
from hubdata.meaning.table import is_understood, meaning_of
from hubdata.model.meaning import Difference
from hubdata.plugins import KINDS

GOOGLE = {
    "name": "google",
    "user_agent": "googlebot",
    "ips": ["192.0.2.9"],
    "ranges": ["66.249.64.0/20", "66.249.80.0/20"],
    "rdns": [r"\.googlebot\.com$", r"\.google\.com$"],
}
BING = {"name": "bing", "ranges": ["40.77.0.0/24"]}
RULE = 'SecRule ARGS "@rx a" "id:1,phase:2,deny"\n'


def _bots(*entries: object) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def _map(*rows: tuple[str, str, str]) -> str:
    return "".join(f'{{"pattern": "{p}", "tag": "{t}", "type": "{how}"}}\n' for p, t, how in rows)


def _compared(kind: str, old: str, new: str) -> Difference:
    return difference(meaning_of(kind, old.encode()), meaning_of(kind, new.encode()))


EQUAL = [
    ("cidr", "8.8.8.0/25\n8.8.8.128/25\n", "# merged\n8.8.8.0/24\n"),
    ("cidr", "2001:DB8::/32\n", "2001:db8::/32\n"),
    ("cidr", "8.8.8.8/24\n", "8.8.8.0/24\n"),
    ("ip-exact", "8.8.8.8\n1.1.1.1\n", "1.1.1.1\n8.8.8.8\n"),
    ("needle", "/a\n/b\n", "# b first\n/b\n\n/a\n/b\n"),
    ("regexp", "a+\nb+\n", "b+\r\na+\r\n"),
    ("rdns-regexp", "a\nb\n", "b\na\n"),
    ("rdns-suffix", ".a.b.\n", ".a.b."),
    ("phrases", "union select\nSleep(\n", "sleep(\n  UNION SELECT\n"),
    ("jsonl-uri", '{"cve":"CVE-2024-1","uri":"/a"}\n', '{ "uri" : "/a", "cve": "CVE-2024-1" }\n'),
    ("map", _map(("/a", "1", "equals"), ("/b", "2", "equals")), _map(("/b", "2", "equals"), ("/a", "1", "equals"))),
    ("map", _map(("/a", "0", "equals"), ("/a", "1", "equals")), _map(("/a", "1", "equals"))),
    ("bots", _bots(GOOGLE, BING), _bots(BING, {**GOOGLE, "ranges": ["66.249.64.0/19"]})),
    ("bots", _bots(GOOGLE), _bots({**GOOGLE, "ips": [], "ranges": [*GOOGLE["ranges"], "192.0.2.9/32"]})),
    ("modsec", RULE, '# why\n\nSecRule ARGS "@rx a" \\\n    "id:1,\\\n    phase:2,\\\n    deny"\n'),
    ("json", '{"a": 1, "b": [2]}', '{"b":[2],"a":1}\n'),
    ("opaque", "a", "a"),
]
UNEQUAL = [
    ("cidr", "8.8.8.0/24\n", "8.8.8.0/25\n"),
    ("cidr", "8.8.8.8/32\n", "8.8.8.8\n"),
    ("cidr", "8.8.8.0/24\n", "8.8.8.0/24\n # not a comment\n"),
    ("ip-exact", "2001:db8::1\n", "2001:DB8::1\n"),
    ("ip-exact", "8.8.8.8\n", "8.8.8.8/32\n"),
    ("needle", "/a\n", "/a \n"),
    ("needle", "/a\n", "/A\n"),
    ("regexp", "a+\n", "a*\n"),
    ("phrases", "a b\n", "a  b\n"),
    ("jsonl-uri", '{"cve":"CVE-2024-1","uri":"/a"}\n', '{"cve":"CVE-2024-2","uri":"/a"}\n'),
    ("map", _map(("/a", "1", "contains"), ("/ab", "2", "contains")),
     _map(("/ab", "2", "contains"), ("/a", "1", "contains"))),
    ("map", _map(("/a", "1", "contains"), ("/a", "1", "contains")), _map(("/a", "1", "contains"))),
    ("bots", _bots(GOOGLE, BING), _bots({**GOOGLE, "ranges": BING["ranges"]}, {**BING, "ranges": GOOGLE["ranges"]})),
    ("bots", _bots(GOOGLE, GOOGLE), _bots({**GOOGLE, "user_agent": "x"}, GOOGLE)),
    ("modsec", RULE + RULE.replace("id:1", "id:2"), RULE.replace("id:1", "id:2") + RULE),
    ("modsec", RULE, RULE.replace("deny", "pass")),
    ("modsec", "SecMarker A\n", "SecMarker B\n"),
    ("json", '{"a": 1}', '{"a": 1.0}'),
    ("json", '{"a": 1', '{"a": 2'),
    ("mmdb", "a", "b"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "old", "new"), EQUAL)
def test_what_no_engine_would_notice_is_equal(kind: str, old: str, new: str) -> None:
    """Order, comments, spelling and layout say nothing, as far as the kind's engine does not look at them."""
    assert _compared(kind, old, new).equal


@pytest.mark.parametrize(("kind", "old", "new"), UNEQUAL)
def test_what_an_engine_would_notice_is_not_equal(kind: str, old: str, new: str) -> None:
    """A change that lets in, finds or answers something else is told, in both directions."""
    assert not _compared(kind, old, new).equal
    assert not _compared(kind, new, old).equal


def test_a_crawler_is_told_statement_by_statement() -> None:
    """A pattern added to one crawler is one name gained; its new range is a network gained, and the crawler named."""
    found = _compared(
        "bots",
        _bots(GOOGLE),
        _bots({**GOOGLE, "ranges": [*GOOGLE["ranges"], "34.0.0.0/24"], "rdns": [*GOOGLE["rdns"], r"\.g\.co$"]}),
    )
    assert found.networks is not None
    assert found.networks.gained == ("34.0.0.0/24",)
    assert found.names is not None
    assert found.names.gained == (r"google: rdns \.g\.co$",)
    assert [changed.name for changed in found.names.changed] == ["google: networks"]


def test_a_changed_rule_is_known_by_its_id() -> None:
    """A rule is one name with all rules chained to it; a change anywhere in the chain is a change of that rule."""
    chain = 'SecRule ARGS "@rx a" "id:7,phase:2,deny,chain"\n  SecRule ARGS:b "@rx {0}" "chain"\n  SecRule C "@eq 1"\n'
    found = _compared("modsec", chain.format("x") + RULE, chain.format("y") + RULE)
    assert found.names is not None
    assert [(each.name, "@rx x" in each.old, "@rx y" in each.new) for each in found.names.changed] == [
        ("rule 7", True, True)
    ]
    assert (found.names.gained, found.names.lost, found.names.before) == ((), (), 2)


def test_a_chain_without_an_end_takes_no_more_time_than_its_length() -> None:
    """A file of nothing but chained rules, 2 MB of them, is read like any other."""
    rule = 'SecRule ARGS "@rx a" "chain"\n'
    names = meaning_of("modsec", ('SecRule ARGS "@rx a" "id:1,chain"\n' + rule * 70_000).encode()).names
    assert names is not None
    assert (list(names.values), names.values["rule 1"].count(" -> ")) == (["rule 1"], 70_000)


def test_a_row_that_its_kind_cannot_read_is_still_told() -> None:
    """Garbage does not disappear from a review: it is a name of its own."""
    for kind in ("map", "bots", "jsonl-uri"):
        names = _compared(kind, "# x\n", "{oops\n").names
        assert names is not None
        assert names.gained == ("not readable: {oops",)


def test_kinds_without_a_meaning_are_not_worth_reading() -> None:
    """A database of 66 MB is not fetched to be compared: its digest says all that is known."""
    assert {kind for kind in KINDS if not is_understood(kind)} == {"opaque", "mmdb"}


@given(st.sampled_from(sorted(KINDS)), st.one_of(st.binary(), st.text().map(str.encode)))
def test_no_bytes_make_it_raise(kind: str, body: bytes) -> None:
    """Whatever is published has a meaning, and is equal to itself."""
    meaning = meaning_of(kind, body)
    assert difference(meaning, meaning_of(kind, body)).equal
