"""Judges a MaxMind database by what it says of itself and by what it answers: type, age, and canary look-ups.

Engines check the metadata alone, and load City in the place of ASN without complaint. Only the pure Python reader is
used here: the C extension dies on corrupt files. The reader bounds what one look-up may decode (values, depth, bytes
of text), so no file can hang or bloat it; whatever it raises becomes a finding. In-range but wrong records pass any
check of structure: canaries are what catches them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, SupportsIndex

from pydantic import BaseModel, ConfigDict, Field

from hubdata.grammar.gather import Gather, shown
from hubdata.model.job import Canary
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict

if TYPE_CHECKING:
    from maxminddb.reader import Reader

MARKER = b"\xab\xcd\xefMaxMind.com"
MARKER_WITHIN = 128 << 10
"""The metadata must begin in the last 128 KiB (MaxMind DB specification, "Database Metadata")."""

SEPARATOR_BYTES = 16
CLOCK_SKEW = timedelta(days=1)

_OTHER_FORMATS = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive",
    b"<": "a page of HTML or XML",
    b"{": "JSON, perhaps an error message",
}
_MODELS = {
    "City": "city",
    "Country": "country",
    "ASN": "asn",
    "Enterprise": "enterprise",
    "ISP": "isp",
    "Anonymous-IP": "anonymous_ip",
    "Connection-Type": "connection_type",
    "Domain": "domain",
}
_MISSING = object()


class MmdbKind:
    """A GeoIP database. What it covers is counted by the deep proof, not here."""

    name: ClassVar[str] = "mmdb"
    content_type = "application/octet-stream"
    max_bytes = 512 << 20

    class Options(BaseModel):
        """`edition`: the database_type expected, the file's stem when left out; `max_age_days`: since it was built."""

        model_config = ConfigDict(extra="forbid")

        edition: str | None = None
        max_age_days: int | None = Field(default=None, ge=1)

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the metadata and the canaries of `body`, and when it was built."""
        gather = Gather(artifact.key, self.name)
        stem = PurePosixPath(artifact.key).stem
        marker = body.rfind(MARKER, max(0, len(body) - MARKER_WITHIN))
        if marker < 0:
            gather.error(
                None, "no-metadata", _not_mmdb(body), "download it anew, and look at what the address really serves"
            )
            return Verdict(gather.findings())
        reader = _open(body, gather)
        if reader is None:
            return Verdict(gather.findings())
        metadata = reader.metadata()
        _judge_structure(metadata, body, marker, gather)
        self._judge_type(metadata, stem, gather)
        built = self._judge_age(metadata, demands.checked_at, gather)
        for canary in demands.canaries:
            if canary.edition in {None, stem}:
                _judge_canary(canary, reader, body, gather)
        return Verdict(gather.findings(), Stats(build_epoch=built))

    def _judge_type(self, metadata: Any, stem: str, gather: Gather) -> None:
        expected = self._options.edition or stem
        if metadata.database_type != expected:
            gather.error(
                None,
                "type",
                f"the database type is {shown(str(metadata.database_type))}, expected `{expected}`",
                "publish it under its own name: engines load any type under any name, and then find nothing;"
                " if the name is meant, set the kind's `edition`",
            )

    def _judge_age(self, metadata: Any, now: datetime, gather: Gather) -> int | None:
        """Return the build time in seconds since 1970, or None when there is no telling."""
        epoch = metadata.build_epoch
        try:
            built = datetime.fromtimestamp(epoch, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            built = None
        if built is None or type(epoch) is not int or epoch <= 0:
            message = f"the build time is {shown(str(epoch))}, which is none"
            gather.error(None, "build-epoch", message, "download it anew")
            return None
        if built > now + CLOCK_SKEW:
            gather.error(
                None,
                "future",
                f"it was built at {built:%Y-%m-%d %H:%M} UTC, more than a day from now",
                "look at this machine's clock; if that is right, the file is not from the vendor",
            )
        days = self._options.max_age_days
        if days is not None and now - built > timedelta(days=days):
            gather.error(
                None,
                "too-old",
                f"it was built at {built:%Y-%m-%d}, {(now - built).days} days ago; at most {days} are allowed",
                "look whether the upstream still updates it, and whether the right file was fetched",
            )
        return epoch


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


def _not_mmdb(body: Body) -> str:
    start = bytes(body[:64]).lstrip()
    if not start:
        return "the file is empty"
    what = next((what for magic, what in _OTHER_FORMATS.items() if start.startswith(magic)), None)
    begins = f"; it looks like {what}" if what else ""
    return f"there is no MaxMind DB metadata in the last {MARKER_WITHIN >> 10} KiB of {len(body):,} bytes{begins}"


def _open(body: Body, gather: Gather) -> "Reader | None":
    from maxminddb.const import MODE_FD
    from maxminddb.reader import Reader

    source: Any = _Bytes(body)
    try:
        return Reader(source, MODE_FD)
    except Exception as err:  # noqa: BLE001 - on bad bytes the reader raises whatever comes; all of it means this
        gather.error(None, "unreadable", f"no reader can open it: {_said(err)}", "download it anew")
        return None


def _said(err: Exception) -> str:
    return f"{type(err).__name__}: {shown(str(err))}" if str(err) else type(err).__name__


def _judge_structure(metadata: Any, body: Body, marker: int, gather: Gather) -> None:
    """Hold what the metadata says to the specification. Its fields are of any type: the reader does not look."""
    from maxminddb.decoder import Decoder

    problems = []
    source: Any = _Bytes(body)
    start = marker + len(MARKER)
    missing = Decoder(source, start).decode(start)[1] - len(body)
    if missing > 0:
        problems.append(f"{missing} bytes are missing at the end of the file")
    if metadata.binary_format_major_version != 2:
        problems.append(f"binary format {metadata.binary_format_major_version}, expected 2")
    if metadata.ip_version not in (4, 6):
        problems.append(f"ip_version {metadata.ip_version}, expected 4 or 6")
    if type(metadata.node_count) is not int or metadata.node_count < 1:
        problems.append(f"{metadata.node_count} nodes, expected at least one")
    elif metadata.search_tree_size + SEPARATOR_BYTES > marker:
        problems.append(f"a tree of {metadata.search_tree_size:,} bytes, but the metadata begin at {marker:,}")
    if not isinstance(metadata.description, dict) or not metadata.description:
        problems.append("no description")
    if not isinstance(metadata.languages, list):
        problems.append("no list of languages")
    for problem in problems:
        gather.error(
            None, "metadata", f"the metadata are not sane: {shown(problem)}", "download it anew; readers refuse it"
        )


def _judge_canary(canary: Canary, reader: "Reader", body: Body, gather: Gather) -> None:
    advice = "if the address has moved, change the canary in the job file; else the database is not what it says"
    try:
        record: Any = reader.get(canary.ip)
        _typed(reader.metadata().database_type, canary.ip, body)
    except Exception as err:  # noqa: BLE001 - corrupt records make the readers raise whatever comes
        gather.error(None, "canary", f"the look-up of {canary.ip} fails: {_said(err)}", advice)
        return
    if record is None:
        gather.error(None, "canary", f"there is no record for {canary.ip}", advice)
        return
    for path, expected in canary.expect.items():
        found = _follow(record, path)
        if found != expected or isinstance(found, bool) is not isinstance(expected, bool):
            said = "nothing" if found is _MISSING else shown(repr(found))
            gather.error(
                None, "canary", f"{canary.ip}: expected `{path}` to be {shown(repr(expected))}, found {said}", advice
            )


def _typed(database_type: str, ip: str, body: Body) -> None:
    """Look `ip` up as users of geoip2 do, where it knows the type: a record that it cannot build raises."""
    method = _MODELS.get(database_type.partition("-")[2])
    if method is None:
        return
    from geoip2.database import Reader as TypedReader
    from geoip2.errors import AddressNotFoundError
    from maxminddb.const import MODE_FD

    source: Any = _Bytes(body)
    try:
        with TypedReader(source, mode=MODE_FD) as reader:
            getattr(reader, method)(ip)
    except AddressNotFoundError:
        return


def _follow(record: object, path: str) -> object:
    """Return what a dotted path leads to in a record, list positions being numbers; `_MISSING` when it ends early."""
    for step in path.split("."):
        if isinstance(record, Mapping):
            record = record.get(step, _MISSING)
        elif isinstance(record, Sequence) and not isinstance(record, str | bytes) and step.isdecimal():
            record = record[int(step)] if int(step) < len(record) else _MISSING
        else:
            return _MISSING
    return record
