"""One file below the spool with what was judged before: read whole or not at all, and believed only if it is our own.

Whatever is in it decides what need not be judged again, so it must be a plain file of the user that runs, in a
directory of that user's, writable for nobody else; no link is followed. A digest of all of it stands in its first
line: damage, a write that broke off, a newer hubdata's file are seen before a byte of it is understood. Whoever can
write as this user can compute that digest, but could exchange hubdata itself as well. The file is never needed: one
that cannot be read or written costs a run some tenths of a second, and fails none.
"""

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubdata.errors import SourceError
from hubdata.transfer.memory import locked, private_directory

NAME = "verdicts"
MAX_BYTES = 64 << 20
"""Room for some 800,000 files; 100,000 take 6 MB."""

MAX_AGES = 20
"""A verdict goes when so many runs have written the file and not one of them needed it."""

MAX_ENTRIES = 400_000

_MAGIC = b"hubdata verdicts 1 "
_HEAD = len(_MAGIC) + 64
_ADVICE = "remove it; the next run writes a new one"

Known = dict[str, int]
"""Digests of what was judged, and the index of the verdict on it."""


@dataclass(slots=True)
class Verdicts:
    """What the file holds: `texts` are verdicts as JSON values, each once; `ages` name them, the newest used first."""

    texts: list[Any] = field(default_factory=list)
    ages: list[Known] = field(default_factory=list)


class VerdictFile:
    """The file in `directory`, of the code called `version`. `trouble` tells why it is not believed; mostly empty."""

    def __init__(self, directory: Path, version: str) -> None:
        self.trouble = ""
        self._directory = directory
        self._version = version
        self._path = directory / NAME
        self._loaded = b""

    def load(self) -> Verdicts:
        """Return what was judged by this very code before; nothing where that is not known for certain."""
        try:
            body = self._read()
        except FileNotFoundError:
            return Verdicts()
        except (OSError, ValueError) as err:
            why = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
            self.trouble = f"{self._path} is not believed ({why}), so everything is judged anew: {_ADVICE}"
            return Verdicts()
        found = _understood(body, self._version)
        self._loaded = body[:_HEAD]
        return Verdicts() if found is None else found

    def save(self, verdicts: Verdicts) -> str:
        """Write `verdicts`, with what another run has added meanwhile; return why that cannot be, or nothing."""
        try:
            private_directory(self._directory)
            with locked(self._directory):
                before = self._loaded
                other = self.load()
                if before and before == self._loaded:
                    other = Verdicts()  # nobody else has written: what is no longer used grows old
                body = _packed(_merged(verdicts, other), self._version)
                if len(body) > MAX_BYTES:
                    return f"{self._path}: {len(body):,} bytes are more than {MAX_BYTES:,}"
                self._write(body)
        except (OSError, SourceError) as err:
            return str(err)
        return ""

    def _read(self) -> bytes:
        with _opened(self._directory) as parent:
            handle = os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        with open(handle, "rb") as file:  # noqa: PTH123 - the handle was opened without following links
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("it is no plain file")
            _own(found)
            if found.st_size > MAX_BYTES:
                raise ValueError(f"it has {found.st_size:,} bytes, more than {MAX_BYTES:,}")
            return file.read(MAX_BYTES)

    def _write(self, body: bytes) -> None:
        part = self._directory / f".{NAME}.{secrets.token_hex(6)}.part"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
                file.write(body)  # not synced: what a power cut leaves of it has another digest, and is not believed
            part.replace(self._path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _own(os.fstat(handle))
        yield handle
    finally:
        os.close(handle)


def _own(found: os.stat_result) -> None:
    """Raise ValueError where somebody else could have written it."""
    if found.st_uid != os.geteuid():
        raise ValueError(f"it belongs to user {found.st_uid}, not to {os.geteuid()}")
    if found.st_mode & 0o022:
        raise ValueError("others may write to it")


def _packed(verdicts: Verdicts, version: str) -> bytes:
    whole = {"version": version, "verdicts": verdicts.texts, "ages": verdicts.ages}
    body = json.dumps(whole, separators=(",", ":")).encode()
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _understood(packed: bytes, version: str) -> Verdicts | None:
    """Return what `packed` holds; None when it is damaged, of another version, or not what `_packed` writes."""
    head, _, body = packed.partition(b"\n")
    if head != _MAGIC + hashlib.sha256(body).hexdigest().encode():
        return None
    try:
        whole = json.loads(body)
        if not isinstance(whole, dict) or whole.get("version") != version:
            return None
        texts, ages = whole["verdicts"], whole["ages"]
    except (ValueError, KeyError, RecursionError):
        return None
    sound = isinstance(texts, list) and isinstance(ages, list) and len(ages) <= MAX_AGES
    return Verdicts(texts, ages) if sound and all(isinstance(age, dict) for age in ages) else None


def _merged(mine: Verdicts, other: Verdicts) -> Verdicts:
    """Return both, each verdict that is still named once, within the bounds; what is in both is as young as in mine."""
    texts: list[Any] = []
    places: dict[str, int] = {}
    ages: list[Known] = [{} for _ in range(MAX_AGES)]
    seen: set[str] = set()
    for age in range(MAX_AGES):
        for each in (mine, other):
            renamed: dict[int, int] = {}
            for digest, index in each.ages[age].items() if age < len(each.ages) else ():
                if digest in seen or len(seen) >= MAX_ENTRIES:
                    continue
                if type(index) is not int or not 0 <= index < len(each.texts):
                    continue
                seen.add(digest)
                if index not in renamed:
                    text = each.texts[index]
                    renamed[index] = places.setdefault(json.dumps(text), len(places))
                    if renamed[index] == len(texts):
                        texts.append(text)
                ages[age][digest] = renamed[index]
    while ages and not ages[-1]:
        ages.pop()
    return Verdicts(texts, ages)
