"""Write the one file out of a `.tar.gz` that is wanted, as the bytes arrive; nothing else of it touches the disk.

The archive is read by hand, block by block, in constant memory. No member's path is ever used as a path. An archive
that an honest vendor does not make is refused whole: links, devices, sparse files, paths that climb, a second file
that could be meant, more bytes than allowed (counted before and after decompression), an end that comes too early.

Format: POSIX pax interchange and GNU tar headers (the `tar` chapter of IEEE Std 1003.1, "ustar Interchange Format").
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.transfer.alongside import WrittenAlongside
from hubdata.transfer.gunzip import counted, cut_off, decompressed, refused

_BLOCK = 512
_MAX_EXTENSION = 64 * 1024  # a pax header or long name; real ones have some hundred bytes
_MAX_MEMBERS = 1000
_OCTAL = re.compile(rb"[ \0]*([0-7]+)[ \0]*")
_KINDS = {b"1": "hard link", b"2": "symbolic link", b"3": "device", b"4": "device", b"6": "pipe", b"S": "sparse file"}


@dataclass(frozen=True, slots=True)
class Extracted:
    """The file that was written. `md5` and `sha256` are lower-case hex."""

    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Header:
    name: bytes
    size: int
    kind: bytes

    @property
    def padding(self) -> int:
        return -self.size % _BLOCK


def extract_member(
    packed: Iterable[bytes], suffix: str, into: Path, *, max_packed_bytes: int, max_bytes: int
) -> Extracted:
    """Return the size and digests of the only regular member whose name ends with `suffix`, written to `into`.

    `packed` gives the `.tar.gz` in pieces of any size, and has translated the network's errors already: an OSError
    here is the disk's. `max_bytes` bounds what it all unpacks to. On any error nothing is written to `into`, and no
    part is left beside it. Raises SourceError; retryable when the stream was cut off.
    """
    part = into.with_name(into.name + ".part")
    try:
        found = _scan(_Unpacked(packed, max_packed_bytes, max_bytes), suffix.encode(), part)
        part.replace(into)
    except OSError as err:
        raise SourceError(
            f"{into} could not be written: {err.strerror or type(err).__name__}",
            advice="free space there, or set `spool` to a directory with room",
        ) from err
    finally:
        part.unlink(missing_ok=True)
    return found


def _scan(stream: "_Unpacked", suffix: bytes, part: Path) -> Extracted:
    found: Extracted | None = None
    for header in _headers(stream):
        if header.kind not in (b"0", b"\0", b"7") or not header.name.endswith(suffix):
            stream.skip(header.size)
        elif found is not None:
            raise refused(f"it holds more than one file ending {suffix.decode()}")
        else:
            found = _write(stream, header.size, part)
        stream.skip(header.padding)
    if found is None:
        raise refused(f"it holds no file ending {suffix.decode()}")
    return found


def _write(stream: "_Unpacked", size: int, part: Path) -> Extracted:
    with part.open("wb") as file, WrittenAlongside(file, "md5", "sha256") as written:
        for piece in stream.pieces(size):
            written.update(piece)
    return Extracted(size, written.hexdigest("md5"), written.hexdigest("sha256"))


def _headers(stream: "_Unpacked") -> Iterator[_Header]:
    """Yield the members that carry data of their own, names resolved; the caller consumes data and padding."""
    long_name: bytes | None = None
    for _ in range(_MAX_MEMBERS):
        block = stream.take(_BLOCK)
        if not any(block):
            stream.expect_zeros()
            return
        header = _parse(block)
        if header.kind in (b"x", b"g", b"L"):
            if header.size > _MAX_EXTENSION:
                raise refused(f"it has an extended header of {header.size} bytes")
            extension = stream.take(header.size)
            stream.skip(header.padding)
            name = extension.rstrip(b"\0") if header.kind == b"L" else _pax_path(extension)
            if header.kind != b"g" and name is not None:
                long_name = name
            continue
        if long_name is not None:
            header = _Header(long_name, header.size, header.kind)
            long_name = None
        _judge(header)
        if header.size > stream.left:
            raise refused(
                f"a member of {header.size:,} bytes goes beyond the {stream.max_bytes:,} bytes allowed unpacked"
            )
        yield header
    raise refused(f"it has more than {_MAX_MEMBERS} members")


def _parse(block: bytes) -> _Header:
    checksum = _number(block[148:156])
    if sum(block[:148]) + 8 * 0x20 + sum(block[156:]) != checksum:
        raise refused("a header's checksum is wrong: it is not a tar archive, or it is damaged")
    name, prefix = block[:100].split(b"\0", 1)[0], b""
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].split(b"\0", 1)[0]
    return _Header(prefix + b"/" + name if prefix else name, _number(block[124:136]), block[156:157])


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's base-256, for sizes from 8 GiB on
        raise refused("a member claims 8 GiB or more")
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise refused("a header holds no number where one belongs")
    return int(match[1], 8)


def _judge(header: _Header) -> None:
    kind = _KINDS.get(header.kind)
    if kind is not None:
        raise refused(f"it holds a {kind}")
    if header.kind not in (b"0", b"\0", b"5", b"7"):
        raise refused(f"it holds a member of unknown type {header.kind!r}")
    if header.kind == b"5" and header.size:
        raise refused("it holds a directory with data")
    if header.name.startswith(b"/") or b".." in header.name.split(b"/"):
        raise refused("it holds a path that leads out of the archive")


def _pax_path(extension: bytes) -> bytes | None:
    """Return the `path` that a pax header gives. Sizes given there would contradict the header we count by."""
    path: bytes | None = None
    rest = extension
    while rest:
        length_text, space, _ = rest.partition(b" ")
        if not space or not length_text.isdigit() or len(length_text) > 6:
            raise refused("a pax header is damaged")
        length = int(length_text)
        record, rest = rest[len(length_text) + 1 : length], rest[length:]
        keyword, equals, value = record.partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise refused("a pax header is damaged")
        if keyword == b"size" or keyword.startswith(b"GNU.sparse"):
            raise refused("it holds a sparse or resized file")
        if keyword == b"path":
            path = value[:-1]
    return path


class _Unpacked:
    """The decompressed stream, counted: asks for compressed pieces only as they are needed."""

    def __init__(self, packed: Iterable[bytes], max_packed_bytes: int, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.left = max_bytes
        self._pieces = decompressed(counted(packed, max_packed_bytes))
        self._buffer = b""

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes. Raises SourceError when the stream ends before."""
        missing = size
        while missing:
            if not self._buffer:
                self._buffer = self._more()
                if not self._buffer:
                    raise cut_off()
            piece, self._buffer = self._buffer[:missing], self._buffer[missing:]
            missing -= len(piece)
            yield piece

    def take(self, size: int) -> bytes:
        return b"".join(self.pieces(size))

    def skip(self, size: int) -> None:
        for _ in self.pieces(size):
            pass

    def expect_zeros(self) -> None:
        """Read to the end, where only padding may come; this also proves the gzip trailer's checksum."""
        piece = self._buffer
        while True:
            if any(piece):
                raise refused("data follows the end of the archive")
            piece = self._more()
            if not piece:
                return

    def _more(self) -> bytes:
        piece = next(self._pieces, b"")
        self.left -= len(piece)
        if self.left < 0:
            raise refused(f"it unpacks to more than the {self.max_bytes:,} bytes allowed")
        return piece
