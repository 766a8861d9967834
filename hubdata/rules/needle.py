"""Rules of the kind `needle`: texts that an engine looks for in requests. A hit leads to a ban."""

from hubdata.model.finding import Severity
from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "needle.too-short",
        ERROR,
        "A needle of one byte is found in almost every request: almost every visitor is banned.",
        Example("needle", b"a\n"),
        "Write more of what is looked for.",
    ),
    Rule(
        "needle.overmatch",
        ERROR,
        "The needle is found in ordinary paths or user agents: ordinary visitors are banned.",
        Example("needle", b"Mozilla\n"),
        "Write more of what is looked for.",
    ),
    Rule(
        "needle.case",
        ERROR,
        "The item brings the request into one case before it looks, so a needle in the other case is never found: the"
        " attack it stands for passes.",
        Example("needle", b"EvilScanner\n", options={"case": "lower"}),
        "Write the needle in the case that the item uses.",
    ),
    Rule(
        "needle.edge-space",
        (Severity.INFO,),
        "Nothing is trimmed: the white space is looked for too. It is often meant, and just as often left behind by an"
        " editor, and then the needle is never found.",
        Example("needle", b"evilscanner \n"),
        "Leave it when it is meant.",
    ),
)
