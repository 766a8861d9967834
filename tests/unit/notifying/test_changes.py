"""What is news: each trouble once, for each set of files; its end once; and nothing that nobody can know."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.notify import EVERYTHING, Trouble
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.run import Problem, RunResult, TargetResult
from hubdata.notifying.changes import after, news, together, upon
from hubdata.notifying.record import MOST_JOBS, Entry, Record, Told
from hubdata.notifying.sightings import Condition, Sighting, sightings
from hubdata.planning.outcome import job_result

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = frozenset(EVERYTHING)
REFUSED, HELD, FAILED, STALE = Trouble
CHANGE = Change(Action.PUT, "b", Reason.NEW, 1, "00", None)
EMPTY, FULL = Plan("job", "t"), Plan("job", "t", (CHANGE,))
JOB = Job("job", SourceSpec("directory", {}), (FileRule("*", "opaque"),), max_age=HOUR)
DOWN, BROKEN = Problem("down", "wait", Exit.SOURCE), Problem("broken", "mend", Exit.TARGET)


def bad(key: str, rule: str = "r") -> Finding:
    """Return an error in a file."""
    return Finding(key, 3, rule, Severity.ERROR, "m", "advice")


def seen(
    *targets: TargetResult, findings: tuple[Finding, ...] = (), problem: Problem | None = None, partial: bool = False
) -> dict[str, Sighting]:
    """Return what a run shows of `job`, by target."""
    held_by = tuple(f for f in findings if f.rule.startswith(("limits.", "gate.")))
    own = tuple(f for f in findings if f not in held_by)
    result = RunResult("r", (job_result("job", {}, problem, own, targets, held_by=held_by),), 0.0)
    return {each.target: each for each in sightings(result, (JOB,), ("t", "u"), partial=partial)}


def states(sighting: Sighting) -> dict[str, bool]:
    """Return which troubles are there, of those that are known of."""
    return {trouble.value: condition is not None for trouble, condition in sighting.seen.items()}


def test_what_a_run_shows_of_a_job() -> None:
    """A good run knows of all; one without its source of its failure alone; an approving one not of what it left."""
    assert states(seen(TargetResult("t", EMPTY))["t"]) == dict.fromkeys(["failed", "refused", "held", "stale"], False)
    found = seen(TargetResult("t", FULL, applied=True), findings=(bad("a"),))["t"]
    assert states(found) == {"failed": False, "refused": True, "held": False}
    assert seen(problem=DOWN).keys() == {"t", "u"}, "no target was gone to, and it failed at each"
    assert states(seen(problem=DOWN)["u"]) == {"failed": True}
    assert states(seen(TargetResult("t", EMPTY, problem=BROKEN))["t"]) == {"failed": True, "refused": False}
    waiting = seen(TargetResult("t", EMPTY, waiting=FULL))["t"]
    assert states(waiting) == {"failed": False, "refused": False}
    held = seen(TargetResult("t", EMPTY, held=FULL), findings=(bad("b", "limits.max-change"),))["t"]
    assert states(held) == {"failed": False, "refused": False, "held": True}
    condition = held.seen[HELD]
    assert condition is not None
    assert (condition.keys, condition.plan_id) == (("b",), FULL.id)
    assert "--approve" in condition.advice


def test_a_gate_refuses_at_its_own_target_alone() -> None:
    """What it says stands at every job of the result; it counts where it kept something from going out."""
    found = seen(TargetResult("t", EMPTY, barred=FULL), TargetResult("u", EMPTY), findings=(bad("", "gate.failed"),))
    assert (states(found["t"])["refused"], states(found["u"])["refused"]) == (True, False)


def test_a_run_for_some_keys_clears_nothing() -> None:
    """One edition that is well says nothing of the others, nor how old they are; one that is not, does."""
    assert seen(TargetResult("t", EMPTY), partial=True) == {}
    assert states(seen(TargetResult("t", EMPTY), findings=(bad("a"),), partial=True)["t"]) == {"refused": True}


def told_of(told: Told, sighting: Sighting, on: frozenset[str] = ALL) -> tuple[list[tuple[str, str, str]], Told]:
    """Return state, `was` and `still` of what is news, and what was told after that."""
    found, told = news(told, sighting, on)
    return [(each.state, " ".join(each.was), " ".join(each.still)) for each in found], told


def test_a_day_of_troubles_is_told_change_by_change() -> None:
    """Refused, then other files, then held instead, then a failure in between, then well."""
    told: Told = {}
    story: list[tuple[dict[Trouble, Condition | None], list[tuple[str, str, str]]]] = [
        ({REFUSED: None, HELD: None, FAILED: None}, []),
        ({REFUSED: Condition("1", "a"), HELD: None, FAILED: None}, [("refused", "", "")]),
        ({REFUSED: Condition("1", "other words"), HELD: None, FAILED: None}, []),
        ({REFUSED: Condition("2", "a, b"), HELD: None, FAILED: None}, [("refused", "", "")]),
        ({FAILED: Condition("5", "down")}, [("failed", "", "")]),
        ({FAILED: Condition("5", "still down")}, []),
        ({REFUSED: Condition("2", ""), HELD: None, FAILED: None}, [("recovered", "failed", "refused")]),
        ({REFUSED: None, HELD: Condition("2", ""), FAILED: None}, [("held", "refused", "")]),
        ({REFUSED: None, HELD: None, FAILED: None}, [("recovered", "held", "")]),
        ({REFUSED: None, HELD: None, FAILED: None}, []),
    ]
    for seen_now, expected in story:
        found, told = told_of(told, Sighting("job", "t", seen_now))
        assert found == expected
    assert told == {}


def test_what_is_not_wanted_is_as_if_it_were_not() -> None:
    """It is not told, nor its end, and it was never told once it is wanted."""
    on = frozenset({"failed", "recovered"})
    sighting = Sighting("job", "t", {REFUSED: Condition("1", "")})
    assert told_of({}, sighting, on) == ([], {})
    assert told_of({}, Sighting("job", "t", {REFUSED: None}), on) == ([], {})
    assert told_of({FAILED: "5"}, Sighting("job", "t", {FAILED: None}), frozenset({"failed"})) == ([], {})


CONDITIONS = st.dictionaries(
    st.sampled_from(list(Trouble)), st.none() | st.sampled_from("123").map(lambda mark: Condition(mark, "")), max_size=4
)


@given(st.lists(CONDITIONS, max_size=12), st.frozensets(st.sampled_from(EVERYTHING)))
def test_whatever_happens_nothing_is_told_twice(
    story: list[dict[Trouble, Condition | None]], on: frozenset[str]
) -> None:
    """Seen again, nothing is news; and whoever reads all messages knows what is the matter, of what is told at all."""
    told: Told = {}
    known: dict[str, str] = {}
    for seen_now in story:
        found, told = news(told, Sighting("job", "t", seen_now), on)
        assert news(told, Sighting("job", "t", seen_now), on) == ((), told)
        for change in found:
            for word in change.was:
                known.pop(word, None)
            if change.condition is not None:
                known[change.state] = change.condition.mark
            assert change.state in on
        if "recovered" in on:
            assert known == {trouble.value: mark for trouble, mark in told.items()}


def test_one_shot_runs_count_age_from_their_first_that_was_no_success() -> None:
    """They write nothing while all is well; a success forgets, and a worker's knowledge counts more."""
    bad_one = Sighting("job", "t", {FAILED: Condition("5", "")}, max_age=HOUR)
    seen_first, since = upon(Record(), bad_one, NOON)
    assert (STALE in seen_first.seen, since) == (False, NOON)
    record = after(Record(), {"job": (since, {})}, NOON)
    later = NOON + HOUR + timedelta(minutes=1)
    seen_later, since = upon(record, bad_one, later)
    assert seen_later.seen[STALE] is not None
    assert since == NOON
    assert upon(record, Sighting("job", "t", well=True, max_age=HOUR), later)[1] is None
    assert after(record, {"job": (None, {})}, later) == Record()
    known = Sighting("job", "t", {}, max_age=HOUR, since=NOON - HOUR)
    assert upon(Record(), known, NOON + timedelta(minutes=1))[1] == NOON - HOUR


def test_the_same_at_several_targets_is_one_change_and_the_worst_is_first() -> None:
    """A source that is down fails a job at each of its targets, and a person wants to read that once."""
    found = [
        *news({}, Sighting("b", "t", {STALE: Condition("", "old")}), ALL)[0],
        *news({}, Sighting("a", "t", {REFUSED: Condition("1", "")}), ALL)[0],
        *news({}, Sighting("b", "t", {FAILED: Condition("5", "down")}), ALL)[0],
        *news({}, Sighting("b", "u", {FAILED: Condition("5", "down")}), ALL)[0],
    ]
    assert [(each.job, each.targets, each.state) for each in together(found)] == [
        ("b", ("t", "u"), "failed"),
        ("a", ("t",), "refused"),
        ("b", ("t",), "stale"),
    ]


ENTRIES = st.builds(
    Entry,
    st.none() | st.just(NOON),
    st.just(NOON),
    st.dictionaries(
        st.sampled_from(["webhook", "command"]),
        st.dictionaries(st.sampled_from(list(Trouble)), st.text(max_size=5), min_size=1),
    ),
    st.booleans(),
)


@given(st.dictionaries(st.text(max_size=9), ENTRIES, max_size=5))
def test_a_record_comes_back_as_it_was(entries: dict[str, Entry]) -> None:
    """Whatever is in it, and whoever reads it."""
    assert Record.from_bytes(Record(entries).to_bytes()) == Record(entries)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"jobs": []}', b'{"jobs": {"a": {}}}', b"[" * 100_000, b"\xff"])
def test_what_is_no_record_tells_nothing(body: bytes) -> None:
    """Somebody else's bytes: then all is told once more."""
    assert Record.from_bytes(body) == Record()


def test_a_record_is_bounded() -> None:
    """However many jobs there are, and all in trouble, those noted last are kept."""
    entries = {f"job-{n}": Entry(NOON, NOON + n * HOUR, {}) for n in range(MOST_JOBS + 50)}
    kept = Record.from_bytes(Record(entries).to_bytes())
    assert len(kept.entries) == MOST_JOBS
    assert "job-0" not in kept.entries
