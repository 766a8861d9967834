"""Judge what an expression does with a file against what the file's kind promises.

A kind is a promise about a use: `cidr` holds networks for `IpInRange`, `ip-exact` addresses for `in File(...)`. A file
that is right for one use is silently useless, or an open door, in another, and no engine says so.
"""

from collections.abc import Iterator, Mapping

from hubdata.audit.expressions import How
from hubdata.audit.items import Used
from hubdata.model.finding import Finding, Severity

FITS: Mapping[How, frozenset[str]] = {
    How.EXACT: frozenset({"ip-exact", "needle"}),
    How.EQUALS: frozenset({"ip-exact", "needle"}),
    How.RANGE: frozenset({"cidr"}),
    How.ENDS: frozenset({"rdns-suffix", "needle"}),
    How.STARTS: frozenset({"needle"}),
    How.CONTAINS: frozenset({"needle"}),
    How.JSON: frozenset({"jsonl-uri"}),
    How.REGEXP: frozenset({"regexp", "rdns-regexp"}),
    How.MAP: frozenset({"map"}),
    How.BOTS: frozenset({"bots"}),
}
"""By use, the kinds that are checked for it. Nothing is known of `OTHER`."""

_FOR_RDNS: Mapping[str, str] = {"regexp": "rdns-regexp", "needle": "rdns-suffix"}

_MEANS: Mapping[How, Mapping[str, str]] = {
    How.EXACT: {
        "cidr": "an address is never equal to a network, so it never matches",
        "rdns-suffix": "a whole name is never equal to its ending, so it never matches",
        "jsonl-uri": "no text is equal to a whole JSON object, so it never matches",
    },
    How.RANGE: {
        "ip-exact": "a bare address is no network, so it never matches",
        "needle": "a text is no network, so it never matches",
    },
    How.CONTAINS: {
        "cidr": "no request contains a network as text",
        "ip-exact": "1.1.1.1 is also found within 11.1.1.10",
        "rdns-suffix": "`.example.com.` is also found in the middle of a name that anybody can register",
        "jsonl-uri": "the whole JSON object is looked for, so it never matches",
    },
    How.ENDS: {
        "ip-exact": "1.1.1.1 also ends 11.1.1.1",
        "jsonl-uri": "the whole JSON object is looked for, so it never matches",
    },
    How.JSON: {"needle": "a line that is no JSON gives an empty text, and every request contains that"},
    How.REGEXP: {"map": "the file is not loaded as patterns, so nothing ever matches"},
}
_LIST_HELPERS = frozenset(FITS) - {How.REGEXP, How.MAP, How.BOTS}


def judge_use(item_key: str, used: Used, key: str, kind: str, case: str = "") -> Iterator[Finding]:
    """Yield what is wrong with using the published `key` of this `kind` so; `case` is what its needles are held to."""
    how, name = used.use.how, used.use.name
    fitting = FITS.get(how)
    if fitting is None:
        return
    if kind not in fitting:
        yield Finding(
            item_key,
            used.line,
            "audit.use",
            Severity.ERROR,
            f"{name} is used by `{how}`, but {key} is published as {kind}: {_consequence(how, kind)}",
            f"use it as {kind} wants it, or have a job publish it as {' or '.join(sorted(fitting))}",
        )
    elif used.use.of_rdns and kind in _FOR_RDNS:
        yield Finding(
            item_key,
            used.line,
            "audit.use",
            Severity.WARNING,
            f"{name} is compared with reverse DNS names, but {key} is checked as {kind}:"
            " nobody proves that its entries match no name that a stranger can register",
            f"have the job publish it as {_FOR_RDNS[kind]}",
        )

    elif used.use.case and case not in ("", used.use.case):
        yield Finding(
            item_key,
            used.line,
            "audit.use",
            Severity.WARNING,
            f"{name} is compared with {used.use.case}-case text, but nobody holds {key} to that case:"
            " a line in another case never matches",
            f'set options = {{ case = "{used.use.case}" }} in the job, or bring `#` into that case too',
        )


def _consequence(how: How, kind: str) -> str:
    if known := _MEANS.get(how, {}).get(kind):
        return known
    if how in _LIST_HELPERS and kind in ("regexp", "rdns-regexp", "map", "bots"):
        return "such a file is not loaded as a list of texts, so it never matches"
    if how not in _LIST_HELPERS:
        return "the file is not loaded for that, so it never matches"
    return "it was never checked for that"
