"""DB-IP Lite databases: this month's, or last month's while this one's is not there yet; never an older one.

They are public files with the month in their names, so there are no credentials, no quota and no digest: what proves a
transfer is the CRC at the end of the gzip stream. A file is asked for only if it is another one than the published
one (ETag, Last-Modified), so an unchanged edition costs one small request, and one more while the month is missing.
A download that could not be published stays in the spool's memory: the next run leaves the same body unread.

The licence is CC BY 4.0: whoever shows results must name DB-IP and link to it (docs/examples/jobs).

Addresses: facts on GeoIP upstreams, and the vendor's page https://db-ip.com/db/lite.php.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from random import random as real_random
from typing import Annotated, Literal

from hubdata.errors import SourceError
from hubdata.mmdb.readying import readied
from hubdata.model.snapshot import Fetched, Provenance, SourceFile, state_of
from hubdata.ports import Published, SourceContext
from hubdata.tables import Field
from hubdata.transfer.conditional import NOTHING_KNOWN, ConditionalClient, Validators
from hubdata.transfer.gunzip import gunzipped
from hubdata.transfer.hashed import Hashed
from hubdata.transfer.http import Response
from hubdata.transfer.releases import Releases
from hubdata.transfer.retry import Policy, RequestFailed
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import EditionOptions, Upstream, all_failures, explained, place_in, refuse_page

_POLICY = Policy(attempts=3)  # question and download are one request here, so neither six attempts nor one
_MISSING = (404, 410)
_ADVICE = {
    403: "the vendor refuses this address or client: look at https://db-ip.com/db/lite.php, or set `url` to a mirror",
    429: "too many requests: wait for the next run; do not restart in a loop",
}

Edition = Literal["dbip-country-lite", "dbip-city-lite", "dbip-asn-lite"]


class DbipOptions(EditionOptions):
    """What `[source]` with `type = "dbip"` may hold. `url` is what stands before the files' names."""

    editions: Annotated[tuple[Edition, ...], Field(min_length=1)]
    url: str = "https://download.db-ip.com/free"


def months(now: datetime) -> tuple[str, str]:
    """Return the month of `now` (aware UTC) and the one before it, as `YYYY-MM`."""
    year, month = (now.year, now.month - 1) if now.month > 1 else (now.year - 1, 12)
    return f"{now:%Y-%m}", f"{year:04}-{month:02}"


class DbipSource:
    """The editions that a job names."""

    Options = DbipOptions

    def __init__(
        self,
        options: DbipOptions,
        context: SourceContext,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self._options = options
        self._context = context
        self._monotonic = monotonic
        self._random = random

    @classmethod
    def lacks(cls, options: DbipOptions, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's
        """Return None: the files are public."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return the editions that changed, their databases in the workspace; the others by key in `kept`.

        With `force`, all of them. Raises SourceError that names each edition that failed.
        """
        context = self._context
        upstream = Upstream(
            self._options,
            context.environment,
            now=context.clock.now,
            sleep=context.clock.sleep,
            monotonic=self._monotonic,
            random=self._random,
        )
        files: list[SourceFile] = []
        kept: list[str] = []
        rewinds: list[str] = []
        states: list[str] = []
        failures: dict[str, SourceError] = {}
        with upstream.client(self._options.url) as client:
            for edition in self._options.editions:
                key = self._options.key(edition)
                before = self._published_as(edition, published().get(key, {}))
                try:
                    month, file = self._fetch(upstream, client, edition, before)
                except SourceError as err:
                    failures[edition] = err
                    continue
                states.append(month)
                if file is None:
                    kept.append(key)
                    continue
                files.append(file)
                if before.get("date", "") > month:
                    rewinds.append(state_of(before))
        if failures:
            raise all_failures(failures)
        return Fetched(revision=max(states), files=tuple(files), kept=tuple(kept), rewinds=tuple(rewinds))

    def _fetch(
        self, upstream: Upstream, client: ConditionalClient, edition: str, before: Provenance
    ) -> tuple[str, SourceFile | None]:
        """Return the month that is current upstream, and its file; None when that is what is published."""
        current, last = months(self._context.clock.now())
        for month in (current, last):
            known = Validators.noted(before) if before.get("date") == month and not self._context.force else None
            attempt = partial(self._attempt, upstream, client, edition, month, known or NOTHING_KNOWN)
            try:
                return month, upstream.retrying(attempt, _POLICY)
            except RequestFailed as err:
                if err.status not in _MISSING:
                    raise explained(err, _ADVICE) from None
        raise SourceError(
            f"{self._options.url}: there is no {edition} of {current}, nor of {last}",
            advice="see whether https://db-ip.com/db/lite.php still offers it by this name; check `url` and the clock",
        )

    def _attempt(
        self, upstream: Upstream, client: ConditionalClient, edition: str, month: str, known: Validators
    ) -> SourceFile | None:
        limit = self._options.max_bytes
        url = f"{self._options.url}/{edition}-{month}.mmdb.gz"
        with client.get_changed(url, known=known, deadline=upstream.deadline, max_bytes=limit) as response:
            return None if response is None else self._save(response, edition, month)

    def _save(self, response: Response, edition: str, month: str) -> SourceFile:
        refuse_page(response, "a database")
        path = place_in(self._context.workspace, f"{edition}.mmdb")
        said = Validators.of(response.headers)
        size = self._remembered(edition, month, said, path) or self._download(response, edition, month, said, path)
        source = {"type": "dbip", "url": self._options.url, "edition": edition, "date": month}
        return SourceFile(self._options.key(edition), path, size, source | said.note())

    def _download(self, response: Response, edition: str, month: str, said: Validators, path: Path) -> int:
        limit = self._options.max_bytes
        unpacked = Hashed(gunzipped(response.pieces(), max_packed_bytes=limit, max_bytes=limit), "sha256")
        with readied():
            write_stream(path, unpacked, max_bytes=limit, what=response.url)
        mark = self._mark(month, said)
        if mark:
            self._releases().keep(edition, mark, path, unpacked.hexdigest("sha256"), self._context.clock.now())
        return unpacked.size

    def _remembered(self, edition: str, month: str, said: Validators, path: Path) -> int:
        """Return the size of the copy that an earlier run left of the file that the upstream tells of now, else 0."""
        mark = self._mark(month, said)
        kept = self._releases().take(edition, mark, path) if mark and not self._context.force else None
        return 0 if kept is None else kept.size

    def _mark(self, month: str, said: Validators) -> str:
        """Return what a file is remembered by; empty when the upstream says nothing to tell it by."""
        told = (self._options.url, month, said.etag, said.last_modified, said.length)
        return hashlib.sha256(repr(told).encode()).hexdigest() if said.question() else ""

    def _releases(self) -> Releases:
        memory = self._context.memory
        return Releases(memory / "releases" if memory else None)

    def _published_as(self, edition: str, source: Provenance) -> Provenance:
        ours = ("dbip", self._options.url, edition)
        return source if (source.get("type"), source.get("url"), source.get("edition")) == ours else {}
