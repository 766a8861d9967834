"""Put a look-up together: which GeoIP databases are asked, and where their bytes come from.

Files that a person names are asked as they lie. Otherwise it is what a target has published: the manifest says which
keys are databases, and by its SHA-256 the bytes are the very ones that were proven before they went out. What comes
from afar is kept in the spool under that SHA-256, so that the next look-up downloads only what has changed.
"""

import hashlib
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from hubdata import app, reaching
from hubdata.app import Choices
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError, TargetError
from hubdata.mmdb.layout import Body
from hubdata.mmdb.unproven import Unproven, Unreadable
from hubdata.mmdb.whereabouts import together
from hubdata.model.lookup import LookedUp, LookupResult
from hubdata.model.manifest import Entry
from hubdata.ports import Target
from hubdata.publishing.survey import read_manifest
from hubdata.transfer.keepsakes import KEPT, Keepsakes
from hubdata.transfer.spool import Spool

MAX_BYTES = 512 << 20
"""As large as the kind `mmdb` lets a database be."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asked: addresses, and files (or directories of them) in place of what is published."""

    addresses: tuple[IPv4Address | IPv6Address, ...]
    databases: tuple[Path, ...] = ()


def lookup(choices: Choices, question: Question) -> LookupResult:
    """Return what the databases say of each address.

    Raises ConfigError for settings that cannot be used, for files that are no databases, and when nothing is published;
    TargetError when a target cannot be read or holds other bytes than its manifest says.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        if question.databases:
            notices: tuple[str, ...] = ()
            asked = [_opened(str(path), _mapped(path, stack)) for path in _files(question.databases)]
        else:
            settings = app.settings_of(choices)
            notices = settings.notices
            asked = [_opened(key, body) for key, body in _published(settings, choices.targets)]
        addresses = tuple(_asked(asked, address) for address in question.addresses)
        return LookupResult(
            tuple(database.described for database in asked),
            addresses,
            round(time.monotonic() - started, 3),
            notices,
        )


def _asked(databases: list[Unproven], address: IPv4Address | IPv6Address) -> LookedUp:
    answers = tuple(database.answer(address) for database in databases)
    known = [answer for answer in answers if answer.record is not None]
    networks = sorted((answer.network for answer in known), key=lambda text: int(text.partition("/")[2]))
    return LookedUp(
        str(address), answers, together(answer.whereabouts for answer in known), networks[-1] if networks else ""
    )


def _opened(name: str, body: Body) -> Unproven:
    try:
        return Unproven(name, body)
    except Unreadable as err:
        raise ConfigError(
            f"{name}: this is no GeoIP database that can be read ({err})",
            advice="`hubdata geoip verify` says what is wrong with it",
        ) from err


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("*.mmdb"))
        if not found:
            raise ConfigError(f"{path}: there is no *.mmdb in this directory", advice="name the files themselves")
        yield from found


def _mapped(path: Path, until: ExitStack) -> Body:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return b""
            return until.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as err:  # a pipe or a device cannot be mapped
        reason = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        raise ConfigError(f"{path}: cannot be read ({reason})", advice="name a readable *.mmdb file") from err


def _published(settings: Settings, named: tuple[str, ...]) -> Iterator[tuple[str, Body]]:
    """Yield key and bytes of every database that the one target has published."""
    names = named or tuple(settings.targets)
    if len(names) != 1:
        raise ConfigError(
            f"there are {len(names)} targets ({', '.join(names)}), and one of them is to be asked",
            advice="say which one with --target NAME, or name files with --database FILE",
        )
    target = reaching.build_target(settings, names[0])
    manifest, _ = read_manifest(target)
    entries = {key: entry for key, entry in sorted(manifest.files.items()) if entry.kind == "mmdb"}
    if not entries:
        raise ConfigError(
            f"target {target.name} has published no GeoIP database",
            advice="publish one (hubdata geoip refresh), or name a file with --database FILE",
        )
    if settings.targets[names[0]].type == "directory":  # as near as a copy would be
        for key, entry in entries.items():
            yield key, _downloaded(target, key, entry)
        return
    with Spool.create(settings.spool):  # what is kept lies beside it, where nobody else may write
        keepsakes = Keepsakes(settings.spool / KEPT)
        keepsakes.forget_all_but({entry.sha256 for entry in entries.values()})
        for key, entry in entries.items():
            body: Body | None = keepsakes.find(entry.sha256)
            if body is None:
                body = _downloaded(target, key, entry)
                keepsakes.keep(body, entry.sha256)
            yield key, body


def _downloaded(target: Target, key: str, entry: Entry) -> bytes:
    """Return the published bytes of `key`, which are those that the manifest vouches for."""
    blob = target.read(key, max_bytes=MAX_BYTES)
    if blob is None or hashlib.sha256(blob.body).hexdigest() != entry.sha256:
        found = "nothing is there" if blob is None else "other bytes are there"
        raise TargetError(
            f"target {target.name}: {key} is not what its manifest says: {found}",
            advice="hubdata sync --once publishes it anew; if it is being published just now, run again",
            retryable=True,
        )
    return blob.body


def parsed(text: str) -> IPv4Address | IPv6Address:
    """Return the address that `text` is. Raises ValueError for anything else, and for an address with a zone."""
    address = ip_address(text)
    if getattr(address, "scope_id", None):
        raise ValueError("an address with a zone is in no database")
    return address
