"""What an engine sees of a text list: its data rows; and everything that is wrong with the text around them.

The reader is the engine's own, read from its sources (facts, "Lines"): split at LF, one trailing CR dropped, `#`
is a comment only as the first byte, only the empty line is blank, nothing is trimmed, and a line of 65,536 bytes or
more ends the file silently. The grammar is stricter than the reader: it refuses what an engine would misread.
"""

import mmap
import re
from collections.abc import Iterator
from typing import NamedTuple

from hubdata.grammar.gather import MAX_PER_RULE, Gather, Some, shown, some
from hubdata.model.finding import Finding

Body = bytes | mmap.mmap
"""The bytes of one file. The same type as the port's, which lies above this layer."""

MAX_LINE_BYTES = 32 * 1024
"""The longest line allowed: half of what engines read, so that no list grows into their limit overnight."""

ENGINE_LINE_BYTES = 65_536
"""A line this long stops the engine's reader (Go's bufio.Scanner with its default buffer)."""

MAX_LINES = 2_000_000
"""More lines than any list has by far; each becomes a row in memory, 50 times its size when the lines are short."""

_BOM = b"\xef\xbb\xbf"
_HTML = re.compile(rb"\s*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_VISIBLE = bytes(range(0x20, 0x7F)) + b"\t\n\r"
"""The bytes of ASCII that are not invisible: a file of these alone, as most are, need not be searched."""
_INVISIBLE = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Row(NamedTuple):
    """One data row as the engine reads it. `number` is its line in the file, from 1.

    A plain tuple: made by the thousand, in a third of a frozen dataclass's time.
    """

    number: int
    text: str


class Repeated(NamedTuple):
    """A row whose text stands in the line `before` already."""

    line: int
    text: str
    before: int


def read_rows(key: str, body: Body, prefix: str = "text") -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """Return the data rows of `body` and what is wrong with it as text, rules named `<prefix>.<problem>`.

    Rows that are not UTF-8 carry U+FFFD where the bytes were wrong. A page of HTML gives no rows at all: each of its
    lines would be one more finding, and only the one matters. Never raises, whatever the bytes.
    """
    texts, findings = read_lines(key, body, prefix)
    return tuple(Row(number, text) for number, text in enumerate(texts, 1) if text and text[0] != "#"), findings


def read_lines(key: str, body: Body, prefix: str = "text") -> tuple[list[str], tuple[Finding, ...]]:
    """Return every line of `body` as the engine reads it, comments and blank ones too, and the same findings.

    For long lists in which few rows need a closer look: 60,000 rows cost 20 ms to make.
    """
    data = body if isinstance(body, bytes) else body[:]
    gather = Gather(key, prefix)
    if is_html(data):
        gather.error(
            1,
            "html",
            "this is a page of HTML, not a list",
            "look at the address it was fetched from: it served an error page or a login page",
        )
        return [], gather.findings()
    if data.count(b"\n") > MAX_LINES:
        gather.error(
            None,
            "too-many-lines",
            f"the file has more than {MAX_LINES:,} lines",
            "split it: an engine goes through all of them for every event",
        )
        return [], gather.findings()
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    _whole_file(data, lines, gather)
    texts = _texts(data, _readable(lines, gather))
    if data.translate(None, _VISIBLE) and _INVISIBLE.search(data.decode(errors="replace")):
        _invisible(texts, gather)
    _judge_rows(texts, gather)
    return texts, gather.findings()


def is_html(data: bytes) -> bool:
    """Tell whether `data` begins as a page of HTML does."""
    return _HTML.match(data[:1024].removeprefix(_BOM)) is not None


def is_sound(data: bytes) -> bool:
    """Tell whether lines of `data` can have no fault but that they are blank, too long, or there already."""
    if not data.translate(None, _VISIBLE):
        return b"\r" not in data
    if b"\r" in data or b"\0" in data:
        return False
    try:
        return _INVISIBLE.search(data.decode()) is None
    except UnicodeDecodeError:
        return False


def judge_sound(
    key: str, entries: int, unended: int | None, blank: Some[int], repeated: Some[Repeated]
) -> tuple[Finding, ...]:
    """Return what `read_lines` finds in a body of sound lines, when somebody else has read its `entries` rows.

    `unended` is the number of a last line without line feed; `blank` are the rows that hold only white space.
    """
    gather = Gather(key, "text")
    if unended is not None:
        _final_lf(unended, gather)
    if not entries:
        _no_row(gather)
    for number in blank.first:
        _blank(number, gather)
    gather.count("whitespace-only", blank.total - len(blank.first))
    for each in repeated.first:
        _repeated(each, gather)
    gather.count("duplicate", repeated.total - len(repeated.first))
    return gather.findings()


def _whole_file(data: bytes, lines: list[bytes], gather: Gather) -> None:
    if data.startswith(_BOM):
        gather.error(
            1,
            "bom",
            "the file begins with a byte order mark, which an engine reads as part of the first row",
            "save it as UTF-8 without BOM",
        )
    if data and not data.endswith(b"\n"):
        _final_lf(len(lines), gather)
    if b"\0" in data:
        found = some(_holding(lines, b"\0"))
        for number, line in found.first:
            gather.error(number, "nul", "a NUL byte", "remove it: no list holds one", column=line.index(b"\0") + 1)
        gather.count("nul", found.total - len(found.first))
    if b"\r" in data:
        found = some(_holding(lines, b"\r"))
        for number, line in found.first:
            gather.error(
                number,
                "cr",
                "a carriage return: only one before the line feed is dropped, any other is part of the row",
                "save the file with LF line ends",
                column=line.index(b"\r") + 1,
            )
        gather.count("cr", found.total - len(found.first))
    if not data.isascii():
        _encoding(data, lines, gather)


def _holding(lines: list[bytes], byte: bytes) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(lines, 1) if byte in line)


def _encoding(data: bytes, lines: list[bytes], gather: Gather) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return
    wrong = some(_not_utf8(lines))
    for number, byte, column in wrong.first:
        gather.error(
            number,
            "not-utf8",
            f"not UTF-8: byte 0x{byte:02x}",
            "save the file as UTF-8; a binary or compressed file has no place in a list",
            column=column,
        )
    gather.count("not-utf8", wrong.total - len(wrong.first))


def _not_utf8(lines: list[bytes]) -> Iterator[tuple[int, int, int]]:
    for number, line in enumerate(lines, 1):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError as err:
            yield number, line[err.start], err.start + 1


def _readable(lines: list[bytes], gather: Gather) -> list[bytes]:
    """Return the lines that come before one too long for the engine's reader."""
    if max(map(len, lines), default=0) <= MAX_LINE_BYTES:
        return lines
    readable = len(lines)
    for number, line in enumerate(lines, 1):
        if len(line) <= MAX_LINE_BYTES:
            continue
        lost = ""
        if len(line) >= ENGINE_LINE_BYTES:
            lost = "; an engine stops reading here, and silently loses this line and all below it"
            readable = min(readable, number - 1)
        gather.error(
            number,
            "line-too-long",
            f"the line has {len(line):,} bytes, more than {MAX_LINE_BYTES:,}{lost}",
            f"break it up: a line of {ENGINE_LINE_BYTES:,} bytes silently loses the rest of the file",
        )
    return lines[:readable]


def _texts(data: bytes, lines: list[bytes]) -> list[str]:
    """Return the text of each of `lines`, which are all of `data` or its beginning."""
    if data.isascii() and b"\r" not in data:
        return data.decode().split("\n")[: len(lines)]  # a third of the time of decoding line by line
    return [line.removesuffix(b"\r").decode(errors="replace") for line in lines]  # one CR, as the engine drops it


def _numbered(texts: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the data rows with their line numbers."""
    return ((number, text) for number, text in enumerate(texts, 1) if text and text[0] != "#")


def _invisible(texts: list[str], gather: Gather) -> None:
    holding = some((number, text) for number, text in _numbered(texts) if _INVISIBLE.search(text))
    for number, text in holding.first:
        found = _INVISIBLE.search(text)
        if found:
            gather.warning(
                number,
                "invisible",
                f"an invisible character, U+{ord(found[0]):04X}, is part of the row {shown(text)}",
                "remove it, unless the row is meant to hold it",
                column=found.start() + 1,
            )
    gather.count("invisible", holding.total - len(holding.first))


def _judge_rows(texts: list[str], gather: Gather) -> None:
    rows = [text for text in texts if text and text[0] != "#"]
    if not rows:
        _no_row(gather)
    if any(map(str.isspace, rows)):
        blank = some(number for number, text in _numbered(texts) if text.isspace())
        for number in blank.first:
            _blank(number, gather)
        gather.count("whitespace-only", blank.total - len(blank.first))
    unlike = len(set(rows))
    if unlike == len(rows):
        return
    first: dict[str, int] = {}
    told = 0
    for number, text in _numbered(texts):
        before = first.setdefault(text, number)
        if before != number:
            told += 1
            _repeated(Repeated(number, text, before), gather)
            if told > MAX_PER_RULE:  # the rest is only counted
                gather.count("duplicate", len(rows) - unlike - told)
                return


def _final_lf(number: int, gather: Gather) -> None:
    gather.warning(number, "final-lf", "the last line does not end with a line feed", "end it with one")


def _no_row(gather: Gather) -> None:
    gather.error(
        None,
        "empty",
        "there is no data row",
        "an engine never matches with it and logs an error for every event: restore the rows or remove the file",
    )


def _blank(number: int, gather: Gather) -> None:
    gather.error(
        number,
        "whitespace-only",
        "the line holds only white space, and an engine takes it for a row",
        "empty the line",
    )


def _repeated(row: Repeated, gather: Gather) -> None:
    gather.warning(
        row.line,
        "duplicate",
        f"{shown(row.text)} stands in line {row.before} already",
        "remove one of the two",
    )
