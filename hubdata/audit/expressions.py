"""Which data files an expression uses, and how: as exact text, as networks, as patterns ...

An item is a hub's, so its expressions are in the engine's own language (expr-lang.org). This does not evaluate them:
it looks for the helpers that read a data file and at what stands around them. What it does not understand it calls
`OTHER`, and nothing is said of that use.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice


class How(StrEnum):
    """What an expression does with the lines of a file."""

    EXACT = "in File(...)"
    RANGE = "IpInRange(..., #)"
    ENDS = "endsWith #"
    STARTS = "startsWith #"
    CONTAINS = "contains #"
    EQUALS = "== #"
    JSON = "JsonExtract(#, ...)"
    REGEXP = "RegexpInFile(...)"
    MAP = "LookupFile(...)"
    BOTS = "MatchKnownBot(...)"
    OTHER = "File(...)"


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the file `name` (an item's `dest_file`). `of_rdns`: what is looked up there is a reverse DNS name.

    `case` is `lower` or `upper` when the request is brought into that case and the file's lines are not.
    """

    name: str
    how: How
    of_rdns: bool = False
    case: str = ""


Calls = dict[int, list[tuple[int, int]]]
"""By the place of an opening bracket, where each argument within begins and ends."""

_CALL = re.compile(r"\b(File|RegexpInFile|LookupFile|MatchKnownBot)\s*\(")
_BY_NAME = {"RegexpInFile": How.REGEXP, "LookupFile": How.MAP, "MatchKnownBot": How.BOTS}
_LITERAL = re.compile(r"""\s*(?:"([^"\\]*)"|'([^'\\]*)'|`([^`]*)`)\s*""")
_STRING = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)
_IN = re.compile(r"\bin\s*$")
_EACH = re.compile(r"\b(?:any|all|none|one|filter|count|find\w*|map)\s*(\()\s*$")
_IT = r"(?:(?:Upper|Lower|ToLower|ToUpper|TrimSpace|lower|upper|trim)\s*\(\s*#\s*\)|#)(?!\w)"
_PREDICATES = (
    (re.compile(r"\bJsonExtract\w*\s*\(\s*#"), How.JSON),
    (re.compile(r"\bIpInRange\s*\([^#]{1,200},\s*#"), How.RANGE),
    (re.compile(rf"\bendsWith\s*\(?\s*{_IT}"), How.ENDS),
    (re.compile(rf"\bstartsWith\s*\(?\s*{_IT}"), How.STARTS),
    (re.compile(rf"\bcontains\s*\(?\s*{_IT}"), How.CONTAINS),
    (re.compile(rf"==\s*{_IT}|(?<![\w)]){_IT}\s*=="), How.EQUALS),
)
_CASES = {
    case: re.compile(rf"\b(?:To)?{case}\s*\([^()#]{{1,200}}\)\s*(?:contains|endsWith|startsWith|==)\s*#", re.IGNORECASE)
    for case in ("lower", "upper")
}
_LONGEST = 1 << 14
_MOST = 100
"""Both are far beyond any real expression, and keep one made to be slow from being so."""
_RDNS = re.compile(r"reverse_dns|\bLookupHost\b|\brdns\b", re.IGNORECASE)


def uses(expression: str) -> tuple[Use, ...]:
    """Return every use of a data file in `expression`, in order."""
    if len(expression) > _LONGEST or not _CALL.search(expression):
        return ()
    plain = _STRING.sub(lambda m: m[0][0] + "_" * (len(m[0]) - 2) + m[0][-1], expression)
    return tuple(islice(_uses(expression, plain), _MOST))


def _uses(expression: str, plain: str) -> Iterator[Use]:
    """Look through `plain`, which is `expression` with its literals' inside blotted out."""
    calls = _arguments(plain)
    for call in _CALL.finditer(plain):
        arguments = calls.get(call.end() - 1)
        if not arguments:
            continue
        function = call[1]
        start, end = arguments[0] if function == "File" else arguments[-1]
        literal = _LITERAL.fullmatch(expression[start:end])
        if literal is None:
            continue  # a computed name: nobody can tell which file
        name = next(group for group in literal.groups() if group is not None)
        if function == "File":
            yield from (Use(name, *way) for way in _ways(plain, call.start(), calls))
        else:
            subject = plain[arguments[0][0] : arguments[0][1]]
            yield Use(name, _BY_NAME[function], bool(_RDNS.search(subject)))


def _ways(plain: str, start: int, calls: Calls) -> Iterator[tuple[How, bool, str]]:
    """Say how the list is used that `File(...)` at `start` gives."""
    before = plain[max(0, start - 200) : start]
    if _IN.search(before):
        yield How.EXACT, bool(_RDNS.search(before)), ""
    elif each := _EACH.search(before):
        around = calls.get(start - len(before) + each.end(1) - 1, [])
        predicate = " ".join(plain[a:b] for a, b in around[1:])
        found = [how for pattern, how in _PREDICATES if pattern.search(predicate)]
        case = next((case for case, pattern in _CASES.items() if pattern.search(predicate)), "")
        yield from ((how, bool(_RDNS.search(predicate)), case) for how in found or [How.OTHER])
    else:
        yield How.OTHER, False, ""


def _arguments(plain: str) -> Calls:
    """Return where each argument begins and ends of each bracket that is closed again, in one pass."""
    closed: Calls = {}
    opened: list[tuple[int, int, list[tuple[int, int]]]] = []  # bracket, beginning of the argument, arguments before
    for place, char in enumerate(plain):
        if char in "([{":
            opened.append((place, place + 1, []))
        elif char in ")]}" and opened:
            bracket, begin, arguments = opened.pop()
            if plain[begin:place].strip():
                arguments.append((begin, place))
            closed[bracket] = arguments
        elif char == "," and opened:
            bracket, begin, arguments = opened[-1]
            arguments.append((begin, place))
            opened[-1] = (bracket, place + 1, arguments)
    return closed
