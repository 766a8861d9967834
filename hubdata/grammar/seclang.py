"""Read SecLang as the engine's parser does: logical lines, and the parts of a rule.

The engine (Coraza, in Go) trims every line, skips blank lines and `#` lines even between the lines of one directive,
and joins a line that ends in a backslash with the next. All files of a rule set are read as one text, so a file that
ends in the middle of a directive takes the first line of the next file with it. What is read here is judged in
`hubdata.kinds.modsec`; the words the engine knows are in `seclang_words`.
"""

import re
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from hubdata.grammar.whole_text import lines_of
from hubdata.values import frozen

ENGINE_LINE_BYTES = 65_536
"""A line of this size or more ends the engine's reading without a word: the rest of the rules is not loaded."""

MAX_DIRECTIVE_CHARS = 256 * 1024
"""Twenty times the longest directive of the Core Rule Set, and room for thousands of networks. Line ends count too."""

MAX_RULES = 20_000
"""Thirty times as many as the Core Rule Set has: an engine goes through all of them for every request."""

_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_VARIABLE = re.compile(
    r"""
    (?P<sign>[!&]*+)
    (?P<name>[^|:]*+)
    (?: : (?P<key> '/(?:[^/\\]|\\.)*+/' | /(?:[^/\\]|\\.)*+/ (?=\||$) | [^|]*+ ) )?+
    (?: \| | $ )
    """,
    re.VERBOSE | re.DOTALL,
)


class Unreadable(ValueError):
    """A directive's text does not follow the grammar. `str()` says how; `offset` says where in it."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Joints:
    """Where the lines of a directive begin in it: arrays, because a line may be a single backslash."""

    __slots__ = ("_lines", "_offsets")

    def __init__(self, offsets: "array[int]", lines: "array[int]") -> None:
        self._offsets = offsets
        self._lines = lines

    def __len__(self) -> int:
        return len(self._offsets)

    def line_at(self, offset: int) -> int:
        """Return the line that holds the character at `offset`."""
        return self._lines[bisect_right(self._offsets, offset) - 1]


@frozen
class Directive:
    """One logical line: its first word and all that follows the first space.

    `line` is where it begins, counted from 1; `continued` tells that the file ended before it did; `cut` that it has
    more characters than were asked for.
    """

    line: int
    name: str
    argument: str
    joints: Joints | None = None
    continued: bool = False
    cut: bool = False

    def line_at(self, offset: int) -> int:
        """Return the line that holds the character at `offset` of `argument`."""
        return self.line if self.joints is None else self.joints.line_at(offset + len(self.name) + 1)


@frozen
class Rule:
    """The three parts of a SecRule, unquoted; the offsets are into the directive's argument. None: no actions."""

    variables: str
    operator: str
    operator_at: int
    actions: str | None
    actions_at: int


@frozen
class Variable:
    """One of a rule's targets. `pattern` is set where the key is a regular expression between slashes."""

    sign: str
    name: str
    key: str | None
    pattern: str | None


class _Lines:
    """The lines of one directive, so far; no more of them than `max_chars` characters, line ends counted."""

    __slots__ = ("_cut", "_length", "_max_chars", "_numbers", "_offsets", "_parts")

    def __init__(self, max_chars: int) -> None:
        self._parts: list[str] = []
        self._offsets = array("Q")
        self._numbers = array("Q")
        self._length = 0
        self._max_chars = max_chars
        self._cut = False

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, line: str, number: int) -> None:
        room = self._max_chars - self._length - len(self._parts)
        if self._cut or room <= 0:
            self._cut = True
            return
        if len(line) > room:
            self._cut = True
            line = line[:room]
        self._offsets.append(self._length)
        self._numbers.append(number)
        self._parts.append(line)
        self._length += len(line)

    def directive(self, *, continued: bool) -> Directive:
        """Return the directive that the lines are."""
        name, _, argument = "".join(self._parts).partition(" ")
        joints = Joints(self._offsets, self._numbers) if len(self._parts) > 1 else None
        return Directive(self._numbers[0], name, argument, joints, continued, self._cut)


def read_directives(text: str, *, max_chars: int = sys.maxsize) -> Iterator[Directive]:
    """Yield the directives of `text` in order, as the engine would evaluate them.

    Of one that has more than `max_chars` characters, its line ends counted, only so many are read.
    """
    lines = _Lines(max_chars)
    in_backticks = False
    for number, line in enumerate(map(str.strip, lines_of(text)), 1):
        if not line or line[0] == "#":
            continue
        if in_backticks:
            in_backticks = line[0] != "`"
        elif line[-1] == "`":
            in_backticks = True
        if in_backticks:
            lines.add(line + "\n", number)
        elif line[-1] == "\\":
            lines.add(line[:-1], number)
        elif not lines and len(line) < max_chars:  # most directives by far
            name, _, argument = line.partition(" ")
            yield Directive(number, name, argument)
        else:
            lines.add(line, number)
            yield lines.directive(continued=False)
            lines = _Lines(max_chars)
    if lines:
        yield lines.directive(continued=True)


def unquote(text: str) -> str:
    """Return `text` without one pair of surrounding quotes, double or single, if it has them."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def split_rule(argument: str) -> Rule:
    """Return the parts of a SecRule's argument. Raises Unreadable when the engine could not split it."""
    start = len(argument) - len(argument.lstrip(" "))
    end = argument.find(" ", start)
    if end < 0:
        raise Unreadable("only one part where variables, an operator and actions belong", start)
    at = _skip_spaces(argument, end)
    if at == len(argument) or argument[at] != '"':
        raise Unreadable("the operator does not begin with a double quote", at)
    closed = _closing_quote(argument, at)
    if closed is None:
        raise Unreadable("the operator's closing double quote is missing", at)
    operator = argument[at + 1 : closed]
    rest_at = _skip_spaces(argument, closed + 1)
    rest = argument[rest_at:].rstrip(" ")
    if not rest:
        return Rule(argument[start:end], operator, at + 1, None, rest_at)
    if rest[0] != '"':
        raise Unreadable("the actions do not begin with a double quote", rest_at)
    if len(rest) < 2 or rest[-1] != '"':
        raise Unreadable("the actions' closing double quote is missing", rest_at + len(rest) - 1)
    if _closing_quote(rest, 0) != len(rest) - 1:
        raise Unreadable("a double quote inside the actions is not escaped", rest_at)
    return Rule(argument[start:end], operator, at + 1, rest[1:-1], rest_at + 1)


def _closing_quote(text: str, at: int) -> int | None:
    """Return where the quoted text that begins at `at` ends: at the next double quote that is not escaped, if any."""
    end = text.find('"', at + 1)
    if end < 0 or text[end - 1] != "\\":
        return end if end >= 0 else None
    quoted = _QUOTED.match(text, at)
    return None if quoted is None else quoted.end() - 1


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at] == " ":
        at += 1
    return at


def split_operator(operator: str) -> tuple[str, str, int]:
    """Return an operator's name without `@` and `!`, its argument, and the argument's offset.

    Text that names no operator is the argument of `rx`, as in the engine.
    """
    negated = operator.startswith("!")
    text = operator[1:] if negated else operator
    if not text.startswith("@"):
        return "rx", text.strip(), int(negated)
    name, _, argument = text.partition(" ")
    return name[1:].strip(), argument.strip(), int(negated) + len(name) + 1


def split_variables(text: str) -> tuple[Variable, ...]:
    """Return a rule's targets. Raises Unreadable for an empty name or a key pattern that is not closed."""
    return tuple(each_variable(text))


def each_variable(text: str) -> Iterator[Variable]:
    """Yield a rule's targets one by one. Raises Unreadable as `split_variables` does, when it gets there."""
    at = 0
    while at < len(text):
        match = _VARIABLE.match(text, at)
        if match is None or match.end() == at:
            raise Unreadable("cannot be read from here: " + text[at : at + 40], at)
        sign, name, key = match["sign"], match["name"], match["key"]
        if not name:
            raise Unreadable("a variable has no name", at)
        yield Variable(sign, name, key, _key_pattern(name, key, at))
        at = match.end()
    if not text or text.endswith("|"):
        raise Unreadable("a variable has no name", at)


def _key_pattern(name: str, key: str | None, at: int) -> str | None:
    """Return the regular expression that `key` holds, or None; XML and JSON keys are paths, never patterns."""
    if not key or name.upper() in {"XML", "JSON"} or key[0] not in "/'":
        return None
    bare = unquote(key) if key[0] == "'" else key
    if bare.startswith("/") and bare.endswith("/") and len(bare) > 2:
        return bare[1:-1]
    raise Unreadable(f"the key {key} is not a closed /pattern/", at)
