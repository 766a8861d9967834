"""`hubdata validate --explain RULE`: what one rule means, for whoever met its id in a finding."""

import click

from hubdata.cli.common import Common, Format
from hubdata.cli.errors import say
from hubdata.errors import Exit


def explain(common: Common, rule_id: str) -> Exit:
    """Print the rule. Raises UsageError with the nearest ids when there is none of that name."""
    from hubdata.rules import BY_ID

    rule = BY_ID.get(rule_id.strip().lower())
    if rule is None:
        raise click.UsageError(f"There is no rule '{rule_id}'. {_nearest(rule_id)}")
    if common.format is Format.JSON:
        from hubdata.report.rules import rule_json

        say(rule_json(rule))
    else:
        from hubdata.report.rules import rule_text

        say(rule_text(rule, common.screen()))
    return Exit.FINE


def _nearest(word: str) -> str:
    """Return advice for an id nobody knows: the nearest ones, all of its family, or the families."""
    from difflib import get_close_matches

    from hubdata.rules import BY_ID

    near = get_close_matches(word.lower(), BY_ID, n=3, cutoff=0.8)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    families = dict.fromkeys(rule.family for rule in BY_ID.values())
    family = word.lower().partition(".")[0]
    if family in families:
        return f"Known are {', '.join(name for name in BY_ID if name.startswith(f'{family}.'))}."
    return f"Rules are named FAMILY.PROBLEM, as in cidr.host-bits; families are {', '.join(families)}."
