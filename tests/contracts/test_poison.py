"""None of the poison passes: each file is refused by exactly the rules, at exactly the lines, that its harm is about.

Each is a real way to hurt an engine. What the real tree looks like stands beside it, and passes.
"""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import pytest

from hubdata.plugins import KINDS
from hubdata.rules import BY_ID
from tests.support.command import hubdata
from tests.support.poison import POISON, Poison, corpus, refusals
from tests.support.real import SEC_LISTS, needs_real


@pytest.mark.parametrize("poison", corpus(), ids=[poison.file for poison in corpus()])
def test_poison_is_refused_for_what_it_is(poison: Poison) -> None:
    """Exactly the errors of the index, line by line; a warning would have let it out."""
    assert poison.errors, "a file that nothing refuses is no poison"
    assert refusals(poison.judge()) == sorted(poison.errors), poison.harm


def test_every_kind_has_its_poison_and_no_file_lies_unused() -> None:
    """150 ways at the least, spread over all kinds, each with its harm told and its bytes its own."""
    poisons = corpus()
    assert len(poisons) >= 150
    assert set(Counter(poison.kind for poison in poisons)) == set(KINDS)
    assert all(poison.harm for poison in poisons)
    stored = {path.relative_to(POISON).as_posix() for path in POISON.rglob("*") if path.is_file()} - {"index.toml"}
    assert stored == {poison.file for poison in poisons if "parts" not in poison.settings}
    told = Counter((poison.kind, poison.body, json.dumps(poison.settings)) for poison in poisons)
    assert [case for case, times in told.items() if times > 1] == []


def test_every_rule_that_refuses_a_file_has_a_poison() -> None:
    """A rule of a kind that can be an error and that no poison breaks is not shown to hold."""
    errors = {rule.id for rule in BY_ID.values() if "error" in rule.severities}
    about_content = {name for name in errors if name.partition(".")[0] in {*KINDS, "text"}}
    broken = {error.split()[-1] for poison in corpus() for error in poison.errors}
    assert about_content - broken == NOT_SHOWN


NOT_SHOWN = {
    "text.too-many-lines",  # two million lines: in the catalogue's examples
    "text.given-up",  # so are ten thousand bad rows
    "regexp.too-many",
    "rdns-regexp.too-many",
}


@pytest.mark.parametrize(
    ("kind", "options"),
    sorted({(p.kind, json.dumps(p.settings.get("options", {}), sort_keys=True)) for p in corpus() if p.plain}),
)
def test_the_command_refuses_every_one_of_them(kind: str, options: str, tmp_path: Path) -> None:
    """`hubdata validate --kind KIND` on real files, in a process of its own, ends with 3 and names each of them."""
    settings: Mapping[str, object] = json.loads(options)
    poisons = [p for p in corpus() if p.plain and p.kind == kind and p.settings.get("options", {}) == settings]
    for poison in poisons:
        path = tmp_path / poison.file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(poison.body)
    flags = [f"--option={name}={json.dumps(value).strip(chr(34))}" for name, value in settings.items()]
    ended = hubdata("validate", "--format=json", f"--kind={kind}", *flags, *(p.file for p in poisons), cwd=tmp_path)
    assert ended.code == 3, ended.stderr
    findings = sorted(ended.json["findings"], key=lambda finding: finding["key"])
    said = {
        key: sorted(f"{f['line']} {f['rule']}" if f["line"] else f["rule"] for f in group if f["severity"] == "error")
        for key, group in groupby(findings, key=lambda finding: finding["key"])
    }
    assert said == {poison.file: sorted(poison.errors) for poison in poisons}


@needs_real
def test_the_real_tree_passes_beside_it() -> None:
    """What is published today is no poison: the same command, by the jobs that come with hubdata."""
    ended = hubdata("validate", "--format=json", SEC_LISTS, cwd=SEC_LISTS.parent)
    assert ended.code == 0, ended.stdout
    assert len(ended.json["files"]) > 150
