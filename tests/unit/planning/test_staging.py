"""Which generation is due at a stage: by the clock of the target that it soaks at, in order, and never a bad one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.errors import TargetError
from hubdata.model.manifest import ABSENT, Entry, Manifest
from hubdata.model.stage import Promoted
from hubdata.planning.merge import merged
from hubdata.planning.staging import Standing, standing

START = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SOAK = timedelta(minutes=30)


def minute(number: float) -> datetime:
    """Return the time so many minutes after the start."""
    return START + timedelta(minutes=number)


def entry(content: str) -> Entry:
    """Return a line of a manifest; content is told by its digest."""
    return Entry(1, content, "text", "lists", content, None, "", "text/plain", "", {"type": "scripted"})


def gen(number: int, at: float, **files: str) -> Manifest:
    """Return a generation published at a minute, with `files` by key."""
    held = {key: entry(content) for key, content in files.items()}
    return Manifest(number, f"{minute(at):%Y-%m-%dT%H:%M:%SZ}", f"run{number}", held)


def here(generation: int = 0, *, partial: bool = False, source: str = "canary", **files: str) -> Manifest:
    """Return what production holds: `files`, and what was promoted there last (0: nothing ever)."""
    promoted = Promoted(source, generation, partial=partial) if generation else None
    return Manifest(1, "", "", {key: entry(content) for key, content in files.items()}, promoted)


def stands(*history: Manifest, now: float, at: Manifest | None = None, soak: timedelta = SOAK) -> Standing:
    """Return what is due now of a `history` that is told oldest first."""
    newest_first = sorted(history, key=lambda manifest: -manifest.generation)
    return standing(newest_first, soak, minute(now), after="canary", here=at or here(), target="production")


def due(*history: Manifest, now: float, at: Manifest | None = None) -> int | None:
    """Return the number of the generation that is due."""
    found = stands(*history, now=now, at=at).due
    return None if found is None else found.generation


def test_nothing_is_due_of_a_target_that_holds_nothing() -> None:
    """There is neither a generation nor one to come."""
    assert stands(now=0) == Standing()
    assert stands(Manifest(), now=99) == Standing()


def test_the_one_in_force_is_due_when_it_has_soaked_to_the_second() -> None:
    """Until then it is coming, and it is told when."""
    early = stands(gen(1, 0, a="1"), now=29.99)
    assert early.due is None
    assert early.coming is not None
    assert (early.coming.generation, early.coming.due_at) == (1, minute(30))
    assert timedelta() < early.coming.remaining < timedelta(seconds=1)
    soaked = stands(gen(1, 0, a="1"), now=30)
    assert (soaked.due, soaked.coming, soaked.again) == (gen(1, 0, a="1"), None, False)


def test_no_soak_is_due_at_once() -> None:
    """`soak = "0s"` orders the targets, and nothing else."""
    assert stands(gen(1, 0, a="1"), now=0, soak=timedelta()).due == gen(1, 0, a="1")


def test_one_that_was_superseded_too_early_never_soaks() -> None:
    """However long ago that was; the one that took its place soaks from its own beginning."""
    history = (gen(1, 0, a="1"), gen(2, 29, a="2"))
    assert due(*history, now=58) is None
    assert due(*history, now=59) == 2
    assert due(*history, gen(3, 58, a="3"), now=10_000) == 3
    assert due(*history, gen(3, 58, a="3"), now=87) is None


def test_one_that_had_soaked_before_another_took_its_place_is_due() -> None:
    """The newest of those that soaked, whatever soaks now."""
    history = (gen(1, 0, a="1"), gen(2, 40, a="2"), gen(3, 80, a="3"), gen(4, 81, a="4"))
    found = stands(*history, now=90)
    assert found.due is not None
    assert (found.due.generation, found.due.files["a"].sha256) == (2, "2")
    assert found.coming is not None
    assert (found.coming.generation, found.coming.due_at) == (4, minute(111))


def test_what_went_on_whole_is_done_and_nothing_older_follows() -> None:
    """The same generation is only looked after; those before it stay behind for good."""
    history = (gen(1, 0, a="1"), gen(2, 40, a="2"), gen(3, 80, a="3"))
    again = stands(*history, now=90, at=here(2, a="2"))
    assert (again.due, again.again) == (history[1], True)
    assert due(*history, now=90, at=here(3, a="3")) is None
    partial = stands(*history, now=90, at=here(2, partial=True, a="1"))
    assert (partial.due, partial.again) == (history[1], False)


def test_what_another_target_had_is_no_measure() -> None:
    """Numbers of one target say nothing of those of another: a stage that follows somebody else begins anew."""
    assert due(gen(1, 0, a="1"), now=40, at=here(7, source="staging", a="0")) == 1


def test_a_target_that_was_set_up_anew_is_told_and_never_guessed_about() -> None:
    """Its generations are younger than what was promoted: nobody can tell which data is newer."""
    with pytest.raises(TargetError, match=r"has generation 7 of canary, which is only at generation 3") as caught:
        stands(gen(3, 0, a="1"), now=40, at=here(7, a="9"))
    assert "another name" in caught.value.advice


def test_a_gap_in_the_past_ends_it() -> None:
    """Of a generation whose successor is unknown nobody knows how long it was in force."""
    assert due(gen(1, 0, a="1"), gen(3, 80, a="3"), now=90) is None


def test_what_was_rolled_back_while_it_soaked_never_goes_on() -> None:
    """A rollback is a generation: what it took the place of was superseded; it soaks for itself."""
    history = (gen(1, 0, a="1"), gen(2, 40, a="bad"), gen(3, 50, a="1"))
    assert due(*history, now=60, at=here(1, a="1")) == 1
    assert due(*history, now=80, at=here(1, a="1")) == 3


def test_what_was_rolled_back_after_it_had_soaked_does_not_go_on_either() -> None:
    """It would be due by its time; but its own target has again what production still has."""
    history = (gen(1, 0, a="1", b="1"), gen(2, 40, a="bad", b="1"), gen(3, 80, a="1", b="1"))
    found = stands(*history, now=90, at=here(1, a="1", b="1"))
    assert (found.due, found.again) == (history[0], True)
    assert found.coming is not None
    assert found.coming.generation == 3
    new = stands(*history[1:], now=90, at=here(1, a="1", b="1"))
    assert new.due is None


def test_what_a_rollback_took_back_is_not_due_though_production_has_another_state() -> None:
    """The manifest of the target says what was taken back, by key and digest, deletions too."""
    back = gen(3, 80, a="old")
    history = (gen(2, 40, a="bad"), Manifest(3, back.published_at, "", back.files, withdrawn={"a": ("bad",)}))
    assert due(*history, now=90, at=here(1, a="older")) is None
    gone = (
        gen(2, 40, b="1"),
        Manifest(3, back.published_at, "", gen(3, 80, a="1", b="1").files, withdrawn={"a": (ABSENT,)}),
    )
    assert due(*gone, now=90, at=here(1, b="0")) is None
    assert due(gen(2, 40, a="new"), back, now=90, at=here(1, a="older")) == 2


def test_a_file_that_came_and_went_is_not_promoted_for_a_while() -> None:
    """Nor one that went and came: promotion never publishes what its own target is rid of again."""
    assert due(gen(1, 0, a="1", x="1"), gen(2, 40, a="1"), now=50, at=here(a="1")) is None
    assert due(gen(1, 0, a="1"), gen(2, 40, a="1", x="1"), now=50, at=here(a="0", x="1")) is None


def test_a_manifest_without_a_time_is_an_error() -> None:
    """Nobody can tell how long it has been in force."""
    with pytest.raises(TargetError, match="target canary: generation 4 does not say when it was published"):
        stands(Manifest(4, "yesterday", ""), now=0)


def test_the_past_is_read_no_further_than_need_be() -> None:
    """Each step back is a request: the newest that soaked, or what was promoted last, ends it."""
    asked: list[int] = []

    def history() -> Iterator[Manifest]:
        for number in (9, 8, 7, 6, 5):
            asked.append(number)
            yield gen(number, number * 10, a=str(number))

    def look(now: float, at: Manifest) -> None:
        asked.clear()
        standing(history(), SOAK, minute(now), after="canary", here=at, target="production")

    look(120, here())
    assert asked == [9]
    look(95, here(8, a="8"))
    assert asked == [9, 8, 7]
    look(95, here())
    assert asked == [9, 8, 7, 6, 5]


@given(
    steps=st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abc")), max_size=8),
    rest=st.integers(0, 60),
    soak=st.integers(0, 60),
    last=st.integers(0, 8),
    partial=st.booleans(),
    held=st.sampled_from("abc"),
)
def test_what_is_due_is_what_a_slow_reading_of_the_rules_gives(
    steps: list[tuple[int, str]], rest: int, soak: int, last: int, *, partial: bool, held: str
) -> None:
    """Of all generations, the newest that was in force for long enough, is not older than the last, and not undone."""
    history, now = [], 0
    for number, (pause, content) in enumerate(steps, 1):
        now += pause
        history.append(gen(number, now, a=content))
    now += rest
    last = min(last, len(history))
    production = here(last, partial=partial, a=held)
    fit = []
    for index, manifest in enumerate(history):
        begun = datetime.fromisoformat(manifest.published_at)
        ended = datetime.fromisoformat(history[index + 1].published_at) if index + 1 < len(history) else minute(now)
        content, newest = manifest.files["a"].sha256, history[-1].files["a"].sha256
        undone = manifest is not history[-1] and content != held == newest
        if ended - begun >= timedelta(minutes=soak) and manifest.generation >= last and not undone:
            fit.append(manifest)
    found = stands(*history, now=now, at=production, soak=timedelta(minutes=soak))
    assert found.due == (fit[-1] if fit else None)
    assert found.again == (bool(fit) and fit[-1].generation == last and not partial)
    soaking = bool(history) and minute(now) - datetime.fromisoformat(history[-1].published_at) < timedelta(minutes=soak)
    assert (found.coming is not None) == soaking
    if found.coming is not None:
        assert found.coming.generation == len(history)
        assert found.coming.due_at == datetime.fromisoformat(history[-1].published_at) + timedelta(minutes=soak)


def test_the_record_goes_with_the_manifest_and_never_backwards() -> None:
    """What brings nothing of another target keeps it and ends what was partial; an older record does not replace it."""

    def after(before: Promoted | None, now: Promoted | None) -> Promoted | None:
        manifest = merged(Manifest(promoted=before), {}, frozenset(), run_id="", published_at="", promoted=now)
        assert Manifest.from_bytes(manifest.to_bytes()) == manifest
        return manifest.promoted

    assert after(None, None) is None
    assert after(None, Promoted("canary", 3)) == Promoted("canary", 3)
    assert after(Promoted("canary", 3, partial=True), Promoted("canary", 3)) == Promoted("canary", 3)
    assert after(Promoted("canary", 3), Promoted("canary", 4, partial=True)) == Promoted("canary", 4, partial=True)
    assert after(Promoted("canary", 3, partial=True), None) == Promoted("canary", 3)
    assert after(Promoted("canary", 5), Promoted("canary", 4)) == Promoted("canary", 5)
    assert after(Promoted("canary", 5), Promoted("staging", 1)) == Promoted("staging", 1)
