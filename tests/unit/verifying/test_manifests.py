"""The manifest over one family: the generation that was published, byte for byte, and well served."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hubdata.model.manifest import KEY, Manifest
from hubdata.model.verification import Family
from hubdata.transfer.one_family import Answer, NoAnswer, Trouble
from hubdata.verifying.contents import Answers
from hubdata.verifying.manifests import Expected, Front, compare, front_of, newest
from hubdata.verifying.words import About
from tests.unit.verifying.samples import NOW, URL, answer, head, http_date, manifest

FOUR, SIX = Family.IPV4, Family.IPV6
OTHER = b"1.1.1.0/24\n"


def front(of: Manifest | bytes, family: Family = SIX, **headers: str) -> Front:
    """Return what a family was given: a manifest, well served but for `headers`."""
    raw = of if isinstance(of, bytes) else of.to_bytes()
    told = {"content_type": "application/json", **headers}
    came = answer(raw, status=200, packed=False, keep=True, **told)
    shown = replace(head(**told), headers={**came.headers})
    return front_of(About(family, KEY, f"{URL}/{KEY}"), Answers(came, replace(came, body=None), shown))


def expected(of: Manifest, **more: bool) -> Expected:
    """Return that manifest as a target has it."""
    return Expected(of, "target aws", of.to_bytes(), **more)


def rules(given: Front, wanted: Expected | None) -> list[tuple[str, bool]]:
    """Return rule and whether it passes, of every finding."""
    return [(f.rule, f.passing) for f in compare(given, wanted)]


def test_the_targets_own_manifest_is_right() -> None:
    """Byte for byte."""
    assert rules(front(manifest(2)), expected(manifest(2))) == []
    assert rules(front(manifest(2)), None) == []


def test_an_older_generation_passes_and_a_newer_one_does_not() -> None:
    """A CDN catches up; one that is ahead of its target stands before another."""
    assert rules(front(manifest(1)), expected(manifest(2))) == [("verify.generation", True)]
    assert rules(front(manifest(3)), expected(manifest(2))) == [("verify.generation", False)]
    assert rules(front(manifest(3)), expected(manifest(2), at_least=True)) == []


def test_one_generation_has_one_content() -> None:
    """The same number over other bytes was not written by the run that published."""
    tampered = manifest(2).to_bytes().replace(b'"run_id": "run-2"', b'"run_id": "run-X"')
    assert rules(front(tampered), expected(manifest(2))) == [("verify.manifest", False)]


@pytest.mark.parametrize("page", [b"<html>Welcome</html>", b"{}", b"", b'{"schema": 99}'])
def test_a_page_is_no_manifest(page: bytes) -> None:
    """Though it comes with status 200."""
    assert rules(front(page), expected(manifest(2))) == [("verify.manifest", False)]


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"date": http_date(NOW - timedelta(minutes=6))}, ["verify.clock"]),
        ({"date": http_date(NOW + timedelta(minutes=6))}, ["verify.clock"]),
        ({"date": http_date(NOW - timedelta(minutes=4))}, []),
        ({"date": http_date(NOW - timedelta(hours=2)), "age": "7200"}, []),  # handed on from the origin
        ({"date": http_date(NOW), "age": "7200"}, []),  # the cache's own
        ({"date": http_date(NOW - timedelta(hours=2)), "age": "60"}, ["verify.clock"]),
        ({"date": ""}, ["verify.clock"]),
        ({"date": "now"}, ["verify.clock"]),
        ({"last_modified": ""}, ["verify.last-modified"]),
        ({"content_type": "text/html"}, ["verify.content-type"]),
    ],
)
def test_how_it_is_served_is_looked_at_too(headers: dict[str, str], rule: list[str]) -> None:
    """The edge's clock, by Date and Age as caches tell them; and what is asked of every file."""
    assert [f.rule for f in compare(front(manifest(2), SIX, **headers), expected(manifest(2)))] == rule


def test_a_manifest_that_does_not_come_is_told_once() -> None:
    """No answer, or another status; a first publication may be cached as missing."""
    about = About(SIX, KEY, f"{URL}/{KEY}")
    silent = front_of(about, Answers(NoAnswer(Trouble.NO_ADDRESS, "no record")))
    assert rules(silent, expected(manifest(2))) == [("verify.no-address", False)]
    assert silent.raw is None
    for generation, passing in ((1, True), (2, False)):
        missing = front_of(about, Answers(answer(b"", status=404, keep=True)))
        assert rules(missing, expected(manifest(generation))) == [("verify.missing", passing)]


def test_while_it_is_old_its_copies_need_not_agree() -> None:
    """Plain and packed ones are cached apart: only the generation is worth telling then."""
    given = front(manifest(1))
    other = answer(manifest(2).to_bytes(), content_type="application/json")
    mixed = replace(given, answers=replace(given.answers, plain=other))
    assert rules(mixed, expected(manifest(2))) == [("verify.generation", True)]
    assert isinstance(given.answers.packed, Answer)


def test_an_old_plain_copy_of_a_current_manifest_is_named() -> None:
    """Mirrors ask for plain bytes."""
    given = front(manifest(2))
    old = answer(
        manifest(1).to_bytes(), content_type="application/json", last_modified=http_date(NOW - timedelta(days=1))
    )
    mixed = replace(given, answers=replace(given.answers, plain=old))
    assert rules(mixed, expected(manifest(2))) == [("verify.stale", True)]


def test_without_a_target_the_newest_that_any_family_was_given_counts() -> None:
    """So at least a family that lags behind the other is found."""
    fronts = {FOUR: front(manifest(2), FOUR), SIX: front(manifest(3))}
    best = newest(fronts)
    assert best is not None
    assert (best.manifest.generation, best.source) == (3, "the manifest over IPv6")
    assert rules(fronts[FOUR], best) == [("verify.generation", True)]
    assert newest({SIX: front(b"x")}) is None
