"""Name the code that judges by its content: a verdict of other code has another name, without anybody counting up.

Digested are the bytes of every module that a kind can reach, Python's own version, and what the installer recorded of
the libraries that judge (their RECORD holds a SHA-256 of each installed file). No time stamp is believed: an image
that is built reproducibly gives every file the same one, and a spool may outlive many images. It takes some 3 ms.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import hubdata

PARTS = ("errors.py", "values.py", "ports.py", "model", "tables", "rules", "grammar", "mmdb", "kinds")
"""Below the package: all that a kind imports, directly or not (a test compares)."""

LIBRARIES = {"re2": "google_re2", "numpy": "numpy", "pydantic": "pydantic", "pydantic_core": "pydantic_core"}
"""What judges besides: the module, and what its distribution is called on disk. One that is absent is named so."""

_MAX_BYTES = 32 << 20
_MAX_FILES = 2_000
_CODE = (".py", ".so", ".pyd")


@lru_cache(maxsize=1)
def own_code() -> str | None:
    """Return a digest (hex) of the code that judges, as it was when this was first asked; None when it cannot be told.

    A process that runs for days asks when it starts: what is installed afterwards is not what it judges by.
    """
    return code_now()


def code_now() -> str | None:
    """Return the digest as it is on disk now."""
    root = Path(hubdata.__file__).parent
    digest = hashlib.sha256(f"{sys.implementation.name} {sys.version} {hubdata.__version__}".encode())
    try:
        _take(digest, root, (file for part in PARTS for file in _files(f"{root}/{part}")))
        records = {module: _record(module, name) for module, name in LIBRARIES.items()}
        for module, record in records.items():
            body = b"absent" if record is None else record.read_bytes()
            digest.update(f"\n{module} {len(body)}\n".encode() + body)
    except (OSError, ValueError, ImportError):  # a zip archive, no record, no sources: nobody can say what judges
        return None
    return digest.hexdigest()


def package_code(module: ModuleType) -> str | None:
    """Return a digest (hex) of the whole package that `module` belongs to; None when its files cannot be read."""
    top = sys.modules.get(module.__name__.partition(".")[0])
    if top is None or top.__file__ is None:
        return None
    path, digest = Path(top.__file__), hashlib.sha256()
    root = path.parent
    try:
        _take(digest, root, _files(str(root if path.stem == "__init__" else path)))
    except (OSError, ValueError):
        return None
    return digest.hexdigest()


def _take(digest: "hashlib._Hash", root: Path, files: Iterator[str]) -> None:
    size, count, skipped = 0, 0, len(f"{root}/")
    for count, file in enumerate(files, 1):
        with open(file, "rb", buffering=0) as code:  # noqa: PTH123 - a hundred paths would cost as much as the reading
            body = code.read()
        size += len(body)
        if size > _MAX_BYTES or count > _MAX_FILES:
            raise ValueError("too much to be code")
        digest.update(f"\n{file[skipped:]} {len(body)}\n".encode() + body)
    if not count:
        raise ValueError("no code")


def _files(path: str) -> Iterator[str]:
    """Yield the code at or below `path`, in order. Raises OSError when there is nothing."""
    if not os.path.isdir(path):  # noqa: PTH112
        yield path
        return
    with os.scandir(path) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.endswith(_CODE):
            yield entry.path
        elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
            yield from _files(entry.path)


def _record(module: str, name: str) -> Path | None:
    """Return what the installer recorded of a library; None when there is no such library.

    Raises ValueError when it is there without a record: then nobody can say which it is.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return None
    here = Path(spec.origin).parents[1]
    found = [entry for entry in os.listdir(here) if entry.startswith(f"{name}-") and entry.endswith(".dist-info")]  # noqa: PTH208
    if len(found) != 1:
        raise ValueError(f"{name}: {len(found)} records")
    return here / found[0] / "RECORD"
