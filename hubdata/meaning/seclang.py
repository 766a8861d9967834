"""What a SecLang file means: its rules by id, each with the rules chained to it, and its other directives.

Comments, indentation and line breaks say nothing. The order of directives does: rules run in it, defaults hold for
what follows, and markers are jumped to.
"""

from collections.abc import Iterator
from itertools import pairwise

from hubdata.grammar.seclang import Directive, Unreadable, read_directives, split_rule, unquote
from hubdata.grammar.seclang_actions import each_action
from hubdata.meaning.names import Numbered
from hubdata.model.meaning import Names


def directives(text: str) -> Names:
    """Return the rules and directives of `text`."""
    parts: dict[str, list[str]] = {}
    unique = Numbered()
    head = ""  # the rule that waits for its chained ones
    for directive in read_directives(text):
        spelled, rule_id, chains = _read(directive)
        if head:
            parts[head].append(spelled)
            head = head if chains else ""
            continue
        name = unique(f"rule {rule_id}" if rule_id else spelled)
        parts[name] = [spelled] if rule_id else []
        head = name if chains else ""
    return Names({name: " -> ".join(rules) for name, rules in parts.items()}, tuple(parts))


def _read(directive: Directive) -> tuple[str, str, bool]:
    """Return a directive in one spelling, its rule id (empty if it has none) and whether it chains the next."""
    name, argument = directive.name, directive.argument.strip()
    actions = None
    try:
        if name.lower() == "secrule":
            rule = split_rule(argument)
            actions, argument = rule.actions, f'{rule.variables} "{rule.operator}"'
        elif name.lower() in ("secaction", "secdefaultaction"):
            actions, argument = unquote(argument), ""
    except Unreadable:
        return f"{name} {argument}".strip(), "", False
    if actions is None:
        return f"{name} {argument}".strip(), "", False
    spelled = ", ".join(_spelled(actions))
    found = {action.name: action.value or "" for action in each_action(actions)}
    return f'{name} {argument} "{spelled}"'.replace("  ", " "), found.get("id", ""), "chain" in found


def _spelled(actions: str) -> Iterator[str]:
    """Yield each action of a list as it stands, without the spaces around it."""
    bounds = [*(action.offset for action in each_action(actions)), len(actions) + 1]
    for start, end in pairwise(bounds):
        yield actions[start : end - 1].strip()
