"""Any file on the web with a digest beside it: what has no digest is not fetched.

The digest stands in the job file (`sha256`: the file is pinned, and no request is made while it is what is published)
or at an address of its own (`digest_url`: one small request tells whether there is anything new). A new digest is
worth a download, and what came is kept only if it has that digest: as it came, or once unpacked (`digest_of`).

While the two are being replaced upstream, one may be new and the other old. A file that has not changed though its
digest has is found by its ETag before anything is downloaded, and a file that is newer than its digest by asking for
the digest again; then the published copy stays, and the next run tries again.

A download that could not be published stays in the spool's memory, so that the next run need not repeat it.

There are no credentials here: a URL that holds one is refused, as job files are read by many.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from random import random as real_random
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from hubdata.errors import SourceError
from hubdata.model.key import key_problem
from hubdata.model.snapshot import Fetched, Provenance, SourceFile, state_of
from hubdata.ports import Published, SourceContext
from hubdata.tables import Field, field_validator, model_validator
from hubdata.transfer.conditional import NOTHING_KNOWN, Validators, http_date
from hubdata.transfer.digest_file import MAX_BYTES, Digest, as_digest, parse_digest
from hubdata.transfer.gunzip import gunzipped
from hubdata.transfer.hashed import Hashed
from hubdata.transfer.http import Response
from hubdata.transfer.public_url import file_url_problem
from hubdata.transfer.releases import Releases
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.spool import write_stream
from hubdata.transfer.tar_member import extract_member
from hubdata.transfer.upstream import (
    ASKING,
    DOWNLOADING,
    Upstream,
    UpstreamOptions,
    explained,
    place_in,
    refuse_page,
)
from hubdata.transfer.url import safe_url

_ADVICE = {
    401: "this address wants credentials, which this source does not have: mirror the file, or use its vendor's source",
    403: "this address wants credentials, or a licence to be accepted: open it in a browser",
    404: "there is no such file: check `url` and `digest_url`",
    429: "too many requests: wait for the next run; do not restart in a loop",
}


class UrlOptions(UpstreamOptions):
    """What `[source]` with `type = "url"` may hold: one file, its digest, and the key it is published under.

    `digest_field` is a dotted path, for a digest in JSON. `member` is what the name of the one wanted file in a
    `tar.gz` ends with. `digest_of` says what the digest is of: the `download`, or the `file` in it.
    """

    url: str
    key: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    digest_url: str | None = None
    digest_field: str | None = None
    digest_of: Literal["download", "file"] = "download"
    unpack: Literal["no", "gz", "tar.gz"] = "no"
    member: Annotated[str, Field(min_length=1, max_length=255)] | None = None

    @field_validator("url", "digest_url")
    @classmethod
    def _usable_url(cls, url: str | None) -> str | None:
        if url is not None and (problem := file_url_problem(url)):
            raise ValueError(problem)
        return url

    @field_validator("key")
    @classmethod
    def _usable_key(cls, key: str) -> str:
        if problem := key_problem(key):
            raise ValueError(f"this cannot be a key: {problem}")
        return key

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.sha256 is None) == (self.digest_url is None):
            raise ValueError("name either `sha256` or `digest_url`: without a digest nobody knows what came")
        if self.digest_field is not None and self.digest_url is None:
            raise ValueError("`digest_field` says where in the JSON at `digest_url` the digest stands")
        if (self.member is not None) != (self.unpack == "tar.gz"):
            raise ValueError('`member` goes with unpack = "tar.gz": what the wanted file\'s name ends with')
        return self


class UrlSource:
    """The one file that a job names."""

    Options = UrlOptions

    def __init__(
        self,
        options: UrlOptions,
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
    def lacks(cls, options: UrlOptions, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's
        """Return None: there are no credentials."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return the file in the workspace, or its key in `kept` when it is published with this digest already.

        With `force`, always the file. Raises SourceError.
        """
        context, options = self._context, self._options
        upstream = Upstream(
            options,
            context.environment,
            now=context.clock.now,
            sleep=context.clock.sleep,
            monotonic=self._monotonic,
            random=self._random,
        )
        announced = self._announced(upstream)
        before = published().get(options.key, {})
        mine = self._source(announced)
        if not context.force and mine.items() <= before.items():
            return Fetched(str(announced), (), kept=(options.key,))
        file = self._remembered(announced)
        if file is None:
            known = self._known(before, announced)
            file = upstream.retrying(partial(self._download, upstream, announced, known), DOWNLOADING)
        older = before.get("type") == "url" and before.get("date", "") > file.source.get("date", "9999")
        return Fetched(file.source["digest"], (file,), rewinds=(state_of(before),) if older else ())

    def _announced(self, upstream: Upstream) -> Digest:
        pinned = as_digest(self._options.sha256 or "")
        return pinned or upstream.retrying(partial(self._ask, upstream), ASKING)

    def _ask(self, upstream: Upstream) -> Digest:
        url = self._options.digest_url or ""
        name = unquote(urlsplit(self._options.url).path.rpartition("/")[2])
        try:
            with (
                upstream.client(url) as client,
                client.get(url, deadline=upstream.deadline, max_bytes=MAX_BYTES) as response,
            ):
                return parse_digest(response.read(), name=name, field=self._options.digest_field)
        except RequestFailed as err:
            raise explained(err, _ADVICE) from None

    def _source(self, digest: Digest) -> dict[str, str]:
        """Return the provenance of the file with this digest; all of it must be equal for a file to be the same."""
        options = self._options
        source = {"type": "url", "url": safe_url(options.url), "digest": str(digest), "digest_of": options.digest_of}
        if options.unpack != "no":
            source["unpack"] = options.unpack
        if options.member is not None:
            source["member"] = options.member
        return source

    def _known(self, before: Provenance, announced: Digest) -> Validators:
        """Return what to ask by: only if nothing but the digest's value differs does an old ETag mean anything.

        Only a strong one: the digest says that something is new, and dates and lengths may stay the same.
        """
        algorithm, _, value = before.get("digest", "").partition(":")
        if self._context.force or algorithm != announced.algorithm:
            return NOTHING_KNOWN
        same = self._source(Digest(algorithm, value)).items() <= before.items()
        etag = Validators.noted(before).etag
        return Validators(etag=etag) if same and not etag.startswith("W/") else NOTHING_KNOWN

    def _remembered(self, announced: Digest) -> SourceFile | None:
        """Return the copy that an earlier run left, if it is what this job asks for now."""
        path = place_in(self._context.workspace, "download")
        kept = None if self._context.force else self._releases().take(self._name(), announced.value, path)
        return None if kept is None else SourceFile(self._options.key, path, kept.size, self._source(announced))

    def _releases(self) -> Releases:
        memory = self._context.memory
        return Releases(memory / "releases" if memory else None)

    def _name(self) -> str:
        """Return what tells this job's file from others in the memory: where it is from, and what is done to it."""
        told = sorted(self._source(Digest("", "")).items())
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]

    def _download(self, upstream: Upstream, announced: Digest, known: Validators) -> SourceFile:
        options = self._options
        path = place_in(self._context.workspace, "download")
        changed: AbstractContextManager[Response | None]
        try:
            with upstream.client(options.url) as client:
                changed = client.get_changed(
                    options.url, known=known, deadline=upstream.deadline, max_bytes=options.max_bytes
                )
                with changed as response:
                    if response is None:
                        raise self._not_yet(announced)
                    refuse_page(response, "a file")
                    found = self._save(response, path, announced.algorithm)
                    headers = response.headers
        except RequestFailed as err:
            raise explained(err, _ADVICE) from None
        announced = self._matched(upstream, announced, found, path)
        day = http_date(headers.get("Last-Modified", ""))
        noted = {"date": day, "etag": Validators.of(headers).etag}
        source = self._source(announced) | {name: value for name, value in noted.items() if value}
        own = found if (announced.algorithm, options.digest_of) == ("sha256", "file") else _digest_of(path, "sha256")
        self._releases().keep(self._name(), announced.value, path, own, self._context.clock.now())
        return SourceFile(options.key, path, path.stat().st_size, source)

    def _save(self, response: Response, path: Path, algorithm: str) -> str:
        """Return the digest of what `digest_of` says, the file being at `path`."""
        options, limit = self._options, self._options.max_bytes
        download = Hashed(response.pieces(), algorithm)
        file: Iterable[bytes] = download
        if options.unpack == "tar.gz":
            extract_member(download, options.member or "", path, max_packed_bytes=limit, max_bytes=limit)
            return download.hexdigest(algorithm) if options.digest_of == "download" else _digest_of(path, algorithm)
        if options.unpack == "gz":
            file = gunzipped(download, max_packed_bytes=limit, max_bytes=limit)
        unpacked = Hashed(file, algorithm)
        write_stream(path, unpacked, max_bytes=limit, what=response.url)
        return (download if options.digest_of == "download" else unpacked).hexdigest(algorithm)

    def _matched(self, upstream: Upstream, announced: Digest, found: str, path: Path) -> Digest:
        """Return the digest that the file has, which must be the announced one or what has just replaced it."""
        try:
            if found != announced.value and self._options.digest_url is not None:
                announced = self._announced(upstream)
            if found == announced.value:
                return announced
        except SourceError:
            path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)
        raise SourceError(
            f"{safe_url(self._options.url)}: expected {announced}, found {found}",
            advice="the published copy stays. See whether the digest is of the packed or the unpacked file"
            " (`digest_of`); if the upstream contradicts itself for long, tell its publisher",
        )

    def _not_yet(self, announced: Digest) -> SourceError:
        return SourceError(
            f"{safe_url(self._options.url)}: expected a file with the new digest {announced}; it has not changed",
            advice="the digest may be replaced before the file: the next run tries again. If it lasts, its ETag may be"
            " wrong: run once with --force, and tell the publisher",
        )


def _digest_of(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
