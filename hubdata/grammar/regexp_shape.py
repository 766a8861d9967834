r"""Takes a pattern apart just far enough to spell names that it matches: literals, dots, classes, anchors, choices.

A counter-example has to be built from the pattern. The parser knows RE2's syntax as lists use it; whatever it takes
apart wrongly does no harm, because every name built from its result is put to the real engine before it is believed.
"""

import itertools
import re
from dataclasses import replace
from enum import Enum

from hubdata.values import frozen

MAX_SPELLINGS = 32
MAX_PATTERN = 2_000


class Part(Enum):
    """What an atom stands for."""

    LITERAL = "literal"
    DOT = "dot"
    CLASS = "class"
    NOTHING = "nothing"


@frozen
class Atom:
    """One element of a pattern. `text` is the literal itself or the source of a class; `most` None: no bound."""

    part: Part
    text: str
    at: int
    least: int = 1
    most: int | None = 1

    @property
    def bare_dot(self) -> bool:
        """Tell whether this is a `.` that stands for exactly one character: most often a dot someone meant."""
        return self.part is Part.DOT and self.least == 1 and self.most == 1

    @property
    def open(self) -> bool:
        """Tell whether whoever chooses the name also chooses what stands here."""
        return self.part in (Part.DOT, Part.CLASS)


Spelling = tuple[Atom, ...]

_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d+)(,?)(\d*)\})[?+]?")
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[imsU-]*([:)])))?")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]")
_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)


def spellings(pattern: str) -> tuple[Spelling, ...]:
    """Return what `pattern` stands for, one sequence of atoms for each way through its alternatives.

    At most MAX_SPELLINGS of them; none when the pattern is not understood.
    """
    if len(pattern) > MAX_PATTERN:
        return ()
    try:
        found, end = _alternatives(pattern)
    except (IndexError, ValueError):
        return ()
    return tuple(found) if end == len(pattern) else ()


def bare_dots(pattern: str) -> tuple[int, ...]:
    """Return where in `pattern` a `.` stands unescaped for one character."""
    return tuple(sorted({atom.at for way in spellings(pattern) for atom in way if atom.bare_dot}))


def _alternatives(pattern: str) -> tuple[list[Spelling], int]:
    """Return all ways through `pattern`, and where it ends.

    Groups are kept on a list of our own: a verdict must not depend on how deep the stack is by chance.
    """
    around: list[tuple[list[Spelling], list[Spelling]]] = []
    done: list[Spelling] = []  # alternatives before the present one
    ways: list[Spelling] = [()]
    at = 0
    while True:
        char = pattern[at : at + 1]
        if char == "|":
            done, ways, at = [*done, *ways][:MAX_SPELLINGS], [()], at + 1
            continue
        if char == "(" and (inside := _inside(pattern, at)) is not None:
            around.append((done, ways))
            done, ways, at = [], [()], inside
            continue
        if char in ("", ")"):
            found = [*done, *ways][:MAX_SPELLINGS]
            if not around:
                return found, at
            if not char:
                raise ValueError(pattern)
            (done, ways), at = around.pop(), at + 1
        else:
            found, at = _element(pattern, at)
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier:
            at = quantifier.end()
            found = _repeated(found, *_bounds(quantifier))
        ways = [(*way, *more) for way, more in itertools.islice(itertools.product(ways, found), MAX_SPELLINGS)]


def _inside(pattern: str, at: int) -> int | None:
    """Return where what the group at `at` holds begins; None if it is no group, as (?i)."""
    head = _GROUP.match(pattern, at)
    return None if head is None or head[1] == ")" else head.end()


def _element(pattern: str, at: int) -> tuple[list[Spelling], int]:
    char = pattern[at]
    if char == "(":  # flags alone
        head = _GROUP.match(pattern, at)
        return [()], at + 1 if head is None else head.end()
    if char == "[":
        match = _CLASS.match(pattern, at)
        if match is None:
            raise ValueError(pattern)
        return [(Atom(Part.CLASS, match[0], at),)], match.end()
    if char == "\\":
        return _escaped(pattern, at)
    if char == ".":
        return [(Atom(Part.DOT, ".", at),)], at + 1
    if char in "^$":
        return [(Atom(Part.NOTHING, char, at),)], at + 1
    return [(Atom(Part.LITERAL, char, at),)], at + 1


def _escaped(pattern: str, at: int) -> tuple[list[Spelling], int]:
    if pattern.startswith("\\Q", at):
        end = pattern.find("\\E", at)
        quoted = pattern[at + 2 : end if end >= 0 else None]
        atoms = tuple(Atom(Part.LITERAL, char, at) for char in quoted)
        return [atoms], len(pattern) if end < 0 else end + 2
    match = _ESCAPE.match(pattern, at)
    if match is None:
        raise ValueError(pattern)
    char = match[0][1]
    if char in "bBAz":
        return [(Atom(Part.NOTHING, match[0], at),)], match.end()
    if char.isalnum():
        return [(Atom(Part.CLASS, match[0], at),)], match.end()
    return [(Atom(Part.LITERAL, char, at),)], match.end()


def _bounds(quantifier: re.Match[str]) -> tuple[int, int | None]:
    sign, least, comma, most = quantifier.groups()
    if sign:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else None


def _repeated(ways: list[Spelling], least: int, most: int | None) -> list[Spelling]:
    """Return the spellings of something repeated: kept as bounds on a single atom, written out for the rest."""
    if len(ways) == 1 and len(ways[0]) == 1 and ways[0][0].open:
        return [(replace(ways[0][0], least=least, most=most),)]
    counts = sorted({min(least, 64), min(max(least, 1), 64)})
    repeated = (way * count for count in counts if most is None or count <= most for way in ways)
    return list(dict.fromkeys(repeated))
