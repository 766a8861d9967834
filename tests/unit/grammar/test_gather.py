"""Findings come back ordered and capped, and text in messages is harmless to a terminal."""

from hubdata.grammar.gather import MAX_LABOUR, MAX_PER_RULE, Gather, shown
from hubdata.model.finding import Finding, Severity


def test_findings_are_ordered_whole_file_first_then_by_line() -> None:
    """A finding without a line leads, then lines ascend, whatever the order they were found in."""
    gather = Gather("k", "cidr")
    gather.error(7, "syntax", "m", "a")
    gather.warning(None, "x", "m", "a")
    before = Finding("k", 3, "text.cr", Severity.ERROR, "m", "a")
    assert [f.line for f in gather.findings([before])] == [None, 3, 7]


def test_an_error_beyond_the_cap_is_never_hidden_behind_a_warning() -> None:
    """The finding that counts the rest is as severe as the worst of them."""
    gather = Gather("k", "cidr")
    for line in range(MAX_PER_RULE + 5):
        gather.warning(line, "mixed", "m", "a")
    gather.error(500, "mixed", "m", "a")
    last = gather.findings()[-1]
    assert (last.severity, last.line, last.rule) == (Severity.ERROR, 500, "cidr.mixed")
    assert "6 more" in last.message


def test_control_characters_are_never_shown_raw() -> None:
    """An escape sequence in a row does not reach the terminal, and long rows are cut."""
    assert "\x1b" not in shown("\x1b[2J")
    assert "\u202e" not in shown("a\u202eb")
    assert len(shown("x" * 10_000)) < 120
    assert shown("plain") == "`plain`"


def test_a_judge_gives_up_on_a_file_of_bad_rows_and_says_so() -> None:
    """After ten thousand refusals nothing more is judged, and an error for the whole file tells that it was not."""
    gather = Gather("k", "cidr")
    judged = 0
    for line in gather.patient(range(MAX_LABOUR * 2)):
        judged += 1
        gather.error(line, "syntax", "m", "a")
    assert judged == MAX_LABOUR
    first = gather.findings()[0]
    assert (first.line, first.rule, first.severity) == (None, "text.given-up", Severity.ERROR)


def test_a_judge_goes_to_the_end_when_warnings_or_the_last_rows_are_all_there_is() -> None:
    """Warnings cost no patience; and where the last row is the last straw, nothing was left out."""
    gather = Gather("k", "cidr")
    for line in gather.patient(range(MAX_LABOUR * 2)):
        gather.warning(line, "space", "m", "a")
    for line in gather.patient(range(MAX_LABOUR)):
        gather.error(line, "syntax", "m", "a")
    assert "text.given-up" not in {finding.rule for finding in gather.findings()}


def test_work_on_the_same_text_is_paid_once() -> None:
    """A pattern that stands in every row is judged once, and does not use up what the others may cost."""
    gather = Gather("k", "bots")
    for text in ["a", "a", "b"]:
        gather.spend(MAX_LABOUR // 2 - 1, on=text)
    assert list(gather.patient([1])) == [1]
    gather.spend(2, on="c")
    assert list(gather.patient([1])) == []
    assert gather.gave_up
