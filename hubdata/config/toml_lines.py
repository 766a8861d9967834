"""Find the line of every key in a TOML file, because the standard parser does not tell.

The text has been parsed before, so it is valid; this scanner need only follow its shape: where keys stand, and where
strings, comments, arrays and inline tables begin and end (toml.io, v1.0.0).
"""

import re
import tomllib
from dataclasses import dataclass, field

Place = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t\r\n]*(?:#[^\n]*[ \t\r\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_PART = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})' + r"|'''.*?'''(?:'{0,2})" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]\}\n#]+")


def toml_lines(text: str) -> dict[Place, int]:
    """Return the line (from 1) on which each key, table and list element of `text` begins.

    `text` must be valid TOML. Places are paths of keys and list indices: `("files", 2, "limits", "max_change")`.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


@dataclass
class _Scanner:
    """One walk over one text."""

    text: str
    at: int = 0
    line: int = 1
    counted: int = 0
    lines: dict[Place, int] = field(default_factory=dict)
    arrays: dict[Place, int] = field(default_factory=dict)

    def document(self) -> None:
        base: Place = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                self.at += 2
                base = self.element(self.key())
                self.at += 2
            elif self.text.startswith("[", self.at):
                self.at += 1
                base = self.resolve(self.key())
                for end in range(1, len(base) + 1):  # `[a.b]` makes `a` too
                    self.note(base[:end])
                self.at += 1
            else:
                self.pair(base)
            self.skip(_BLANK)

    def element(self, key: tuple[str, ...]) -> Place:
        """Return the place of a new element of the array of tables `key`."""
        array = (*self.resolve(key[:-1]), key[-1])
        self.note(array)
        self.arrays[array] = self.arrays.get(array, -1) + 1
        place = (*array, self.arrays[array])
        self.note(place)
        return place

    def resolve(self, key: tuple[str, ...]) -> Place:
        """Return where `key` leads now: through the latest element of each array of tables on the way."""
        place: Place = ()
        for part in key:
            place = (*place, part)
            if place in self.arrays:
                place = (*place, self.arrays[place])
        return place

    def pair(self, base: Place) -> None:
        """Pass `key = value`."""
        place = base
        start = self.here()
        for part in self.key():
            place = (*place, part)
            self.lines.setdefault(place, start)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(place)

    def key(self) -> tuple[str, ...]:
        """Pass a dotted key and the spaces after it, and return its parts."""
        parts: list[str] = []
        while True:
            self.skip(_SPACE)
            found = _PART.match(self.text, self.at)
            if found is None:  # not TOML: the caller broke its promise, so stop here rather than loop
                self.at = len(self.text)
                return tuple(parts)
            self.at = found.end()
            raw = found.group()
            parts.append(next(iter(tomllib.loads(f"{raw} = 0"))) if raw[0] in "\"'" else raw)
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def value(self, place: Place) -> None:
        """Pass a value, noting what lies in it."""
        if self.text.startswith("[", self.at):
            self.at += 1
            index = 0
            self.skip(_BLANK)
            while self.at < len(self.text) and self.text[self.at] != "]":
                self.note((*place, index))
                self.value((*place, index))
                index += 1
                self.separator()
            self.at += 1
        elif self.text.startswith("{", self.at):
            self.at += 1
            self.skip(_BLANK)
            while self.at < len(self.text) and self.text[self.at] != "}":
                self.pair(place)
                self.separator()
            self.at += 1
        else:
            self.skip(_STRING if self.text[self.at : self.at + 1] in ('"', "'") else _SCALAR)

    def separator(self) -> None:
        """Pass a comma, if there is one, and the space around it."""
        self.skip(_BLANK)
        if self.text.startswith(",", self.at):
            self.at += 1
        self.skip(_BLANK)

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def note(self, place: Place) -> None:
        self.lines.setdefault(place, self.here())

    def here(self) -> int:
        """Return the line of the present position; positions only grow, so each line feed is counted once."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line
