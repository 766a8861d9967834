"""Wheel and sdist: the same commit gives the same bytes, and in them is what belongs there and nothing else."""

import hashlib
import importlib.util
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from hubdata import __version__
from hubdata.reference.files import files
from tests.support.packaged import ROOT, build, tree

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BELONGS = (
    r"hubdata/(\w+/)*\w+\.py",
    r"hubdata/py\.typed",
    r"hubdata/builtin_jobs/(README\.md|[a-z-]+\.toml)",
    r"hubdata-[\d.]+\.data/data/share/man/man1/hubdata[a-z-]*\.1",
    r"hubdata-[\d.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)",
)
"""What a wheel holds. Whoever adds a file of another sort says here why people need it installed."""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, dict[str, bytes]]]:
    """Give two builds: other directories, umasks, times of files, time zones and days."""
    out: list[tuple[Path, dict[str, bytes]]] = []
    for number, umask in enumerate((0o022, 0o077)):
        home = tmp_path_factory.mktemp(f"build{number}")
        source = home / f"tree{number}"
        if out:  # somebody may be writing into the tree at hand
            shutil.copytree(out[0][0], source)
        else:
            tree(source)
        for path in source.rglob("*"):
            path.chmod(path.stat().st_mode & ~umask)
        for path in source.rglob("*"):
            os.utime(path, (1_600_000_000 + number * 10_000_000,) * 2)
        env = {"SOURCE_DATE_EPOCH": "1790000000", "TZ": ("UTC", "Asia/Tokyo")[number], "LC_ALL": "C.UTF-8"}
        out.append((source, build(source, home / "dist", env=env)))
    return out


@pytest.fixture(scope="module")
def wheel(twice: list[tuple[Path, dict[str, bytes]]]) -> Iterator[zipfile.ZipFile]:
    """Give the wheel, open."""
    (body,) = (body for name, body in twice[0][1].items() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        yield opened


def test_two_builds_are_the_same_bytes(twice: list[tuple[Path, dict[str, bytes]]]) -> None:
    """Whoever builds the same commit can hold the published digests against their own."""
    digests = [{name: hashlib.sha256(body).hexdigest() for name, body in built.items()} for _, built in twice]
    assert set(digests[0]) == {f"hubdata-{__version__}-py3-none-any.whl", f"hubdata-{__version__}.tar.gz"}
    assert digests[0] == digests[1]


def test_a_source_that_differs_gives_other_bytes(twice: list[tuple[Path, dict[str, bytes]]], tmp_path: Path) -> None:
    """The comparison above can fail."""
    source, built = twice[1]
    changed = source / "hubdata" / "__main__.py"
    before = changed.read_bytes()
    changed.write_bytes(before + b"\n")
    try:
        other = build(source, tmp_path / "dist", "-t", "wheel", env={"SOURCE_DATE_EPOCH": "1790000000"})
    finally:
        changed.write_bytes(before)
    assert all(built[name] != body for name, body in other.items())


def test_the_sdist_builds_the_same_wheel(twice: list[tuple[Path, dict[str, bytes]]], tmp_path: Path) -> None:
    """Distributions that build from source give people what we do."""
    built = twice[0][1]
    (sdist,) = (body for name, body in built.items() if name.endswith(".tar.gz"))
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        assert {member.name.partition("/")[0] for member in archive} == {f"hubdata-{__version__}"}
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / f"hubdata-{__version__}"
    again = build(source, tmp_path / "dist", "-t", "wheel", env={"SOURCE_DATE_EPOCH": "1790000000"})
    assert again == {name: body for name, body in built.items() if name.endswith(".whl")}
    kept = {"tests", "bench", "docs", "deploy", "requirements", "jobs", "hubdata", ".ci", "Dockerfile", "mkdocs.yml"}
    assert kept <= {path.name for path in source.iterdir()}


def test_nothing_is_in_the_wheel_that_does_not_belong(wheel: zipfile.ZipFile) -> None:
    """No test, cache, database, key or editor's leftover; nothing executable, nothing outside its directories."""
    names = wheel.namelist()
    assert [name for name in names if not any(re.fullmatch(rule, name) for rule in BELONGS)] == []
    assert len(names) == len(set(names))
    assert all(stat.S_IMODE(info.external_attr >> 16) == 0o644 for info in wheel.infolist())
    for rule in BELONGS:
        assert any(re.fullmatch(rule, name) for name in names), f"{rule}: no such file any more"


def test_every_module_job_and_manual_page_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """What runs from a checkout runs installed: the built-in jobs too, byte for byte those of the tree."""
    names = set(wheel.namelist())
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "hubdata").rglob("*.py")} <= names
    for job in (ROOT / "jobs").glob("*.toml"):
        assert wheel.read(f"hubdata/builtin_jobs/{job.name}") == job.read_bytes()
    for path, text in files().items():
        if path.startswith("man/"):
            installed = f"hubdata-{__version__}.data/data/share/man/man1/{path.removeprefix('man/')}"
            assert wheel.read(installed).decode() == text
    told = wheel.read(f"hubdata-{__version__}.dist-info/entry_points.txt").decode()
    assert "hubdata = hubdata.cli:main" in told


def test_the_metadata_says_what_the_project_says(wheel: zipfile.ZipFile) -> None:
    """Version, licence, Python, and every extra."""
    told = wheel.read(f"hubdata-{__version__}.dist-info/METADATA").decode()
    assert f"\nVersion: {__version__}\n" in told
    assert "\nLicense-Expression: MIT\n" in told
    assert "\nRequires-Python: >=3.11\n" in told
    extras = set(PROJECT["project"]["optional-dependencies"])
    assert set(re.findall(r"^Provides-Extra: (.+)$", told, re.MULTILINE)) == extras
    assert extras >= {"demo", "docs", "jq", "sign", "test", "worker"}


def _bill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bill", ROOT / ".ci" / "bill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bill_of_materials_is_of_the_lock_and_valid() -> None:
    """Every pinned package with every hash that pip would accept; by CycloneDX's own schema."""
    lock = (ROOT / "requirements" / "image.txt").read_text(encoding="utf-8")
    told = (ROOT / "requirements" / "image.cdx.json").read_text(encoding="utf-8")
    assert told == _bill().bill(lock, __version__), "run: python .ci/bill.py > requirements/image.cdx.json"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(told) is None
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        assert f'"purl": "pkg:pypi/{name.lower()}@{version}"' in told
    assert all(digest in told for digest in re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(told.replace('"SHA-256"', '"SHA-257"')) is not None


def test_the_image_carries_its_bill() -> None:
    """Whoever has only the image can ask it what is in it."""
    last = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert "COPY requirements/image.cdx.json /usr/share/doc/hubdata/" in last


def test_a_release_is_four_files_with_their_digests(twice: list[tuple[Path, dict[str, bytes]]], tmp_path: Path) -> None:
    """`.ci/release` gives what was built above, the bill of materials, and a list that sha256sum accepts."""
    source, built = twice[0]
    env = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "SOURCE_DATE_EPOCH": "1790000000"}
    ended = subprocess.run(
        ["bash", source / ".ci/release", tmp_path], env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in tmp_path.iterdir()} == {*built, "image.cdx.json", "SHA256SUMS"}
    assert all((tmp_path / name).read_bytes() == body for name, body in built.items())
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_tree_with_changes_is_not_released(twice: list[tuple[Path, dict[str, bytes]]], tmp_path: Path) -> None:
    """What is not in the commit would be in the files, and nobody could build them again."""
    source = tmp_path / "tree"
    shutil.copytree(twice[0][0], source)
    subprocess.run(["git", "init", "--quiet"], cwd=source, check=True, timeout=60)
    env = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(tmp_path)}
    argv: list[str | Path] = ["bash", source / ".ci/release", tmp_path / "dist"]
    ended = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "not what its commit says" in ended.stderr
    assert not (tmp_path / "dist").exists()
