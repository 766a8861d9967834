"""What a source holds now, and what of it a job would publish."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from hubdata.model.finding import Finding
from hubdata.values import frozen

Provenance = Mapping[str, str]
"""Where one file came from: `type`, and by type `url`, `revision`, `edition`, `md5`, `date` ... Never a secret."""


def state_of(source: Provenance) -> str:
    """Return the name of the upstream's state that a file came from: a revision, or an edition and its date."""
    return source.get("revision") or f"{source.get('edition', '')} {source.get('date', '')}".strip()


@frozen
class Digests:
    """SHA-256 and MD5 in lower-case hex. MD5 is only ever compared with a store's ETag, never trusted."""

    sha256: str
    md5: str


@frozen
class SourceFile:
    """One file as fetched: its key (path in the source) and where its bytes lie.

    `digests` are of the bytes as they were written there, where the source had to compute both anyway. They vouch for
    nothing: whoever reads the file computes its SHA-256, and is spared the MD5 if that is the same.
    """

    key: str
    path: Path
    size: int
    source: Provenance
    digests: Digests | None = None


@frozen
class Fetched:
    """All that one source holds now.

    `revision` names the state of the whole source (a commit id), None where it has none. `kept` are keys that
    the upstream says have not changed since they were published: they have no bytes here. `rewinds` are published
    states (see `state_of`) that this one does not follow. `findings` are entries that the source refused to read.
    """

    revision: str | None
    files: tuple[SourceFile, ...]
    kept: tuple[str, ...] = ()
    rewinds: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@frozen
class Stats:
    """What a file holds, counted by its kind. None where the kind does not count it.

    `ipv4_addresses` and `ipv6_64s` are exact for overlapping networks; `build_epoch` is in seconds since 1970.
    """

    entries: int | None = None
    ipv4_addresses: int | None = None
    ipv6_64s: int | None = None
    build_epoch: int | None = None


@frozen
class Artifact:
    """One file to publish. `sha256` and `md5` are lower-case hex of exactly the bytes that were checked."""

    key: str
    path: Path
    size: int
    sha256: str
    md5: str
    kind: str
    content_type: str
    cache_control: str
    source: Provenance
    stats: Stats = Stats()


@frozen
class Snapshot:
    """What one job would have public: proven artifacts by key, and keys whose published copy is still right.

    `refused` keys were fetched but failed validation: their last good version stays public. Unless it is `whole`, only
    a part of the source was looked at: what is not here may be there all the same.
    """

    job: str
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    whole: bool = True
