"""Keep what people were told where the next run finds it: in the target, or on this machine while that cannot be had.

A target that is down cannot keep that it is down. Until it is back, the spool does: what is there and newer holds. A
machine that keeps no spool either (a CI job) tells once a run, for as long as that lasts.

Several runs may write at once, each of its own jobs: the record is swapped under its ETag, and read again where
somebody was faster. Nothing else is decided by it, so trouble with it is told and fails nothing.
"""

import contextlib
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from hubdata.errors import Conflict, HubdataError
from hubdata.model.event import Event
from hubdata.notifying.changes import Noted, after
from hubdata.notifying.record import KEY, MAX_BYTES, Entry, Record
from hubdata.ports import Reporter, Target

DIRECTORY = "memory-notified"
"""Below the spool's root, beside what else outlives a run."""

_TRIES = 4


class Memory:
    """What was told of one target's jobs. `reached` tells whether the target could be asked."""

    def __init__(self, target: Target, spool: Path, reporter: Reporter) -> None:
        self._target, self._reporter = target, reporter
        self._path = spool / DIRECTORY / f"{quote(target.name, safe='')}.json"
        self._there, self._writable = Record(), True
        self._etag: str | None = None
        self._here = self._local()
        self.reached = self._read()

    @property
    def record(self) -> Record:
        """Return what is remembered in both places."""
        entries = dict(self._there.entries)
        for job, entry in self._here.entries.items():
            entries[job] = entry.over(entries.get(job))
        return Record(entries)

    def keep(self, noted: Noted, now: datetime) -> None:
        """Remember `noted` from now on; nothing is written where that is nothing new. Never raises."""
        for _ in range(_TRIES):
            wanted = after(self.record, noted, now)
            if wanted == self._there and not self._here.entries:
                return
            if not (self.reached and self._writable):
                break
            if wanted == self._there or self._written(wanted):
                self._forget()
                return
        else:
            self._told("somebody else writes it all the time")
        self._leave(after(self.record, noted, now), now)

    def _read(self) -> bool:
        try:
            blob = self._target.read(KEY, max_bytes=MAX_BYTES)
        except HubdataError as err:
            self._told(str(err))
            return False
        if blob is None:
            self._there, self._etag = Record(), None
        else:
            self._there, self._etag = Record.from_bytes(blob.body), blob.stored.etag
        return True

    def _written(self, wanted: Record) -> bool:
        """Tell whether `wanted` is in the target now; otherwise it has been read again, if it still can be."""
        headers = {"content_type": "application/json", "cache_control": "private, no-store"}
        try:
            self._target.write(KEY, wanted.to_bytes(), **headers, if_etag=self._etag)
        except Conflict:
            self.reached = self._read()
            return False
        except HubdataError as err:
            self._told(str(err))
            self._writable = False
            return False
        self._there = wanted
        return True

    def _local(self) -> Record:
        try:
            with self._path.open("rb") as file:
                return Record.from_bytes(file.read(MAX_BYTES))
        except OSError:
            return Record()

    def _leave(self, wanted: Record, now: datetime) -> None:
        """Write here what the target does not know; what it knows and is over, too, as a job of which nothing is."""
        there = self._there.entries
        fresh = {
            job: replace(entry, whole=self.reached) for job, entry in wanted.entries.items() if there.get(job) != entry
        }
        over = {job: Entry(None, now) for job in there if job not in wanted.entries}
        part = self._path.with_suffix(f".{os.getpid()}.part")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(Record({**fresh, **over}).to_bytes())
            part.replace(self._path)
        except OSError as err:
            self._told(f"nor can the spool: {err.strerror or err}")

    def _forget(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _told(self, error: str) -> None:
        self._reporter.emit(Event("notify.unkept", {"target": self._target.name, "error": error}))
