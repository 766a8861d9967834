"""Gives a configuration file's text, or says why no engine should read it: encoding, BOM, NUL, line ends, lengths.

For files that are not lists: rules and JSON. A list's rows come from `hubdata.grammar.lines`, which judges the same
things row by row.
"""

import mmap
import re
from collections.abc import Iterator

from hubdata.grammar.gather import Gather
from hubdata.model.finding import Finding

Body = bytes | mmap.mmap

_BLOCK = 64 * 1024

_BOM = b"\xef\xbb\xbf"
_HTML = re.compile(rb"\s*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)


def read_text(key: str, body: Body, *, max_line_bytes: int | None = None) -> tuple[str | None, tuple[Finding, ...]]:
    """Return the text of `body` (None: it is no text at all) and its faults, rules named `text.<problem>`.

    Bytes that are not UTF-8 become U+FFFD, so that the rest can still be judged. `max_line_bytes` is for readers
    that stop at a long line. Never raises.
    """
    gather = Gather(key, "text")
    data = body if isinstance(body, bytes) else body[:]
    if _HTML.match(data[:1024].removeprefix(_BOM)):
        gather.error(
            1,
            "html",
            "this is a page of HTML",
            "look at the address it was fetched from: it served an error page or a login page",
        )
        return None, gather.findings()
    if data.startswith(_BOM):
        gather.error(1, "bom", "the file begins with a byte order mark", "save it as UTF-8 without BOM")
        data = data[len(_BOM) :]
    _faults(data, gather, max_line_bytes)
    try:
        return data.decode(), gather.findings()
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        column = err.start - data.rfind(b"\n", 0, err.start)
        gather.error(
            line,
            "not-utf8",
            f"not UTF-8: byte 0x{data[err.start]:02x}",
            "save the file as UTF-8; a binary or compressed file has no place here",
            column=column,
        )
        return data.decode(errors="replace"), gather.findings()


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of `text` without their line feeds, never many at once: a short one takes 50 bytes.

    After a last line feed there may be one more, which is empty.
    """
    at = 0
    while at < len(text):
        end = text.find("\n", at + _BLOCK)
        if end < 0:
            end = len(text)
        yield from text[at:end].split("\n")
        at = end + 1


def _faults(data: bytes, gather: Gather, max_line_bytes: int | None) -> None:
    nul = data.find(b"\0")
    if nul >= 0:
        gather.error(data.count(b"\n", 0, nul) + 1, "nul", "a NUL byte", "remove it: no text file holds one")
    cr = data.find(b"\r")
    if cr >= 0:
        count, before_lf = data.count(b"\r"), data.count(b"\r\n")
        gather.error(
            data.count(b"\n", 0, cr) + 1,
            "cr",
            f"{count:,} carriage returns, {before_lf:,} of them before a line feed",
            "save the file with LF line ends: a carriage return breaks continuations and becomes part of values",
        )
    if data and not data.endswith(b"\n"):
        gather.warning(
            data.count(b"\n") + 1, "final-lf", "the last line does not end with a line feed", "end it with one"
        )
    if max_line_bytes is not None and len(data) >= max_line_bytes:
        for number, length in _long_lines(data, max_line_bytes):
            gather.error(
                number,
                "line-too-long",
                f"the line has {length:,} bytes; an engine stops reading at one of {max_line_bytes:,}",
                "break it up: this line and all below it would silently be lost",
            )


def _long_lines(data: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Yield number and length of each line that has at least so many bytes; looks at each such stretch once."""
    start, number = 0, 1
    while start + least <= len(data):
        within = data.rfind(b"\n", start, start + least)
        if within >= 0:
            end = within
            number += data.count(b"\n", start, end)
        else:
            end = data.find(b"\n", start + least)
            end = len(data) if end < 0 else end
            yield number, end - start
        start, number = end + 1, number + 1
