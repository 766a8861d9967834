"""Put a comparison of two GeoIP databases together: what the words OLD and NEW stand for, proven before they are read.

A word is a file, `published` or `generation:N`; a file that is really called so is `./published`. What is published is
not proven again where its SHA-256 is the manifest's: these bytes were proven before they went out.
"""

import hashlib
import mmap
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hubdata.errors import ConfigError
from hubdata.mmdb.layout import Body, Layout, read_layout
from hubdata.mmdb.malformed import Malformed, Problem
from hubdata.model.finding import Finding, Severity
from hubdata.model.geo import GeoComparison

if TYPE_CHECKING:  # two files need no settings and no target: whoever compares them does not wait for these
    from hubdata.app import Choices
    from hubdata.asking.comparing import Side
    from hubdata.config.settings import Settings

KIND = "mmdb"
_FAMILIES = {"format": "metadata", "ip": "metadata", "description": "metadata", "tree": "tree", "separator": "tree"}
_FAMILIES |= {"pointer": "pointer", "record": "heavy"}
_UNREADABLE = frozenset({"record-size", "node-count", "tree-truncated"})
_ADVICE = "`hubdata geoip verify` tells all that is wrong with it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line said: the two words, and which published database is meant."""

    old: str
    new: str
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    """One of the two, found: what to call it, its bytes, and whether somebody has proven them already."""

    label: str
    body: Body
    proven: bool = False


def diff(choices: "Choices", wish: Wish) -> GeoComparison:
    """Return how the databases differ; with findings and no difference when one of them is refused.

    Raises ConfigError for words and settings that cannot be used, TargetError when a target cannot be read.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        old, new = _both(choices, wish, stack)
        from hubdata.mmdb.difference import cores
        from hubdata.mmdb.difference import difference as measured

        threads = cores()
        with ThreadPoolExecutor(threads, thread_name_prefix="prove") as pool:
            (before, here), (after, there) = pool.map(_proven, (old, new))
        findings, difference = (*here, *there), None
        if before is not None and after is not None and not findings:
            try:
                difference = measured(before, after, threads=threads)
            except Malformed as err:
                findings = (_finding(f"{old.label} and {new.label}", err.as_problem()),)
        elapsed_s = round(time.monotonic() - started, 3)
        return GeoComparison(old.label, new.label, difference, findings, elapsed_s)


def _both(choices: "Choices", wish: Wish, stack: ExitStack) -> tuple[_Named, _Named]:
    """Return both sides; files first, as they may tell which published database is meant."""
    words = (wish.old, wish.new)
    found = {word: _file(word, stack) for word in words if not _is_word(word)}
    edition = wish.edition
    if edition is None and found:
        edition = _edition(next(iter(found.values())))
    if len(found) < len(set(words)):
        from hubdata import app

        settings = app.settings_of(choices)
        for word in words:
            if word not in found:
                found[word] = _published(choices, settings, word, edition)
    return found[wish.old], found[wish.new]


def _is_word(text: str) -> bool:
    return text == "published" or text.startswith("generation:")


def _file(word: str, stack: ExitStack) -> _Named:
    path = Path(word)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return _Named(word, b"")
            return _Named(word, stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    except (OSError, ValueError) as err:  # a pipe or a device cannot be mapped
        reason = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        advice = "name a *.mmdb file, or `published` or `generation:N`"
        raise ConfigError(f"{word}: cannot be read ({reason})", advice=advice) from err


def _edition(named: _Named) -> str | None:
    """Return what the database calls itself, None where it says nothing: then it is refused later."""
    try:
        return read_layout(named.body).metadata.database_type
    except Malformed:
        return None


def _published(choices: "Choices", settings: "Settings", word: str, edition: str | None) -> _Named:
    from hubdata.asking import diffing
    from hubdata.transfer.keepsakes import KEPT, Keepsakes

    side = diffing.side_of(diffing.the_target(choices, settings, word), word)
    key = _key(side, word, edition)
    lump = side.files[key]
    kept = Keepsakes(settings.spool / KEPT).find(lump.sha256 or "")
    if kept is not None:
        return _Named(f"{key} ({side.label})", kept, proven=True)
    body = lump.read()
    proven = lump.sha256 is not None and hashlib.sha256(body).hexdigest() == lump.sha256
    return _Named(f"{key} ({side.label})", body, proven)


def _key(side: "Side", word: str, edition: str | None) -> str:
    """Return the database of `side` that is meant: of this edition by name, or the only one there is."""
    keys = sorted(key for key in side.files if side.kinds.get(key) == KIND)
    fitting = [key for key in keys if PurePosixPath(key).stem == edition] or (keys if edition is None else [])
    if len(fitting) != 1:
        wanted = edition or "one GeoIP database"
        raise ConfigError(
            f"{word}: expected {wanted}, found {', '.join(keys) or 'none'} in {side.label}",
            advice="say which one is meant with --edition EDITION (its key's file name without .mmdb)",
        )
    return fitting[0]


def _proven(named: _Named) -> tuple[Layout | None, tuple[Finding, ...]]:
    """Return the layout of a sound database, or what is wrong with it."""
    if named.proven:
        try:
            return read_layout(named.body), ()
        except Malformed as err:
            return None, (_finding(named.label, err.as_problem()),)
    from hubdata.mmdb.proof import prove

    proof = prove(named.body)
    return proof.layout, tuple(_finding(named.label, problem) for problem in proof.problems)


def _finding(label: str, problem: Problem) -> Finding:
    message = f"at byte {problem.offset:,}: {problem.message}; the specification says: {problem.says}"
    return Finding(label, None, _rule(problem.problem), Severity.ERROR, message, _ADVICE)


def _rule(name: str) -> str:
    """Return the rule of the kind `mmdb` that a fault of the structure breaks."""
    if name in _UNREADABLE or name.startswith("metadata"):
        return "mmdb.unreadable"
    if name == "no-metadata":
        return "mmdb.no-metadata"
    return f"mmdb.{_FAMILIES.get(name.partition('-')[0], 'data')}"
