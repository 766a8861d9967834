"""What GitHub Actions shows on a pull request."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.model.finding import Finding, Severity
from hubdata.model.run import RunResult
from hubdata.report.github import (
    append_step_summary,
    command,
    run_github,
    run_summary_markdown,
    validation_github,
    validation_summary_markdown,
)
from tests.unit.report import samples


@pytest.mark.parametrize(
    ("message", "title", "expected"),
    [
        ("plain", "", "::error::plain"),
        ("100% sure", "", "::error::100%25 sure"),
        ("a\r\nb", "", "::error::a%0D%0Ab"),
        ("a: b, c", "", "::error::a: b, c"),
        ("m", "a: b, c", "::error title=a%3A b%2C c::m"),
        ("m", "50%\n::x", "::error title=50%25%0A%3A%3Ax::m"),
        ("%0A", "%2C", "::error title=%252C::%250A"),
    ],
)
def test_commands_are_escaped_as_the_toolkit_does(message: str, title: str, expected: str) -> None:
    """Nothing in a message or title can end the command or begin another."""
    assert command("error", message, title=title) == expected


def test_a_finding_is_an_annotation_at_its_line() -> None:
    """File, line and rule are properties, so that GitHub shows the message at the place."""
    lines = validation_github(samples.CHECKED).splitlines()
    assert lines[0] == (
        "::error file=whitelists/a.txt,line=3,title=cidr.host-bits::10.0.0.1/8 has host bits set. write 10.0.0.0/8"
    )
    assert lines[1].startswith("::warning file=whitelists/b.txt,line=9,title=cidr.overlap::")


def test_errors_come_before_warnings() -> None:
    """GitHub keeps the first ten of each; a refused file must not be lost behind others."""
    kinds = [line.split(" ")[0] for line in run_github(samples.EVERYTHING).splitlines() if "file=" in line]
    assert kinds == sorted(kinds, key=["::error", "::warning", "::notice"].index)
    assert set(kinds) == {"::error", "::warning", "::notice"}


def test_every_line_is_a_command_whatever_a_file_says() -> None:
    """A finding with line breaks and commands in its text stays one annotation."""
    bad = Finding("a,b\n::stop-commands::k", 1, "r", Severity.ERROR, "x\n::add-mask::y", "z")
    result = RunResult("r", (replace(samples.REFUSED, findings=(bad,)),), 0.1)
    lines = run_github(result).splitlines()
    assert lines[0] == "::error file=a%2Cb%0A%3A%3Astop-commands%3A%3Ak,line=1,title=r::x%0A::add-mask::y. z"
    assert all(line.startswith(("::error", "::warning", "::notice")) for line in lines)


def test_problems_and_held_plans_are_annotated_without_secrets() -> None:
    """A failed job is an error; a held plan a warning that says how to approve it."""
    text = run_github(samples.EVERYTHING)
    assert "::error title=appsec::https://***@git.example/x: no such host. check the job's url\n" in text
    assert f"--approve {samples.HELD_PLAN.id}\n" in text
    assert "pa55word" not in text + run_summary_markdown(samples.EVERYTHING)


def test_the_summary_is_a_table_of_jobs_and_findings() -> None:
    """The step's page shows each job at each target, and every finding."""
    text = run_summary_markdown(samples.EVERYTHING)
    assert "| :white_check_mark: allowlists | published | git 1149fa3 | aws | 1 | 0 | 171 | 812 B | 12 |  |" in text
    assert f"`{samples.HELD_PLAN.id}`" in text
    assert "| error | whitelists/a.txt | 3 | cidr.host-bits | 10.0.0.1/8 has host bits set | write 10.0.0.0/8 |" in text
    assert "refused 1 file" in validation_summary_markdown(samples.CHECKED)


def test_foreign_text_is_no_markup_in_the_summary() -> None:
    """Pipes, line breaks, HTML and links from a file stay what they are: text in one cell."""
    bad = Finding("k|x", 1, "r", Severity.ERROR, "<img src=x>\n| a | [l](http://e) `c`", "")
    result = RunResult("r", (replace(samples.REFUSED, findings=(bad,)),), 0.1)
    row = next(line for line in run_summary_markdown(result).splitlines() if "k&#124;x" in line)
    assert row.count("|") == 7
    assert "<img" not in row
    assert "[l]" not in row


def test_a_long_summary_is_bounded() -> None:
    """GitHub drops a summary over 1 MiB whole: rows and cells are limited, and the rest is counted."""
    many = tuple(Finding(f"k{i}", i, "r", Severity.ERROR, "m|" * 3000, "") for i in range(700))
    text = run_summary_markdown(RunResult("r", (replace(samples.REFUSED, findings=many),), 0.1))
    assert "and 200 more findings" in text
    assert len(text.encode()) < 1024 * 1024


def test_the_summary_is_appended_where_github_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other steps' summaries stay; without the variable, or with a path that cannot be written, nothing happens."""
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    append_step_summary("### x")
    assert file.read_text() == "before\n### x\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    append_step_summary("### y")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    append_step_summary("### z")
    assert file.read_text() == "before\n### x\n"
