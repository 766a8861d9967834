"""SHA256SUMS: coreutils' own program reads it back, whatever the files are called."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from hubdata.signing.sums import sums

NAMES = (
    "a",
    "-",
    "--",
    "-c",
    "b c",
    " leading",
    "é",
    "dir/x.txt",
    "back\\slash",
    "new\nline",
    "cr\r",
    "*star",
    "#hash",
)


def run(cwd: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Return what a program of coreutils said."""
    return subprocess.run(argv, cwd=cwd, capture_output=True, check=False, text=True)


def test_sha256sum_accepts_every_name_and_says_the_same(tmp_path: Path) -> None:
    """Names that coreutils escapes too; a target's keys have none of these, but a mirror must not be fooled."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    written = sums({name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES})
    (tmp_path / "SHA256SUMS").write_bytes(written)
    program = shutil.which("sha256sum")
    assert program is not None

    checked = subprocess.run(
        [program, "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    names = [f"./{name}" if name == "-" else name for name in sorted(NAMES)]
    theirs = run(tmp_path, program, "--", *names)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count(": OK") == len(NAMES)
    assert theirs.stdout.encode() == written


def test_a_file_that_differs_is_named_by_sha256sum(tmp_path: Path) -> None:
    """The check is not one that always passes."""
    (tmp_path / "a").write_bytes(b"2")
    (tmp_path / "SHA256SUMS").write_bytes(sums({"a": hashlib.sha256(b"1").hexdigest()}))
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert checked.returncode == 1
    assert "a: FAILED" in checked.stdout
