"""Probes are asked side by side, each for its time alone, and none costs another its answer."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from hubdata.doctor import examining
from hubdata.doctor.catalogue import About
from hubdata.doctor.examining import AT_ONCE, Probe, examine
from hubdata.errors import Exit, SourceError
from hubdata.model.checkup import Check, Checkup, Status


def test_one_that_never_answers_is_told_and_the_others_are_too() -> None:
    """A probe that hangs costs its own limit and no more, whatever it does."""
    never = threading.Event()

    def hang() -> Iterator[Check]:
        never.wait(60)
        yield About("store", "a").ok("too late")

    began = time.monotonic()
    found = examine([Probe(About("store", "a"), hang, 0.2), Probe(About("git"), lambda: [About("git").ok("git 2.39")])])
    never.set()

    assert time.monotonic() - began < 30
    assert [(check.name, check.status) for check in found] == [("git", Status.OK), ("store", Status.FAIL)]
    assert found[1].found == "no answer in 0.2 s"
    assert "firewall" in found[1].advice


def test_what_a_probe_raises_is_what_it_found() -> None:
    """An error of ours keeps its words and advice; any other is told as a bug, even one that ends processes."""

    def raise_ours() -> list[Check]:
        raise SourceError("the host is down", advice="wait")

    def raise_other() -> list[Check]:
        raise SystemExit(3)

    found = examine([Probe(About("source", "x"), raise_ours), Probe(About("spool"), raise_other)])

    assert [(c.name, c.status, c.advice) for c in found] == [
        ("spool", Status.FAIL, "this is a bug in hubdata or in a plug-in: report it with this line"),
        ("source", Status.FAIL, "wait"),
    ]
    assert "SystemExit" in found[0].found


def test_what_was_found_before_something_broke_is_told_too() -> None:
    """A store that answers twice and then breaks off has been seen twice."""

    def half() -> Iterator[Check]:
        yield About("store", "a").ok("it answers")
        raise SourceError("and is gone", advice="wait")

    found = examine([Probe(About("read", "a"), half)])
    assert [(check.name, check.status) for check in found] == [("store", Status.OK), ("read", Status.FAIL)]


def test_more_than_are_asked_at_once_are_all_asked() -> None:
    """Forty that hang for a moment take a few moments, not forty; all are told."""
    began = time.monotonic()
    probes = [Probe(About("source", str(n)), lambda: time.sleep(0.05) or [], 20) for n in range(40)]  # type: ignore[func-returns-value]
    assert examine(probes) == ()
    assert time.monotonic() - began < 40 * 0.05 + 20
    assert threading.active_count() < AT_ONCE * 3


def test_a_probe_that_is_late_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after its time is over is not told a second time."""
    told, slow_thread, late = threading.Event(), Future[threading.Thread](), examining._late

    def tell(probe: Probe) -> Check:
        told.set()
        return late(probe)

    def slow() -> list[Check]:
        slow_thread.set_result(threading.current_thread())
        told.wait(60)
        return [About("source", "x").ok("after all")]

    def later() -> list[Check]:
        slow_thread.result(60).join(60)  # its answer has been given by now
        return [About("git").ok("git")]

    monkeypatch.setattr(examining, "_late", tell)
    found = examine([Probe(About("source", "x"), slow, 0.1), Probe(About("git"), later, 120)])
    assert [(check.name, check.status) for check in found] == [("git", Status.OK), ("source", Status.FAIL)]


def test_a_checkup_ends_as_a_run_would() -> None:
    """The worst of what fails, in the contract's order; warnings and what was skipped cost nothing."""
    fine = About("git").ok("2.39"), About("versions", "a").warn("none"), About("write", "a").skipped("not tried")
    assert Checkup(fine).exit_code is Exit.FINE
    store, source, cdn = About("store", "a").fail("x"), About("source", "j").fail("x"), About("cdn", "e").fail("x")
    assert Checkup((*fine, cdn)).exit_code is Exit.CDN_PENDING
    assert Checkup((*fine, cdn, source)).exit_code is Exit.SOURCE
    assert Checkup((*fine, cdn, source, store)).exit_code is Exit.TARGET
    assert Checkup((*fine, cdn, store, About("spool").fail("x"))).exit_code is Exit.CONFIG
