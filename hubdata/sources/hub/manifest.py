"""What the upstream itself says of its files: its manifest, with the signature where a key is known.

A manifest found once is demanded from then on, and none of an older generation is taken: whoever can serve old bytes
could otherwise serve an old manifest beside them, or none. An upstream whose manifest has not changed is asked once.
The last one is kept in the spool, with its signature, and judged anew each time.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hubdata.errors import SourceError, TargetError
from hubdata.model import manifest as manifests
from hubdata.model.finding import ITEM_FAILED, Finding, Severity
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Provenance
from hubdata.signing.minisign import MAX_SIGNATURE_BYTES
from hubdata.signing.verify import judge
from hubdata.sources.hub.options import NO_MANIFEST, HubOptions
from hubdata.transfer.conditional import NOTHING_KNOWN, ConditionalClient, Validators
from hubdata.transfer.memory import locked, private_directory, read_record, write_record
from hubdata.transfer.retry import Policy, RequestFailed
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import Upstream
from hubdata.transfer.url import safe_url

MAX_MANIFEST_BYTES = 64 << 20
_ASKING = Policy(attempts=4)
_SIGNATURE = ".minisig"
_STAYS = "the last good versions stay; the next run tries again"


@dataclass(frozen=True, slots=True)
class Said:
    """A manifest that may be believed, and where: what lies below `prefix` at its own server.

    `usable` is False when there should be one and none can be believed: then nothing below `prefix` can be either.
    """

    url: str
    generation: int = 0
    files: Mapping[str, Entry] = field(default_factory=dict)
    signed: bool = False
    usable: bool = True

    def covers(self, url: str) -> str | None:
        """Return what the manifest would call the file at `url`; None when that is no business of its."""
        mine, theirs = urlsplit(self.url), urlsplit(url)
        prefix, path = unquote(mine.path.rpartition("/")[0]) + "/", unquote(theirs.path)
        same = (mine.scheme, mine.netloc) == (theirs.scheme, theirs.netloc)
        return path.removeprefix(prefix) if same and path.startswith(prefix) and not theirs.query else None


@dataclass(slots=True)
class Asked:
    """What came of asking: what is said, if anything, and what is wrong with it."""

    said: Said | None = None
    findings: list[Finding] = field(default_factory=list)


class UpstreamManifest:
    """The manifest that a job's settings name, or that lies where its files are."""

    def __init__(self, options: HubOptions, memory: Path | None, published: Mapping[str, Provenance]) -> None:
        self._options = options
        self._memory = memory
        self._named = options.manifest is not None
        self.url = options.manifest or (f"{options.base_url}/{manifests.KEY}" if options.base_url else "")
        if self.url == NO_MANIFEST:
            self.url = ""
        self._name = hashlib.sha256(self.url.encode()).hexdigest()[:32]
        mine = (source for source in published.values() if source.get("type") == "hub")
        told = (source.get("generation", "") for source in mine if source.get("manifest") == self.url)
        self._published = max((int(text) for text in told if text.isdecimal() and len(text) < 16), default=0)
        self._record: Mapping[str, Any] = self._recorded()

    def ask(self, upstream: Upstream, client: ConditionalClient, *, force: bool) -> Asked:
        """Return what the upstream says, with at most one request while its manifest has not changed."""
        if not self.url:
            return Asked()
        asked = Asked(Said(self.url, usable=False))
        try:
            found = upstream.retrying(partial(self._attempt, upstream, client, asked, force=force), _ASKING)
        except SourceError as err:
            if isinstance(err, RequestFailed) and err.status in (403, 404, 410) and not self._expected:
                return Asked()  # most upstreams have none
            if not asked.findings:
                gone = isinstance(err, RequestFailed) and err.status in (404, 410)
                advice = f'if the upstream has given it up, set `manifest = "{NO_MANIFEST}"`' if gone else err.advice
                asked.findings.append(self._finding(str(err), advice or _STAYS))
            return asked
        if found is None:
            return Asked() if not asked.findings else asked
        asked.said = Said(self.url, found.generation, found.files, signed=bool(self._options.public_keys))
        return asked

    @property
    def _expected(self) -> bool:
        return self._named or bool(self._options.public_keys) or self._published > 0 or bool(self._record)

    @property
    def _least(self) -> int:
        """Return the oldest generation that is taken."""
        if self._options.min_generation is not None:
            return self._options.min_generation
        seen = self._record.get("generation")
        return max(self._published, seen if type(seen) is int else 0)

    def _attempt(self, upstream: Upstream, client: ConditionalClient, asked: Asked, *, force: bool) -> Manifest | None:
        """Return a manifest that holds; None, and findings in `asked`, when what is there does not."""
        asked.findings.clear()
        kept = None if force else self._kept()
        known = NOTHING_KNOWN if kept is None else replace(Validators.noted(self._record), length="")
        with client.get_changed(
            self.url, known=known, deadline=upstream.deadline, max_bytes=MAX_MANIFEST_BYTES
        ) as response:
            body = None if response is None else response.read()
            said = NOTHING_KNOWN if response is None else Validators.of(response.headers)
        if body is None and kept is not None:
            manifest, passing = self._judged(*kept, asked)
            return manifest
        signature = self._signature(upstream, client) if self._options.public_keys else None
        manifest, passing = self._judged(body or b"", signature, asked)
        if manifest is not None:
            self._keep(body or b"", signature, manifest, said)
        elif passing:  # a publication is under way, or a cache behind
            raise RequestFailed(asked.findings[0].message, advice=asked.findings[0].advice, retryable=True)
        return manifest

    def _signature(self, upstream: Upstream, client: ConditionalClient) -> bytes | None:
        try:
            with client.get(
                self.url + _SIGNATURE, deadline=upstream.deadline, max_bytes=MAX_SIGNATURE_BYTES
            ) as response:
                return response.read()
        except RequestFailed as err:
            if err.status in (403, 404, 410):
                return None
            raise

    def _judged(self, body: bytes, signature: bytes | None, asked: Asked) -> tuple[Manifest | None, bool]:
        if self._options.public_keys:
            judged = judge(body, signature, self._options.parsed_keys, min_generation=self._least)
            asked.findings += judged.findings
            return judged.manifest, judged.passing
        try:
            manifest = Manifest.from_bytes(body)
        except TargetError as err:
            if self._expected:  # else it is somebody else's file of that name
                asked.findings.append(self._finding(f"{safe_url(self.url)}: {err}", _STAYS))
            return None, False
        if manifest.generation < self._least:
            said = f"expected generation {self._least} or newer, found {manifest.generation}: it has gone back"
            advice = "if the upstream has begun anew, set `min_generation` to its generation"
            asked.findings.append(self._finding(f"{safe_url(self.url)}: {said}", advice))
            return None, False
        return manifest, False

    def _finding(self, message: str, advice: str) -> Finding:
        return Finding(manifests.KEY, None, ITEM_FAILED, Severity.ERROR, message, advice)

    # What is kept of the last one: nothing depends on it but a request, and the generation.

    def _recorded(self) -> Mapping[str, Any]:
        found = None if self._memory is None else read_record(self._memory / "manifests.json")
        mine = found.get(self._name) if isinstance(found, dict) else None
        return mine if isinstance(mine, dict) else {}

    def _kept(self) -> tuple[bytes, bytes | None] | None:
        digest = self._record.get("sha256")
        if self._memory is None or not isinstance(digest, str):
            return None
        place = self._memory / "manifests"
        try:
            body = (place / self._name).read_bytes()
            signature = (place / (self._name + _SIGNATURE)).read_bytes() if self._options.public_keys else None
        except OSError:
            return None
        return (body, signature) if hashlib.sha256(body).hexdigest() == digest else None

    def _keep(self, body: bytes, signature: bytes | None, manifest: Manifest, said: Validators) -> None:
        if self._memory is None:
            return
        record = {"generation": manifest.generation, "sha256": hashlib.sha256(body).hexdigest(), **said.note()}
        with suppress(SourceError, OSError):
            directory = private_directory(self._memory)
            place = private_directory(directory / "manifests")
            with locked(directory):
                for suffix, part in (("", body), (_SIGNATURE, signature)):
                    if part is not None:
                        write_stream(place / (self._name + suffix), (part,), max_bytes=len(part), what=self.url)
                found = read_record(directory / "manifests.json")
                known = found if isinstance(found, dict) else {}
                write_record(directory / "manifests.json", {**known, self._name: record})
