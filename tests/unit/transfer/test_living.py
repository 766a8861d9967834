"""A process can be told from a dead one by another on the same machine, and only there."""

import subprocess
import sys

from hubdata.transfer.living import is_gone, this_process


def test_this_process_lives() -> None:
    """Nobody takes a running process for dead."""
    assert not is_gone(this_process())


def test_process_that_has_ended_is_gone() -> None:
    """One that ran a moment ago and was waited for is no more."""
    said = "from hubdata.transfer.living import this_process; print(this_process())"
    ended = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert is_gone(ended.stdout.strip())


def test_number_that_was_given_to_another_process_is_gone() -> None:
    """Numbers are used again; the start time tells the two apart."""
    here, number, started = this_process().rsplit(":", 2)
    assert is_gone(f"{here}:{number}:{int(started) - 1}")


def test_what_cannot_be_known_is_not_said() -> None:
    """Another machine's process, another namespace's, and what is no name at all are not taken for dead."""
    _, number, started = this_process().rsplit(":", 2)
    for name in (f"another-boot/1:{number}:{started}", f"x:999999999:{started}", "", ":::", "a:b:c", "1"):
        assert not is_gone(name)
