"""Tables of what was measured, as Markdown: medians, their spread, and ratios to the peers."""

import statistics
from collections.abc import Iterable, Sequence

from bench.results import Measured, Part, Table
from bench.timing import Run

HEAD = ("tool", "n", "wall s", "min-max", "/ aws", "/ s5cmd", "CPU s", "peak MB", "requests", "MB up", "MB down")


CELLS = ("wall s", "min-max", "CPU s", "peak MB")


def cells(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return what `CELLS` names, of some runs."""
    walls, cpu = [run.wall_s for run in runs], statistics.median(run.cpu_s for run in runs)
    peak = max(run.peak_mb for run in runs)
    middle = f"{statistics.median(walls):.3f}", f"{min(walls):.3f}-{max(walls):.3f}"
    return (*middle, f"{cpu:.3f}", f"{peak:.0f}" if peak else "")


def wall(one: Measured) -> float:
    """Return the median of the wall clock."""
    return statistics.median(run.wall_s for run in one.runs)


def ratio(part: Part, scenario: str, net: str, tool: str, peer: str) -> float | None:
    """Return how a tool's wall compares with a peer's in the same scenario; None when either was not measured."""
    ours, theirs = part.of(scenario, net, tool), part.of(scenario, net, peer)
    return wall(ours) / wall(theirs) if ours and theirs else None


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def scenarios(part: Part) -> list[Table]:
    """Return a table for each scenario and network of a part, in the order they were measured."""
    places = dict.fromkeys((one.scenario, one.net) for one in part.measured)
    return [Table(f"{scenario}, {net}", HEAD, rows(part, scenario, net)) for scenario, net in places]


def rows(part: Part, scenario: str, net: str) -> tuple[tuple[str, ...], ...]:
    """Return a row for each tool of a scenario."""
    return tuple(_row(part, one) for one in part.measured if (one.scenario, one.net) == (scenario, net))


def _row(part: Part, one: Measured) -> tuple[str, ...]:
    walls = [run.wall_s for run in one.runs]
    ratios = (ratio(part, one.scenario, one.net, one.tool, peer) for peer in ("aws", "s5cmd"))
    moved = ("", "", "")
    if one.wire:
        asked = " ".join(f"{count:,} {method}" for method, count in one.wire.requests.items()) or "none"
        moved = (asked, f"{one.wire.up / 1e6:.3f}", f"{one.wire.down / 1e6:.3f}")
    return (
        one.tool,
        str(len(one.runs)),
        f"{wall(one):.3f}",
        f"{min(walls):.3f}-{max(walls):.3f}",
        *("" if value is None else f"{value:.2f}" for value in ratios),
        f"{statistics.median(run.cpu_s for run in one.runs):.3f}",
        f"{max(run.peak_mb for run in one.runs):.0f}",
        *moved,
    )
