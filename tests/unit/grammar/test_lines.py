"""Rows are what the engine's reader makes of the bytes, and everything wrong with the text is told."""

import mmap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.gather import MAX_PER_RULE
from hubdata.grammar.lines import ENGINE_LINE_BYTES, MAX_LINE_BYTES, MAX_LINES, Row, read_rows
from hubdata.model.finding import Severity


def scanned(body: bytes) -> list[tuple[int, str]]:
    """Return numbered data rows as Go's bufio.Scanner and the engine's loop around it would, byte by byte."""
    rows = []
    number = 0
    rest = body
    while rest:
        number += 1
        end = rest.find(b"\n")
        line, rest = (rest, b"") if end < 0 else (rest[:end], rest[end + 1 :])
        if len(line) >= ENGINE_LINE_BYTES:
            break
        if line.endswith(b"\r"):
            line = line[:-1]
        if len(line) == 0 or line[:1] == b"#":
            continue
        rows.append((number, line.decode(errors="replace")))
    return rows


PIECES = st.sampled_from(
    [
        *[b"\n", b"\n", b"\r", b"\r\n", b"#", b" ", b"\t", b"\0", b"a", b"b", b"1.2.3.4", b"\xef\xbb\xbf", b"\xff"],
        *[b"\xc3\xa9", b"\xe2\x80\xa8", b"\x0b", b"\x85", b"x" * (MAX_LINE_BYTES + 1), b"y" * (ENGINE_LINE_BYTES - 1)],
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map(b"".join))
def test_rows_are_those_of_the_engines_reader(body: bytes) -> None:
    """Whatever the bytes, rows and their line numbers are the naive scanner's."""
    rows, _ = read_rows("k", body)
    assert [(row.number, row.text) for row in rows] == scanned(body)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise(body: bytes) -> None:
    """Any bytes give rows and findings; a file without a row is always refused."""
    rows, findings = read_rows("k", body)
    assert len(rows) or any(f.severity is Severity.ERROR for f in findings)


@pytest.mark.parametrize(
    ("body", "rule", "severity", "line"),
    [
        (b"", "text.empty", "error", None),
        (b"# only a comment\n\n", "text.empty", "error", None),
        (b"\xef\xbb\xbf# comment\na\n", "text.bom", "error", 1),
        (b"a\r\nb\n", "text.cr", "error", 1),
        (b"a\rb\n", "text.cr", "error", 1),
        (b"a\nb\0c\n", "text.nul", "error", 2),
        (b"a\n\xff\n", "text.not-utf8", "error", 2),
        (b"\x1f\x8b\x08\x00gzip\n", "text.not-utf8", "error", 1),
        (b"a\n \t\nb\n", "text.whitespace-only", "error", 2),
        (b"a\n" + b"x" * (MAX_LINE_BYTES + 1) + b"\n", "text.line-too-long", "error", 2),
        (b"a\nb\na\n", "text.duplicate", "warning", 3),
        (b"a\nb", "text.final-lf", "warning", 2),
        ("a\nb\u200bc\n".encode(), "text.invisible", "warning", 2),
        (b"a\n\x1b[31m\n", "text.invisible", "warning", 2),
        (b"<!DOCTYPE html>\n<html>\n", "text.html", "error", 1),
        (b"\n  <html lang='en'>\n", "text.html", "error", 1),
        (b"a\n" * (MAX_LINES + 1), "text.too-many-lines", "error", None),
    ],
)
def test_each_fault_of_the_text_has_its_rule(body: bytes, rule: str, severity: str, line: int | None) -> None:
    """One fault gives exactly one finding of its rule, with its line."""
    _, findings = read_rows("k", body)
    found = [f for f in findings if f.rule == rule]
    assert [(f.severity.value, f.line, f.key) for f in found] == [(severity, line, "k")]
    assert found[0].advice


def test_a_clean_list_has_no_findings() -> None:
    """Comments at column 0, empty lines and accented letters are all in order."""
    rows, findings = read_rows("k", "# c\n\na # not a comment\n caf\u00e9 \n".encode())
    assert list(rows) == [Row(3, "a # not a comment"), Row(4, " caf\u00e9 ")]
    assert findings == ()


def test_a_line_over_the_engines_limit_hides_the_rest_and_says_so() -> None:
    """Rows below a line of 65,536 bytes are lost, as they are to an engine; the finding tells."""
    rows, findings = read_rows("k", b"a\n" + b"x" * ENGINE_LINE_BYTES + b"\nb\n")
    assert list(rows) == [Row(1, "a")]
    assert ["silently loses" in f.message for f in findings if f.rule == "text.line-too-long"] == [True]


def test_a_line_one_byte_under_the_engines_limit_hides_nothing() -> None:
    """A line of 65,535 bytes is too long for our grammar, and still read by an engine."""
    rows, findings = read_rows("k", b"x" * (ENGINE_LINE_BYTES - 1) + b"\nb\n")
    assert [row.number for row in rows] == [1, 2]
    assert [f.rule for f in findings] == ["text.line-too-long"]


def test_many_faults_of_one_rule_are_counted_not_listed() -> None:
    """A file with CRLF on every line gives a hundred findings and one that counts the rest."""
    _, findings = read_rows("k", b"".join(b"%d\r\n" % n for n in range(1000)))
    faults = [f for f in findings if f.rule == "text.cr"]
    assert len(faults) == MAX_PER_RULE + 1
    assert any("900 more" in f.message and f.severity is Severity.ERROR for f in faults)


def test_a_mapped_file_reads_as_its_bytes_do(tmp_path: Path) -> None:
    """Large files come as memory maps, with the same outcome."""
    path = tmp_path / "list"
    path.write_bytes(b"a\nb\r\n\xff\na\n")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        (rows, findings), (others, expected) = read_rows("k", mapped), read_rows("k", path.read_bytes())
        assert (list(rows), findings) == (list(others), expected)


def test_the_prefix_names_the_rules() -> None:
    """A kind may have the common rules under a name of its own."""
    _, findings = read_rows("k", b"", prefix="map")
    assert [f.rule for f in findings] == ["map.empty"]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"\0", "text.nul"),
        (b"a\rb", "text.cr"),
        (b"\xff", "text.not-utf8"),
        (b" ", "text.whitespace-only"),
        ("\u200b".encode(), "text.invisible"),
        (b"a", "text.duplicate"),
    ],
)
def test_what_is_over_the_cap_is_counted_to_the_last(line: bytes, rule: str) -> None:
    """A thousand bad lines are a hundred findings and one that tells how many more there are, exactly."""
    _, findings = read_rows("k", (line + b"\n") * 1_000)
    told = [finding for finding in findings if finding.rule == rule]
    assert len(told) == 101
    more = 899 if rule == "text.duplicate" else 900  # the first of equal rows is no repetition
    assert told[-1].message.startswith(f"{more} more like this")
