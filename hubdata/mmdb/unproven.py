"""Asks databases that nobody has proven: with the pure Python reader, which no bytes can crash, hang or bloat.

A proof of a large database takes seconds and a look-up a fraction of a millisecond. The C reader must not open what is
not proven; the pure one may, as it never leaves its buffer and bounds the values, the depth and the text of what one
look-up decodes.
"""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, SupportsIndex

from hubdata.mmdb.layout import Body
from hubdata.mmdb.policy import shown
from hubdata.mmdb.whereabouts import whereabouts
from hubdata.model.lookup import Answer, AskedDatabase


class Unreadable(ValueError):
    """No reader can open these bytes; `str()` says why."""


class Unproven:
    """One database, asked address by address. The body is read where it lies, and not closed."""

    def __init__(self, name: str, body: Body) -> None:
        """Open `body`, called `name` in answers. Raises Unreadable."""
        from maxminddb.const import MODE_FD
        from maxminddb.reader import Reader

        source: Any = _Bytes(body)
        try:
            self._reader = Reader(source, MODE_FD)
            self._metadata = self._reader.metadata()
        except Exception as err:  # on bad bytes the reader raises whatever comes; all of it means this
            raise Unreadable(_said(err)) from err
        self._name = name

    @property
    def described(self) -> AskedDatabase:
        """Return which database this is, as far as it says so."""
        kind, epoch = self._metadata.database_type, self._metadata.build_epoch
        return AskedDatabase(self._name, str(kind), epoch if type(epoch) is int else 0)

    def answer(self, address: IPv4Address | IPv6Address) -> Answer:
        """Return what the database says of `address`; a record that cannot be read is a problem in the answer."""
        if address.version == 6 and self._metadata.ip_version == 4:
            return Answer(self._name)
        try:
            record, prefix = self._reader.get_with_prefix_len(address)
        except Exception as err:  # noqa: BLE001 - a corrupt record makes the reader raise whatever comes
            return Answer(self._name, problem=_said(err))
        network = ip_network((address, min(max(prefix, 0), address.max_prefixlen)), strict=False)
        return Answer(self._name, str(network), record, whereabouts(record))


class _Bytes:
    """The body as the reader wants a file: read without a copy, and never closed, as others still use it."""

    __slots__ = ("_body",)

    def __init__(self, body: Body) -> None:
        self._body = body

    def read(self) -> "_Bytes":
        return self

    def rfind(self, needle: bytes, start: int) -> int:
        return self._body.rfind(needle, start)

    def __len__(self) -> int:
        return len(self._body)

    def __getitem__(self, key: SupportsIndex | slice) -> int | bytes:
        return self._body[key]


def _said(err: Exception) -> str:
    return f"{type(err).__name__}: {shown(str(err))}" if str(err) else type(err).__name__
