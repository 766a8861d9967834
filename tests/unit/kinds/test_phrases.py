"""Phrase files: what the engine's trimming loses, and phrases that are in every request."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.go_regexp import ORDINARY
from hubdata.kinds.phrases import PhrasesKind
from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from tests.support.judged import errors, judged, rules
from tests.support.real import SEC_LISTS, needs_real


def test_good_phrases_have_no_finding() -> None:
    """Comments and blank lines are no phrases; phrases may hold spaces and quotes."""
    verdict = judged(PhrasesKind, b'# note\n\nUndefined array key "\n/etc/passwd\n.env\n')
    assert (verdict.findings, verdict.stats.entries) == ((), 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc\nx\n", [("phrases.short", 2, Severity.ERROR)]),
        ("abc\n x \n", [("phrases.trimmed", 2, Severity.WARNING), ("phrases.short", 2, Severity.ERROR)]),
        ("abc\nxy\n", [("phrases.short", 2, Severity.WARNING)]),
        ("é\n", [("phrases.short", 1, Severity.WARNING)]),
        (" in query\n", [("phrases.trimmed", 1, Severity.WARNING)]),
        ("in query\t\n", [("phrases.trimmed", 1, Severity.WARNING)]),
        ("abc\n #hash\n", [("phrases.hidden-comment", 2, Severity.WARNING)]),
        ("abc\n Mozilla\n", [("phrases.trimmed", 2, Severity.WARNING), ("phrases.overmatch", 2, Severity.ERROR)]),
        ("abc\nsafari\n", [("phrases.overmatch", 2, Severity.WARNING)]),
        ("abc\nabc\n", [("text.duplicate", 2, Severity.WARNING)]),
        ("abc", [("text.final-lf", 1, Severity.WARNING)]),
        ("", [("text.empty", None, Severity.ERROR)]),
        ("# only a note\n", [("text.empty", None, Severity.ERROR)]),
        ("<html>\nbad gateway\n</html>\n", [("text.html", 1, Severity.ERROR)]),
        ("abc\r\n", [("text.cr", 1, Severity.ERROR)]),
    ],
)
def test_each_doubtful_line_has_its_rule(text: str, expected: list[tuple[str, int | None, Severity]]) -> None:
    """What matches everything is an error; what the engine reads otherwise than it looks is a warning."""
    found = [(f.rule, f.line, f.severity) for f in judged(PhrasesKind, text.encode()).findings]
    assert found == expected


@st.composite
def _near_everyday(draw: st.DrawFn) -> str:
    """Give a piece of an everyday text, in any case, as it stands or with something odd in it."""
    text = draw(st.sampled_from([text for _, text in ORDINARY if text]))
    start = draw(st.integers(0, len(text) - 1))
    piece = text[start : start + draw(st.integers(1, 12))]
    piece = draw(st.sampled_from([piece, piece.upper(), piece.lower(), piece.replace("k", "\u212a")]))
    return piece + draw(st.sampled_from(["", "", "", "\u0130", "\u017f", "\u03a3", "x", " ", "#"]))


@given(st.lists(_near_everyday() | st.text(max_size=6), max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_phrase_of_an_everyday_text_is_passed_over(phrases: list[str]) -> None:
    """The quick look at how phrases begin finds all that a search of each phrase in each text finds."""
    lines = [phrase for phrase in phrases if not set("\r\n\0") & set(phrase)]
    body = "".join(f"{line}\n" for line in lines).encode(errors="replace")
    texts = [text.lower() for _, text in ORDINARY]
    expected = {
        number
        for number, line in enumerate(body.decode().split("\n"), 1)
        if not line.startswith("#") and len(line.strip()) > 3 and any(line.strip().lower() in text for text in texts)
    }
    found = {f.line for f in judged(PhrasesKind, body).findings if f.rule == "phrases.overmatch"}
    assert found == expected


def test_too_few_phrases_are_an_error_by_the_job_s_limit() -> None:
    """A list that shrank must not replace a whole one."""
    assert rules(judged(PhrasesKind, b"abc\ndef\n", limits=Limits(min_entries=3))) == ["limits.min-entries"]


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_judge_raise(body: bytes) -> None:
    """Whatever the bytes, they become findings on lines of the file."""
    for finding in judged(PhrasesKind, body).findings:
        assert finding.line is None or 1 <= finding.line <= body.count(b"\n") + 1


@needs_real
def test_the_real_phrase_files_pass() -> None:
    """Forty-four files, 1.4 MB: no error; the warnings are repeats, a lost space and four zero-width spaces."""
    paths = sorted((SEC_LISTS / "appsec").rglob("*.data"))
    verdicts = [judged(PhrasesKind, path.read_bytes(), key=path.name) for path in paths]
    assert len(paths) == 44
    assert [finding for verdict in verdicts for finding in errors(verdict)] == []
    assert {rule for verdict in verdicts for rule in rules(verdict)} == {
        "text.duplicate",
        "text.invisible",
        "phrases.trimmed",
    }
