"""What a person reads after a run."""

import io
import re
from dataclasses import replace

import pytest

from hubdata.model.finding import Finding, Severity
from hubdata.model.run import RunResult
from hubdata.report.terminal import Page, Screen, Style, plain, screen_of
from hubdata.report.text import plan_text, run_text, validation_text
from tests.unit.report import samples

WIDE = Screen(120)


def test_each_job_is_a_row_with_what_happened_to_it() -> None:
    """Outcome, short revision, counts, bytes, generation and the CDN's id stand in the job's row."""
    rows = run_text(samples.EVERYTHING, WIDE).splitlines()
    row = next(line for line in rows if line.startswith("allowlists"))
    assert " ".join(row.split()) == "allowlists published git 1149fa3 aws 1 0 171 812 B 12 cdn I2"
    mirror = rows[rows.index(row) + 1]
    assert mirror.split() == ["mirror", "0", "0", "172", "0", "B", "7"]
    assert any(line.startswith("edge") and line.endswith("cdn pending") for line in rows)
    assert any(line.startswith("geoip") and f"held {samples.HELD_PLAN.id[:12]}" in line for line in rows)


def test_deletes_have_a_column_only_when_there_are_any() -> None:
    """A column of zeros would cost width for nothing."""
    assert "DEL" in run_text(samples.EVERYTHING, WIDE)
    assert "DEL" not in run_text(samples.FINE, WIDE)


def test_an_error_says_file_line_rule_message_and_advice() -> None:
    """Everything needed to mend the file is there, under the file's own heading."""
    text = run_text(samples.EVERYTHING, WIDE)
    block = text[text.index("\nwhitelists/a.txt\n") :].split("\n\n")[0]
    for part in ("error", "line 3", "[cidr.host-bits]", "10.0.0.1/8 has host bits set", "advice: write 10.0.0.0/8"):
        assert part in block


def test_warnings_are_counted_until_asked_for() -> None:
    """Warnings are one line by rule; `-v` shows each, with its waiver."""
    brief = run_text(samples.EVERYTHING, WIDE)
    assert "3 warnings, 1 of them waived: cidr.overlap 2, rdns-regexp.unanchored 1 (-v shows them)" in brief
    assert "1.2.3.4 lies in" not in brief
    full = run_text(samples.EVERYTHING, WIDE, verbose=True)
    assert "1.2.3.4 lies in" in full
    assert "waived until 2027-03-31: soon" in full


def test_files_with_errors_come_before_files_with_warnings() -> None:
    """What refuses a file is read first even when its name sorts last."""
    text = run_text(samples.EVERYTHING, WIDE, verbose=True)
    assert text.index("\nwhitelists/a.txt\n") < text.index("\nrdns/seo.regex\n")


def test_a_file_that_is_wrong_throughout_does_not_fill_the_screen() -> None:
    """Twenty errors of a file tell what it is; the others are counted, and shown with `-v`."""
    many = tuple(replace(samples.ERROR, line=n) for n in range(1, 701))
    result = RunResult("r", (replace(samples.REFUSED, findings=many),), 0.1)
    brief = run_text(result, WIDE)
    assert brief.count("[cidr.host-bits]") == 20
    assert "and 680 more errors in this file (-v shows them)" in brief
    assert run_text(result, WIDE, verbose=True).count("[cidr.host-bits]") == 700


def test_a_problem_is_told_with_advice_and_without_its_password() -> None:
    """A failed job says why and what to do; a password in its URL is masked."""
    text = run_text(samples.EVERYTHING, WIDE)
    assert "error: appsec: https://***@git.example/x: no such host" in text
    assert "advice: check the job's url" in text
    assert "pa55word" not in text


def test_one_problem_of_many_jobs_is_told_once() -> None:
    """A repository that is gone fails each of its jobs, and a person reads of it once, with all their names."""
    twice = RunResult("r", (samples.FAILED, replace(samples.FAILED, job="lists")), 0.1)
    text = run_text(twice, WIDE)
    assert text.count("no such host") == 1
    assert "error: appsec, lists: " in text


def test_files_are_counted_once_whatever_the_number_of_targets() -> None:
    """One file published at two targets is one file at two targets."""
    first = samples.PUBLISHED.targets[0]
    second = replace(first, target="mirror", plan=replace(first.plan, target="mirror"))
    result = RunResult("r", (replace(samples.PUBLISHED, targets=(first, second)),), 0.1)
    assert run_text(result, WIDE).splitlines()[-1] == "Published 1 file (1.6 kB) at 2 targets, in 0.1 s"


def test_a_held_plan_comes_with_the_command_that_approves_it() -> None:
    """The command holds the whole plan id on one line, ready to be copied, at any width."""
    for width in (30, 80, 120):
        lines = run_text(samples.EVERYTHING, Screen(width)).splitlines()
        assert f"  hubdata sync --once --approve {samples.HELD_PLAN.id}" in lines


def test_the_last_line_sums_up_and_explains_the_exit_code() -> None:
    """One line tells what was done and what the exit code means; a fine run needs no explanation."""
    assert (
        run_text(samples.EVERYTHING, Screen(200))
        .splitlines()[-1]
        .startswith(
            "Published 2 files (1.6 kB), deleted 1 file, refused 1 file, held 1 job, 1 job failed, in 0.4 s (exit 5: "
        )
    )
    assert run_text(samples.FINE, WIDE).splitlines()[-1] == "Published 1 file (812 B), in 0.4 s"
    idle = RunResult("r", (samples.UNCHANGED,), 0.3)
    assert run_text(idle, WIDE).splitlines()[-1] == "Nothing changed, 40 files up to date, in 0.3 s"


def test_quiet_says_nothing_when_all_is_well() -> None:
    """Cron mails output: a fine run under `-q` is silent, a bad one tells what needs a person."""
    assert run_text(samples.FINE, WIDE, quiet=True) == ""
    bad = run_text(samples.EVERYTHING, WIDE, quiet=True)
    assert "cidr.host-bits" in bad
    assert "web-patterns" not in bad
    assert "exit 5" in bad


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_every_width_shows_every_job_without_trailing_spaces(width: int, *, verbose: bool) -> None:
    """A narrow screen gets blocks in place of the table; only words that must be copied may be longer than it."""
    text = run_text(samples.EVERYTHING, Screen(width), verbose=verbose)
    for job in samples.EVERYTHING.jobs:
        assert re.search(rf"^{job.job}\b.*{job.outcome}", text, re.MULTILINE)
    for line in text.splitlines():
        assert line == line.rstrip()
        long_word = any(len(word) > width - 12 for word in line.split())
        assert len(line) <= width or long_word or line.startswith(("  hubdata sync", "  error", "  warning"))
    assert text.isascii()


def test_colours_appear_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colours unless NO_COLOR, `--no-color` or TERM=dumb forbid; anything else never."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert screen_of(Terminal()).color
    assert not screen_of(Terminal(), color=False).color
    assert not screen_of(io.StringIO()).color
    monkeypatch.setenv("NO_COLOR", "1")
    assert not screen_of(Terminal()).color
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not screen_of(Terminal()).color
    assert "\x1b[" in run_text(samples.EVERYTHING, Screen(80, color=True))
    assert "\x1b" not in run_text(samples.EVERYTHING, Screen(80))


def test_colours_do_not_move_columns() -> None:
    """The same page with its colours taken out is the page without colours."""
    painted = run_text(samples.EVERYTHING, Screen(120, color=True))
    bare = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert [line.rstrip() for line in bare.splitlines()] == run_text(samples.EVERYTHING, WIDE).splitlines()


def test_foreign_text_cannot_command_a_terminal_or_a_runner() -> None:
    """Escapes, right-to-left marks and workflow commands in keys and messages are made harmless."""
    bad = Finding("::stop-commands::x", 1, "r", Severity.ERROR, "\x1b[2J\u202eevil\r\n::add-mask::y ##[group]", "")
    result = RunResult("r", (replace(samples.REFUSED, findings=(bad,)),), 0.1)
    text = run_text(result, Screen(40, color=True))
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "\r" not in text
    assert not re.search(r"^\s*(\x1b\[[0-9;]*m)*::", text, re.MULTILINE)
    assert "##[" not in text
    assert "\\x1b[2J\\u202eevil" in text


def test_plain_escapes_what_cannot_be_printed() -> None:
    """Surrogates from undecodable names survive as escapes; ordinary accents stay."""
    assert plain("caf\u00e9 \udc80\t") == "caf\u00e9 \\udc80\\t"


def test_a_plan_shows_every_change_with_reason_size_and_its_whole_id() -> None:
    """A reviewer sees what would happen to each key, and the id that approves exactly that."""
    plan = RunResult("r", (samples.HELD, samples.PENDING), 0.2, dry_run=True)
    text = plan_text(plan, Screen(60))
    assert f"  plan {samples.HELD_PLAN.id} (held by limits)\n" in text
    assert "  + changed  66.2 MB  mmdb_update/GeoLite2-City.mmdb\n" in text
    assert "  - removed      5 B  old.txt\n" in text
    assert "1 file right already" in text
    assert "Would publish 1 file (812 B), would delete 1 file, held 1 job" in " ".join(text.split())
    assert "nothing was written" in " ".join(text.split())


def test_validation_shows_findings_and_a_verdict() -> None:
    """A pull request's author sees what refuses which file; `-v` adds each file with its kind and entries."""
    text = validation_text(samples.CHECKED, WIDE)
    assert "[cidr.host-bits]" in text
    assert text.splitlines()[-1].startswith("Checked 2 files, refused 1 file, in 0.1 s (exit 3: ")
    assert validation_text(samples.CLEAN, WIDE) == "Checked 1 file, none refused, in 0.1 s\n"
    assert validation_text(samples.CLEAN, WIDE, quiet=True) == ""
    assert "whitelists/e.txt  cidr        4" in validation_text(samples.CLEAN, WIDE, verbose=True)


def test_a_page_wraps_prose_under_its_label() -> None:
    """The lines after the first are set in, so that a label stands free."""
    page = Page(Screen(19))
    page.prose("one two three four five six", Style.DIM, indent=2, first="do: ")
    assert page.text() == "  do: one two three\n      four five six\n"
