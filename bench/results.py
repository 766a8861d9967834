"""What parts hand to the page: figures and tables, kept as JSON so that one part can be measured again."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.timing import Run

LOOPBACK = "loopback"
FAR = "40 ms a request, 80 ms a connection"
REQUEST_MS, CONNECT_MS = 40.0, 80.0


@dataclass(frozen=True, slots=True)
class Wire:
    """What passed between a tool and the store in one run."""

    requests: dict[str, int]
    up: int
    down: int
    connections: int = 0

    @property
    def count(self) -> int:
        """Return how many requests there were."""
        return sum(self.requests.values())


@dataclass(frozen=True, slots=True)
class Measured:
    """All counted runs of a tool in a scenario, on one network."""

    scenario: str
    net: str
    tool: str
    runs: tuple[Run, ...]
    wire: Wire | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people, with a sentence or more below it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What one part has found. `figures` are single numbers that targets are held to."""

    name: str
    measured: tuple[Measured, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failed: str = ""
    runs: int = 0
    seconds: float = 0.0
    at: str = ""
    machine: str = ""
    revision: str = ""

    def of(self, scenario: str, net: str, tool: str) -> Measured | None:
        """Return what was measured there, if it was."""
        wanted = (scenario, net, tool)
        return next((one for one in self.measured if (one.scenario, one.net, one.tool) == wanted), None)


def machine() -> str:
    """Return what the figures are measured on, and how busy it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def today() -> str:
    """Return the time to the minute, UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def save(part: Part, directory: Path) -> None:
    """Keep a part's results."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{part.name}.json").write_text(json.dumps(asdict(part), indent=1) + "\n")


def load(directory: Path, names: Sequence[str]) -> dict[str, Part]:
    """Return the kept results of parts; those that have none are left out."""
    files = {name: directory / f"{name}.json" for name in names}
    return {name: part_of(json.loads(file.read_text())) for name, file in files.items() if file.exists()}


def part_of(raw: dict[str, Any]) -> Part:
    """Return a part as it was before it was written."""
    measured = tuple(
        Measured(
            one["scenario"],
            one["net"],
            one["tool"],
            tuple(Run(**run) for run in one["runs"]),
            Wire(**one["wire"]) if one["wire"] else None,
        )
        for one in raw["measured"]
    )
    tables = tuple(
        Table(one["title"], tuple(one["head"]), tuple(tuple(row) for row in one["rows"]), one["note"], one["code"])
        for one in raw["tables"]
    )
    return Part(
        **raw
        | {
            "measured": measured,
            "tables": tables,
            "versions": tuple(raw["versions"]),
            "missing": tuple(raw["missing"]),
        }
    )
