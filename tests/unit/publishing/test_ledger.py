"""The ledger: opened before, closed after, merged when two write at once, and small whatever happens."""

import json

import pytest

from hubdata.errors import Conflict, TargetError
from hubdata.model.lease import GivenBack
from hubdata.publishing import ledger
from hubdata.publishing.ledger import KEY, Ledger, Line
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import Wire


def line(name: str) -> Line:
    """Return a receipt with one path and one delete."""
    return Line(name, f"run-{name}", "2026-07-01T00:00:00Z", (f"/{name}",), (("gone", "etag"),))


@pytest.fixture
def wire() -> Wire:
    """Return a wire that works."""
    return Wire()


@pytest.fixture
def store(wire: Wire) -> MemoryTarget:
    """Return an empty store."""
    return MemoryTarget(wire)


def test_receipt_survives_the_trip_through_the_store(store: MemoryTarget) -> None:
    """What was opened is read back the same, with the ETag to go on from."""
    opened = ledger.opened(store, Ledger(), line("a"))

    assert ledger.read(store) == opened
    assert opened.open == (line("a"),)


def test_ledger_tells_how_its_writers_lease_will_end(store: MemoryTarget) -> None:
    """It stays through opening and closing; a ledger that tells nothing of it, as older ones, is read all the same."""
    told = GivenBack("0" * 32, 7)
    opened = ledger.opened(store, Ledger(lease=told), line("a"))
    assert ledger.read(store).lease == told
    ledger.closed(store, opened, line("a"))
    assert ledger.read(store).lease == told

    body = json.loads(store.body(KEY) or b"")
    del body["lease"]
    store.seed(KEY, json.dumps(body).encode())
    assert ledger.read(store).lease is None


def test_closed_receipt_is_kept_without_its_paths(store: MemoryTarget) -> None:
    """Closing moves a receipt and drops what made it long; the others stay open."""
    opened = ledger.opened(store, ledger.opened(store, Ledger(), line("a")), line("b"))

    after, was_open = ledger.closed(store, opened, line("a"))

    assert was_open
    assert after.open == (line("b"),)
    assert [(c.reference, c.paths, c.deletes) for c in after.closed] == [("a", (), ())]
    assert ledger.read(store) == after


def test_closing_what_another_run_closed_is_noticed_and_not_noted_twice(store: MemoryTarget) -> None:
    """Whoever closes second learns it, even from a ledger read before, and the receipt is there once."""
    opened = ledger.opened(store, Ledger(), line("a"))
    ledger.closed(store, opened, line("a"))

    after, was_open = ledger.closed(store, opened, line("a"))

    assert not was_open
    assert [c.reference for c in after.closed] == ["a"]


def test_ledger_written_meanwhile_is_read_again_and_merged(store: MemoryTarget) -> None:
    """Two runs that open receipts at once both keep theirs."""
    ledger.opened(store, Ledger(), line("a"))

    after = ledger.opened(store, Ledger(), line("b"))

    assert [item.reference for item in after.open] == ["a", "b"]


def test_ledger_that_never_stands_still_is_a_conflict(wire: Wire, store: MemoryTarget) -> None:
    """A run does not try for ever, and says what to do."""
    wire.on(
        "PUT", KEY, do=lambda: store.seed(KEY, b'{"open": [], "closed": [], "n": %d}' % store.writes(KEY)), times=99
    )

    with pytest.raises(Conflict, match="changed 8 times") as caught:
        ledger.opened(store, Ledger(), line("a"))

    assert caught.value.advice
    assert caught.value.retryable


def test_only_the_last_publications_are_remembered(store: MemoryTarget) -> None:
    """Closed receipts do not pile up for ever."""
    now = Ledger()
    for n in range(60):
        now, _ = ledger.closed(store, ledger.opened(store, now, line(f"r{n}")), line(f"r{n}"))

    assert len(now.closed) == 50
    assert now.closed[-1].reference == "r59"


def test_ledger_of_an_earlier_form_is_read(store: MemoryTarget) -> None:
    """A receipt without deletes is one that has none."""
    old = {"reference": "a", "run_id": "r", "opened_at": "t", "generation": 1, "invalidation_id": "", "paths": ["/a"]}
    store.seed(KEY, json.dumps({"open": [old], "closed": []}).encode())

    assert ledger.read(store).open[0].deletes == ()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"open": [1], "closed": []}', b"\xff\xfe", b"[" * 100_000),
        b'{"closed": [], "open": [{"reference": "", "run_id": "", "opened_at": "", "paths": [], "generation": 9e999}]}',
        b'{"closed": [], "open": [{"reference": "a", "run_id": "", "opened_at": "", "paths": 5, "generation": 1}]}',
    ],
    ids=["empty", "list", "no-fields", "no-line", "no-utf8", "deep", "infinite", "paths"],
)
def test_anything_else_is_an_error_of_the_target(store: MemoryTarget, body: bytes) -> None:
    """A record that is not a ledger stops the run with advice, never with a crash."""
    store.seed(KEY, body)

    with pytest.raises(TargetError, match="is not a ledger") as caught:
        ledger.read(store)

    assert caught.value.advice
