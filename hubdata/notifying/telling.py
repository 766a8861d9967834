"""Tell people what has changed: remember, decide, send, remember again; target by target, and one message for all.

A message that could not be sent is a warning, and not remembered: the next run, or the next change, tells it. Nothing
here fails a run or raises, and where nothing changed, nothing is sent or written.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.job import Job
from hubdata.model.notify import Form, Notify
from hubdata.model.run import RunResult
from hubdata.notifying import message, sending
from hubdata.notifying.changes import Change, news, together, upon
from hubdata.notifying.keeping import Memory
from hubdata.notifying.record import OF_THE_TARGET, Told
from hubdata.notifying.sightings import Sighting, sightings
from hubdata.ports import Reporter, Target
from hubdata.report.log import log_event
from hubdata.report.redaction import Redactor, redactor
from hubdata.transfer import ending

_one_at_a_time = threading.Lock()
"""Of several runs in this process, so that what one has told the next one knows."""


@dataclass(frozen=True, slots=True)
class Teller:
    """All that telling takes. `spool` is its root, on this machine."""

    notify: Notify
    spool: Path
    reporter: Reporter
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    redact: Redactor | None = None

    def tell_run(
        self, result: RunResult, jobs: Iterable[Job], targets: Sequence[Target], now: datetime, *, partial: bool
    ) -> bool:
        """Tell what a run of some `jobs` at `targets` has changed; see `tell` and `sightings`."""
        seen = sightings(result, jobs, [target.name for target in targets], partial=partial)
        return self.tell(seen, targets, now, result.run_id)

    def tell(self, seen: Iterable[Sighting], targets: Iterable[Target], now: datetime, run_id: str = "") -> bool:
        """Tell what is news of all that is `seen` at `targets`; return whether people know it now. Never raises.

        A process that is to end tells nothing: what it breaks off only looks like a failure.
        """
        if ending.begun():
            return False
        try:
            return self._told(seen, targets, now, run_id)
        except Exception as err:  # noqa: BLE001 - the run is done, and nothing of telling people may undo that
            log_event(Event("notify.bug", {"run_id": run_id}), err=err)
            return False

    def _told(self, seen: Iterable[Sighting], targets: Iterable[Target], now: datetime, run_id: str) -> bool:
        with _one_at_a_time:
            by_target = {target.name: Memory(target, self.spool, self.reporter) for target in targets}
            looks = [self._look(each, by_target[each.target], now) for each in seen if each.target in by_target]
            sent = True
            for way, send in self._ways():
                changes = together(change for look in looks for change in look.found(way, self.notify.on))
                if not changes or self._sent(way, send, changes, now, run_id):
                    for look in looks:
                        look.tell(way, self.notify.on)
                else:
                    sent = False
            for name, memory in by_target.items():
                noted = {look.seen.job: (look.since, look.told) for look in looks if look.seen.target == name}
                memory.keep(noted, now)
        return sent

    def _look(self, sighting: Sighting, memory: Memory, now: datetime) -> "_Look":
        if not memory.reached:  # what was told of anything else is kept where nobody can look now
            known = {trouble: said for trouble, said in sighting.seen.items() if trouble in OF_THE_TARGET}
            sighting = replace(sighting, seen=known)
        sighting, since = upon(memory.record, sighting, now)
        entry = memory.record.entries.get(sighting.job)
        return _Look(sighting, since, dict(entry.told) if entry is not None else {})

    def _ways(self) -> tuple[tuple[str, "_Send"], ...]:
        ways: list[tuple[str, _Send]] = []
        if self.notify.url_variable is not None:
            ways.append(("webhook", self._post))
        if self.notify.argv:
            ways.append(("command", self._start))
        return tuple(ways)

    def _sent(self, way: str, send: "_Send", changes: tuple[Change, ...], now: datetime, run_id: str) -> bool:
        fields: dict[str, str | int] = {"way": way, "changes": len(changes)}
        try:
            send(changes, now, run_id)
        except HubdataError as err:
            self.reporter.emit(Event("notify.failed", {**fields, "error": str(err), "advice": err.advice}))
            return False
        states = ",".join(sorted({change.state for change in changes}))
        self.reporter.emit(Event("notify.sent", {**fields, "states": states}))
        return True

    def _post(self, changes: tuple[Change, ...], now: datetime, run_id: str) -> None:
        redact = self.redact or redactor()
        if self.notify.form is Form.SLACK:
            body = message.slack(changes, run_id=run_id, redact=redact)
        else:
            body = message.document(changes, run_id=run_id, at=now, redact=redact)
        sending.post(self.notify, body, self.environment, redact)

    def _start(self, changes: tuple[Change, ...], now: datetime, run_id: str) -> None:
        body = message.document(changes, run_id=run_id, at=now, redact=self.redact or redactor())
        sending.start(self.notify, message.encoded(body), self.environment, self.reporter)


_Send = Callable[[tuple[Change, ...], datetime, str], None]


@dataclass(slots=True)
class _Look:
    """One job at one target: what is seen, since when it is not well, and what each way has told."""

    seen: Sighting
    since: datetime | None
    told: dict[str, Told]

    def found(self, way: str, on: frozenset[str]) -> tuple[Change, ...]:
        return news(self.told.get(way, {}), self.seen, on)[0]

    def tell(self, way: str, on: frozenset[str]) -> None:
        self.told[way] = news(self.told.get(way, {}), self.seen, on)[1]
