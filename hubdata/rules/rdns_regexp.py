r"""Rules of the kind `rdns-regexp`: patterns of reverse-DNS names. A match lets the visitor in.

Whoever holds an address chooses its reverse name among the domains that they registered: a pattern that matches a
name which is for sale lets in whoever buys it.
"""

from hubdata.model.rule import EITHER, ERROR, Example, Rule

RULES = (
    Rule(
        "rdns-regexp.syntax",
        ERROR,
        "The engine compiles each row with Go's MustCompile: one row that does not compile ends the process, at start"
        " and on reload.",
        Example("rdns-regexp", rb"^crawl(?!er)\.googlebot\.com\.$" + b"\n"),
        "Write it in RE2's syntax: no look-around, no back-references.",
    ),
    Rule(
        "rdns-regexp.unanchored",
        EITHER,
        "The pattern matches in the middle of a name: whoever registers the domain that the finding names is let in"
        " and never banned. A warning where no such name was found.",
        Example("rdns-regexp", rb"\.googlebot\.com\." + b"\n"),
        r"Anchor it at both ends: begin with `^` or `(^|\.)`, end with `\.$`.",
    ),
    Rule(
        "rdns-regexp.unescaped-dot",
        EITHER,
        "A `.` stands for any character: `.googlebot` also matches `xgooglebot`, which is for sale. A warning where"
        " the dot lies below the registrable domain and opens nothing.",
        Example("rdns-regexp", rb"^crawl.googlebot\.com\.$" + b"\n"),
        r"Write `\.` for a dot.",
    ),
    Rule(
        "rdns-regexp.open-domain",
        ERROR,
        "A wildcard reaches into the registrable domain: `.*googlebot` also matches `evilgooglebot`, which anyone can"
        " register.",
        Example("rdns-regexp", rb"^.*googlebot\.com\.$" + b"\n"),
        r"Spell the registrable domain out, with a dot before it: `^[a-z0-9-]+\.googlebot\.com\.$`.",
    ),
    Rule(
        "rdns-regexp.rented",
        ERROR,
        "The pattern matches names that a hoster or a dynamic DNS service gives to whoever asks: attackers do.",
        Example("rdns-regexp", rb"^ec2-[0-9-]+\.compute-1\.amazonaws\.com\.$" + b"\n"),
        "Name the owner's own domain.",
    ),
    Rule(
        "rdns-regexp.no-name",
        ERROR,
        "Most visitors have no reverse name, and the engine asks about the empty text then: a pattern that matches it"
        " lets all of them in.",
        Example("rdns-regexp", rb"^$|\.googlebot\.com\.$" + b"\n"),
        r"See that each branch of the pattern has a name in it: `(^|\.)googlebot\.com\.$`.",
    ),
    Rule(
        "rdns-regexp.no-final-dot",
        EITHER,
        "Names end with a dot here, so the row never matches, and those whom it should let in are banned. An error"
        " where no row of the file can match.",
        Example("rdns-regexp", rb"^crawl\.googlebot\.com$" + b"\n"),
        r"End the pattern with `\.$`.",
    ),
    Rule(
        "rdns-regexp.final-dot",
        EITHER,
        "Names have no final dot where the item uses this list, so the row never matches.",
        Example("rdns-regexp", rb"^crawl\.googlebot\.com\.$" + b"\n", options={"final_dot": False}),
        "End the pattern with `$` right after the last label.",
    ),
    Rule(
        "rdns-regexp.unproven",
        ERROR,
        "No name that the pattern matches could be built, so nobody has shown that it is closed to names that others"
        " can register. It may be harmless, and may let anybody in.",
        Example("rdns-regexp", rb"^crawl\B\.googlebot\.com\.$" + b"\n"),
        "Write it plainly, without flags, word bounds and repeats of groups.",
    ),
    Rule(
        "rdns-regexp.too-many",
        ERROR,
        "An engine tries every pattern for every visitor with a name: tens of thousands of them bring it to a halt.",
        Example("rdns-regexp", rb"^crawl\.googlebot\.com\.$" + b"\n", times=10_001, note="more than 10,000 patterns"),
        "Write fewer, or use a list of suffixes.",
    ),
)
