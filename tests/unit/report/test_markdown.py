"""A comparison as the comment on a pull request: readable, bounded, and nobody's tool."""

import re
from dataclasses import replace

import pytest

from hubdata.model.comparison import Comparison, FileDifference, State
from hubdata.model.run import RunResult
from hubdata.report.github import run_summary_markdown
from hubdata.report.markdown import MAX_CHARS, cell, comparison_markdown
from tests.unit.report import comparisons, samples


def test_each_file_has_a_table_of_what_it_means() -> None:
    """Networks with their owners, entries with what they stood for."""
    text = comparison_markdown(comparisons.EVERYTHING)
    assert text.startswith("### hubdata diff\n\nmaster &rarr; the checkout: 2 files changed in meaning, 1 file added")
    assert "#### :pencil2: whitelists/a.txt (cidr)\n" in text
    assert "| + | 104.16.0.0/16 | AS13335 CLOUDFLARENET, US |\n" in text
    assert "| - | 192.0.2.0/24 | AS64496 Example, and others |\n" in text
    assert "| ~ | equals /a | 1 -&#62; 2 |\n" in text
    assert "#### :heavy_minus_sign: db/old.mmdb (mmdb)\n\nremoved: 2.0 kB -&#62; no file" in text
    assert "<summary>1 file with moved lines only, equal to every engine</summary>\n\n- web/b.txt\n" in text


def _well_formed(text: str) -> None:
    """Assert that nothing is cut in two: what is opened is closed, and every row of a table has its table's columns."""
    assert text.count("<details>") == text.count("</details>") == text.count("<summary>")
    columns = 0
    for line in text.splitlines():
        if line.startswith("|"):
            found = line.count("|")
            assert columns in (0, found), line
            columns = found
        else:
            columns = 0


def test_long_lists_are_folded_and_bounded() -> None:
    """More than ten items are behind a fold, and however many there are, the comment is short enough to be posted."""
    many = comparisons.compared("needle", "# none\n", "".join(f"/probe-{n:05}\n" for n in range(20_000)))
    text = comparison_markdown(Comparison("a", "b", (replace(comparisons.ADDED, difference=many),)))
    assert "<details><summary>20,000 entries gained</summary>\n\n|  | 20,000 entries gained |\n" in text
    assert "\nand 19,500 more\n" in text
    _well_formed(text)
    assert len(text) <= MAX_CHARS


@pytest.mark.parametrize("max_chars", [900, 2_000, 10_000, MAX_CHARS])
def test_a_comment_never_exceeds_what_is_taken(max_chars: int) -> None:
    """Many files with long entries: some shown whole, some as a sentence, the rest counted; no table cut in two."""
    entries = "".join(f"/{n:03}{'<&|' * 200}\n" for n in range(100))
    difference = comparisons.compared("needle", "# none\n", entries)
    files = tuple(FileDifference(f"web/{n:03}.txt", "needle", State.CHANGED, difference) for n in range(300))
    text = comparison_markdown(Comparison("a", "b", (*files, comparisons.MOVED)), max_chars=max_chars)
    assert len(text) <= max_chars
    assert re.search(r"and \d+ more files, for which there is no room here", text)
    _well_formed(text)


def test_a_file_without_room_for_its_lists_keeps_its_sentence() -> None:
    """Fewer items, and at last none; what became of the file is always said as long as there is room for that."""
    entries = "".join(f"/{n:03}{'x' * 400}\n" for n in range(100))
    file = replace(comparisons.ADDED, difference=comparisons.compared("needle", "# none\n", entries))
    few = comparison_markdown(Comparison("a", "b", (file,)), max_chars=5_000)
    assert "\nand 95 more\n" in few
    none = comparison_markdown(Comparison("a", "b", (file,)), max_chars=1_200)
    assert "100 entries gained; 0 -&#62; 100 entries" in none
    assert "| + |" not in none


def test_foreign_text_is_no_markup_link_or_mention() -> None:
    """Keys, entries and the names of the sides cannot close a table, fetch an image, link or call somebody."""
    text = comparison_markdown(comparisons.HOSTILE)
    for harm in ("<img", "](", "@someone", "#1 ", "`x`", "http://", "www.", "\x1b", "\u202e", "\n::"):
        assert harm not in text, harm
    _well_formed(text)


def test_a_cell_is_one_short_line() -> None:
    """Line breaks are escaped, and a text of any length is cut before it is escaped."""
    assert cell("a\nb") == "a&#92;nb"
    assert len(cell("x" * 10_000)) == 503


def test_the_summary_of_a_plan_tells_what_changes_mean() -> None:
    """Below the table of jobs; the same change at two targets is told once."""
    meanings = {"whitelists/e.txt": comparisons.NETWORKS, "web/b.txt": comparisons.MOVED.difference}
    targets = tuple(replace(target, meanings=meanings) for target in samples.PUBLISHED.targets)
    text = run_summary_markdown(RunResult("r", (replace(samples.PUBLISHED, targets=targets),), 0.1, dry_run=True))
    assert text.count("| + | 104.16.0.0/16 | AS13335 CLOUDFLARENET, US |\n") == 1
    assert "#### :white_check_mark: web/b.txt\n\nequal to every engine: only lines moved" in text
