"""What judges a database is there when the database is, whatever became of the download."""

import subprocess
import sys
import threading
from pathlib import Path

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


def test_library_that_breaks_as_it_is_imported_is_left_to_who_needs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """numpy raises a RuntimeError on a processor that it was not built for; nobody sees a traceback for that."""
    (tmp_path / "hubdata_test_broken.py").write_text("raise RuntimeError('not for this processor')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(readying, "_WANTED", ("hubdata_test_broken",))
    with readied():
        pass
    assert capfd.readouterr().err == ""


def test_block_runs_where_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then whoever needs the libraries imports them."""

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(readying, "_WANTED", ("hubdata.mmdb.absent",))
    monkeypatch.setattr(threading.Thread, "start", refused)
    done = []
    with readied():
        done.append(True)
    assert done
    with pytest.raises(ConnectionError), readied():
        raise ConnectionError("lost")
