"""What judges a database is there when the database is, whatever became of the download."""

import subprocess
import sys
import threading

import pytest

from hubdata.mmdb import readying
from hubdata.mmdb.readying import readied

_STORY = """
import sys, threading
from hubdata.mmdb.readying import readied
assert "numpy" not in sys.modules
with readied():
    beside = [each.name for each in threading.enumerate()]
assert "readying" in beside, beside
assert {"hubdata.mmdb.prover", "geoip2.database"} <= sys.modules.keys()
assert threading.active_count() == 1
with readied():
    assert threading.active_count() == 1
"""


def test_the_prover_is_imported_beside_the_block_and_once() -> None:
    """In a fresh process a thread imports it, which has ended when the block has; then there is nothing to do."""
    done = subprocess.run([sys.executable, "-c", _STORY], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_a_download_that_fails_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure passes through, and nothing goes on behind it."""
    monkeypatch.setattr(readying, "_WANTED", ("hubdata.mmdb.absent", "hubdata.mmdb.policy"))
    with pytest.raises(ConnectionError), readied():
        raise ConnectionError("lost")
    assert "readying" not in [each.name for each in threading.enumerate()]
