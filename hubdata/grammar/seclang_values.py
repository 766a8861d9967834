"""Tells what the engine would refuse in a rule's variables, operator and actions.

Each answer depends on one short text alone, and a rule set repeats the same texts a thousand times over, so answers
are remembered.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from hubdata.grammar import seclang_words as words
from hubdata.grammar.gather import shown
from hubdata.grammar.go_regexp import parsing_labour, regexp_problem
from hubdata.grammar.seclang import Unreadable, each_variable

_SHORT = 500
"""Answers about longer texts are not remembered: nobody repeats them, and they would fill the memory."""

_SHORT_PATTERN = 12_000
"""The same for patterns: as long as those of the Core Rule Set, which come again with each of its versions."""


def pattern_problem(pattern: str) -> str | None:
    """Return why the engine could not compile `pattern`; rule sets repeat theirs from version to version."""
    return _pattern_problem(pattern) if len(pattern) <= _SHORT_PATTERN else regexp_problem(pattern)


_pattern_problem = lru_cache(maxsize=2048)(regexp_problem)


def pattern_labour(pattern: str) -> int:
    """Return what `pattern_problem` costs for `pattern`, in refusals of a row (`Gather.spend`)."""
    return _pattern_labour(pattern) if len(pattern) <= _SHORT_PATTERN else parsing_labour(pattern)


_pattern_labour = lru_cache(maxsize=2048)(parsing_labour)


def key_patterns(text: str) -> Iterator[str]:
    """Yield the regular expressions in the keys of a rule's variables, as far as these can be read."""
    try:
        for variable in each_variable(text) if "/" in text else ():
            if variable.pattern is not None:
                yield variable.pattern
    except Unreadable:
        return


def variables_problems(text: str) -> Iterable[tuple[int, str]]:
    """Return what is wrong with a rule's variables, each with its offset; rules of one set share most of theirs."""
    return _remembered_problems(text) if len(text) <= _SHORT else _variables_problems(text)


@lru_cache(maxsize=2048)
def _remembered_problems(text: str) -> tuple[tuple[int, str], ...]:
    return tuple(_variables_problems(text))


def _variables_problems(text: str) -> Iterator[tuple[int, str]]:
    try:
        for _ in each_variable(text):
            pass
    except Unreadable as err:
        yield err.offset, f"the variables {shown(text)}: {err}"
        return
    for variable in each_variable(text):
        name = variable.name.upper()
        if name not in words.VARIABLES:
            yield 0, f"the engine does not know the variable {shown(variable.name)}"
        elif variable.key is not None and name not in words.SELECTABLE:
            yield 0, f"`{name}` is a single value and takes no key"
        if variable.pattern is not None:
            problem = pattern_problem(variable.pattern)
            if problem is not None:
                yield 0, f"Go's regexp refuses the key {shown(variable.pattern)}: {problem}"


def action_problem(name: str, value: str | None) -> tuple[str, str] | None:
    """Return the rule and the message for an action the engine would refuse."""
    if len(name) + len(value or "") <= _SHORT:
        return _remembered_problem(name, value)
    return _action_problem(name, value)


def _action_problem(name: str, value: str | None) -> tuple[str, str] | None:
    if name not in words.ACTIONS:
        return "action", f"the engine does not know the action {shown(name)}"
    if name in words.WITHOUT_VALUE:
        return ("action", f"`{name}` takes no value") if value else None
    if not value:
        return None if name in words.OPTIONAL_VALUE else ("action", f"`{name}` needs a value")
    wrong = _VALUES.get(name, _anything)(value)
    if wrong is None:
        return None
    return ("phase" if name == "phase" else "id" if name == "id" else "action"), wrong


_remembered_problem = lru_cache(maxsize=4096)(_action_problem)


def _anything(_value: str) -> str | None:
    return None


def _id(value: str) -> str | None:
    good = value.isascii() and value.isdecimal() and 0 < int(value[:20]) < 1 << 63
    return None if good else f"{shown(value)} is not an id: a whole number above 0"


def _phase(value: str) -> str | None:
    return None if value in words.PHASES else f"{shown(value)} is not a phase: 1 to 5, request, response or logging"


def _severity(value: str) -> str | None:
    return None if value.lower() in words.SEVERITIES else f"{shown(value)} is not a severity"


def _transformation(value: str) -> str | None:
    known = value.lower() in words.TRANSFORMATIONS
    return None if known else f"the engine does not know the transformation {shown(value)}"


def _number(value: str) -> str | None:
    return None if value.isascii() and value.isdecimal() else f"{shown(value)} is not a number"


def _exec(_value: str) -> str | None:
    return "`exec` runs a program, which published rules must not"


def _ctl(value: str) -> str | None:
    name, equals, _ = value.partition("=")
    if not equals or name not in words.CONTROLS:
        return f"`ctl` does not know {shown(value)}"
    pattern = control_pattern(value)
    if pattern is None:
        return None
    problem = pattern_problem(pattern) if pattern else "it is empty"
    return f"Go's regexp refuses the key {shown(f'/{pattern}/')}: {problem}" if problem else None


def control_pattern(value: str) -> str | None:
    """Return the regular expression in the key of a `ctl` action's target, or None."""
    key = value.partition("=")[2].partition(";")[2].partition(":")[2].strip()
    return key[1:-1] if len(key) >= 2 and key[0] == key[-1] == "/" else None


def _setvar(value: str) -> str | None:
    collection, _, key = value.removeprefix("!").partition("=")[0].partition(".")
    if collection.upper() != "TX" or not key.strip():
        return f"`setvar` sets only `tx.NAME`, found {shown(value)}"
    return None


_VALUES: dict[str, Callable[[str], str | None]] = {
    "id": _id,
    "phase": _phase,
    "severity": _severity,
    "t": _transformation,
    "ctl": _ctl,
    "setvar": _setvar,
    "exec": _exec,
    "skip": _number,
    "status": _number,
}


def is_byte_range(text: str) -> bool:
    """Tell whether `text` is a list of bytes and ranges of them, as @validateByteRange reads it."""
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        for bound in (first, last) if dash else (first,):
            if not (bound.isascii() and bound.isdecimal() and int(bound[:9]) <= 255):
                return not text
    return True
