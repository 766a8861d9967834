"""What the trusted comment of a manifest's signature says: which generation it is of, from when, and of which file.

It is signed as well, and it can be read without the file. So a verifier that meets a manifest and a signature of two
moments learns which of them is the older one, and a signature of another file is known for what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """What a trusted comment claims; None where it claims nothing (as the comments that minisign makes itself)."""

    generation: int | None = None
    file: str | None = None


def comment(generation: int, published_at: str, file: str) -> str:
    """Return the trusted comment of `file` as published at `published_at` (UTC, ISO 8601); fields stand in tabs.

    The same for the same publication, whoever signs it and whenever: a lost signature is made anew to the byte.
    """
    return f"generation:{generation}\ttimestamp:{_timestamp(published_at)}\tfile:{file}\thashed"


def claim(trusted_comment: str) -> Claim:
    """Return what `trusted_comment` claims. Of a field that stands there twice, or is no number, nothing holds."""
    fields: dict[str, str] = {}
    for word in trusted_comment.split("\t"):
        name, colon, value = word.strip().partition(":")
        if colon:
            fields[name] = "" if name in fields else value
    return Claim(_generation(fields), fields.get("file"))


def _generation(fields: Mapping[str, str]) -> int | None:
    text = fields.get("generation")
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1


def _timestamp(published_at: str) -> int:
    try:
        return int(datetime.fromisoformat(published_at).timestamp())
    except ValueError:  # a manifest that somebody else made
        return 0
