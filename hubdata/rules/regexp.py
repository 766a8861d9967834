"""Rules of the kind `regexp`: patterns that an engine compiles at start and on every reload."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "regexp.syntax",
        ERROR,
        "The engine compiles each row with Go's MustCompile: one row that does not compile ends the process, at start"
        " and on reload, in every engine that loads the list.",
        Example("regexp", b"(?=evil)bot\n"),
        "Write it in RE2's syntax: no look-around, no back-references, no possessive quantifiers, no repeat above"
        " 1,000. Python and PCRE accept much that Go refuses.",
    ),
    Rule(
        "regexp.overmatch",
        ERROR,
        "The pattern matches ordinary paths, user agents or names: the engine bans ordinary visitors, or the crawlers"
        " of search engines.",
        Example("regexp", b"Mozilla|evilbot\n"),
        "Say more of what is meant; look for an empty alternative, a bare `.*` and an unescaped `|`.",
    ),
    Rule(
        "regexp.too-many",
        ERROR,
        "An engine tries every pattern for every event: tens of thousands of them bring it to a halt.",
        Example("regexp", b"evilbot\n", times=10_001, note="more than 10,000 patterns"),
        "Write fewer, or use a list of plain texts.",
    ),
)
