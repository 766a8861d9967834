"""Tells when rules act on everything at once: each of them is well-formed, and together with the rest a disaster.

An action without a condition that denies blocks every request; one that allows, or switches the engine off, lets
every attack pass; and so does taking away a whole rule set by a range of ids.
"""

from functools import lru_cache

from hubdata.grammar.gather import shown
from hubdata.grammar.go_regexp import ORDINARY, labour, matches
from hubdata.grammar.seclang import split_operator

MAX_REMOVED_IDS = 10_000
"""A rule set's ids span 100,000 (900,000 to 999,999); what is taken away by name is one file's, at most thousands."""

NO_ID = 1 << 63
"""The engine's ids are below this."""

RULE_SETS = frozenset({"owasp_crs", ".*"})
"""Tags that stand for whole rule sets."""

_PATHS = tuple(text for _, text in ORDINARY if text.startswith("/"))
_AGENTS = tuple(text for _, text in ORDINARY if text.startswith("Mozilla"))
_SEEN = {
    **dict.fromkeys(("REQUEST_URI", "REQUEST_URI_RAW", "REQUEST_FILENAME"), _PATHS),
    "REQUEST_HEADERS:USER-AGENT": _AGENTS,
}
"""What everyday requests show in a variable."""

_SHORT_PATTERN = 12_000
"""Answers about longer patterns are not remembered: nobody repeats them, and they would fill the memory."""

_BLOCKS = frozenset({"deny", "drop", "redirect"})


def unconditional_problem(name: str, value: str | None) -> tuple[str, str] | None:
    """Return the rule (blocks-all or opens-all) and what happens if this action is taken on every request, or None."""
    if name in _BLOCKS:
        return "blocks-all", f"`{name}` without a condition: every request is blocked"
    if name == "allow":
        return "opens-all", "`allow` without a condition: no request is looked at any more"
    if name == "ctl" and _switches_off(value or ""):
        return "opens-all", f"{shown(f'ctl:{value}')} without a condition: no attack is stopped any more"
    return None


def always_holds(variables: str, operator: str) -> bool:
    """Tell whether a rule's condition holds for every everyday request, as `@rx .` does for every path."""
    if operator.startswith("!"):
        return False
    name, argument, _ = split_operator(operator)
    if name == "unconditionalMatch":
        return True
    targets = variables.upper().split("|")
    if name == "ipMatch":
        return "REMOTE_ADDR" in targets and any(part.strip().endswith("/0") for part in argument.split(","))
    seen = _everyday(variables)
    if name == "rx":
        matches_all = _match_all if len(argument) <= _SHORT_PATTERN else _match_all.__wrapped__
        return matches_all(argument, seen)
    test = {"contains": str.__contains__, "beginsWith": str.startswith}.get(name)
    return test is not None and len(seen) > 0 and all(test(text, argument) for text in seen)


def holding_labour(variables: str, operator: str) -> int:
    """Return what `always_holds` costs beside the reading of the rule, in refusals of a row (`Gather.spend`).

    It may match with a pattern, for which that must be compiled.
    """
    name, argument, _ = split_operator(operator)
    if name != "rx" or operator.startswith("!") or not _everyday(variables):
        return 0
    return (_labour(argument) if len(argument) <= _SHORT_PATTERN else labour(argument)) - 2


def _everyday(variables: str) -> tuple[str, ...]:
    """Return what everyday requests show in the first of `variables` of which that is known."""
    return next((_SEEN[target] for target in variables.upper().split("|") if target in _SEEN), ())


_labour = lru_cache(maxsize=1024)(labour)


@lru_cache(maxsize=1024)
def _match_all(pattern: str, texts: tuple[str, ...]) -> bool:
    return len(texts) > 0 and all(matches(pattern, text) for text in texts)


def rule_number(text: str) -> int | None:
    """Return the whole number that `text` is, if it is one; all that no engine can hold are one number."""
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(int(text.lstrip("0")[:20] or "0"), NO_ID)


def removes_all(span: str) -> bool:
    """Tell whether a range of ids, as in SecRuleRemoveById, takes away more than any one file holds."""
    first, dash, last = span.partition("-")
    bounds = rule_number(first), rule_number(last)
    return bool(dash) and bounds[0] is not None and bounds[1] is not None and bounds[1] - bounds[0] >= MAX_REMOVED_IDS


def removal_problem(span: str) -> tuple[str, str, str] | None:
    """Return the rule, the message and the advice about one id or range of a SecRuleRemoveById, or None."""
    first, dash, last = span.partition("-")
    bounds = rule_number(first), rule_number(last if dash else first)
    if bounds[0] is None or bounds[1] is None or bounds[0] > bounds[1] or bounds[0] == NO_ID:
        return "argument", f"not a rule id or a range of them: {shown(span)}", "write ID or FROM-TO"
    if removes_all(span):
        return "opens-all", f"{shown(span)} takes away whole rule sets: attacks pass", "name the rules that are meant"
    return None


def _switches_off(control: str) -> bool:
    name, _, value = control.partition("=")
    value = value.strip().lower()
    if name == "ruleEngine":
        return value != "on"
    return name == "ruleRemoveById" and removes_all(value)
