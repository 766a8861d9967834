"""How text reaches a screen: its width, its colours, and nothing in it that a terminal or a CI service would obey.

Keys and messages quote files that strangers wrote. A control character in one could repaint the screen, a
right-to-left mark could turn a line around, and a line that begins with `::` is an order to a GitHub runner. So
`plain` escapes everything unprintable, and `Page` takes the meaning from such beginnings.

Written by hand and not with rich: the most common run has nothing to tell and should not wait 40 ms to say so.
"""

import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TextIO

_NARROWEST = 30
_FILE_WIDTH = 120
"""The width for what is no terminal: a CI log scrolls sideways, and people search in it."""


class Style(Enum):
    """The few ways a word may stand out, as SGR parameters."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


@dataclass(frozen=True, slots=True)
class Screen:
    """What the reader sees text on."""

    width: int = 80
    color: bool = False

    def paint(self, text: str, *styles: Style) -> str:
        """Return `text` in `styles`, or as it is where there are no colours."""
        if not self.color or not styles or not text:
            return text
        return f"\x1b[{';'.join(s.value for s in styles)}m{text}\x1b[0m"


def screen_of(stream: TextIO, *, color: bool = True) -> Screen:
    """Return the screen behind `stream`: coloured only on a terminal, and never against NO_COLOR or `--no-color`."""
    terminal = stream.isatty()
    width = shutil.get_terminal_size((80 if terminal else _FILE_WIDTH, 24)).columns
    return Screen(max(width, _NARROWEST), terminal and color and colors_are_wanted())


def colors_are_wanted() -> bool:
    """Tell whether the environment has nothing against colours (no-color.org; a terminal that calls itself dumb)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def plain(text: str) -> str:
    """Return `text` on one line with everything unprintable escaped, as in `\\x1b` or `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text, how it looks, and whether it is a number (set flush right)."""

    text: str
    styles: tuple[Style, ...] = ()
    number: bool = False


class Page:
    """Lines for one screen, gathered top to bottom."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._lines: list[str] = []

    def line(self, text: str = "", *styles: Style, indent: int = 0) -> None:
        """Add one line as it is, however long (things to copy: keys, ids, commands)."""
        self._lines.append(" " * indent + self.screen.paint(text, *styles) if text else "")

    def blank(self) -> None:
        """Add an empty line, unless the last one is or there is none yet."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def prose(self, text: str, *styles: Style, indent: int = 0, first: str = "") -> None:
        """Add wrapped text. `first` (already painted is fine) opens its first line, after the indent."""
        room = max(self.screen.width - indent - len(first), _NARROWEST // 3)
        wrapped = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        for number, piece in enumerate(wrapped):
            lead = first if number == 0 else " " * len(first)
            self._lines.append(" " * indent + lead + self.screen.paint(piece, *styles))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bool:
        """Add a table and return True; or add nothing and return False when it is too wide for the screen."""
        widths = [max(len(head[i]), *(len(row[i].text) for row in rows)) for i in range(len(head))]
        if sum(widths) + 2 * (len(widths) - 1) > self.screen.width:
            return False
        numbers = [any(row[i].number for row in rows) for i in range(len(head))]
        titles = [Cell(title, (Style.DIM,), number) for title, number in zip(head, numbers, strict=True)]
        for row in (titles, *rows):
            self._lines.append("  ".join(map(self._padded, row, widths)))
        return True

    def _padded(self, cell: Cell, width: int) -> str:
        space = " " * (width - len(cell.text))
        painted = self.screen.paint(cell.text, *cell.styles)
        return space + painted if cell.number else painted + space

    def text(self) -> str:
        """Return the page, with no space before a line's end and one newline after the last line."""
        return "".join(_harmless(line.rstrip()) + "\n" for line in self._lines)


_ORDER = re.compile(r"^(\s*(?:\x1b\[[0-9;]*m)*):(?=:)")


def _harmless(line: str) -> str:
    """Return `line` so that no CI service takes it for a workflow command (`::...` at its start, `##[` anywhere)."""
    return _ORDER.sub(r"\1: ", line).replace("##[", "## [")
