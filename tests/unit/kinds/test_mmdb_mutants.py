"""Whatever the kind passes, the C reader can read whole: a crash would be the exit code of a process of its own."""

import subprocess
import sys
from pathlib import Path


def test_no_mutant_that_passes_crashes_the_c_reader() -> None:
    """Of 1,500 mutants of sound databases some pass, being sound still; each is then read to its last network."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.mmdb_mutants", "1500", "2026"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    count, passed = map(int, ended.stdout.split())
    assert count == 1500
    assert 0 < passed < count // 2
