"""Reads the actions of a rule one by one, and tells what they decide about the rule as a whole.

They are never held all at once: a rule may have as many of them as bytes, and each takes a hundred in memory. Nearly
all lists are plain, short, and made of what many others are made of too: those are told from the rest at a glance.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from hubdata.grammar import seclang_words as words
from hubdata.grammar.seclang import unquote
from hubdata.grammar.seclang_reach import unconditional_problem
from hubdata.grammar.seclang_values import action_problem, control_pattern

_SEPARATOR = re.compile(r"(?<!\\)[',]")
_PLAIN_PART = re.compile(r"[^',]+(?:'[^']*'[^',]*)*")
_PLAIN_CHARS = 10_000
"""Longer lists are read one action at a time."""

_SHORT = 500
"""Longer texts are not remembered: nobody repeats them, and they would fill the memory."""


class Action(NamedTuple):
    """One action of a list: its name in lower case, its value unquoted (None: no colon), its offset in the list.

    A plain tuple: a rule set has 17,000 of them.
    """

    name: str
    value: str | None
    offset: int


def each_action(text: str) -> Iterator[Action]:
    """Yield the actions of a comma-separated list. An open single quote hides the rest of the list in one of them."""
    start = 0
    in_quotes = False
    for match in _SEPARATOR.finditer(text, 1):  # the engine does not look at the first character
        if match[0] == "'":
            in_quotes = not in_quotes
        elif not in_quotes:
            yield _action(text[start : match.start()], start)
            start = match.end()
    yield _action(text[start:], start)


def quote_open(text: str) -> bool:
    """Tell whether a single quote in a list of actions is left open, of which the engine only writes to its log."""
    return (text.count("'", 1) - text.count("\\'")) % 2 > 0  # the engine does not look at the first character


def _action(text: str, offset: int) -> Action:
    name, value = _parts(text) if len(text) <= _SHORT else _parts.__wrapped__(text)
    return Action(name, value, offset)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str, str | None]:
    """Return the name and the value of one action; most of a rule's are in many others too."""
    name, colon, value = text.partition(":")
    return name.strip().lower(), unquote(value.strip()) if colon else None


class Taken:
    """What a rule's actions decide about the rule as a whole.

    `ids` are the values of the first two `id`s, `names` the known actions among them, `phase` the first that is named;
    `everywhere` is what would happen if they were taken on every request (`unconditional_problem`).
    """

    __slots__ = ("everywhere", "ids", "names", "phase")

    def __init__(self) -> None:
        self.ids: list[str | None] = []
        self.names: set[str] = set()
        self.phase = ""
        self.everywhere: tuple[str, str] | None = None

    def taking(self, actions: Iterable[Action]) -> Iterator[Action]:
        """Yield `actions`, and take note of each."""
        for action in actions:
            self.take(action)
            yield action

    def take(self, action: Action) -> None:
        """Take note of one action."""
        name, value = action.name, action.value
        if name in words.ACTIONS:
            self.names.add(name)
        if name == "id" and len(self.ids) < 2:
            self.ids.append(value)
        if name == "phase" and value and not self.phase:
            self.phase = value
        if self.everywhere is None:
            self.everywhere = unconditional_problem(name, value)

    def default_problem(self) -> str:
        """Return why the engine would refuse these actions in a SecDefaultAction; empty if it would not."""
        if not self.phase:
            return "it names no phase"
        if not words.DISRUPTIVE & self.names:
            return "it has no disruptive action"
        if (words.METADATA - {"phase"}) & self.names or "t" in self.names:
            return "it carries an id, a message, a tag or a transformation"
        return ""


def plain_actions(text: str) -> Taken | None:
    """Return what a list of actions decides if nobody has anything to say about any of them; None: look at each.

    The same as `Taken.taking(each_action(text))` comes to, for lists without escapes and with all quotes closed.
    """
    if len(text) > _PLAIN_CHARS or "\\'" in text or "\\," in text:
        return None
    parts = _PLAIN_PART.findall(text)
    if not parts or ",".join(parts) != text or len(max(parts, key=len)) > _SHORT:
        return None
    taken = Taken()
    for plain in map(_plain_action, parts):
        if plain is None:
            return None
        name, deciding = plain
        taken.names.add(name)
        if deciding is not None:
            taken.take(deciding)
    return taken


@lru_cache(maxsize=4096)
def _plain_action(text: str) -> tuple[str, Action | None] | None:
    """Return the name of an action that the engine takes and that holds no pattern; None for any other text.

    The action itself comes with it where it decides more than that it is there.
    """
    action = Action(*_parts.__wrapped__(text), 0)
    name, value = action.name, action.value
    if action_problem(name, value) is not None or (name == "ctl" and control_pattern(value or "") is not None):
        return None
    deciding = name in {"id", "phase"} or unconditional_problem(name, value) is not None
    return name, action if deciding else None
