"""Decide what of a plan goes out: what no limit holds; or, where plans are approved by id, those and nothing else.

A person approves what was reviewed. Whatever else has changed since then has not been, so a run with approvals leaves
it for the next one, even what no limit would hold.
"""

import re
from dataclasses import replace

from hubdata.errors import ConfigError
from hubdata.model.job import Unit
from hubdata.model.plan import Plan
from hubdata.planning.diff import split
from hubdata.values import frozen

_PLAN_ID = re.compile(r"[0-9a-f]{64}")


def plan_id(text: str) -> str:
    """Return `text`, which is the id of a plan. Raises ConfigError when it cannot be one."""
    if not _PLAN_ID.fullmatch(text):
        raise ConfigError(
            f"--approve {text}: expected the id of a plan, 64 hexadecimal digits", advice="copy it from `hubdata plan`"
        )
    return text


@frozen
class Decision:
    """What is carried out, what is held by limits, and what waits only because this run carries out approved plans.

    `approved` are the ids, of those asked for, that plans here have; `let_out` is what was held and is not any more.
    """

    plan: Plan
    held: Plan | None = None
    waiting: Plan | None = None
    approved: frozenset[str] = frozenset()
    let_out: Plan | None = None


def decide(whole: Plan, held_keys: frozenset[str], unit: Unit, approve: frozenset[str]) -> Decision:
    """Return what becomes of `whole`, of which the changes of `held_keys` broke a limit."""
    free, held = split(whole, held_keys, unit)
    if not approve:
        return Decision(free, held)
    ids = {plan.id for plan in (free, held) if plan is not None and not plan.empty} & approve
    free_goes, held_goes = free.id in ids, held is not None and held.id in ids
    waiting = None if free_goes or free.empty else free
    if held is not None and held_goes:
        plan = whole if free_goes else replace(held, unchanged=whole.unchanged)
        return Decision(plan, None, waiting, frozenset(ids), held)
    plan = free if free_goes else Plan(whole.job, whole.target, unchanged=whole.unchanged)
    return Decision(plan, held, waiting, frozenset(ids))
