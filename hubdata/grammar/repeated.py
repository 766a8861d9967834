"""What a repeated row is, and how those of a short list, or of a piece of a long one, are found: by a dictionary."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from hubdata.grammar.chunks import Chunk
from hubdata.grammar.gather import MAX_PER_RULE, Some

Numbered = Iterable[tuple[int, str]]
"""Data rows with the numbers of their lines."""


class Repeated(NamedTuple):
    """A row whose text stands in the line `before` already."""

    line: int
    text: str
    before: int


def repeated_in(rows: Numbered, before: Mapping[int, int]) -> Iterator[Repeated]:
    """Yield those of `rows` that stand there already: among them, or in the lines that `before` has for theirs."""
    first: dict[str, int] = {}
    for number, text in rows:
        here = first.setdefault(text, number)
        if here != number or number in before:
            yield Repeated(number, text, before.get(here, here))


class Few:
    """Takes all rows of a short list, whose texts may all be kept, and tells which of them stand there before."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._rows = 0

    def take_chunk(self, _chunk: Chunk, rows: list[str]) -> None:
        """Take the data rows of the next piece."""
        self._texts.update(rows)
        self._rows += len(rows)

    def repeated(self, pieces: Callable[[], Iterable[Numbered]]) -> Some[Repeated]:
        """Return the rows that stand there before; `pieces` gives all of them again, with their lines."""
        total = self._rows - len(self._texts)
        self._texts.clear()
        rows = repeated_in(chain.from_iterable(pieces()), {}) if total else ()
        return Some(total, tuple(islice(rows, MAX_PER_RULE + 1)))
