"""All families, again and again while something is late; in memory, on a clock that only sleep moves."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from hubdata.errors import ConfigError, Exit
from hubdata.model.finding import Severity
from hubdata.model.manifest import KEY, Manifest
from hubdata.model.verification import Family, Verification, VerifySpec
from hubdata.transfer.one_family import NoAnswer, Trouble
from hubdata.verifying.choosing import Wish
from hubdata.verifying.manifests import Expected
from hubdata.verifying.watching import watch
from tests.unit.verifying.samples import BODY, NOW, URL, Copy, World, manifest

FOUR, SIX = Family.IPV4, Family.IPV6
A, B = "a.txt", "b.txt"
OLD_BODY = b"8.8.4.0/24\n"
OLD = manifest(1, **{A: OLD_BODY, B: BODY})
NEW = manifest(2, **{A: BODY, B: BODY})
YESTERDAY = NOW - timedelta(days=1)


def copy_of(published: Manifest, **files: bytes) -> Copy:
    """Return a copy that holds a generation."""
    return Copy({KEY: published.to_bytes(), **files})


def old_copy() -> Copy:
    """Return what was public yesterday."""
    return Copy({KEY: OLD.to_bytes(), A: OLD_BODY, B: BODY}, dict.fromkeys((KEY, A, B), YESTERDAY))


def new_copy() -> Copy:
    """Return what was just published."""
    return copy_of(NEW, **{A: BODY, B: BODY})


def target(published: Callable[[], Manifest]) -> Callable[[], Expected]:
    """Return a target that says what was published, whenever it is asked."""
    return lambda: Expected(published(), "target aws", published().to_bytes())


def look(world: World, told: Callable[[], Expected | None] | None = None, **more: object) -> Verification:
    """Return what readers get."""
    wait = timedelta(seconds=float(str(more.pop("wait_s", 0))))
    wish, at_least = more.pop("wish", Wish(everything=True)), int(str(more.pop("at_least", 0)))
    spec = replace(VerifySpec(URL), **more)  # type: ignore[arg-type]
    return watch(
        spec,
        wish,  # type: ignore[arg-type]
        told or target(lambda: NEW),
        connect=world.connect,
        clock=world,
        reporter=world,
        wait=wait,
        at_least=at_least,
    )


def rules(result: Verification) -> set[tuple[Family, str, str]]:
    """Return family, rule and key of every error."""
    return {(f.family, f.rule, f.key) for f in result.findings if f.severity is Severity.ERROR}


def test_a_copy_that_is_right_is_looked_at_once() -> None:
    """Manifest and files over both families, nothing to wait for."""
    world = World({FOUR: new_copy(), SIX: new_copy()})
    result = look(world, wait_s=60)
    assert (result.exit_code, result.looks, result.waited_s, world.events) == (Exit.FINE, 1, 0, [])
    assert [(v.family, v.generation, v.files, v.requests) for v in result.views] == [(FOUR, 2, 2, 9), (SIX, 2, 2, 9)]
    assert (result.generation, result.files, result.published) == (2, 2, 2)
    assert result.manifests == {FOUR: NEW.to_bytes(), SIX: NEW.to_bytes()}
    assert result.manifest_url == f"{URL}/{KEY}"


def test_an_old_manifest_is_waited_for_before_any_file_is_asked() -> None:
    """Nothing is asked in vain; the pauses grow; then all is well."""
    world = World({FOUR: new_copy(), SIX: old_copy()})
    world.later.append((10, lambda: world.copies[SIX].__init__(new_copy().files)))  # type: ignore[misc]
    result = look(world, wait_s=60)
    assert (result.exit_code, rules(result)) == (Exit.FINE, set())
    assert 10 <= result.waited_s < 20
    before = world.asked[: world.asked.index(("ipv6", "GZIP", A))]
    assert all(key == KEY for family, _, key in before if family == "ipv6")
    assert len([1 for family, method, key in world.asked if (family, method, key) == ("ipv4", "GZIP", A)]) == 1
    (first, *_) = world.events
    assert first.name == "copy.waiting"
    assert first.fields["family"] == "ipv6"
    assert str(first.fields["for"]).startswith("manifest.json: generation 2")


def test_only_files_that_were_old_are_asked_for_again() -> None:
    """What was right once is right."""
    world = World({FOUR: new_copy(), SIX: new_copy()})
    world.copies[SIX].files[A], world.copies[SIX].modified[A] = OLD_BODY, YESTERDAY
    world.later.append((5, lambda: world.copies[SIX].files.update({A: BODY})))
    result = look(world, wait_s=60)
    assert result.exit_code is Exit.FINE
    assert result.looks > 2
    again = [key for family, method, key in world.asked if family == "ipv6" and method == "GZIP"]
    assert again.count(B) == 1
    assert again.count(A) == result.looks


def test_patience_ends() -> None:
    """The last look comes when the time is up, and says what is still old; no pause goes beyond it."""
    world = World({FOUR: old_copy(), SIX: new_copy()})
    result = look(world, wait_s=20)
    assert result.exit_code is Exit.CDN_PENDING
    assert rules(result) == {(FOUR, "verify.generation", KEY), (FOUR, "verify.stale", A)}
    assert result.waited_s == pytest.approx(20)
    assert [view.well for view in result.views] == [False, True]


@pytest.mark.parametrize("late", [KEY, A])
def test_a_process_that_is_to_end_waits_no_longer(late: str) -> None:
    """Its clock comes back at once: what is old is told as it is, and nobody is asked again and again."""
    world = World({FOUR: new_copy(), SIX: new_copy()})
    world.copies[SIX].files[late] = old_copy().files[late]
    world.copies[SIX].modified[late] = YESTERDAY
    world.sleep = lambda duration: None  # type: ignore[method-assign]
    result = look(world, wait_s=60)
    assert (result.exit_code, result.looks, result.waited_s) == (Exit.CDN_PENDING, 1, 0)
    assert (SIX, "verify.generation" if late == KEY else "verify.stale", late) in rules(result)
    assert len(world.events) == 1


def test_what_does_not_pass_is_not_waited_for() -> None:
    """One look, whatever patience there is."""
    world = World({FOUR: new_copy(), SIX: new_copy()})
    world.copies[SIX].files[A] = b"0.0.0.0/0\n"
    world.copies[FOUR].faults[B] = 502
    result = look(world, wait_s=60)
    assert (result.looks, result.waited_s) == (1, 0)
    assert rules(result) == {(SIX, "verify.bytes", A), (FOUR, "verify.status", B)}


def test_a_family_that_does_not_answer_is_told_once_and_not_asked_on() -> None:
    """One finding says it all; the other family is looked at all the same."""
    world = World({FOUR: new_copy(), SIX: new_copy()})
    world.copies[SIX].faults[KEY] = NoAnswer(Trouble.NO_ADDRESS, "no record")
    result = look(world, wait_s=60)
    assert rules(result) == {(SIX, "verify.no-address", KEY)}
    assert [(v.files, v.requests, v.generation) for v in result.views] == [(2, 9, 2), (0, 1, None)]


def test_a_publication_meanwhile_makes_the_newer_one_count() -> None:
    """Its bytes are not wrong; and a file that it took away need not be there."""
    third = manifest(3, **{A: b"1.1.1.0/24\n"})
    published = [NEW]
    world = World({FOUR: new_copy(), SIX: new_copy()})

    def publish(method: str, key: str) -> None:
        if key == A and published == [NEW]:
            published[:] = [third]
            for each in world.copies.values():
                each.files = {KEY: third.to_bytes(), A: b"1.1.1.0/24\n"}

    world.on_request = publish
    for told in (target(lambda: published[0]), lambda: None):
        published[:] = [NEW]
        world.copies = {FOUR: new_copy(), SIX: new_copy()}
        result = look(world, told)
        assert (result.exit_code, result.generation, rules(result)) == (Exit.FINE, 3, set())
        assert [view.files for view in result.views] == [1, 1]


def test_without_a_target_a_family_that_lags_is_found() -> None:
    """But not if all lag: then somebody has to say which generation there is."""
    world = World({FOUR: new_copy(), SIX: old_copy()})
    result = look(world, lambda: None)
    assert {rule for _, rule, _ in rules(result)} == {"verify.generation", "verify.stale"}
    assert result.against == "the manifest over IPv4"
    lagging = World({FOUR: old_copy(), SIX: old_copy()})
    assert look(lagging, lambda: None).exit_code is Exit.FINE
    result = look(lagging, lambda: None, at_least=2)
    assert rules(result) == {(family, "verify.generation", KEY) for family in (FOUR, SIX)}
    assert result.generation == 2
    assert look(world, lambda: None, at_least=1, families=(FOUR,)).exit_code is Exit.FINE


def test_nothing_public_anywhere_is_told_for_each_family() -> None:
    """No manifest, so nothing to compare with."""
    result = look(World({FOUR: Copy({}), SIX: Copy({})}), lambda: None)
    assert rules(result) == {(family, "verify.missing", KEY) for family in (FOUR, SIX)}
    assert (result.generation, result.files, result.exit_code) == (0, 0, Exit.CDN_PENDING)


def test_time_for_one_look_is_bounded() -> None:
    """Files that it does not suffice for are told as such, and not taken for right."""
    world = World({FOUR: new_copy(), SIX: new_copy()})

    def dawdle(method: str, key: str) -> None:
        world.time += 100

    world.on_request = dawdle
    result = look(world, families=(SIX,), timeout=timedelta(seconds=350))
    assert {rule for _, rule, _ in rules(result)} == {"verify.unfinished"}
    assert result.exit_code is Exit.CDN_PENDING


def test_a_file_that_nobody_published_cannot_be_asked_for() -> None:
    """A usage error, not a finding."""
    with pytest.raises(ConfigError, match="no such file"):
        look(World({FOUR: new_copy(), SIX: new_copy()}), wish=Wish(keys=("c.txt",)))


def test_a_bug_while_looking_is_not_swallowed() -> None:
    """Nor is anybody else kept waiting: who still looks over the other family is stopped."""
    world = World({FOUR: new_copy(), SIX: new_copy()})
    inside = threading.Event()

    def burst(method: str, key: str) -> None:
        if world.asked[-1][0] == "ipv6":
            inside.set()
            until = time.monotonic() + 60
            while not world.stopped and time.monotonic() < until:
                time.sleep(0.01)
            return
        inside.wait(60)
        raise ZeroDivisionError

    world.on_request = burst
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        look(world)
    assert time.monotonic() - began < 30
    assert SIX in world.stopped
