"""Rules of the kind `bots`: crawlers that an engine lets pass when user agent and origin agree."""

from hubdata.model.rule import EITHER, ERROR, WARNING, Example, Rule
from hubdata.rules.json_row import row_rules

_HARM = "The engine stops loading there: this crawler and all below it are banned as anyone else."


def _entry(more: str) -> bytes:
    return f'{{"name": "examplebot", "user_agent": "examplebot/", {more}}}\n'.encode()


def _rdns(pattern: str) -> bytes:
    return _entry('"rdns": ["' + pattern.replace("\\", "\\\\") + '"]')


RULES = (
    *row_rules("bots", _HARM, "name"),
    Rule(
        "bots.name",
        ERROR,
        f"The entry has no name. {_HARM}",
        Example("bots", b'{"user_agent": "examplebot/", "ips": ["9.9.9.9"]}\n'),
        "Name the crawler.",
    ),
    Rule(
        "bots.no-identity",
        ERROR,
        f"None of ips, ranges and rdns says where the crawler comes from. {_HARM}",
        Example("bots", b'{"name": "examplebot", "user_agent": "examplebot/"}\n'),
        "Add what its owner publishes: a user agent alone is anyone's.",
    ),
    Rule(
        "bots.unknown-key",
        ERROR,
        f"The engine refuses keys that it does not know. {_HARM}",
        Example("bots", _entry('"ips": ["9.9.9.9"], "comment": "x"')),
        "Known are name, user_agent, paths, ips, ranges and rdns.",
    ),
    Rule(
        "bots.key-case",
        ERROR,
        "Engines ignore the case of keys, so `IPS` counts as `ips`, and of two spellings the last one wins: what a"
        " reviewer reads is not what is loaded.",
        Example("bots", _entry('"ips": ["9.9.9.9"], "Ranges": []')),
        "Write the key in lower case.",
    ),
    Rule(
        "bots.type",
        ERROR,
        f"A value is not of the type that the engine reads. {_HARM}",
        Example("bots", _entry('"ips": ["9.9.9.9"], "paths": "/"')),
        "Write a string for name and user_agent, lists of strings for the others.",
    ),
    Rule(
        "bots.regexp",
        ERROR,
        f"A pattern does not compile in Go. {_HARM}",
        Example("bots", b'{"name": "examplebot", "user_agent": "example(bot", "ips": ["9.9.9.9"]}\n'),
        "Write it in RE2's syntax: no look-around, no back-references, no possessive quantifiers.",
    ),
    Rule(
        "bots.empty",
        ERROR,
        "An empty pattern matches everything: in `rdns` it lets in every visitor with the crawler's user agent.",
        Example("bots", _entry('"ips": ["9.9.9.9"], "paths": [""]')),
        "Fill it, or remove it.",
    ),
    Rule(
        "bots.any-user-agent",
        WARNING,
        "The entry holds for every user agent, so all that comes from these addresses passes, crawler or not.",
        Example("bots", b'{"name": "examplebot", "ips": ["9.9.9.9"]}\n'),
        "Give the crawler's own token as `user_agent`.",
    ),
    Rule(
        "bots.address",
        ERROR,
        f"An entry of `ips` is not an address. {_HARM}",
        Example("bots", _entry('"ips": ["9.9.9.0/24"]')),
        "Write a bare address without a zone; a network belongs in `ranges`.",
    ),
    Rule(
        "bots.range",
        ERROR,
        f"An entry of `ranges` is not a network. {_HARM}",
        Example("bots", _entry('"ranges": ["9.9.9.9"]')),
        "Write a network as 192.0.2.0/24; a bare address belongs in `ips`.",
    ),
    Rule(
        "bots.host-bits",
        ERROR,
        "The engine masks the bits beyond the prefix away and lets the whole network in.",
        Example("bots", _entry('"ranges": ["9.9.9.9/24"]')),
        "Write the network if it is meant, and move the address to `ips` if that is.",
    ),
    Rule(
        "bots.too-wide",
        ERROR,
        "Whoever sends the crawler's user agent from anywhere in the network is let in; no crawler's real range is"
        " that wide.",
        Example("bots", _entry('"ranges": ["9.0.0.0/8"]')),
        "List the networks that are really used. If the range is meant, set limits.max_prefix4 or limits.max_prefix6"
        " in the job file.",
    ),
    Rule(
        "bots.covers-too-much",
        ERROR,
        "All ranges together hold more of the internet than any owner of crawlers has: with the user agent nearly"
        " anybody passes.",
        Example(
            "bots",
            _entry(
                '"ranges": [' + ", ".join(f'"{first}.0.0.0/13"' for first in (*range(20, 127), *range(128, 152))) + "]"
            ),
            note="131 networks of /13",
        ),
        "See where it comes from; if it is meant, accept it by a waiver in the job file.",
    ),
    Rule(
        "bots.special-purpose",
        ERROR,
        "No crawler comes from there, by IANA's special-purpose registries of 2025-10-09. Behind a proxy every visitor"
        " seems to, and the user agent alone lets them in.",
        Example("bots", _entry('"ips": ["10.0.0.1"]')),
        "Remove it, or name the public network that was meant.",
    ),
    Rule(
        "bots.not-canonical",
        WARNING,
        "Engines read it alike; two spellings of one network hide duplicates from people.",
        Example("bots", _entry('"ips": ["2620:FE::FE"]')),
        "Write the spelling of RFC 5952: lower case, zeros compressed.",
    ),
    Rule(
        "bots.rdns-unanchored",
        EITHER,
        "The pattern matches in the middle of a name: whoever registers the domain that the finding names, and sends"
        " the crawler's user agent, is let in. A warning where no such name was found.",
        Example("bots", _rdns(r"\.googlebot\.com")),
        r"Anchor it at both ends: begin with `^` or `(^|\.)`, end with `$`.",
    ),
    Rule(
        "bots.rdns-unescaped-dot",
        EITHER,
        "A `.` stands for any character: `.googlebot` also matches `xgooglebot`, which is for sale. A warning where"
        " the dot lies below the registrable domain and opens nothing.",
        Example("bots", _rdns(r"^crawl.googlebot\.com$")),
        r"Write `\\.` for a dot: JSON doubles the backslash.",
    ),
    Rule(
        "bots.rdns-open-domain",
        ERROR,
        "A wildcard reaches into the registrable domain: `.*googlebot` also matches `evilgooglebot`.",
        Example("bots", _rdns(r"^.*googlebot\.com$")),
        "Spell the registrable domain out, with a dot before it.",
    ),
    Rule(
        "bots.rdns-rented",
        ERROR,
        "The pattern matches names that a hoster gives to whoever rents an address there.",
        Example("bots", _rdns(r"^ec2-[0-9-]+\.compute-1\.amazonaws\.com$")),
        "Name the owner's own domain.",
    ),
    Rule(
        "bots.rdns-final-dot",
        WARNING,
        "Names have no final dot in this kind of file, so the pattern never matches and the crawler is banned.",
        Example("bots", _rdns(r"^crawl\.googlebot\.com\.$")),
        "End the pattern with `$` right after the last label.",
    ),
    Rule(
        "bots.rdns-unproven",
        ERROR,
        "No name that the pattern matches could be built, so nobody has shown that it is closed to names that others"
        " can register. It may be harmless, and may let anybody in.",
        Example("bots", _rdns(r"^crawl\B\.googlebot\.com$")),
        "Write it plainly, without flags, word bounds and repeats of groups.",
    ),
    Rule(
        "bots.repeated",
        WARNING,
        "The value is tried twice, and whoever removes one of the two believes that it is gone.",
        Example("bots", _entry('"ips": ["9.9.9.9", "9.9.9.9"]')),
        "Remove one of the two.",
    ),
    Rule(
        "bots.duplicate",
        WARNING,
        "Two entries have one name: logs cannot tell them apart.",
        Example("bots", _entry('"ips": ["9.9.9.9"]') + _entry('"ips": ["9.9.9.10"]')),
        "Merge the two.",
    ),
)
