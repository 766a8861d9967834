"""Read the digest that an upstream publishes beside a file, in whichever of the usual forms.

Bare hex; the lines of `sha256sum` and its kin, also in their BSD form; a field of a JSON object. Which algorithm it is
its length tells. Where a list names several files, ours is found by name; nothing is guessed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubdata.errors import SourceError

MAX_BYTES = 256 * 1024
"""More than any list of digests that is for one file's sake; longer ones are not read."""

_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_HEX = re.compile(r"[0-9a-fA-F]+")
_GNU = re.compile(r"\\?([0-9a-fA-F]+)[ \t]+\*?(\S.*)")
_BSD = re.compile(r"[A-Z0-9-]+ ?\((.+)\) ?= ?([0-9a-fA-F]+)")


@dataclass(frozen=True, slots=True)
class Digest:
    """An algorithm as `hashlib` calls it, and its value in lower-case hex."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def as_digest(text: str) -> Digest | None:
    """Return the digest that `text` is in hex, None when it is none."""
    if not _HEX.fullmatch(text) or len(text) not in _ALGORITHMS:
        return None
    return Digest(_ALGORITHMS[len(text)], text.lower())


def parse_digest(body: bytes, *, name: str, field: str | None = None) -> Digest:
    """Return the digest of the file called `name`; with `field`, what stands there (dotted path) in a JSON object.

    The strongest where there are several of one file. Raises SourceError when there is none, or no telling which.
    """
    text = body.decode("utf-8-sig", "replace")
    found = _in_json(text, field) if field else _in_lines(text, name)
    if found is None:
        what = "an HTML page" if text.lstrip().startswith("<") else "something else"
        where = f"a digest in hex at `{field}`" if field else f"one digest in hex for {name or 'the file'}"
        raise SourceError(
            f"expected {where}, found {what}",
            advice="check `digest_url` (and `digest_field` for JSON): look at what the address serves",
        )
    return found


def _in_json(text: str, field: str) -> Digest | None:
    try:
        value: Any = json.loads(text)
        for step in field.split("."):
            value = value[int(step) if isinstance(value, list) else step]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return as_digest(value.strip()) if isinstance(value, str) else None


def _in_lines(text: str, name: str) -> Digest | None:
    lines = list(_lines(text))
    mine = {digest for digest, file in lines if file.replace("\\", "/").rpartition("/")[2] == name}
    candidates = mine or {digest for digest, _ in lines}
    strongest = max((len(digest.value) for digest in candidates), default=0)
    best = [digest for digest in candidates if len(digest.value) == strongest]
    others = {file for _, file in lines}
    if len(best) != 1 or (not mine and len(others) > 1):
        return None
    return best[0]


def _lines(text: str) -> Iterator[tuple[Digest, str]]:
    """Yield each digest and the name beside it, empty where it stands alone."""
    for raw in text.splitlines():
        line = raw.strip()
        gnu, bsd = _GNU.fullmatch(line), _BSD.fullmatch(line)
        value, file = (bsd[2], bsd[1]) if bsd else (gnu[1], gnu[2]) if gnu else (line, "")
        digest = as_digest(value)
        if digest is not None:
            yield digest, file
