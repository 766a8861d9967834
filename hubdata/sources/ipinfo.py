"""IPinfo's databases: the digest is asked for first, and only a new one is worth a download.

The vendor publishes the SHA-256 of each database at `/checksums`, for a request that counts as none; downloads are
counted (three a day, says the vendor), so a run tries at most two, and the spool's memory holds a ledger of them that
no restart forgets, and the last good download for a run that could not publish it. What came is only used if its
SHA-256 is as announced. Should it be released anew meanwhile, the digest is asked for again, not the file.

The vendor documents the token for these addresses as a part of the URL, and as an `Authorization` header for the other
addresses of the host: so that is the choice of the job file (`authentication`). Either way only the configured origin
sees it; the signed URL on another host that a download redirects to does not, and no error or log holds a query.

The free database's licence is CC BY-SA 4.0 (docs/examples/jobs).

Protocol: https://community.ipinfo.io/t/checksum-endpoint-for-data-downloads/1667 and .../7270 (the redirect);
https://ipinfo.io/developers (authentication).
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import random as real_random
from typing import Annotated, Literal
from urllib.parse import urlsplit

from hubdata.errors import ConfigError, SourceError
from hubdata.mmdb.readying import readied
from hubdata.model.snapshot import Fetched, Provenance, SourceFile, state_of
from hubdata.ports import Published, SourceContext
from hubdata.tables import Field
from hubdata.transfer.bearer import BearerAuth
from hubdata.transfer.conditional import http_date
from hubdata.transfer.digest_file import as_digest
from hubdata.transfer.downloads import Downloads
from hubdata.transfer.hashed import Hashed
from hubdata.transfer.http import HttpClient
from hubdata.transfer.releases import Releases
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret, read_secret, secret_variable
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import (
    ASKING,
    DOWNLOADING,
    EditionOptions,
    Upstream,
    all_failures,
    explained,
    place_in,
    refuse_page,
)

TOKEN = "IPINFO_TOKEN"  # noqa: S105 - the variable's name
_TOKEN_ADVICE = f"set {TOKEN} (or {TOKEN}_FILE) to the access token of an IPinfo account"
_MAX_CHECKSUMS_BYTES = 64 * 1024

Edition = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class IpinfoOptions(EditionOptions):
    """What `[source]` with `type = "ipinfo"` may hold. `editions` are the vendor's file names without `.mmdb`.

    `daily_downloads` is how many of each the vendor allows in 24 hours.
    """

    editions: Annotated[tuple[Edition, ...], Field(min_length=1, max_length=20)]
    url: str = "https://ipinfo.io/data"
    authentication: Literal["query", "header"] = "query"
    daily_downloads: Annotated[int, Field(ge=1, le=1000)] = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """One download. `date` is when the vendor says it was written, empty where it does not."""

    path: Path
    size: int
    sha256: str
    date: str


class IpinfoSource:
    """The databases that a job names."""

    Options = IpinfoOptions

    def __init__(
        self,
        options: IpinfoOptions,
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
    def lacks(cls, options: IpinfoOptions, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's
        """Return what to set before a fetch can work, or None when there is a token."""
        return None if secret_variable(environment, TOKEN) else f"a token for IPinfo: {_TOKEN_ADVICE}"

    def fetch(self, published: Published) -> Fetched:
        """Return the databases that changed, in the workspace; the others by key in `kept`.

        With `force`, all of them. Raises ConfigError without a token, SourceError naming each database that failed.
        """
        context = self._context
        token = _token(context.environment)
        upstream = Upstream(
            self._options,
            context.environment,
            now=context.clock.now,
            sleep=context.clock.sleep,
            monotonic=self._monotonic,
            random=self._random,
        )
        with upstream.client(self._options.url) as client:
            return self._fetch_all(_Service(client, upstream, self._options, token), token, published)

    def _fetch_all(self, service: "_Service", token: Secret, published: Published) -> Fetched:
        done = _Done()
        failures: dict[str, SourceError] = {}
        for edition in self._options.editions:
            try:
                self._fetch(service, edition, token, published, done)
            except SourceError as err:
                failures[edition] = err
                if isinstance(err, RequestFailed) and err.status == 401:
                    break  # it would be refused again
        if failures:
            raise all_failures(failures)
        return Fetched(max(done.states), tuple(done.files), tuple(done.kept), tuple(done.rewinds))

    def _fetch(self, service: "_Service", edition: str, token: Secret, published: Published, done: "_Done") -> None:
        key = self._options.key(edition)
        announced = service.sha256(edition)
        before = self._published_as(edition, published().get(key, {}))
        if before.get("sha256") == announced and not self._context.force:
            done.kept.append(key)
            done.states.append(before.get("date") or announced)
            return
        path = place_in(self._context.workspace, f"{edition}.mmdb")
        found = self._remembered(edition, announced, path) or self._downloaded(service, edition, announced, token, path)
        source = {"type": "ipinfo", "url": self._options.url, "edition": edition, "sha256": found.sha256}
        if found.date:
            source["date"] = found.date
            if before.get("date", "") > found.date:
                done.rewinds.append(state_of(before))
        done.states.append(found.date or found.sha256)
        done.files.append(SourceFile(key, found.path, found.size, source))

    def _remembered(self, edition: str, announced: str, path: Path) -> "_Found | None":
        """Return the copy that an earlier run left, if it is what is announced now."""
        kept = None if self._context.force else self._releases().take(edition, announced, path)
        if kept is None or kept.sha256 != announced:
            return None
        return _Found(path, kept.size, kept.sha256, date="")

    def _downloaded(self, service: "_Service", edition: str, announced: str, token: Secret, path: Path) -> "_Found":
        memory, now = self._context.memory, self._context.clock.now
        host = urlsplit(self._options.url).hostname or ""
        ledger = Downloads(memory, f"{token.reveal()} {edition}", host, per_day=self._options.daily_downloads)
        what = f"{edition} {announced}"

        def begin() -> None:
            ledger.begin(what, now(), forced=self._context.force)

        try:
            with readied():
                found = service.download(edition, announced, path, begin)
        except SourceError as err:
            ledger.failed(err, now())
            raise
        ledger.ended_well(what, now())
        self._releases().keep(edition, found.sha256, path, found.sha256, now())
        return found

    def _releases(self) -> Releases:
        memory = self._context.memory
        return Releases(memory / "releases" if memory else None)

    def _published_as(self, edition: str, source: Provenance) -> Provenance:
        return source if (source.get("type"), source.get("edition")) == ("ipinfo", edition) else {}


@dataclass(frozen=True, slots=True)
class _Done:
    files: list[SourceFile] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    rewinds: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)


class _Service:
    """The requests of the protocol."""

    def __init__(self, client: HttpClient, upstream: Upstream, options: IpinfoOptions, token: Secret) -> None:
        self._client = client
        self._upstream = upstream
        self._options = options
        self._auth = BearerAuth(token) if options.authentication == "header" else None
        self._params = {"token": token.reveal()} if options.authentication == "query" else None

    def sha256(self, edition: str) -> str:
        """Return the digest of the current database."""
        return self._upstream.retrying(partial(self._sha256, edition), ASKING)

    def download(self, edition: str, announced: str, path: Path, begin: Callable[[], None]) -> _Found:
        """Return the current database, written to `path`, if its digest is `announced` or has just become another.

        `begin` is called before each attempt, and may refuse it.
        """
        found = self._upstream.retrying(partial(self._download, edition, path, begin), DOWNLOADING)
        if found.sha256 != announced and found.sha256 != (now := self.sha256(edition)):
            path.unlink(missing_ok=True)
            raise SourceError(
                f"expected a database with SHA-256 {now}, as announced, found {found.sha256}",
                advice="the published copy stays; the next run asks anew. If it lasts, tell the vendor",
            )
        return found

    def _sha256(self, edition: str) -> str:
        try:
            with self._client.get(
                f"{self._options.url}/{edition}.mmdb/checksums",
                params=self._params,
                auth=self._auth,
                deadline=self._upstream.deadline,
                max_bytes=_MAX_CHECKSUMS_BYTES,
            ) as response:
                return parse_checksums(response.read())
        except RequestFailed as err:
            raise explained(err, _advice(edition)) from None

    def _download(self, edition: str, path: Path, begin: Callable[[], None]) -> _Found:
        begin()
        limit = self._options.max_bytes
        try:
            with self._client.get(
                f"{self._options.url}/{edition}.mmdb",
                params=self._params,
                auth=self._auth,
                deadline=self._upstream.deadline,
                max_bytes=limit,
            ) as response:
                refuse_page(response, "a database")
                pieces = Hashed(response.pieces(), "sha256")
                size = write_stream(path, pieces, max_bytes=limit, what=response.url)
                return _Found(
                    path, size, pieces.hexdigest("sha256"), http_date(response.headers.get("Last-Modified", ""))
                )
        except RequestFailed as err:
            raise explained(err, _advice(edition)) from None


def parse_checksums(body: bytes) -> str:
    """Return the SHA-256 that a `/checksums` response gives, in lower-case hex. Raises SourceError when none."""
    digest = None
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        digest = as_digest(json.loads(body)["checksums"]["sha256"])
    if digest is not None and digest.algorithm == "sha256":
        return digest.value
    kind = "an HTML page" if body.lstrip()[:1] == b"<" else "something else"
    raise SourceError(
        f"expected checksums with a SHA-256, found {kind}",
        advice="check `url`; a captive portal or a proxy may be answering in the vendor's place",
    )


def _advice(edition: str) -> dict[int, str]:
    return {
        401: f"check the token from {TOKEN}, and `authentication`",
        403: f"check the token from {TOKEN}, and that its account may download {edition}",
        404: f"the vendor has no such database: check its name, {edition}, and `url`",
        429: "too many downloads today: wait for the next run; do not restart in a loop",
    }


def _token(environment: Mapping[str, str]) -> Secret:
    token = read_secret(environment, TOKEN)
    if token is None:
        raise ConfigError("no token for IPinfo", advice=_TOKEN_ADVICE)
    value = token.reveal()
    if not value.isascii() or not value.isprintable() or " " in value or len(value) > 256:
        raise ConfigError(f"the token from {secret_variable(environment, TOKEN)} is not one", advice=_TOKEN_ADVICE)
    return token
