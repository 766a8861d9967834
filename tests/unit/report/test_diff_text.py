"""A comparison, and what a plan means, as a person reads it."""

from dataclasses import replace

from hubdata.model.comparison import Comparison
from hubdata.model.run import RunResult
from hubdata.report.diff_text import comparison_text
from hubdata.report.difference import contrast
from hubdata.report.terminal import Screen
from hubdata.report.text import plan_text, run_text
from tests.unit.report import comparisons, samples

WIDE = Screen(width=140)


def _lines(result: Comparison, *, verbose: bool = False) -> list[str]:
    return comparison_text(result, WIDE, verbose=verbose).splitlines()


def test_a_file_is_told_by_what_it_means() -> None:
    """Who gets in now, how much that is, whose it is; the largest first, what is lost behind what is gained."""
    lines = _lines(Comparison("a", "b", (comparisons.CHANGED,)))
    assert lines[:5] == [
        "whitelists/a.txt (cidr, changed)",
        (
            "  2 networks gained (65,536 IPv4 addresses and 65,536 IPv6 /64s), 1 network lost (256 IPv4 addresses);"
            " 1,524,736 -> 1,590,016 IPv4"
        ),
        "  addresses, 7 -> 65,543 IPv6 /64s",
        "    + 104.16.0.0/16  AS13335 CLOUDFLARENET, US",
        "    + 2001:db8::/48",
    ]
    assert "    - 192.0.2.0/24  AS64496 Example, and others" in lines


def test_entries_are_told_as_gained_lost_and_changed() -> None:
    """A changed entry says from what to what."""
    lines = _lines(Comparison("a", "b", (comparisons.MAPPED,)))
    assert "  1 entry gained, 1 entry lost, 1 entry changed; 2 -> 2 entries" in lines
    assert lines[2:5] == ["    + equals /b", "    - equals /z", "    ~ equals /a  1 -> 2"]


def test_moved_lines_new_and_gone_files_are_named_as_such() -> None:
    """The last line sums it up."""
    text = comparison_text(comparisons.EVERYTHING, WIDE)
    assert "web/b.txt (needle, equal)\n  equal to every engine: only lines moved\n" in text
    assert "web/new.txt (regexp, added)\n  1 entry gained; 0 -> 1 entry\n    + a+\n" in text
    assert "db/old.mmdb (mmdb, removed)\n  2.0 kB -> no file\n" in text
    assert text.endswith(
        "2 files changed in meaning, 1 file added, 1 file removed, 1 file with moved lines only;"
        " 167 files the same, in 0.2 s\n"
    )


def test_order_is_told_where_it_decides() -> None:
    """Patterns that merely changed places are a change where the first match wins."""
    rows = ['{"pattern":"/a","tag":"1","type":"contains"}\n', '{"pattern":"/ab","tag":"2","type":"contains"}\n']
    moved = comparisons.compared("map", "".join(rows), "".join(reversed(rows)))
    (line,) = [
        line
        for line in _lines(Comparison("a", "b", (replace(comparisons.MAPPED, difference=moved),)))
        if "order" in line
    ]
    assert line == "  the order changed: where several entries match, another may win now"


def test_long_lists_are_cut_until_asked_for() -> None:
    """Ten of each, and how many there are; all with -v."""
    many = comparisons.compared("needle", "# none\n", "".join(f"/probe-{n:03}\n" for n in range(50)))
    result = Comparison("a", "b", (replace(comparisons.ADDED, difference=many),))
    assert sum("+ /probe-" in line for line in _lines(result)) == 10
    assert any("and 40 more of 50 entries gained" in line for line in _lines(result))
    assert sum("+ /probe-" in line for line in _lines(result, verbose=True)) == 50


def test_nothing_that_differs_is_one_line_or_silence() -> None:
    """With -q an equal comparison says nothing."""
    result = Comparison("a", "b", (), same=3)
    assert comparison_text(result, WIDE) == "Nothing differs; 3 files the same, in 0.0 s\n"
    assert comparison_text(result, WIDE, quiet=True) == ""


def test_foreign_text_commands_nothing() -> None:
    """Control characters are escaped, and no line begins with a workflow command."""
    text = comparison_text(comparisons.HOSTILE, WIDE)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_a_changed_text_is_cut_around_the_place_that_changed() -> None:
    """A rule of a thousand characters shows the few that differ, on both sides."""
    text = contrast("a" * 500 + "X" + "b" * 500, "a" * 500 + "Y" + "b" * 500, 80)
    before, _, after = text.partition(" -> ")
    assert (before[3:-3].count("X"), after[3:-3].count("Y")) == (1, 1)
    assert len(text) < 100
    assert contrast("", "b", 80) == "(nothing) -> b"
    assert contrast("a" * 200, "a" * 100, 80) == f"...{'a' * 40}... -> ...{'a' * 16}"


def test_a_plan_tells_what_its_changes_mean() -> None:
    """Below the change that it explains, in a held plan too."""
    key = "whitelists/e.txt"
    target = replace(samples.PUBLISHED.targets[0], applied=False, meanings={key: comparisons.NETWORKS})
    result = RunResult("r", (replace(samples.PUBLISHED, targets=(target,)),), 0.1, dry_run=True)
    lines = plan_text(result, WIDE).splitlines()
    at = next(n for n, line in enumerate(lines) if line.endswith(key))
    assert lines[at + 1].startswith("      2 networks gained (65,536 IPv4 addresses and")
    assert "        + 104.16.0.0/16  AS13335 CLOUDFLARENET, US" in lines


def test_a_run_that_holds_a_file_tells_what_it_means() -> None:
    """Even with -q: somebody has to decide on it. What is not explained is not listed again."""
    target = replace(samples.HELD.targets[0], meanings={"old.txt": comparisons.NETWORKS})
    result = RunResult("r", (replace(samples.HELD, targets=(target,)),), 0.1)
    for quiet in (False, True):
        lines = run_text(result, WIDE, quiet=quiet).splitlines()
        assert f"  plan {samples.HELD_PLAN.id} (held by limits)" in lines
        assert "        + 104.16.0.0/16  AS13335 CLOUDFLARENET, US" in lines
    assert "(held by limits)" not in run_text(RunResult("r", (samples.HELD,), 0.1), WIDE)
