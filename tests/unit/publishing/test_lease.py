"""One run writes at a time: leases are taken, renewed, given back, waited for, and taken over when their time is up."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from hubdata.errors import Conflict, TargetError
from hubdata.model.lease import KEY, GivenBack, Lease, Terms
from hubdata.publishing.lease import Held, held
from hubdata.transfer.living import this_process
from tests.simulator.clock import START, SettableClock
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import When, Wire
from tests.simulator.world import Events

TERMS = Terms(holds=timedelta(seconds=60), waits=timedelta(seconds=90))


class Bench:
    """A store, its clock, and runs that want its lease."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.clock = SettableClock()
        self.store = MemoryTarget(self.wire, clock=self.clock)
        self.events = Events()

    def take(
        self, run_id: str, terms: Terms = TERMS, *, known: GivenBack | None = None
    ) -> AbstractContextManager[Held]:
        """Return the lease for a run, on its way."""
        return held(self.store, terms, run_id=run_id, clock=self.clock, reporter=self.events, known=known)

    def lease(self) -> Lease:
        """Return the lease as the store has it."""
        found = Lease.from_bytes(self.store.body(KEY) or b"")
        assert found is not None
        return found

    def leave(self, **changes: object) -> None:
        """Let another machine hold the lease, by default for a minute from now."""
        terms = {
            "schema": 1,
            "fence": 7,
            "run_id": "theirs",
            "holder": "far, process 1",
            "process": "another-boot/1:1:1",
            "acquired_at": "2026-07-01T12:00:00Z",
            "expires_at": "2026-07-01T12:01:00Z",
        }
        self.store.seed(KEY, json.dumps(terms | changes).encode())


@pytest.fixture
def bench() -> Bench:
    """Give a store that nobody holds."""
    return Bench()


def test_first_lease_is_created_and_given_back_by_its_end(bench: Bench) -> None:
    """The lease object stays afterwards, over, with its fence: nothing is ever deleted."""
    with bench.take("run1") as lease:
        assert bench.lease().run_id == "run1"
        assert bench.lease().expires_at == START + TERMS.holds
        assert not bench.lease().is_over(bench.store.now())
        lease.check()
    assert bench.lease().is_over(bench.store.now())
    assert bench.store.writes(KEY) == 2


def test_fence_grows_with_every_holder(bench: Bench) -> None:
    """Whoever holds a lease can be told from everyone before by its number."""
    fences = []
    for run in ("run1", "run2", "run3"):
        with bench.take(run) as lease:
            fences.append(lease.fence)
    assert fences == [1, 2, 3]


def test_another_holder_is_waited_for(bench: Bench) -> None:
    """A run that finds the lease held says by whom, once, and goes on when it is given back."""
    bench.leave()
    bench.wire.on("GET", KEY, do=lambda: None, times=3)
    bench.wire.on("GET", KEY, do=lambda: bench.leave(expires_at="2026-07-01T12:00:00Z"))

    with bench.take("run1") as lease:
        assert lease.fence == 8
    assert bench.clock.now() - START == timedelta(seconds=1 + 2 + 4)
    assert bench.events.names() == ["lease.waiting", "lease.taken"]
    assert "far, process 1" in str(bench.events.seen[0])


def test_holder_that_stays_is_named_and_left_alone(bench: Bench) -> None:
    """After the wait it ends with one line that names the run, its machine and since when; nothing is written."""
    bench.leave(expires_at="2026-07-01T13:00:00Z")
    said = "theirs on far, process 1, since 2026-07-01 12:00:00 UTC; waited 90 s"
    with pytest.raises(TargetError, match=said), bench.take("run1"):
        pytest.fail("it was given a lease that another run holds")
    assert bench.lease().run_id == "theirs"


def test_lease_whose_time_is_up_is_taken_over(bench: Bench) -> None:
    """By the store's clock, and not before a little more than its time: answers are dated in whole seconds."""
    bench.leave()
    bench.clock.set(START + timedelta(seconds=62))
    waits = Terms(holds=TERMS.holds, waits=timedelta())
    with pytest.raises(TargetError), bench.take("run1", waits):
        pytest.fail("it was taken within the slack")
    bench.clock.set(START + timedelta(seconds=63))
    with bench.take("run1", waits) as lease:
        assert lease.fence == 8


def test_dead_holder_on_this_machine_is_not_waited_for(bench: Bench) -> None:
    """A run that was killed here is seen to be gone; one that lives is waited for."""
    here, number, started = this_process().rsplit(":", 2)
    bench.leave(process=f"{here}:{number}:{int(started) + 1}", expires_at="2026-07-01T13:00:00Z")
    with bench.take("run1") as lease:
        assert lease.fence == 8
    bench.leave(process=this_process(), expires_at="2026-07-01T13:00:00Z")
    with pytest.raises(TargetError), bench.take("run1"):
        pytest.fail("a living run was taken for a dead one")


def test_renewing_moves_the_end(bench: Bench) -> None:
    """A run longer than its lease keeps it."""
    with bench.take("run1") as lease:
        bench.clock.sleep(timedelta(seconds=50))
        lease.renew()
        bench.clock.sleep(timedelta(seconds=50))
        lease.check()
        assert bench.lease().expires_at == START + timedelta(seconds=110)


def test_lease_that_cannot_be_renewed_is_not_used(bench: Bench) -> None:
    """Its holder stops by its own count when the lease's time is up, before anybody else may take it."""
    with bench.take("run1") as lease:
        bench.clock.sleep(timedelta(seconds=59))
        lease.check()
        bench.clock.sleep(timedelta(seconds=1))
        with pytest.raises(Conflict, match="without being able to renew"):
            lease.check()
        assert not bench.lease().is_over(bench.store.now())


def test_stalled_holder_learns_that_another_has_taken_over(bench: Bench) -> None:
    """Renewing meets the new holder's lease and stops; giving back then leaves it alone."""
    with bench.take("run1") as lease:
        bench.clock.sleep(timedelta(seconds=70))
        with bench.take("run2") as other:
            # This process lives, so run2 had to see that the time was up.
            assert other.fence == lease.fence + 1
            with pytest.raises(Conflict):
                lease.renew()
            with pytest.raises(Conflict):
                lease.check()
    assert bench.lease().run_id == "run2"


def test_lease_is_renewed_in_the_background(bench: Bench) -> None:
    """After a third of its time, without anybody asking."""
    renewed = threading.Event()
    with bench.take("run1", Terms(holds=timedelta(seconds=0.3))):
        bench.wire.on("PUT", KEY, do=renewed.set)
        assert renewed.wait(timeout=60)


def test_trouble_while_renewing_is_tried_again(bench: Bench) -> None:
    """A store that does not answer once does not cost the lease."""
    answered = threading.Event()
    with bench.take("run1", Terms(holds=timedelta(seconds=0.3))) as lease:
        bench.wire.fail("PUT", KEY, error=TargetError("busy", retryable=True))
        bench.wire.on("PUT", KEY, do=answered.set)
        assert answered.wait(timeout=60)
        lease.check()


def test_garbage_in_the_place_of_a_lease_holds_nobody_up(bench: Bench) -> None:
    """What is no lease is overwritten under its ETag."""
    bench.store.seed(KEY, b"<html>")
    with bench.take("run1") as lease:
        assert lease.fence == 1


def test_store_that_fails_when_the_lease_is_given_back_fails_nothing(bench: Bench) -> None:
    """The publication stands; the lease ends by itself."""
    with bench.take("run1"):
        bench.wire.fail("PUT", KEY, error=TargetError("gone"))
    assert not bench.lease().is_over(bench.store.now())


def test_of_two_that_race_one_gets_it_first(bench: Bench) -> None:
    """A create that meets another's is no error: the other is waited for."""
    bench.wire.on("PUT", KEY, do=bench.leave)
    with bench.take("run1") as lease:
        assert isinstance(lease, Held)
        assert lease.fence == 8
    assert bench.events.names() == ["lease.waiting", "lease.taken"]


def test_lease_that_is_known_to_be_given_back_is_not_read(bench: Bench) -> None:
    """The holder before has said how it would give it back, so the ETag in a listing tells all there is to know."""
    with bench.take("run1") as lease:
        told = lease.once_given_back
        lease.renew()
    found = bench.store.listing()[KEY]
    assert (found.etag, told.fence) == (told.etag, 1)

    calls = len(bench.wire.calls)
    with bench.take("run2", known=told) as lease:
        assert [call.method for call in bench.wire.calls[calls:]] == ["PUT"]
        assert lease.fence == 2
        assert lease.follows(found.etag)
        assert bench.lease().run_id == "run2"


def test_lease_that_never_was_is_not_read(bench: Bench) -> None:
    """A listing without one tells that the first is to be created."""
    with bench.take("run1", known=GivenBack(None, 0)) as lease:
        assert [call.method for call in bench.wire.calls] == ["PUT"]
        assert (lease.fence, lease.follows(None)) == (1, True)


@pytest.mark.parametrize("known", [GivenBack(None, 0), GivenBack("0" * 32, 3)])
def test_whoever_was_faster_is_waited_for_whatever_was_known(bench: Bench, known: GivenBack) -> None:
    """What is known is a condition of the write: a lease that another run has taken meanwhile is read and respected."""
    bench.leave()
    waits = Terms(holds=TERMS.holds, waits=timedelta())
    with pytest.raises(TargetError, match="another run is writing there: theirs"), bench.take("r", waits, known=known):
        pytest.fail("it was given a lease that another run holds")
    assert bench.lease().run_id == "theirs"


@pytest.mark.parametrize("overtaken", [False, True])
def test_machine_that_stood_still_before_it_took_the_lease_counts_anew(bench: Bench, overtaken: bool) -> None:
    """The store's time was told long ago: the lease is renewed at once, or is another's by now and is waited for."""
    seconds = timedelta(seconds=50)

    def sleep() -> None:
        bench.clock.set(START + seconds)
        if overtaken:
            bench.leave(expires_at="2026-07-01T12:00:00Z")

    bench.wire.on("PUT", KEY, do=sleep, when=When.AFTER)
    with bench.take("run1", known=GivenBack(None, 0)) as lease:
        assert bench.lease().expires_at == START + seconds + TERMS.holds
        assert lease.fence == (8 if overtaken else 1)
        lease.check()


def test_lease_is_given_back_later_if_so_wished(bench: Bench) -> None:
    """Beside whatever the run does last: it is held until then, and nobody waits for it."""
    later: list[Callable[[], None]] = []
    with held(bench.store, TERMS, run_id="run1", clock=bench.clock, reporter=bench.events, later=later.append):
        pass
    assert not bench.lease().given_back
    later[0]()
    assert bench.lease().given_back
