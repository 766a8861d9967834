"""Get a hub's items from wherever the job says they are, over the network where they are not at hand.

Items that an index names without their text are fetched one by one and kept in the spool by their digest, so that an
index with one changed item costs one request more than none.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote, urljoin

from hubdata.errors import ConfigError, SourceError
from hubdata.grammar.yaml_text import MAX_BYTES
from hubdata.ports import SourceContext
from hubdata.sources.hub.clients import Clients
from hubdata.sources.hub.items import (
    MAX_INDEX_BYTES,
    Hub,
    Item,
    Listed,
    bodies_below,
    checked,
    listed_in,
    of_directory,
    of_repository,
)
from hubdata.sources.hub.options import HubOptions
from hubdata.transfer.git import Git
from hubdata.transfer.memory import private_directory
from hubdata.transfer.retry import Policy
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import Upstream, place_in

T = TypeVar("T")
R = TypeVar("R")
_POLICY = Policy(attempts=4)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Each(Protocol):
    """Does the same for many, several at once."""

    def __call__(self, work: Callable[[T], R], these: Iterable[T], /) -> list[R]:
        """Return what `work` makes of each of `these`, in their order."""
        ...


def read_hub(options: HubOptions, context: SourceContext, clients: Clients, each: Each) -> Hub:
    """Return all that the hub's items name. Raises SourceError when there are none, or when they cannot be read."""
    hub = Hub()
    items: Iterable[Item]
    if options.path is not None:
        items = of_directory(options.path, hub, options.max_items)
    elif options.url is not None:
        place = _new(context.workspace, "hub")
        git = Git(place, options.url, clients.deadline, context.environment)
        items = of_repository(git, options.ref, hub, options.max_items)
    elif options.index_file is not None:
        index = _file(options.index_file)
        listed = tuple(listed_in(index, str(options.index_file), hub, options.max_items))
        items = _of_index(listed, bodies_below(options.index_file.parent), hub)
    else:
        items = _Remote(options, context, clients).items(hub, each)
    for item in items:
        clients.check()
        hub.take(item)
    if not hub.items and not hub.findings:
        raise SourceError(
            "the hub holds no items (files *.yaml or *.yml)",
            advice="name the hub's root: the directory with scenarios/",
        )
    return hub


def _of_index(listed: Iterable[Listed], body_of: Callable[[Listed], bytes], hub: Hub) -> Iterator[Item]:
    """Yield the items of an index on disk."""
    for one in listed:
        try:
            body = body_of(one) if one.body is None else one.body
        except OSError as err:
            hub.failed(one.path, f"it cannot be read: {err.strerror or err}")
        else:
            yield from checked(one, body, hub)


class _Remote:
    """An index on the web, and the items beside it."""

    def __init__(self, options: HubOptions, context: SourceContext, clients: Clients) -> None:
        self._options = options
        self._url = options.index or ""
        self._clients = clients
        self._memory = context.memory

    def items(self, hub: Hub, each: Each) -> Iterator[Item]:
        """Yield the items. Raises SourceError when the index cannot be had, or none of its items."""
        listed = tuple(listed_in(self._got(self._url, MAX_INDEX_BYTES), self._url, hub, self._options.max_items))
        bodies = each(self._body, listed)
        failed = [body for body in bodies if isinstance(body, SourceError)]
        if failed and len(failed) == len(listed):
            raise failed[0]
        self._forget_all_but({one.sha256 for one in listed})
        for one, body in zip(listed, bodies, strict=True):
            if isinstance(body, SourceError):
                hub.failed(one.path, str(body))
            else:
                yield from checked(one, body, hub)

    def _body(self, one: Listed) -> bytes | SourceError:
        if one.body is not None:
            return one.body
        kept = self._kept(one.sha256)
        try:
            return self._got(urljoin(self._url, quote(one.path)), MAX_BYTES + 1, one.sha256) if kept is None else kept
        except SourceError as err:
            return err

    def _got(self, url: str, max_bytes: int, sha256: str = "") -> bytes:
        """Return what is at `url`, and keep it where it has the digest."""
        upstream = self._clients.upstream()
        body = upstream.retrying(partial(self._attempt, upstream, url, max_bytes), _POLICY)
        if sha256 and self._memory is not None and hashlib.sha256(body).hexdigest() == sha256:
            with suppress(SourceError, ConfigError):
                directory = private_directory(private_directory(self._memory) / "items")
                write_stream(directory / sha256, (body,), max_bytes=len(body), what=url)
        return body

    def _attempt(self, upstream: Upstream, url: str, max_bytes: int) -> bytes:
        client = self._clients.client(upstream, url, public_only=False)
        with client.get(url, deadline=upstream.deadline, max_bytes=max_bytes) as response:
            return b"".join(self._clients.budget.counted(response.pieces()))

    def _kept(self, sha256: str) -> bytes | None:
        if self._memory is None or not _SHA256.fullmatch(sha256):
            return None
        with suppress(OSError), (self._memory / "items" / sha256).open("rb") as file:
            body = file.read(MAX_BYTES + 1)
            return body if hashlib.sha256(body).hexdigest() == sha256 else None
        return None

    def _forget_all_but(self, digests: set[str]) -> None:
        """Remove what was kept of items that the index has no more. Never fails a run."""
        if self._memory is None:
            return
        with suppress(OSError):
            for path in (self._memory / "items").iterdir():
                if path.name not in digests and _SHA256.fullmatch(path.name):
                    path.unlink(missing_ok=True)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(MAX_INDEX_BYTES + 1)
    except OSError as err:
        raise SourceError(
            f"hub {path}: {err.strerror or err}", advice="check `index_file` (relative to the job file)"
        ) from err
    if len(body) > MAX_INDEX_BYTES:
        raise SourceError(f"hub {path}: more than {MAX_INDEX_BYTES:,} bytes", advice="see whether it is an index")
    return body


def _new(workspace: Path, name: str) -> Path:
    """Return a path in the workspace that is not there yet: a worker fetches more than once."""
    path, number = place_in(workspace, name), 1
    while path.exists():
        path, number = workspace / f"{name}-{number}", number + 1
    return path
