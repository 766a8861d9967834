"""Download one data file: only if it is another than the published one, and only what its upstream says it is."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.manifest import Entry
from hubdata.model.snapshot import Provenance, SourceFile
from hubdata.ports import SourceContext
from hubdata.sources.hub.addresses import Address
from hubdata.sources.hub.clients import Clients
from hubdata.sources.hub.manifest import Said
from hubdata.sources.hub.options import HubOptions
from hubdata.transfer.answers import Answers, Came, Wanted
from hubdata.transfer.conditional import NOTHING_KNOWN, Validators, http_date
from hubdata.transfer.hashed import Hashed
from hubdata.transfer.list_page import refuse_what_is_no_list
from hubdata.transfer.retry import Policy, RequestFailed
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import Upstream, explained, place_in
from hubdata.transfer.url import safe_url

_POLICY = Policy(attempts=3)
_HEAD = 64 << 10
_MEND = "no engine gets this file from there: have the item's author mend it"
_ADVICE = {
    401: "this address wants credentials, which no engine has: have the item's author mend it",
    403: "the upstream refuses this client: open the address in a browser; it may have moved",
    404: _MEND,
    410: _MEND,
    429: "too many requests: wait for the next run; do not restart in a loop",
}


_DIFFERS = (
    "the last good version stays. A publication may be under way: the next run tries again;"
    " if it lasts, somebody between changes what comes"
)


@dataclass(slots=True)
class Done:
    """What became of one address: a file, its failure, or neither when the published copy stays."""

    address: Address
    file: SourceFile | None = None
    came: Came | None = None
    rewind: str = ""
    failure: SourceError | None = None
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class _Got:
    """A file in the workspace."""

    path: Path
    size: int
    sha256: str
    said: Validators


@dataclass(frozen=True, slots=True)
class Downloads:
    """All downloads of one run: what they go by, and what is public (`known`, by key)."""

    options: HubOptions
    context: SourceContext
    clients: Clients
    said: Said | None
    answers: Answers
    known: Mapping[str, Provenance]

    def of(self, address: Address) -> Done:
        """Return what became of `address`. Called from several threads."""
        done, said = Done(address), self.said
        name = said.covers(address.url) if said is not None else None
        entry: Entry | None = None
        if said is not None and name is not None:
            if not said.usable:
                return done  # the manifest's own finding says why
            entry = said.files.get(name)
            if entry is None:
                done.finding = _unnamed(address, said)
                if said.signed:
                    return done
        try:
            got = self._changed(address, entry)
        except SourceError as err:
            done.failure = err
        else:
            if got is not None:
                self._note(done, got, None if entry is None else said)
        return done

    def _changed(self, address: Address, entry: Entry | None) -> _Got | None:
        """Return the file, None while it is what is published."""
        wanted, force = Wanted(address.key, recipe_of(address)), self.context.force
        before = self.known.get(address.key, {})
        mine = before.get("recipe") == wanted.recipe
        if entry is not None and mine and not force and before.get("sha256") == entry.sha256:
            return None
        known = NOTHING_KNOWN if force or entry is not None else exact(self.answers.behind(wanted))
        upstream = self.clients.upstream()
        return upstream.retrying(partial(self._attempt, upstream, address, entry, known), _POLICY)

    def _attempt(self, upstream: Upstream, address: Address, entry: Entry | None, known: Validators) -> _Got | None:
        client = self.clients.client(upstream, address.url, public_only=address.public_only)
        path = place_in(self.context.workspace, recipe_of(address))
        limit = self.options.max_bytes
        changed = client.get_changed(address.url, known=known, deadline=upstream.deadline, max_bytes=limit)
        try:
            with changed as response:
                if response is None:
                    return None
                came = self.clients.budget.counted(response.pieces())
                pieces = Hashed(came if entry is None else _upto(entry, came, safe_url(address.url)), "sha256")
                size = write_stream(path, pieces, max_bytes=limit, what=safe_url(address.url))
        except RequestFailed as err:
            raise explained(err, _ADVICE) from None
        got = _Got(path, size, pieces.hexdigest("sha256"), Validators.of(response.headers))
        try:
            _judge(got, address, entry, response.headers.get("Content-Type", ""))
        except SourceError:
            path.unlink(missing_ok=True)
            raise
        return got

    def _note(self, done: Done, got: _Got, said: Said | None) -> None:
        """Put the file's origin, and what tells its state from others, into `done`."""
        address = done.address
        origin = {"type": "hub", "url": address.url, "recipe": recipe_of(address), "sha256": got.sha256}
        if said is not None:
            origin |= {"manifest": said.url, "generation": str(said.generation)}
        elif date := http_date(got.said.last_modified):
            origin |= {"edition": address.key, "date": date}
            done.rewind = self.answers.newer_than(address.key, date)
        done.file = SourceFile(address.key, got.path, got.size, origin | got.said.note())
        done.came = Came(got.sha256, got.said)


def recipe_of(address: Address) -> str:
    """Return what stands for an address in memories and file names."""
    return hashlib.sha256(address.url.encode()).hexdigest()[:32]


def exact(known: Validators) -> Validators:
    """Return what tells files apart that were written in one second and are of one length: their ETags, if any."""
    return replace(known, length="") if known.etag else known


def _upto(entry: Entry, pieces: Iterator[bytes], url: str) -> Iterator[bytes]:
    """Yield `pieces`. Raises SourceError as soon as there are more than the upstream's manifest says."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > entry.size:
            raise SourceError(
                f"{url}: expected {entry.size} bytes, as the upstream's manifest says, found more", advice=_DIFFERS
            )
        yield piece


def _judge(got: _Got, address: Address, entry: Entry | None, content_type: str) -> None:
    """Raise SourceError when what came is a page, blank, or not what the upstream's manifest says."""
    url = safe_url(address.url)
    if entry is None:
        with got.path.open("rb") as file:
            refuse_what_is_no_list(file.read(_HEAD), content_type, url)
    elif (got.sha256, got.size) != (entry.sha256, entry.size):
        raise SourceError(
            f"{url}: expected {entry.size} bytes with SHA-256 {entry.sha256[:64]}, as the upstream's manifest says,"
            f" found {got.size} with {got.sha256}",
            advice=_DIFFERS,
        )


def _unnamed(address: Address, said: Said) -> Finding:
    return Finding(
        address.key,
        None,
        "hub.unnamed",
        Severity.ERROR if said.signed else Severity.WARNING,
        f"{address.url} is not in the upstream's manifest of generation {said.generation}: nobody says what it must be",
        "have the item's author name a published file, or ask the publisher why it is not in the manifest",
    )
