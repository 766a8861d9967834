"""What a target holds now, seen from two sides: its listing (the truth) and its manifest (what we know of it)."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from hubdata.model.manifest import Manifest
from hubdata.values import frozen


@frozen
class Stored:
    """One object as its store tells it. `etag` is unquoted: the MD5 of the bytes unless multipart or KMS-encrypted."""

    size: int
    etag: str
    version_id: str | None = None


@frozen
class Past:
    """One state of one key, as a store that keeps the past tells it. `written_at` is aware UTC.

    `current` is what readers get now; `deleted` is a marker that says that there is nothing.
    """

    key: str
    version_id: str
    written_at: datetime
    current: bool
    size: int = 0
    deleted: bool = False


@frozen
class Held:
    """One object of an inventory. `sha256` is None when nobody knows it: the object is not ours or has drifted."""

    stored: Stored
    sha256: str | None


@frozen
class Inventory:
    """Everything public at one target. `manifest_etag` is None when there is no manifest yet."""

    target: str
    manifest: Manifest = Manifest()
    manifest_etag: str | None = None
    objects: Mapping[str, Held] = field(default_factory=dict)
