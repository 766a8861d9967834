"""What a database says of itself, for somebody who asks about a file; nothing is proven here."""

import mmap
from dataclasses import dataclass
from pathlib import Path

from hubdata.mmdb.layout import read_layout
from hubdata.mmdb.malformed import Malformed
from hubdata.mmdb.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Described:
    """One file: its size in bytes, and its metadata."""

    size: int
    metadata: Metadata


def described(path: Path) -> Described | None:
    """Return what the file `path` says of itself; None when it cannot be read, or says nothing that could be."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
            return Described(len(body), read_layout(body).metadata)
    except (OSError, ValueError, Malformed):  # empty files and pipes cannot be mapped
        return None
