"""Check how targets follow each other: what is `after` what, and that no target waits for itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from hubdata.plugins import Fault, suggest


def stage_faults(targets: object) -> Iterator[Fault]:
    """Return what is wrong with the stages of the `targets` as written, each at its key."""
    if not isinstance(targets, Mapping):
        return
    tables = {str(name): table for name, table in targets.items() if isinstance(table, Mapping)}
    after = {name: table["after"] for name, table in tables.items() if isinstance(table.get("after"), str)}
    for name, table in tables.items():
        yield from _alone(name, table)
        if name in after and after[name] not in tables:
            others = [other for other in tables if other != name]
            advice = suggest(after[name], others)
            yield Fault(("targets", name, "after"), f"there is no [targets.{after[name]}]", advice)
        elif name in after and (ring := _ring(name, after)):
            way = " after ".join(ring)
            advice = "one of them has to be fed by the sources: take its `after` out"
            yield Fault(("targets", name, "after"), f"these targets wait for each other: {way}", advice)


def _alone(name: str, table: Mapping[str, Any]) -> Iterator[Fault]:
    """Return keys that say nothing without another one."""
    if "soak" in table and "after" not in table:
        message = "it says how long another target must have had a generation, and no `after` names one"
        yield Fault(("targets", name, "soak"), message, 'add after = "..." or take `soak` out')
    if "after" in table and "soak" not in table:
        message = f"it does not say for how long {table['after']} must have had a generation"
        yield Fault(("targets", name, "after"), message, 'add soak = "30m", or soak = "0s" for no time at all')
    if "gate_timeout_s" in table and "gate" not in table:
        yield Fault(("targets", name, "gate_timeout_s"), "there is no `gate` to end", "add gate = [...] or take it out")


def _ring(name: str, after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the targets on the way from `name` back to itself; none where the way ends."""
    way = [name]
    while (before := after.get(way[-1])) is not None:
        if before == name:
            return (*way, name)
        if before in way:
            return ()  # a ring further on: its own members are told
        way.append(before)
    return ()
