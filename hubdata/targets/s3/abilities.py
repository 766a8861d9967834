"""Decide from a few answers what a store can do, and say what a run at it does without.

Stores that speak S3's protocol differ in what they enforce: a condition or a checksum that is passed over in silence
looks like one that was met. So each is put to the test once, with requests that a store with the ability must refuse.
What came of it is kept in the store as one small object; its ETag in a listing tells all of it to later runs.
"""

import hashlib
import itertools
import json
from dataclasses import asdict, fields
from typing import Self

from hubdata.values import frozen

KEY = ".hubdata/store.json"
"""Where the abilities are kept; it is also the object that they are tried on."""

_SCHEMA = 1


@frozen
class Abilities:
    """What a store enforces. By default all: so does AWS.

    `creates`: If-None-Match on a put; `replaces`: If-Match on a put, its ETag in quotes if `quotes`; `deletes`:
    If-Match on a delete; `checksums`: x-amz-checksum-sha256; `versions`: it gives every state of an object an id.
    """

    creates: bool = True
    replaces: bool = True
    quotes: bool = False
    deletes: bool = True
    checksums: bool = True
    versions: bool = True

    def to_bytes(self) -> bytes:
        """Return the record that is kept, the same for equal abilities."""
        return (json.dumps({"schema": _SCHEMA, **asdict(self)}, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self | None:
        """Return the abilities that `body` records; None when it is no record, or one of another schema."""
        try:
            data = json.loads(body)
            if data.pop("schema") != _SCHEMA or data.keys() != {field.name for field in fields(cls)}:
                return None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return cls(**data) if all(isinstance(value, bool) for value in data.values()) else None

    @classmethod
    def of_etag(cls, etag: str) -> Self | None:
        """Return the abilities whose record has this ETag, if it is an MD5; None when none has."""
        for values in itertools.product((False, True), repeat=len(fields(cls))):
            one = cls(*values)
            if hashlib.md5(one.to_bytes(), usedforsecurity=False).hexdigest() == etag:
                return one
        return None

    def condition(self, planned_etag: str | None) -> dict[str, str]:
        """Return the headers that make a put conditional on `planned_etag` (None: on there being no object)."""
        if planned_etag is None:
            return {"IfNoneMatch": "*"} if self.creates else {}
        if not self.replaces:
            return {}
        return {"IfMatch": f'"{planned_etag}"' if self.quotes else planned_etag}

    def without(self) -> tuple[str, ...]:
        """Return what runs at the store do without, a line each, for a person."""
        lines = []
        if not (self.creates and self.replaces):
            which = [
                header for header, able in (("If-None-Match", self.creates), ("If-Match", self.replaces)) if not able
            ]
            lines.append(
                f"the store does not enforce {' nor '.join(which)} on a put: each object is looked at right before it"
                " is written, and only the lease keeps two runs from overwriting each other"
            )
        if not self.deletes:
            lines.append(
                "the store does not enforce If-Match on a delete: each object is looked at right before it is deleted"
            )
        if not self.checksums:
            lines.append(
                "the store does not compare SHA-256 checksums: uploads carry Content-MD5, and their ETag is compared"
            )
        return tuple(lines)


@frozen
class Answers:
    """HTTP statuses of the answers to requests that must be refused, and whether the first put got a version id."""

    created_again: int
    replaced_wrongly: int
    deleted_wrongly: int
    wrong_checksum: int
    versioned: bool


def decided(answers: Answers) -> Abilities:
    """Return the abilities that these answers show. A request that succeeded shows that one is missing.

    So does a refusal for another reason, such as 501: the header cannot be used there. A delete of what does not exist
    may be answered 404, like 412 only where the condition is looked at.
    """
    return Abilities(
        creates=answers.created_again == 412,
        replaces=answers.replaced_wrongly in (404, 412),
        deletes=answers.deleted_wrongly in (404, 412),
        checksums=answers.wrong_checksum == 400,
        versions=answers.versioned,
    )
