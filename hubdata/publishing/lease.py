"""Hold a target's lease: of all runs, on all machines, one writes at a time.

Conditional writes alone already keep runs from losing each other's work. The lease keeps them from working against
each other: from planning on what another run is about to change, and from taking a live run's receipt for a dead
one's. It is taken before the first write of a run that has something to write, so an unchanged run never needs it.

Whose time counts is the store's own, as its answers tell it. A holder that cannot renew stops before its lease is
over by its own count, which began before the store's: so nobody writes under a lease that another has taken. One that
was killed is not waited for by processes of its machine, which see that it is gone; by others for as long as it had.

Who knows from its survey what lies there, because the last holder has left in the ledger how it would give its lease
back, takes it under that ETag without reading it. It is given back beside whatever a run does last. (docs/adr/0027)
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from hubdata.errors import Conflict, TargetError
from hubdata.model import lease as leases
from hubdata.model.event import Event
from hubdata.model.lease import GivenBack, Lease, Terms
from hubdata.ports import Clock, Reporter, Target
from hubdata.transfer import ending
from hubdata.transfer.afterwards import Later, at_once
from hubdata.transfer.living import is_gone, this_process

_MAX_BYTES = 64 * 1024
_POLL = timedelta(seconds=1)
_SLOWEST_POLL = timedelta(seconds=5)
_RACES = 100
_NONE = ""  # the ETag of a lease that was not there; a lease that was not given back has none to go by
_AGAIN_S = 1.0

_ours: "set[Held]" = set()
"""Every lease that this process holds."""


class Held:
    """A lease in our hands, renewed in the background until it is given back."""

    def __init__(
        self,
        target: Target,
        lease: Lease,
        etag: str,
        *,
        before: str | None,
        terms: Terms,
        until: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._target = target
        self._lease = lease
        self._etag = etag
        self._terms = terms
        self._until = until
        self._monotonic = monotonic
        self._before = before
        self._lost = False
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{target.name}", daemon=True)

    @property
    def fence(self) -> int:
        """Return the lease's number: greater than that of every lease before it."""
        return self._lease.fence

    @property
    def once_given_back(self) -> GivenBack:
        """Return by what the next run will know that it was given back."""
        return self._lease.once_given_back()

    @property
    def now(self) -> datetime:
        """Return the store's time."""
        return self._target.now()

    def follows(self, etag: str | None) -> bool:
        """Tell whether nobody has written since the lease had this ETag (None: there was none)."""
        return self._before == (_NONE if etag is None else etag)

    def check(self) -> None:
        """Raise Conflict when the lease is no longer ours, or may not be: then nothing more must be written.

        Raises TargetError when this process is to end.
        """
        ending.check(self._target.name)
        if self._lost or self._monotonic() >= self._until:
            raise Conflict(
                f"target {self._target.name}: this run held the lease for too long without being able to renew it",
                advice="run again: what is stored already is recognised. Look whether the store or this machine hangs",
                retryable=True,
            )

    def renew(self) -> None:
        """Put the lease's end further away. Raises Conflict when another run has taken it, TargetError for trouble."""
        with self._writing:
            before = self._monotonic()
            now = _now(self._target)
            lease = replace(self._lease, expires_at=now + self._terms.holds)
            try:
                self._etag = _write(self._target, lease, self._etag)
            except Conflict:
                self._lost = True
                raise
            self._lease, self._until = lease, before + self._terms.holds.total_seconds()

    def start(self) -> None:
        """Begin to renew the lease in the background."""
        self._thread.start()

    def give_back(self) -> None:
        """End the lease, so that the next run need not wait. Trouble is passed over: it then ends by itself."""
        self._stop.set()
        with self._writing, suppress(TargetError):
            if not self._lost:
                self._lost = True
                _write(self._target, self._lease.ended(), self._etag)

    def _keep(self) -> None:
        pause = self._terms.holds.total_seconds() / 3
        while not self._stop.wait(pause):
            try:
                self.renew()
                pause = self._terms.holds.total_seconds() / 3
            except Conflict:
                return
            except TargetError:
                pause = _AGAIN_S


@contextmanager
def held(
    target: Target,
    terms: Terms,
    *,
    run_id: str,
    clock: Clock,
    reporter: Reporter,
    known: GivenBack | None = None,
    later: Later = at_once,
) -> Iterator[Held]:
    """Give the target's lease, once it is free, and give it back afterwards, or `later`. `known` need not be read.

    Raises TargetError, naming the holder, when it is not free within `terms.waits`.
    """
    lease = _acquired(target, terms, known, run_id=run_id, clock=clock, reporter=reporter)
    _ours.add(lease)
    lease.start()

    def give_back() -> None:
        lease.give_back()
        _ours.discard(lease)

    try:
        yield lease
    finally:
        later(give_back)


def give_all_back(within: timedelta) -> bool:
    """End every lease of this process, whatever is under way at its target, and tell whether that was done in time.

    For a process that ends amid a call that does not: what is still on its way is a conditional write, as after a kill.
    """
    threads = [threading.Thread(target=held.give_back, name="lease-back", daemon=True) for held in tuple(_ours)]
    until = time.monotonic() + within.total_seconds()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _acquired(
    target: Target, terms: Terms, known: GivenBack | None, *, run_id: str, clock: Clock, reporter: Reporter
) -> Held:
    taken = None if known is None else _followed(target, known, terms, run_id=run_id, clock=clock)
    if taken is not None:
        reporter.emit(Event("lease.taken", {"target": target.name, "fence": taken.fence}))
        return taken
    waited, pause, named = timedelta(), _POLL, ""
    races = 0
    while True:
        ending.check(target.name)
        blob = target.read(leases.KEY, max_bytes=_MAX_BYTES)
        last = None if blob is None else Lease.from_bytes(blob.body)
        if last is None or last.is_over(_now(target)) or is_gone(last.process):
            asked = clock.monotonic()
            lease = _new(last.fence if last is not None else 0, run_id, _now(target), terms)
            try:
                etag = _write(target, lease, None if blob is None else blob.stored.etag)
            except Conflict:  # another run was faster: it is waited for as any other
                races += 1
                if races > _RACES:
                    raise
                continue
            reporter.emit(Event("lease.taken", {"target": target.name, "fence": lease.fence}))
            until = asked + terms.holds.total_seconds()
            before = _NONE if blob is None else blob.stored.etag if last is not None and last.given_back else None
            return Held(target, lease, etag, before=before, terms=terms, until=until, monotonic=clock.monotonic)
        if waited >= terms.waits:
            raise _taken(target, last, waited)
        if named != last.run_id:
            named = last.run_id
            reporter.emit(Event("lease.waiting", {"target": target.name, "holder": last.holder, "run": last.run_id}))
        pause = min(pause, terms.waits - waited)
        clock.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _SLOWEST_POLL)


def _followed(target: Target, known: GivenBack, terms: Terms, *, run_id: str, clock: Clock) -> Held | None:
    """Return the lease, taken after the one that is known to have been given back; None when another run was faster."""
    ending.check(target.name)
    asked = clock.monotonic()
    lease = _new(known.fence, run_id, _now(target), terms)
    try:
        etag = _write(target, lease, known.etag)
    except Conflict:
        return None
    until, before = asked + terms.holds.total_seconds(), _NONE if known.etag is None else known.etag
    taken = Held(target, lease, etag, before=before, terms=terms, until=until, monotonic=clock.monotonic)
    if _now(target) - lease.acquired_at > terms.holds / 6:  # this machine stood still since the store told the time
        try:
            taken.renew()
        except Conflict:
            return None
    return taken


def _new(last: int, run_id: str, now: datetime, terms: Terms) -> Lease:
    process = this_process()
    number = process.split(":")[-2] if process else "?"
    return Lease(
        fence=last + 1,
        run_id=run_id,
        holder=f"{socket.gethostname()}, process {number}",
        process=process,
        acquired_at=now,
        expires_at=now + terms.holds,
    )


def _taken(target: Target, last: Lease, waited: timedelta) -> TargetError:
    return TargetError(
        f"target {target.name}: another run is writing there: {last.run_id} on {last.holder},"
        f" since {last.acquired_at:%Y-%m-%d %H:%M:%S} UTC; waited {waited.total_seconds():.0f} s",
        advice="wait until it has ended, then run again; a run that died is waited for until its lease is over",
        retryable=True,
    )


def _now(target: Target) -> datetime:
    return target.now().replace(microsecond=0)


def _write(target: Target, lease: Lease, etag: str | None) -> str:
    body = lease.to_bytes()
    headers = {"content_type": "application/json", "cache_control": "private, no-store"}
    return target.write(leases.KEY, body, **headers, if_etag=etag).etag
