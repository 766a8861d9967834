r"""Bounds how large a program re2 makes of a pattern, by reading the pattern alone.

re2 refuses what does not fit into the memory that it is given, and to find out it writes the whole program: for one
pattern of a rule set up to ten milliseconds. Nearly all patterns are far from that. So each piece of a pattern counts
with the most that it can cost, whatever the flags are and whatever stands beside it, times how often it is repeated.
The weights were measured, each piece put side by side until re2 gave up; tests hold re2 to them.
"""

import re
from functools import cache, lru_cache

ROOM = 80_000
"""re2 has room for 87,323 instructions in the megabyte that it is given here (`go_regexp.MAX_MEM_BYTES`)."""

_CHARACTER = 6
_EXTRA = {".": 10, r"\W": 40, r"\S": 40, r"\D": 40, r"\w": 2, "[^": 30}
r"""Under `(?i)`, a `k` costs five instructions, as the Kelvin sign matches too, `\w` twelve, `[^ks]` 42 and `\W` 44; a
dot costs twelve under any flags. To be counted makes each one dearer. Everything else is cheaper than `_CHARACTER`."""

_DEAR = re.compile(r"\.|\\[WSDw]|\[\^")

_UNKNOWN = re.compile(r"\\(?:[pPQ]|x\{(?!..?\}))")
"""Tables of Unicode, quotations (no sign means anything in them), and far characters."""

_COUNT = re.compile(r"\{\d")
_COUNTED_AGAIN = re.compile(r"(?:[*+?}]|\(\?[imsU-]*\))\{\d")
"""Behind flags a count is that of whatever stands before them: `(a|b)(?i){9}` is `(a|b){9}`."""

_CLASS_OR_ESCAPE = r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]?|\\(?:x\{..?\}|x..|.)"


def most_instructions(pattern: str) -> int | None:
    """Return how many instructions `pattern` makes at the most, if it can be parsed: no more than ROOM.

    None where they may be more, or where that is not known.
    """
    if len(pattern) * _CHARACTER > ROOM or not pattern.isascii() or _UNKNOWN.search(pattern):
        return None
    if _COUNT.search(pattern) is None:
        most = _weight(pattern)
    elif _COUNTED_AGAIN.search(pattern):
        return None
    else:
        most = _counted_weight(pattern)
    return most if most <= ROOM else None


def _counted_weight(pattern: str) -> int:
    groups = [0]
    for step in _steps(groups="){" in pattern).finditer(pattern):
        before, piece, least, most = step.groups()
        groups[-1] += _remembered_weight(before)
        if piece == "(":
            groups.append(0)
            continue
        cost = _remembered_weight(piece)
        if piece == ")" and len(groups) > 1:
            cost += groups.pop()
        groups[-1] += cost * max(int(least), int(most or 0), 1) if least else cost
    return sum(groups) + _CHARACTER * pattern.count("(")


@cache
def _steps(*, groups: bool) -> re.Pattern[str]:
    """Return what takes all atoms that nothing counts, then the next piece, with its least and its most count if any.

    Atoms are classes, escapes and single characters, which parentheses are no better than where no group is counted.
    A count of more digits is refused by re2, or is a text to it.
    """
    other = r"[^()\[\\]" if groups else r"[^\[\\]"
    atom = f"(?>{_CLASS_OR_ESCAPE}|{other})"
    counted = r"(?:\{(\d{1,4})(?:,(\d{0,4}))?\})?"
    return re.compile(rf"((?:{atom}(?!\{{\d))*+)({atom}|[()]|\Z){counted}", re.DOTALL | re.ASCII)


def _weight(text: str) -> int:
    return len(text) * _CHARACTER + sum(_EXTRA[dear] for dear in _DEAR.findall(text))


_remembered_weight = lru_cache(maxsize=512)(_weight)
