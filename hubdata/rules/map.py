"""Rules of the kind `map`: lines of pattern, tag and type that an engine looks paths up in."""

from hubdata.model.rule import ERROR, WARNING, Example, Rule
from hubdata.rules.json_row import row_rules

_HARM = "The engine stops loading there, and every look-up answers nothing: the whole file is disabled."


def _line(pattern: str, tag: str, how: str) -> bytes:
    return f'{{"pattern": "{pattern}", "tag": "{tag}", "type": "{how}"}}\n'.encode()


RULES = (
    *row_rules("map", _HARM, "pattern"),
    Rule(
        "map.missing-key",
        ERROR,
        f"One of the three keys is missing. {_HARM}",
        Example("map", b'{"pattern": "/.env", "tag": "secrets"}\n'),
        "Add the key.",
    ),
    Rule(
        "map.unknown-key",
        ERROR,
        "A key that nobody knows is a misspelt one: the engine ignores it, and misses the right one.",
        Example("map", b'{"pattern": "/.env", "tag": "secrets", "type": "equals", "comment": "x"}\n'),
        "Leave exactly `pattern`, `tag` and `type`; case matters.",
    ),
    Rule(
        "map.type",
        ERROR,
        f"A value is not a string. {_HARM}",
        Example("map", b'{"pattern": "/.env", "tag": 1, "type": "equals"}\n'),
        "Write a string.",
    ),
    Rule(
        "map.unknown-type",
        ERROR,
        f"The type is none of equals, contains and regex. {_HARM}",
        Example("map", _line("/.env", "secrets", "prefix")),
        "Correct the type.",
    ),
    Rule(
        "map.empty-pattern",
        ERROR,
        "Everything contains the empty text: every path gets this tag.",
        Example("map", _line("", "secrets", "contains")),
        "Fill it, or remove the line.",
    ),
    Rule(
        "map.empty-tag",
        ERROR,
        "An empty answer means `not found`: the line looks as if it worked and does nothing.",
        Example("map", _line("/.env", "", "equals")),
        "Fill it, or remove the line.",
    ),
    Rule(
        "map.empty-type",
        ERROR,
        f"Without a type the engine cannot tell how to compare. {_HARM}",
        Example("map", _line("/.env", "secrets", "")),
        "Write equals, contains or regex.",
    ),
    Rule(
        "map.regexp",
        ERROR,
        "A pattern that does not compile is skipped with a log line: what it should find passes.",
        Example("map", _line("/(?=env)", "secrets", "regex")),
        "Write it in RE2's syntax: no look-around, no back-references, no possessive quantifiers.",
    ),
    Rule(
        "map.overmatch",
        ERROR,
        "The pattern matches ordinary requests, which get an attack's tag.",
        Example("map", _line("/search", "secrets", "contains")),
        "Name more of the path.",
    ),
    Rule(
        "map.duplicate",
        WARNING,
        "Of two equal patterns the last one wins: the first tag is never answered.",
        Example("map", _line("/.env", "secrets", "equals") + _line("/.env", "dotenv", "equals")),
        "Remove one of the two.",
    ),
)
