"""Opens a proven database with the readers that the world uses: the C reader, and geoip2 on top of it.

The C reader trusts its file: on corrupt bytes it reads beyond the end, and the process dies. So nothing may come here
that `proof.prove` has not passed. It opens files by name only, and a name can mean other bytes a moment later; so it
is given a copy of the very bytes that were proven, in memory and under a name that nobody else has.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from hubdata.mmdb.layout import Body
from hubdata.mmdb.policy import shown

if TYPE_CHECKING:
    from maxminddb.reader import Reader

_CHUNK = 8 << 20
_METHODS = {
    "City": "city",
    "Country": "country",
    "ASN": "asn",
    "Enterprise": "enterprise",
    "ISP": "isp",
    "Anonymous-IP": "anonymous_ip",
    "Anonymous-Plus": "anonymous_plus",
    "Connection-Type": "connection_type",
    "Domain": "domain",
}
"""What geoip2 looks a type up by: it asks whether the type's name holds the word."""

_FAMILIES = ("GeoLite2-", "GeoIP2-", "DBIP-")
"""Vendors whose records are what geoip2 builds its models of; others have fields of their own."""


class Readers:
    """Two readers of one proven database: one that gives records as they are, one that builds geoip2's models.

    `refused` is what the C reader said when it would not open the file, else empty; then it is the pure Python reader
    that answers. It happens to metadata whose integers have other types than the specification names: most readers
    take them.
    """

    def __init__(self, path: str) -> None:
        """Open the file `path`. Raises whatever the readers raise when none of them will have it."""
        from geoip2.database import Reader as TypedReader
        from maxminddb import MODE_AUTO, MODE_MMAP, InvalidDatabaseError, open_database

        self.refused = ""
        mode = MODE_AUTO
        try:
            self.plain: Reader = open_database(path, mode)
        except InvalidDatabaseError as err:
            self.refused, mode = shown(str(err).replace(path, "the file")), MODE_MMAP
            self.plain = open_database(path, mode)
        self._typed = TypedReader(path, mode=mode)
        kind = str(self.plain.metadata().database_type)
        methods = (method for word, method in _METHODS.items() if word in kind)
        self._method = next(methods, None) if kind.startswith(_FAMILIES) else None

    def close(self) -> None:
        """Let go of the file."""
        self.plain.close()
        self._typed.close()

    def record(self, ip: str) -> Any:
        """Return the record at `ip`, None when there is none.

        Raises ValueError (and its kin) for an address that the database cannot be asked, and whatever geoip2 raises
        when it cannot build its model of the record.
        """
        from geoip2.errors import AddressNotFoundError

        if self._method is not None:
            try:
                getattr(self._typed, self._method)(ip)
            except AddressNotFoundError:
                return None
        return self.plain.get(ip)


class PrivateCopy:
    """A private file that holds exactly `body`, in memory where the system can, for as long as the context lasts."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._kept = ExitStack()
        self._lock = Lock()
        self._path = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def path(self) -> str:
        """Return the file's name, once it is there: it is made when it is first asked for. Raises OSError."""
        with self._lock:
            if not self._path:
                with ExitStack() as made:
                    self._path = _named(self._body, made)
                    self._kept = made.pop_all()
            return self._path

    def prepare(self) -> None:
        """Make the file, if it can be; whoever asks for its name is told if not."""
        with suppress(OSError):
            self.path()


@contextmanager
def readers_of(body: Body | PrivateCopy) -> Iterator[Readers]:
    """Give the readers of `body`, which has been proven. Raises whatever they raise when they will not open it."""
    with nullcontext(body) if isinstance(body, PrivateCopy) else PrivateCopy(body) as copy:
        readers = Readers(copy.path())
        try:
            yield readers
        finally:
            readers.close()


def _named(body: Body, made: ExitStack) -> str:
    if hasattr(os, "memfd_create") and os.path.exists("/proc/self/fd"):  # noqa: PTH110 - no path of the user's
        descriptor = os.memfd_create("proven.mmdb", os.MFD_CLOEXEC)
        _copy(body, made.enter_context(os.fdopen(descriptor, "wb")))
        return f"/proc/self/fd/{descriptor}"
    kept = made.enter_context(NamedTemporaryFile(suffix=".mmdb"))  # noqa: SIM115 - it is one
    _copy(body, kept)
    return kept.name


def _copy(body: Body, file: Any) -> None:
    with memoryview(body) as whole:
        for start in range(0, len(whole), _CHUNK):
            with whole[start : start + _CHUNK] as chunk:
                file.write(chunk)
    file.flush()
