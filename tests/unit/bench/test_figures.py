"""What the page says follows from what was measured: medians, ratios, targets, charts, and the fleet's arithmetic."""

import resource
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bench import targets
from bench.charts import Bar, Group, chart
from bench.fleet import newer, ratio, terabytes
from bench.page import write
from bench.parts import NAMES
from bench.profile import slowest
from bench.results import FAR, LOOPBACK, Measured, Part, Table, Wire, load, save
from bench.tables import markdown, scenarios
from bench.timing import Command, Run, interleaved, median, once
from bench.tree import FRESH

WIRE = Wire({"GET": 2, "LIST": 1}, 900, 5_000, 1)


def measured(tool: str, *walls: float, net: str = FAR) -> Measured:
    """Return runs of a tool that took so long."""
    return Measured(FRESH, net, tool, tuple(Run(wall, wall / 2, 30 + wall) for wall in walls), WIRE)


SYNC = Part("sync", (measured("hubdata", 0.2, 0.9, 0.3), measured("aws", 2.0, 1.0, 1.5), measured("s5cmd", 0.6)))


def test_a_table_shows_the_median_its_spread_and_ratios_of_medians() -> None:
    """One slow run moves the spread and not the figure."""
    (table,) = scenarios(SYNC)
    row = dict(zip(table.head, table.rows[0], strict=True))
    shown = {name: row[name] for name in ("tool", "n", "wall s", "min-max", "/ aws", "/ s5cmd", "requests")}
    assert list(shown.values()) == ["hubdata", "3", "0.300", "0.200-0.900", "0.20", "0.50", "2 GET 1 LIST"]
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(("wall", "verdict"), [(0.37, "met"), (0.38, "**not met**")])
def test_a_target_is_met_up_to_its_limit(wall: float, verdict: str) -> None:
    """0.25 times the 1.5 s of the peer is the most; a target whose figure is missing says so."""
    part = replace(SYNC, measured=(measured("hubdata", wall), measured("aws", 1.5)))
    said = {row[0]: row for row in targets.rows({"sync": part})}
    assert said[f"{FRESH}, far: wall / aws"][3] == verdict
    assert said[f"{FRESH}: requests"][2:] == ("3 requests", "met")
    assert said[f"{FRESH}, far: wall / s5cmd"][2:] == ("not measured", "?")


def test_a_target_that_wants_at_least_is_not_met_below_it() -> None:
    """The fleet's figure is better when it is larger."""
    name = "fleet: times less downloaded than with aws"
    for value, verdict in ((50.0, "met"), (49.9, "**not met**")):
        said = {row[0]: row for row in targets.rows({"replay": Part("replay", figures={"fleet_ratio": value})})}
        assert said[name][3] == verdict


def test_results_are_the_same_after_they_were_kept(tmp_path: Path) -> None:
    """A page can be written from parts that were measured at other times; absent ones are left out."""
    part = replace(SYNC, tables=(Table("t", ("a",), (("1",),)),), figures={"x": 1.0}, missing=("rclone",), at="now")
    save(part, tmp_path)
    assert load(tmp_path, ("sync", "many")) == {"sync": part}


def test_the_page_names_what_is_missing_and_shows_only_charts_that_exist(tmp_path: Path) -> None:
    """Whoever reads it knows what was not measured; no picture is broken."""
    write({"sync": replace(SYNC, missing=("rclone could not be had",))}, tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "- rclone could not be had" in text
    assert all(f"- `{name}` was not measured" in text for name in NAMES if name != "sync")
    pictures = {line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")}
    assert pictures == {"charts/sync-far.svg"}
    assert (tmp_path / "charts/sync-far.svg").exists()


def test_a_chart_is_a_drawing_that_writes_every_value() -> None:
    """The longest bar fills its room, the others in proportion; labels are text, and no script is there."""
    svg = chart("a < b", "note", [Group("g", (Bar("ours", 1, "1 s", ours=True), Bar("theirs", 4, "4 s")))])
    root = ET.fromstring(svg)
    tag = "{http://www.w3.org/2000/svg}"
    widths = [float(rect.get("width", "0")) for rect in root.iter(f"{tag}rect")]
    assert widths[1] == pytest.approx(4 * widths[0], abs=0.1)
    texts = {text.text for text in root.iter(f"{tag}text")}
    assert {"a < b", "g", "ours", "theirs", "1 s", "4 s"} <= texts
    assert "prefers-color-scheme: dark" in svg
    assert "<script" not in svg


def test_an_engine_downloads_what_is_not_older_than_its_copy() -> None:
    """Engines skip a file only when their copy's time is later than Last-Modified."""
    assert [newer(100.0, local) for local in (None, 99.5, 100.0, 100.5)] == [True, True, True, False]


def test_the_fleets_arithmetic() -> None:
    """A megabyte for each of 100,000 engines is 0.1 TB; nothing at all is infinitely less."""
    assert terabytes(1e6) == pytest.approx(0.1)
    assert ratio([300, 200], [10, 0]) == 50
    assert ratio([1], [0]) == float("inf")


def test_a_tool_that_fails_loses_nobody_elses_figures(tmp_path: Path) -> None:
    """It is told of and left out from then on; the others run as often as they should."""
    failed: dict[str, str] = {}
    turns: list[str] = []
    ends = {"good": 0, "bad": 3}
    commands = [
        Command(name, ["/bin/sh", "-c", f"echo {name}; exit {code}"], {}, tmp_path, partial(turns.append, name))
        for name, code in ends.items()
    ]
    found = interleaved(commands, 2, failed=failed)
    assert {name: len(runs) for name, runs in found.items()} == {"good": 2}
    assert "bad ended with 3" in failed["bad"]
    assert turns == ["good", "bad", "good", "good"]
    with pytest.raises(RuntimeError, match="bad ended with 3"):
        interleaved(commands, 1)


def test_a_small_tools_memory_is_not_hidden_by_who_starts_it(tmp_path: Path) -> None:
    """A program that needs next to nothing is seen to, however large the process is that measures it."""
    found = once(Command("true", ["/bin/true"], {}, tmp_path, lambda: None))
    assert 0 < found.peak_mb < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 2


def test_medians_are_of_each_figure_by_itself() -> None:
    """The fastest run need not be the one that needs the least memory."""
    assert median([Run(1, 6, 30), Run(2, 4, 10), Run(3, 5, 20)]) == Run(2, 5, 20)


def test_imports_are_ordered_by_what_they_cost_in_all() -> None:
    """Lines that are none of the interpreter's are passed over."""
    head = "import time: self [us] | cumulative | imported package"
    said = f"{head}\nimport time:  5 |   5 |     b\nlog\nimport time: 2 | 7 | a"
    assert slowest(said) == [("a", 7, 2), ("b", 5, 5)]


def test_networks_have_names_that_differ() -> None:
    """A figure is found by its scenario, network and tool."""
    part = replace(SYNC, measured=(measured("aws", 1.0), measured("aws", 9.0, net=LOOPBACK)))
    assert [part.of(FRESH, net, "aws") for net in (FAR, LOOPBACK)] == list(part.measured)
    assert part.of(FRESH, FAR, "s5cmd") is None
