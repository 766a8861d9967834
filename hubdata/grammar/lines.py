"""What an engine sees of a text list: its data rows; and everything that is wrong with the text around them.

The reader is the engine's own, read from its sources (facts, "Lines"): split at LF, one trailing CR dropped, `#`
is a comment only as the first byte, only the empty line is blank, nothing is trimmed, and a line of 65,536 bytes or
more ends the file silently. The grammar is stricter than the reader: it refuses what an engine would misread.
The file is read in pieces, twice: once to judge it as text, and again whenever somebody asks for its rows.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from hubdata.grammar import line_faults as faults
from hubdata.grammar.chunks import Body, Chunk, chunks, line_feeds, long_lines
from hubdata.grammar.gather import Gather, Some, Tally
from hubdata.grammar.repeated import Few, Numbered, Repeated
from hubdata.model.finding import Finding

MAX_LINE_BYTES = 32 * 1024
"""The longest line allowed: half of what engines read, so that no list grows into their limit overnight."""

ENGINE_LINE_BYTES = 65_536
"""A line this long stops the engine's reader (Go's bufio.Scanner with its default buffer)."""

MAX_LINES = 2_000_000
"""More lines than any list has by far."""

FEW_LINES = 1 << 16
"""So many lines may be kept as texts, in some megabytes: reading them anew, and numpy, would cost more."""

_BOM = b"\xef\xbb\xbf"
_HTML = re.compile(rb"\s*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_VISIBLE = bytes(range(0x20, 0x7F)) + b"\t\n\r"
"""The bytes of ASCII that are not invisible: a file of these alone, as most are, need not be searched."""

_NOT_UTF8 = re.compile("[\udc80-\udcff][^\n]*")
"""Once for each line with bytes that are no text, where these were read as half surrogates."""


class Row(NamedTuple):
    """One data row as the engine reads it. `number` is its line in the file, from 1.

    A plain tuple: made by the thousand, in a third of a frozen dataclass's time.
    """

    number: int
    text: str


class Rows:
    """The data rows of one body, by line; to be asked for as often as one likes. `len` counts them.

    Only of a file of few lines they are kept; of all others each is there as long as somebody looks at it.
    """

    __slots__ = ("_body", "_count", "_end", "_kept", "lines")

    def __init__(self, body: Body, end: int, lines: int, count: int, kept: list[tuple[int, list[str]]] | None) -> None:
        self._body = body
        self._end = end
        self._count = count
        self._kept = kept
        self.lines = lines
        """How many lines an engine reads, comments and blank ones too."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        for number, texts in self.pieces():
            yield from (Row(at, text) for at, text in enumerate(texts, number) if text and text[0] != "#")

    def pieces(self) -> Iterator[tuple[int, list[str]]]:
        """Yield all lines as the engine reads them, comments and blank ones too: some thousands, from a number on.

        For long lists in which few rows need a closer look: 60,000 rows cost 20 ms to make.
        """
        if self._kept is not None:
            yield from self._kept
            return
        for chunk in chunks(self._body):
            if chunk.start >= self._end:
                return
            readable = chunk.until(self._end)
            yield readable.number, readable.texts()


def read_rows(
    key: str, body: Body, prefix: str = "text", repeats: "Takes | None" = None
) -> tuple[Rows, tuple[Finding, ...]]:
    """Return the data rows of `body` and what is wrong with it as text, rules named `<prefix>.<problem>`.

    Rows that are not UTF-8 carry U+FFFD where the bytes were wrong. A page of HTML gives no rows at all: each of its
    lines would be one more finding, and only the one matters. `repeats` is asked for the rows that stand there
    already, when somebody wants to know more of them than the findings tell. Never raises, whatever the bytes.
    """
    gather = Gather(key, prefix)
    lines = _refused_whole(body, gather)
    if lines is None:
        return Rows(body, 0, 0, 0, []), gather.findings()
    few = lines <= FEW_LINES
    judge = _Judge(body, repeats or (Few() if few else _many(body, lines)), keep=few and repeats is None)
    rows = judge.read()
    judge.tell(rows, gather)
    return rows, gather.findings()


def _refused_whole(body: Body, gather: Gather) -> int | None:
    """Return how many line feeds `body` has; None when nothing of it is worth reading, which is then told."""
    if is_html(body):
        gather.error(
            1,
            "html",
            "this is a page of HTML, not a list",
            "look at the address it was fetched from: it served an error page or a login page",
        )
        return None
    lines = line_feeds(body)
    if lines > MAX_LINES:
        gather.error(
            None,
            "too-many-lines",
            f"the file has more than {MAX_LINES:,} lines",
            "split it: an engine goes through all of them for every event",
        )
        return None
    return lines


def is_html(body: Body) -> bool:
    """Tell whether `body` begins as a page of HTML does."""
    return _HTML.match(body[:1024].removeprefix(_BOM)) is not None


def is_sound(data: bytes) -> bool:
    """Tell whether lines of `data` can have no fault but that they are blank, too long, or there already."""
    if not data.translate(None, _VISIBLE):
        return b"\r" not in data
    if b"\r" in data or b"\0" in data:
        return False
    try:
        return faults.INVISIBLE.search(data.decode()) is None
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
        faults.tell_final_lf(unended, gather)
    if not entries:
        faults.tell_no_row(gather)
    faults.tell_rows(blank, repeated, gather)
    return gather.findings()


class Takes(Protocol):
    """Finds the rows that repeat others, once it was given all of them piece by piece."""

    def take_chunk(self, chunk: Chunk, rows: list[str]) -> None:
        """Take the data rows of the next piece."""
        ...

    def repeated(self, pieces: Callable[[], Iterable[Numbered]]) -> Some[Repeated]:
        """Return the rows that repeat others; `pieces` gives all rows again."""
        ...


def _many(body: Body, lines: int) -> Takes:
    from hubdata.grammar.repeats import Repeats

    return Repeats(body, lines)


class _Judge:
    """Reads a body once, and remembers what is wrong with it."""

    def __init__(self, body: Body, repeats: Takes, *, keep: bool) -> None:
        self._body = body
        self._repeats = repeats
        self._kept: list[tuple[int, list[str]]] | None = [] if keep else None
        self._end = len(body)
        self._lines = self._entries = 0
        self._nul, self._cr = Tally[faults.Place](), Tally[faults.Place]()
        self._not_utf8 = Tally[tuple[int, int, int]]()
        self._too_long = Tally[tuple[int, int]]()
        self._invisible = Tally[tuple[int, str]]()
        self._blank = Tally[int]()

    def read(self) -> Rows:
        for chunk in chunks(self._body):
            self._take_lengths(chunk)
            if not chunk.block.isascii() or b"\0" in chunk.block or b"\r" in chunk.block:
                self._take_bytes(chunk)
            if chunk.start < self._end:
                self._take_rows(chunk.until(self._end))
        return Rows(self._body, self._end, self._lines, self._entries, self._kept)

    def _take_lengths(self, chunk: Chunk) -> None:
        for at, size in long_lines(chunk.block, MAX_LINE_BYTES):
            self._too_long.take([(chunk.number + line_feeds(chunk.block, 0, at), size)])
            if size >= ENGINE_LINE_BYTES:
                self._end = min(self._end, chunk.start + at)

    def _take_bytes(self, chunk: Chunk) -> None:
        lines = chunk.lines()
        for byte, tally in ((b"\0", self._nul), (b"\r", self._cr)):
            if byte in chunk.block:
                tally.take((at, line.index(byte) + 1) for at, line in enumerate(lines, chunk.number) if byte in line)
        try:
            chunk.block.decode()
        except UnicodeDecodeError:
            if self._not_utf8.full:
                escaped = chunk.block.decode(errors="surrogateescape")
                self._not_utf8.more(len(_NOT_UTF8.findall(escaped)))
            else:
                self._not_utf8.take(_not_utf8(lines, chunk.number))

    def _take_rows(self, chunk: Chunk) -> None:
        texts = chunk.texts()
        if not texts:
            return
        rows = [text for text in texts if text and text[0] != "#"]
        self._lines += len(texts)
        self._entries += len(rows)
        if self._kept is not None:
            self._kept.append((chunk.number, texts))
        self._repeats.take_chunk(chunk, rows)
        if any(map(str.isspace, rows)):
            self._blank.take(at for at, text in _numbered(chunk.number, texts) if text.isspace())
        if chunk.block.translate(None, _VISIBLE) and faults.INVISIBLE.search(chunk.block.decode(errors="replace")):
            self._invisible.take(row for row in _numbered(chunk.number, texts) if faults.INVISIBLE.search(row[1]))

    def tell(self, rows: Rows, gather: Gather) -> None:
        """Give every finding to `gather`: those of the whole file first, the rest by rule."""
        if self._body[:3] == _BOM:
            faults.tell_bom(gather)
        if self._body[-1:] not in (b"", b"\n"):
            faults.tell_final_lf(line_feeds(self._body) + 1, gather)
        faults.tell_bytes(self._nul.some(), self._cr.some(), self._not_utf8.some(), gather)
        _tell_long(self._too_long.some(), gather)
        faults.tell_invisible(self._invisible.some(), gather)
        if not len(rows):
            faults.tell_no_row(gather)
        repeated = self._repeats.repeated(lambda: (_numbered(*piece) for piece in rows.pieces()))
        faults.tell_rows(self._blank.some(), repeated, gather)


def _numbered(number: int, texts: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the data rows among `texts`, with their line numbers."""
    return ((at, text) for at, text in enumerate(texts, number) if text and text[0] != "#")


def _not_utf8(lines: list[bytes], number: int) -> Iterator[tuple[int, int, int]]:
    for at, line in enumerate(lines, number):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError as err:
            yield at, line[err.start], err.start + 1


def _tell_long(lines: Some[tuple[int, int]], gather: Gather) -> None:
    for number, size in lines.first:
        lost = ""
        if size >= ENGINE_LINE_BYTES:
            lost = "; an engine stops reading here, and silently loses this line and all below it"
        gather.error(
            number,
            "line-too-long",
            f"the line has {size:,} bytes, more than {MAX_LINE_BYTES:,}{lost}",
            f"break it up: a line of {ENGINE_LINE_BYTES:,} bytes silently loses the rest of the file",
        )
    gather.count("line-too-long", lines.total - len(lines.first))
