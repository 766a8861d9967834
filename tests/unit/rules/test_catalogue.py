"""The catalogue is whole: it names every rule that the code can emit and no other, and each example breaks its rule."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubdata.model.job import Canary
from hubdata.model.rule import Rule
from hubdata.plugins import KINDS, Seam, load
from hubdata.ports import Verdict
from hubdata.rules import BY_ID, CATALOGUE
from hubdata.rules.page import anchor, page
from tests.support import small_mmdb
from tests.support.judged import judged
from tests.support.rule_sites import COMPUTED, emitted, raised

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_every_rule_that_the_code_can_emit_is_in_the_catalogue() -> None:
    """A finding whose rule nobody explains leaves a maintainer alone with it."""
    assert emitted() - set(BY_ID) == set()


def test_the_catalogue_names_no_rule_that_nothing_emits() -> None:
    """A rule on the page that no check enforces is a false promise."""
    assert set(BY_ID) - emitted() == set()


def test_ids_are_unique_and_their_families_are_kinds_or_parts_of_a_run() -> None:
    """Waivers and workflows refer to rules by id."""
    assert len(BY_ID) == len(CATALOGUE)
    families = {rule.family for rule in CATALOGUE}
    assert families - set(KINDS) >= {"text", "limits", "job", "file", "waiver", "source"}
    assert set(KINDS) <= families


@pytest.mark.parametrize(
    ("file", "error", "computed"),
    [
        ("grammar/json_row.py", "RowError", ("grammar/json_row.py", "err.problem")),
        ("grammar/json_document.py", "DocumentError", ("kinds/json.py", "err.problem")),
    ],
)
def test_what_is_said_of_computed_rules_is_what_the_code_raises(
    file: str, error: str, computed: tuple[str, str]
) -> None:
    """The reader of the code is told some problems by hand; here the code confirms them."""
    assert raised(file, error) == set(COMPUTED[computed])


def test_the_rules_about_names_are_those_that_the_grammar_finds() -> None:
    """Both kinds of names take their problems from one grammar."""
    problems = raised("grammar/rdns.py", "RdnsProblem")
    assert problems == set(COMPUTED["kinds/rdns_regexp.py", "told.rule"])
    in_bots = {rule.removeprefix("rdns-") for rule in COMPUTED["kinds/bots.py", "f'rdns-{problem.rule}'"]}
    assert in_bots == problems - {"no-final-dot"}  # names have no final dot there, so none can lack it


def test_the_rules_about_databases_are_those_that_policy_and_canaries_find() -> None:
    """The kind hands on what both say."""
    problems = raised("mmdb/policy.py", "Breach") | raised("mmdb/canaries.py", "Breach")
    assert problems == set(COMPUTED["kinds/mmdb.py", "breach.problem"])


def _mmdb(body: bytes, **settings: Any) -> Verdict:
    return judged(load(Seam.KIND, "mmdb"), body, key=small_mmdb.KEY, **settings)


_MADE: dict[str, Callable[[], Verdict]] = {
    "opaque.empty": lambda: judged(load(Seam.KIND, "opaque"), b""),
    "modsec.empty": lambda: judged(load(Seam.KIND, "modsec"), b""),
    "mmdb.unreadable": lambda: _mmdb(b"\xab\xcd\xefMaxMind.com\xe1"),
    "mmdb.metadata": lambda: _mmdb(small_mmdb.database().replace(b"\x4aip_version\xa1\x06", b"\x4aip_version\xa1\x05")),
    "mmdb.tree": lambda: _mmdb(small_mmdb.circular_tree()),
    "mmdb.data": lambda: _mmdb(small_mmdb.broken_text()),
    "mmdb.pointer": lambda: _mmdb(small_mmdb.circular_data()),
    "mmdb.heavy": lambda: _mmdb(small_mmdb.heavy()),
    "mmdb.ip-version": lambda: _mmdb(small_mmdb.ipv4_alone()),
    "mmdb.languages": lambda: _mmdb(small_mmdb.database(), languages=("en", "fr")),
    "mmdb.coverage": lambda: _mmdb(small_mmdb.database(), min_ipv4_share=0.5),
    "mmdb.unused": lambda: _mmdb(small_mmdb.unused_data()),
    "mmdb.c-reader": lambda: _mmdb(small_mmdb.narrow_integers()),
    "mmdb.type": lambda: _mmdb(small_mmdb.database("GeoLite2-ASN")),
    "mmdb.build-epoch": lambda: _mmdb(small_mmdb.database(built=0)),
    "mmdb.future": lambda: _mmdb(small_mmdb.database(built=small_mmdb.BUILT + 86_400 * 5)),
    "mmdb.too-old": lambda: _mmdb(small_mmdb.database(built=small_mmdb.BUILT - 86_400 * 28), max_age_days=30),
    "mmdb.canary": lambda: _mmdb(small_mmdb.database(), canaries=(Canary("9.9.9.9", {"country.iso_code": "DE"}),)),
}
"""Examples that a page can only tell: made here."""

_JUDGED = [rule for rule in CATALOGUE if rule.example.kind]


def _verdict(rule: Rule) -> Verdict:
    example = rule.example
    if rule.id in _MADE:
        return _MADE[rule.id]()
    return judged(load(Seam.KIND, example.kind), example.content, limits=example.limits, **example.options)


@pytest.mark.parametrize("rule", _JUDGED, ids=[rule.id for rule in _JUDGED])
def test_an_example_breaks_its_rule_and_no_other(rule: Rule) -> None:
    """What the page shows is true: that file, judged as that kind, has that finding, as severe as the page says."""
    findings = _verdict(rule).findings
    repeated = {"text.duplicate"} if rule.example.times > 1 else set()
    assert {finding.rule for finding in findings} - repeated == {rule.id} - repeated
    assert {finding.severity for finding in findings if finding.rule == rule.id} <= set(rule.severities)


def test_only_what_no_file_can_show_has_no_example_to_judge() -> None:
    """Every rule about content is shown by content."""
    untold = {rule.id for rule in CATALOGUE if not rule.example.kind}
    assert all(BY_ID[name].example.note for name in untold)
    assert {name.partition(".")[0] for name in untold} == {
        "job",
        "file",
        "waiver",
        "source",
        "limits",
        "audit",
        "hub",
        "rewrite",
        "verify",
        "group",
        "signature",
        "mirror",
        "gate",
    }
    bare = {rule.id for rule in _JUDGED if not rule.example.body}
    assert bare <= set(_MADE)


def test_every_text_is_a_plain_sentence() -> None:
    """What an engine does and how to mend it end with a full stop, and neither begins with white space."""
    for rule in CATALOGUE:
        for text in (rule.engine, rule.mend):
            assert re.fullmatch(r"\S.*[.]", text), rule.id
            assert "  " not in text, rule.id


def test_the_page_in_the_docs_is_the_catalogue_printed() -> None:
    """Print it anew after a change: `python -m hubdata.rules > docs/rules.md`."""
    assert PAGE.read_text(encoding="utf-8") == page(CATALOGUE), "stale: python -m hubdata.rules > docs/rules.md"


def test_every_link_of_the_page_leads_to_its_rule() -> None:
    """The fragments are those that GitHub makes of headings, and no two rules share one."""
    text = page(CATALOGUE)
    links = re.findall(r"\(#([^)]*)\)", text)
    headings = [title.replace(".", "") for title in re.findall(r"^### (.*)$", text, re.MULTILINE)]
    assert links == headings == [anchor(rule) for rule in CATALOGUE]
    assert len(set(links)) == len(links)
