"""Read SecLang as the engine's parser does: logical lines, and the parts of a rule.

The engine (Coraza, in Go) trims every line, skips blank lines and `#` lines even between the lines of one directive,
and joins a line that ends in a backslash with the next. All files of a rule set are read as one text, so a file that
ends in the middle of a directive takes the first line of the next file with it. What is read here is judged in
`hubdata.kinds.modsec`; the words the engine knows are in `seclang_words`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

ENGINE_LINE_BYTES = 65_536
"""A line of this size or more ends the engine's reading without a word: the rest of the rules is not loaded."""

_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SEPARATOR = re.compile(r"(?<!\\)[',]")
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


@dataclass(frozen=True, slots=True)
class Directive:
    """One logical line: its first word and all that follows the first space.

    `line` is where it begins, counted from 1; `continued` tells that the file ended before it did.
    """

    line: int
    name: str
    argument: str
    joints: tuple[tuple[int, int], ...] = ()
    continued: bool = False

    def line_at(self, offset: int) -> int:
        """Return the line that holds the character at `offset` of `argument`."""
        if not self.joints:
            return self.line
        at = bisect_right(self.joints, (offset + len(self.name) + 1, 1 << 60)) - 1
        return self.joints[max(at, 0)][1]


@dataclass(frozen=True, slots=True)
class Rule:
    """The three parts of a SecRule, unquoted; the offsets are into the directive's argument. None: no actions."""

    variables: str
    operator: str
    operator_at: int
    actions: str | None
    actions_at: int


@dataclass(frozen=True, slots=True)
class Variable:
    """One of a rule's targets. `pattern` is set where the key is a regular expression between slashes."""

    sign: str
    name: str
    key: str | None
    pattern: str | None


class Action(NamedTuple):
    """One action of a list: its name in lower case, its value unquoted (None: no colon), its offset in the list.

    A plain tuple: a rule set has 17,000 of them.
    """

    name: str
    value: str | None
    offset: int


def read_directives(text: str) -> Iterator[Directive]:
    """Yield the directives of `text` in order, as the engine would evaluate them."""
    parts: list[str] = []
    joints: list[tuple[int, int]] = []
    length = 0
    in_backticks = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        if in_backticks:
            in_backticks = line[0] != "`"
        elif line[-1] == "`":
            in_backticks = True
        joints.append((length, number))
        if in_backticks:
            parts.append(line + "\n")
        elif line[-1] == "\\":
            parts.append(line[:-1])
        else:
            parts.append(line)
            yield _directive("".join(parts), joints, continued=False)
            parts, joints, length = [], [], 0
            continue
        length += len(parts[-1])
    if joints:
        yield _directive("".join(parts), joints, continued=True)


def _directive(line: str, joints: list[tuple[int, int]], *, continued: bool) -> Directive:
    name, _, argument = line.partition(" ")
    return Directive(joints[0][1], name, argument, tuple(joints) if len(joints) > 1 else (), continued)


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
    quoted = _QUOTED.match(argument, at)
    if quoted is None:
        raise Unreadable("the operator's closing double quote is missing", at)
    operator = unquote(quoted[0])
    rest_at = _skip_spaces(argument, quoted.end())
    rest = argument[rest_at:].rstrip(" ")
    if not rest:
        return Rule(argument[start:end], operator, at + 1, None, rest_at)
    if rest[0] != '"':
        raise Unreadable("the actions do not begin with a double quote", rest_at)
    if len(rest) < 2 or rest[-1] != '"':
        raise Unreadable("the actions' closing double quote is missing", rest_at + len(rest) - 1)
    if _QUOTED.fullmatch(rest) is None:
        raise Unreadable("a double quote inside the actions is not escaped", rest_at)
    return Rule(argument[start:end], operator, at + 1, rest[1:-1], rest_at + 1)


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
    variables = []
    at = 0
    while at < len(text):
        match = _VARIABLE.match(text, at)
        if match is None or match.end() == at:
            raise Unreadable("cannot be read from here: " + text[at : at + 40], at)
        sign, name, key = match["sign"], match["name"], match["key"]
        if not name:
            raise Unreadable("a variable has no name", at)
        variables.append(Variable(sign, name, key, _key_pattern(name, key, at)))
        at = match.end()
    if not variables or text.endswith("|"):
        raise Unreadable("a variable has no name", at)
    return tuple(variables)


def _key_pattern(name: str, key: str | None, at: int) -> str | None:
    """Return the regular expression that `key` holds, or None; XML and JSON keys are paths, never patterns."""
    if not key or name.upper() in {"XML", "JSON"} or key[0] not in "/'":
        return None
    bare = unquote(key) if key[0] == "'" else key
    if bare.startswith("/") and bare.endswith("/") and len(bare) > 2:
        return bare[1:-1]
    raise Unreadable(f"the key {key} is not a closed /pattern/", at)


def split_actions(text: str) -> tuple[tuple[Action, ...], bool]:
    """Return the actions of a comma-separated list, and whether a single quote was left open.

    An open quote hides the rest of the list from the engine, which only logs a warning.
    """
    bounds = [-1]
    in_quotes = False
    for match in _SEPARATOR.finditer(text, 1):  # the engine does not look at the first character
        if match[0] == "'":
            in_quotes = not in_quotes
        elif not in_quotes:
            bounds.append(match.start())
    bounds.append(len(text))
    actions = [Action(*_action(text[before + 1 : after]), before + 1) for before, after in pairwise(bounds)]
    return tuple(actions), in_quotes


@lru_cache(maxsize=4096)
def _action(text: str) -> tuple[str, str | None]:
    """Return the name and the value of one action; most of a rule's are in many others too."""
    name, colon, value = text.partition(":")
    return name.strip().lower(), unquote(value.strip()) if colon else None
