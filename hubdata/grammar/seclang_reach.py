"""Tells when rules act on everything at once: each of them is well-formed, and together with the rest a disaster.

An action without a condition that denies blocks every request; one that allows, or switches the engine off, lets
every attack pass; and so does taking away a whole rule set by a range of ids.
"""

from collections.abc import Callable, Iterable

from hubdata.grammar.go_regexp import ORDINARY, matches
from hubdata.grammar.seclang import Action, split_operator

MAX_REMOVED_IDS = 10_000
"""A rule set's ids span 100,000 (900,000 to 999,999); what is taken away by name is one file's, at most thousands."""

RULE_SETS = frozenset({"owasp_crs", ".*"})
"""Tags that stand for whole rule sets."""

_PATHS = tuple(text for _, text in ORDINARY if text.startswith("/"))
_AGENTS = tuple(text for _, text in ORDINARY if text.startswith("Mozilla"))
_SEEN = {
    **dict.fromkeys(("REQUEST_URI", "REQUEST_URI_RAW", "REQUEST_FILENAME"), _PATHS),
    "REQUEST_HEADERS:USER-AGENT": _AGENTS,
}
"""What everyday requests show in a variable."""

_BLOCKS = frozenset({"deny", "drop", "redirect"})


def unconditional_problem(actions: Iterable[Action]) -> tuple[str, str] | None:
    """Return the rule (blocks-all or opens-all) and what happens when `actions` are taken on every request, or None."""
    for action in actions:
        if action.name in _BLOCKS:
            return "blocks-all", f"`{action.name}` without a condition: every request is blocked"
        if action.name == "allow":
            return "opens-all", "`allow` without a condition: no request is looked at any more"
        if action.name == "ctl" and _switches_off(action.value or ""):
            return "opens-all", f"`ctl:{action.value}` without a condition: no attack is stopped any more"
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
    holds = _TESTS.get(name)
    seen = next((_SEEN[target] for target in targets if target in _SEEN), ())
    return holds is not None and len(seen) > 0 and all(holds(argument, text) for text in seen)


def _begins(argument: str, text: str) -> bool:
    return text.startswith(argument)


def _contains(argument: str, text: str) -> bool:
    return argument in text


_TESTS: dict[str, Callable[[str, str], bool]] = {"rx": matches, "contains": _contains, "beginsWith": _begins}


def removes_all(span: str) -> bool:
    """Tell whether a readable id or range of ids, as in SecRuleRemoveById, takes away more than any one file holds."""
    first, dash, last = span.partition("-")
    return bool(dash) and int(last[:18]) - int(first[:18]) >= MAX_REMOVED_IDS


def _switches_off(control: str) -> bool:
    name, _, value = control.partition("=")
    value = value.strip().lower()
    if name == "ruleEngine":
        return value != "on"
    return name == "ruleRemoveById" and _is_range(value) and removes_all(value)


def _is_range(text: str) -> bool:
    first, dash, last = text.partition("-")
    return bool(dash) and first.isdecimal() and last.isdecimal()
