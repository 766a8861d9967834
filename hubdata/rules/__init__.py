"""The catalogue: every rule that a finding can name, with what it means to an engine and how to mend it.

One file a kind, as the checkers are. `docs/rules.md` is this catalogue printed:
`python -m hubdata.rules > docs/rules.md`.
"""

from collections.abc import Mapping

from hubdata.model.rule import Rule
from hubdata.rules import text

CATALOGUE: tuple[Rule, ...] = (*text.RULES,)
"""All rules, family by family; within one in the order in which people meet them."""

BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in CATALOGUE}
