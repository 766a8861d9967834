"""An audit as text, JSON and for GitHub: the table, silence when asked for, and nothing foreign taken for an order."""

import json
from dataclasses import replace

from hubdata.model.audit import Action, AuditResult
from hubdata.model.finding import Finding, Severity
from hubdata.report.audit_github import audit_github, audit_markdown
from hubdata.report.audit_json import audit_json
from hubdata.report.audit_text import audit_text
from hubdata.report.terminal import Screen

BROKEN = Finding("scenarios/a.yaml", 7, "audit.dangling", Severity.ERROR, "nothing there", "did you mean b?")
STRANGE = Finding("x\x1b[2J::error ::|.yaml", 1, "audit.external", Severity.WARNING, "::stop\n", "mirror")
ORPHAN = Finding("web/old.txt", None, "audit.orphan", Severity.INFO, "unused", "remove it")
RESULT = AuditResult(
    hub="hub",
    against="target store",
    items=3,
    entries=1,
    published=2,
    findings=(BROKEN, STRANGE, ORPHAN),
    actions=(
        Action(Severity.ERROR, "scenarios/a.yaml", 7, "b.txt", "audit.dangling", "did you mean b?"),
        Action(Severity.WARNING, STRANGE.key, 1, "c.txt", "audit.external", "mirror"),
        Action(Severity.INFO, "web/", None, "web/old.txt", "audit.orphan", "remove it"),
    ),
    elapsed_s=0.25,
    notices=("the DNS said little",),
    base="hub/",
)
WELL = replace(RESULT, findings=(ORPHAN,), actions=RESULT.actions[2:], notices=())


def test_text_ends_with_a_table_and_one_sentence() -> None:
    """The broken item in full, then a line for each thing to do, then the verdict."""
    text = audit_text(RESULT, Screen(120))
    lines = text.splitlines()
    assert "    nothing there" in lines
    table = lines[lines.index("What to do") :]
    assert table[1].split() == ["SEVERITY", "ITEM", "FILE", "RULE"]
    assert table[2].split() == ["error", "scenarios/a.yaml:7", "b.txt", "audit.dangling"]
    assert table[4].split() == ["info", "web/", "web/old.txt", "audit.orphan"]
    end = " ".join(lines[-2:])
    assert "Audited 3 items with 1 data entry against 2 published files: 1 error, 1 warning, 1 note, in 0.2 s" in end
    assert "exit 3" in end
    assert "\x1b" not in text


def test_a_narrow_screen_gets_lines_in_the_tables_place() -> None:
    """Nothing is cut: what has to be copied stays whole."""
    assert "error scenarios/a.yaml:7  b.txt  [audit.dangling]\n" in audit_text(RESULT, Screen(40))


def test_quiet_says_nothing_when_nothing_is_broken() -> None:
    """A cron job writes mail only when somebody must act."""
    assert audit_text(WELL, Screen(), quiet=True) == ""
    assert "nothing there" in audit_text(RESULT, Screen(), quiet=True)


def test_an_audit_that_finds_nothing_says_so() -> None:
    """No table without lines."""
    nothing = replace(WELL, findings=(), actions=())
    assert audit_text(nothing, Screen(120)) == (
        "Audited 3 items with 1 data entry against 2 published files: nothing to do, in 0.2 s\n"
    )


def test_json_has_findings_and_actions() -> None:
    """Everything the text has, for a program."""
    data = json.loads(audit_json(RESULT))
    assert data["exit_code"] == 3
    assert [f["rule"] for f in data["findings"]] == ["audit.dangling", "audit.external", "audit.orphan"]
    assert data["actions"][0]["line"] == 7
    assert json.loads(audit_json(WELL))["exit_code"] == 0


def test_github_gets_annotations_on_items_and_a_table_in_the_summary() -> None:
    """Orphans are files of another repository: they are in the summary only. Names cannot issue commands."""
    lines = audit_github(RESULT).splitlines()
    assert lines[0].startswith("::error file=hub/scenarios/a.yaml,line=7,title=audit.dangling::")
    assert len(lines) == 4
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    assert not any("orphan" in line for line in lines)
    summary = audit_markdown(RESULT)
    assert "web/old.txt" in summary
    rows = [line for line in summary.splitlines() if line.startswith("| ")]
    assert len(rows) == 5
    assert all(row.count(" | ") == 4 for row in rows)
    assert "\x1b" not in summary
