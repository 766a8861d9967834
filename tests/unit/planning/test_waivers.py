"""Waivers: accepted by name until a day, always in sight, and never longer in force than needed."""

from datetime import date

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Waiver
from hubdata.planning import waivers as planning

TODAY = date(2026, 7, 1)
JOB = "allowlists"
ERROR = Finding("a", 3, "rule", Severity.ERROR, "bad", "mend")


def waive(findings: tuple[Finding, ...], waivers: tuple[Waiver, ...], today: date) -> tuple[Finding, ...]:
    """Return what the job's waivers make of `findings`."""
    return planning.waive(findings, waivers, today, JOB)


def test_waived_error_counts_as_a_warning_and_says_why_up_to_its_last_day() -> None:
    """The finding stays, as a warning, with reason and end; the last day is included."""
    (found,) = waive((ERROR,), (Waiver("a", "rule", "known", TODAY),), TODAY)

    assert found.severity is Severity.WARNING
    assert found.waived == "until 2026-07-01: known"
    assert (found.line, found.message) == (3, "bad")


def test_one_waiver_covers_every_line_of_its_file_and_rule_only() -> None:
    """Other files and other rules are not let through."""
    others = (Finding("b", 1, "rule", Severity.ERROR, "", ""), Finding("a", 1, "other", Severity.ERROR, "", ""))

    found = waive((ERROR, ERROR, *others), (Waiver("a", "rule", "known", TODAY),), TODAY)

    assert [f.severity for f in found] == [Severity.WARNING, Severity.WARNING, Severity.ERROR, Severity.ERROR]


def test_expired_waiver_waives_nothing_and_says_so() -> None:
    """The day after its end the error refuses again, and the old waiver is named."""
    found = waive((ERROR,), (Waiver("a", "rule", "known", date(2026, 6, 30)),), TODAY)

    assert [(f.rule, f.severity) for f in found] == [("rule", Severity.ERROR), ("waiver.expired", Severity.WARNING)]
    assert "2026-06-30, so the file is refused again" in found[1].message
    assert found[1].advice.startswith("who keeps the list mends it; or who keeps jobs/allowlists.toml decides anew")


def test_expired_waiver_that_nothing_needs_is_only_to_be_removed() -> None:
    """The list was mended meanwhile: nobody has to decide anything, the old line just goes."""
    (found,) = waive((), (Waiver("a", "rule", "known", date(2026, 6, 30)),), TODAY)

    assert (found.rule, found.message) == (
        "waiver.expired",
        "the waiver for rule ended on 2026-06-30: it does nothing any more",
    )
    assert found.advice.startswith("who keeps jobs/allowlists.toml removes the waiver")


def test_waiver_that_does_nothing_is_a_finding() -> None:
    """An unused waiver, or one for what is only a warning, would lie in wait for a real mistake."""
    mild = Finding("a", 3, "rule", Severity.WARNING, "odd", "")

    for findings, why in (((), "finds nothing there"), ((mild,), "is only a warning there")):
        found = waive(findings, (Waiver("a", "rule", "known", TODAY),), TODAY)
        assert found[-1].rule == "waiver.unused"
        assert found[-1].message.endswith(why)
        assert "jobs/allowlists.toml removes the waiver" in found[-1].advice
        assert found[:-1] == findings


def test_expired_waiver_beside_its_successor_is_still_named() -> None:
    """A renewed waiver works, and the one it replaces is reported so that it gets removed."""
    old, new = Waiver("a", "rule", "old", date(2026, 1, 1)), Waiver("a", "rule", "new", TODAY)

    for waivers in ((old, new), (new, old)):
        found = waive((ERROR,), waivers, TODAY)
        assert [f.rule for f in found] == ["rule", "waiver.expired"]
        assert found[0].severity is Severity.WARNING
