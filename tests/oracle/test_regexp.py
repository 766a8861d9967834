"""What the regexp kinds accept, Go compiles, and it matches the same texts: asked of Go itself."""

import json
from pathlib import Path

import pytest

from hubdata.grammar.go_regexp import _PLAIN, MAX_NESTING, ORDINARY, matches, regexp_problem
from tests.support import go_oracle
from tests.support.go_oracle import needs_go
from tests.support.patterns import deep, mutants, patterns
from tests.support.real import SEC_LISTS, needs_real

pytestmark = needs_go

PROBES = (*(text for _, text in ORDINARY), "aZ0_-/ é", "KkK\u017fsS", "Δδ漢ß", "line\nbreak", "😀ǅİi")
"""Ordinary things, and texts in which the case of letters is a question of tables."""


def wrongly_accepted(candidates: list[str]) -> list[str]:
    """Return those that pass here and that Go refuses, or matches otherwise than re2 does."""
    accepted = [pattern for pattern in dict.fromkeys(candidates) if regexp_problem(pattern) is None]
    wrong = []
    for pattern, answer in zip(accepted, go_oracle.regexps(accepted, PROBES), strict=True):
        if "error" in answer:
            wrong.append(f"{pattern!r}: {answer['error']}")
            continue
        ours = [matches(pattern, text) for text in PROBES]
        if ours != answer.get("found", []):
            wrong.append(f"{pattern!r}: matches {ours}, Go {answer['found']}")
    return wrong


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_accepted_compiles_in_go(seed: int) -> None:
    """5,000 patterns a seed, grown and thrown together from all that dialects differ in."""
    candidates = list(patterns(5_000, seed))
    accepted = sum(regexp_problem(pattern) is None for pattern in candidates)
    assert accepted > 500, "the generator must not make rubbish alone, or the test shows nothing"
    assert len(candidates) - accepted > 500
    assert wrongly_accepted(candidates) == []


def test_signs_that_are_taken_for_themselves_are_so_in_go() -> None:
    """A plain text is accepted without asking re2: each of its signs, escaped or not, is one to Go as well."""
    every = [chr(code) for code in range(128)]
    plain = [form for char in every for form in (char, f"\\{char}") if form != r"\b" and _PLAIN.fullmatch(form)]
    answers = go_oracle.regexps([f"^{form}$" for form in plain], tuple(every))
    found = [[char for char, hit in zip(every, answer["found"], strict=True) if hit] for answer in answers]
    assert found == [[form[-1]] for form in plain]


@pytest.mark.parametrize("opening", ["(", "(?:", "(?i:", "(?P<a>", "(a|", "(a", "(?:a|b*"])
@pytest.mark.parametrize("closing", [")", ")*", "){2}", ")?"])
def test_groups_nested_as_deep_as_we_allow_compile_in_go(opening: str, closing: str) -> None:
    """Go bounds the height of the tree, and repeats make it higher than the nesting."""
    candidates = [deep(levels, opening, closing) for levels in (1, 2, 9, 100, 239, MAX_NESTING, MAX_NESTING + 1, 1_500)]
    assert wrongly_accepted(candidates) == []
    assert regexp_problem(deep(MAX_NESTING)) is None
    assert regexp_problem(deep(MAX_NESTING + 1)) is not None


@pytest.mark.parametrize(
    "pattern", [r"\C", r"a\Cb", "(?P<é>x)", deep(1_001, "(?:", ")?"), "a{99999999999}", "a{0,100000000}", "{100000000}"]
)
def test_go_refuses_what_re2_accepts_beyond_it(pattern: str) -> None:
    """What re2 takes and Go does not is refused here too, so re2 alone would not do."""
    assert regexp_problem(pattern) is not None
    assert "error" in go_oracle.regexps([pattern])[0]


@pytest.mark.parametrize(
    "pattern", [r"[{99999999999}]", r"\{99999999999}", r"\Q{99999999999}\E", "a{099999999999}", "a{,99999999999}"]
)
def test_braces_that_are_only_text_are_left_alone(pattern: str) -> None:
    """In a class, escaped, quoted or with a leading zero, to Go as to re2."""
    assert regexp_problem(pattern) is None
    assert "error" not in go_oracle.regexps([pattern])[0]


def _real_patterns() -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in sorted(SEC_LISTS.rglob("*")):
        if not path.is_file() or path.stat().st_size > 2_000_000:
            continue
        if path.suffix in {".regex", ".regexp"} or "regex" in path.name:
            found.update(dict.fromkeys(path.read_text(errors="replace").splitlines()))
        elif path.suffix in {".json", ".jsonl"}:
            for line in path.read_text(errors="replace").splitlines():
                found.update(dict.fromkeys(_patterns_of(line)))
        elif path.suffix == ".conf":
            found.update(dict.fromkeys(_operators(path)))
        elif path.suffix == ".txt":
            found.update(dict.fromkeys(path.read_text(errors="replace").splitlines()[:200]))
    return tuple(pattern for pattern in found if pattern)


def _patterns_of(line: str) -> list[str]:
    try:
        row = json.loads(line)
    except ValueError:
        return []
    if not isinstance(row, dict):
        return []
    texts = [row.get("pattern"), row.get("user_agent"), *(row.get("rdns") or []), *(row.get("paths") or [])]
    return [text for text in texts if isinstance(text, str)]


def _operators(path: Path) -> list[str]:
    text = path.read_text(errors="replace")
    return [part.split('" ', 1)[0] for part in text.split('"@rx ')[1:]]


@needs_real
def test_all_real_patterns_and_thousands_of_their_mutants_compile_in_go() -> None:
    """The patterns in use today, those of the rule sets too, and the same with a slip of the hand."""
    real = _real_patterns()
    assert sum(regexp_problem(pattern) is None for pattern in real) > 500
    assert wrongly_accepted(list(real)) == []
    assert wrongly_accepted(list(mutants(real, 5_000, 7))) == []
