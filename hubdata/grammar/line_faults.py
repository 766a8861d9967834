"""What is told of the lines of a text list: the findings of `hubdata.grammar.lines`, each in its words."""

import re

from hubdata.grammar.gather import Gather, Some, shown
from hubdata.grammar.repeated import Repeated

INVISIBLE = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

Place = tuple[int, int]
"""A line and a column."""


def tell_bom(gather: Gather) -> None:
    """Tell that the file begins with a byte order mark."""
    gather.error(
        1,
        "bom",
        "the file begins with a byte order mark, which an engine reads as part of the first row",
        "save it as UTF-8 without BOM",
    )


def tell_bytes(nul: Some[Place], cr: Some[Place], not_utf8: Some[tuple[int, int, int]], gather: Gather) -> None:
    """Tell of bytes that no line may hold: lines with columns, and the first byte that is not UTF-8."""
    for number, column in nul.first:
        gather.error(number, "nul", "a NUL byte", "remove it: no list holds one", column=column)
    gather.count("nul", nul.total - len(nul.first))
    for number, column in cr.first:
        gather.error(
            number,
            "cr",
            "a carriage return: only one before the line feed is dropped, any other is part of the row",
            "save the file with LF line ends",
            column=column,
        )
    gather.count("cr", cr.total - len(cr.first))
    for number, byte, column in not_utf8.first:
        gather.error(
            number,
            "not-utf8",
            f"not UTF-8: byte 0x{byte:02x}",
            "save the file as UTF-8; a binary or compressed file has no place in a list",
            column=column,
        )
    gather.count("not-utf8", not_utf8.total - len(not_utf8.first))


def tell_invisible(rows: Some[tuple[int, str]], gather: Gather) -> None:
    """Tell of rows that hold a character nobody sees."""
    for number, text in rows.first:
        found = INVISIBLE.search(text)
        if found:
            gather.warning(
                number,
                "invisible",
                f"an invisible character, U+{ord(found[0]):04X}, is part of the row {shown(text)}",
                "remove it, unless the row is meant to hold it",
                column=found.start() + 1,
            )
    gather.count("invisible", rows.total - len(rows.first))


def tell_rows(blank: Some[int], repeated: Some[Repeated], gather: Gather) -> None:
    """Tell of rows that hold only white space, and of rows that stand there already."""
    for number in blank.first:
        _blank(number, gather)
    gather.count("whitespace-only", blank.total - len(blank.first))
    for each in repeated.first:
        _repeated(each, gather)
    gather.count("duplicate", repeated.total - len(repeated.first))


def tell_final_lf(number: int, gather: Gather) -> None:
    """Tell that the last line, of this number, does not end."""
    gather.warning(number, "final-lf", "the last line does not end with a line feed", "end it with one")


def tell_no_row(gather: Gather) -> None:
    """Tell that there is nothing an engine would match with."""
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
