"""What docs/python-api.md shows is so: its example type-checks under mypy strict and runs; the names are public."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hubdata
from hubdata import api

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```python\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Return what a Python of its own said, warnings made errors."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_example_type_checks_under_mypy_strict(tmp_path: Path) -> None:
    """And a mistake in it would not: types reach those who embed hubdata."""
    (tmp_path / "example.py").write_text(EXAMPLE)
    (tmp_path / "wrong.py").write_text(
        "from hubdata import plan, validate_file, verify_mmdb\n"
        "plan(1)\nvalidate_file('x')\nverify_mmdb('x').ofset\nfrom hubdata import nonsense\n"
    )
    flags = ("--strict", "--config-file", "", "--cache-dir", str(tmp_path / "cache"), "--follow-imports=silent")
    checked = python("-m", "mypy", *flags, "example.py", "wrong.py", cwd=tmp_path)
    said = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert [line.partition(": error:")[0] for line in said] == [f"wrong.py:{n}" for n in (2, 3, 4, 5)], checked.stdout


def test_the_example_runs(tmp_path: Path) -> None:
    """On a list, a file that is no database, and settings of its own; nothing is written to the target."""
    (tmp_path / "example.py").write_text(EXAMPLE)
    (tmp_path / "whitelist.txt").write_text("192.0.2.0/24\n8.8.8.8/24\n")
    (tmp_path / "GeoLite2-City.mmdb").write_bytes(b"\x00" * 300)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("/probe.php\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "words.toml").write_text(
        '[source]\ntype = "directory"\npath = "../data"\n\n[[files]]\nmatch = "*.txt"\nkind = "needle"\n'
    )
    (tmp_path / "hubdata.toml").write_text(
        'jobs = "jobs"\nspool = "spool"\n\n[targets.mirror]\ntype = "directory"\npath = "mirror"\n'
    )
    ran = python("-W", "error", "example.py", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    first, second, third = ran.stdout.splitlines()
    assert "host bits" in first or "2:" in first
    assert second.startswith("byte ")
    assert third == "{'words': 11}"
    assert not (tmp_path / "mirror").exists()


def test_importing_the_package_imports_nothing_of_it() -> None:
    """Not even `typing`: every start of the command line comes through here."""
    code = "import sys; before = set(sys.modules); import hubdata; print(sorted(set(sys.modules) - before))"
    assert python("-I", "-c", code, cwd=ROOT).stdout.strip() == "['hubdata']"


def test_every_public_name_is_there_and_told() -> None:
    """`__all__` of the package and of the module are the same, and the page speaks of what there is."""
    assert set(hubdata.__all__) == {*api.__all__, "__version__"}
    assert {name for name in hubdata.__all__ if getattr(hubdata, name, None) is None} == set()
    assert set(dir(hubdata)) >= set(hubdata.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hubdata.nonsense  # type: ignore[attr-defined]
    functions = {"validate_file", "verify_mmdb", "plan"}
    errors = {"HubdataError", "ConfigError", "SourceError", "TargetError", "Conflict", "CdnError"}
    for name in functions | errors | {"CheckedFile", "MmdbProof", "RunResult", "JobResult", "TargetResult", "Plan"}:
        assert name in PAGE
