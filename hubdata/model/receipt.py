"""Receipts: what one apply did, and what the CDN was told. A receipt's id is the CDN's CallerReference."""

from collections.abc import Mapping
from dataclasses import field

from hubdata.errors import HubdataError, TargetError
from hubdata.model.inventory import Stored
from hubdata.values import frozen


@frozen
class Invalidation:
    """One request to a CDN to forget `paths`. `id` is the CDN's; None while it has not accepted: then `pending`.

    `reason` says why it is pending, `advice` what to do about that. `waited_s` is how long was waited for it to be
    finished, None where nobody waited.
    """

    paths: tuple[str, ...]
    reference: str
    id: str | None = None
    pending: bool = False
    reason: str = ""
    advice: str = ""
    waited_s: float | None = None


@frozen
class Receipt:
    """What one apply did at one target. `stored` holds each object written, as the store confirmed it."""

    id: str
    target: str
    generation: int
    stored: Mapping[str, Stored] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    invalidation: Invalidation | None = None


@frozen
class Applied:
    """What came of an apply: the receipt, and the errors of single objects, none of which undid the others.

    `unsealed` is why what is published has no seal yet, though it was to have one: the next run mends it. `remark` is
    what a person should know of the status page, if anything.
    """

    receipt: Receipt
    failures: Mapping[str, HubdataError]
    unsealed: TargetError | None = None
    remark: str = ""
