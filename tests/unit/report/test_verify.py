"""A verification as text, JSON and for GitHub: what is wrong, silence when asked for, nothing foreign obeyed."""

import json
from dataclasses import replace

import pytest

from hubdata.errors import Exit
from hubdata.model.finding import Severity
from hubdata.model.verification import Discrepancy, Family, FamilyView, Verification
from hubdata.report.github import run_github, run_summary_markdown
from hubdata.report.json import run_json
from hubdata.report.terminal import Screen
from hubdata.report.text import run_text
from hubdata.report.verify_github import verify_github, verify_markdown
from hubdata.report.verify_json import verify_json
from hubdata.report.verify_text import verify_text
from tests.unit.report import samples

URL = "https://hub-data.test"


def wrong(key: str, *, severity: Severity = Severity.ERROR, rule: str = "verify.bytes") -> Discrepancy:
    """Return a finding over IPv6."""
    return Discrepancy(
        rule, severity, Family.IPV6, key, f"{URL}/{key}", "22 bytes", "10 bytes", "find out who did", passing=False
    )


FINE = FamilyView(Family.IPV4, "192.0.2.1", 12, 22, 69, 4486, 0.1)
ILL = replace(FINE, family=Family.IPV6, address="2001:db8::1", findings=(wrong("a.txt"),))
WELL = Verification(URL, "target aws", 12, (FINE, replace(ILL, findings=())), 22, 172, "seed", elapsed_s=1.25)
BAD = replace(WELL, views=(FINE, ILL), notices=("a notice",), waited_s=20.0, looks=5)
FOREIGN = wrong("x\x1b[2J::error ::.txt")


def test_text_shows_each_family_then_what_is_wrong_then_one_sentence() -> None:
    """Rule, URL, expected, found, advice; and how to look at the same files again."""
    text = verify_text(BAD, Screen(120))
    lines = text.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("FAMILY"))
    assert lines[head + 1].split() == ["IPv4", "192.0.2.1", "12", "22", "69", "4.5", "kB", "fine"]
    assert lines[head + 2].split() == ["IPv6", "2001:db8::1", "12", "22", "69", "4.5", "kB", "1", "error"]
    start = lines.index(f"error IPv6 [verify.bytes] {URL}/a.txt")
    assert lines[start + 1 : start + 4] == [
        "  expected: 22 bytes",
        "  found:    10 bytes",
        "  advice:   find out who did",
    ]
    assert "The same files again: --seed seed" in lines
    assert "Readers over IPv6 do not have generation 12: 1 error, in 1.2 s, 20 s of them waiting for the CDN" in text
    assert "exit 7" in text
    assert "note: a notice" in lines


def test_a_good_copy_is_one_table_and_one_sentence() -> None:
    """And nothing at all for who asked for silence."""
    text = verify_text(WELL, Screen(120))
    assert "Readers over IPv4 and IPv6 have generation 12: 22 of 172 files looked at, in 1.2 s" in text
    assert verify_text(WELL, Screen(120), quiet=True) == ""
    assert "verify.bytes" in verify_text(BAD, Screen(120), quiet=True)
    assert "a notice" not in verify_text(BAD, Screen(120), quiet=True)


def test_a_narrow_screen_gets_lines_in_the_tables_place() -> None:
    """The same things said."""
    assert "IPv6 (2001:db8::1): 1 error, generation 12, 22 files\n" in verify_text(BAD, Screen(40))


def test_what_is_wrong_with_many_files_alike_is_counted() -> None:
    """Until asked for; warnings are only counted."""
    many = tuple(wrong(f"{n}.txt") for n in range(50))
    mild = wrong("z.txt", severity=Severity.WARNING, rule="verify.content-type")
    result = replace(BAD, views=(FINE, replace(ILL, findings=(*many, mild))))
    text, verbose = verify_text(result, Screen(120)), verify_text(result, Screen(120), verbose=True)
    assert text.count("[verify.bytes]") == 5
    assert "and 45 more files so (-v shows them)" in text
    assert "1 warning: verify.content-type (-v shows them)" in text
    assert verbose.count("[verify.bytes]") == 50
    assert f"warning IPv6 [verify.content-type] {URL}/z.txt" in verbose


def test_warnings_alone_are_no_failure() -> None:
    """Told in the sentence; exit code 0."""
    mild = wrong("z.txt", severity=Severity.WARNING, rule="verify.content-type")
    result = replace(WELL, views=(FINE, replace(ILL, findings=(mild,))))
    assert result.exit_code is Exit.FINE
    assert "1 warning, in 1.2 s" in verify_text(result, Screen(200))


def test_json_has_every_family_and_finding() -> None:
    """The same object alone, and as a run's `verify`; null where nothing was looked at."""
    told = json.loads(verify_json(BAD))
    assert (told["exit_code"], told["generation"], told["looks"], told["waited_s"]) == (7, 12, 5, 20.0)
    assert [(f["family"], f["well"]) for f in told["families"]] == [("ipv4", True), ("ipv6", False)]
    assert told["families"][1]["findings"] == [
        {
            "rule": "verify.bytes",
            "severity": "error",
            "family": "ipv6",
            "key": "a.txt",
            "url": f"{URL}/a.txt",
            "expected": "22 bytes",
            "found": "10 bytes",
            "advice": "find out who did",
            "passing": False,
        }
    ]
    assert json.loads(run_json(replace(samples.FINE, verification=BAD)))["verify"] == told
    assert json.loads(run_json(samples.FINE))["verify"] is None


def test_a_run_tells_what_readers_get_and_ends_with_7_when_they_do_not() -> None:
    """Everything else went well; the last sentence says why it is not 0."""
    result = replace(samples.FINE, verification=BAD)
    assert result.exit_code is Exit.CDN_PENDING
    text = run_text(result, Screen(200))
    assert f"error IPv6 [verify.bytes] {URL}/a.txt" in text
    assert "exit 7: published, but not every reader has it" in text
    assert "::error title=verify.bytes (IPv6)::" in run_github(result)
    assert "### hubdata verify" in run_summary_markdown(result)
    quiet = run_text(replace(samples.FINE, verification=WELL), Screen(200), quiet=True)
    assert quiet == ""


def test_a_target_that_cannot_say_what_was_published_is_no_success() -> None:
    """Nobody knows what readers have."""
    unknown = Verification(URL, "target aws", 0, (), notices=("it cannot be read",), unknown=True)
    assert unknown.exit_code is Exit.CDN_PENDING
    assert "is not known (exit 7)" in verify_text(unknown, Screen(120))


@pytest.mark.parametrize("render", [verify_github, verify_markdown, lambda r: verify_text(r, Screen(120))])
def test_nothing_foreign_gives_orders(render: object) -> None:
    """Keys and headers are what strangers wrote."""
    hostile = replace(FOREIGN, found="::stop-commands::x\n::error ::y")
    result = replace(BAD, views=(FINE, replace(ILL, findings=(hostile,))))
    text = render(result)  # type: ignore[operator]
    assert "\x1b" not in text
    lines = [line for line in text.splitlines() if line.startswith(("::stop", "::error ::"))]
    assert lines == []


def test_github_gets_errors_first_and_a_table() -> None:
    """Annotations name rule and family, the summary has both tables."""
    mild = wrong("z.txt", severity=Severity.WARNING, rule="verify.content-type")
    result = replace(BAD, views=(replace(FINE, findings=(replace(mild, family=Family.IPV4),)), ILL))
    lines = verify_github(result).splitlines()
    assert lines[0].startswith("::error title=verify.bytes (IPv6)::https://hub-data.test/a.txt over IPv6: expected 22")
    assert lines[1].startswith("::warning title=verify.content-type (IPv4)::")
    markdown = verify_markdown(result)
    assert "| Family | Address |" in markdown
    assert "| error | IPv6 |" in markdown
