"""Phrase files: what the engine's trimming loses, and phrases that are in every request."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
