"""Children are real programs here: each test lets one misbehave in one way."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.transfer.process import Ending, Result, run

_LONG = timedelta(seconds=60)
PATIENCE_S = (1, 5, 25)
"""How long a child may live, one after the other until it has come as far as its test wants it to."""


def python(code: str, *, timeout: timedelta = _LONG, **options: object) -> Result:
    """Run `code` in a child."""
    return run([sys.executable, "-I", "-c", code], env={"PATH": os.environ["PATH"]}, timeout=timeout, **options)  # type: ignore[arg-type]


def gone(pid: int) -> bool:
    """Tell whether a process has ended, waiting a little for the kernel."""
    for _ in range(3000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_output_and_exit_code_are_returned() -> None:
    """What the child writes and how it ends are given back as they are."""
    result = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert result == Result(Ending.EXITED, 3, b"out\n", "err\n")
    assert not result.ok


def test_both_streams_can_be_one_in_the_order_they_were_written() -> None:
    """A program that logs to stderr is heard as a person at its terminal would hear it."""
    code = "import os; os.write(1, b'a'); os.write(2, b'b'); os.write(1, b'c')"
    assert python(code, merge=True) == Result(Ending.EXITED, 0, b"abc", "")


def test_input_larger_than_a_pipe_comes_back_whole() -> None:
    """Feeding and reading go on at the same time, so neither side waits for ever on a full pipe."""
    body = os.urandom(1 << 20)
    result = python("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", stdin=body, max_stdout=2 << 20)
    assert result.ok
    assert result.stdout == body


def test_child_that_does_not_read_its_input_is_no_error() -> None:
    """A child may end without reading; its exit code alone says whether that is bad."""
    assert python("pass", stdin=bytes(1 << 20)).ok


def test_child_sees_only_the_environment_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this process's environment leaks into the child."""
    monkeypatch.setenv("HUBDATA_TEST_SECRET", "sentinel")
    result = python("import os; print(sorted(k for k in os.environ if k != 'LC_CTYPE'))")
    assert result.stdout == b"['PATH']\n"


def test_missing_program_is_a_value(tmp_path: Path) -> None:
    """A program that is not on the given PATH is told apart from one that failed."""
    result = run(["no-such-program"], env={"PATH": str(tmp_path)}, timeout=_LONG)
    assert result.ending is Ending.MISSING


def test_deadline_ends_a_child_and_its_children(tmp_path: Path) -> None:
    """After the deadline neither the child nor what it started is alive."""
    note = tmp_path / "pid"
    code = f"""
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(90)"])
pathlib.Path({str(note)!r}).write_text(str(child.pid))
time.sleep(90)
"""
    for seconds in PATIENCE_S:
        result = python(code, timeout=timedelta(seconds=seconds))
        assert result.ending is Ending.TIMED_OUT
        assert result.code < 0
        if note.exists() and note.read_text():
            break
    assert gone(int(note.read_text()))


def test_deadline_also_ends_a_grandchild_that_keeps_the_pipe_open(tmp_path: Path) -> None:
    """A child that ended but left somebody holding its stdout does not hold up the caller."""
    code = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(90)"])
print(child.pid, flush=True)
"""
    for seconds in PATIENCE_S:
        result = python(code, timeout=timedelta(seconds=seconds))
        assert result.ending is Ending.TIMED_OUT
        if result.stdout:
            break
    assert gone(int(result.stdout))


def test_too_much_output_ends_the_child() -> None:
    """A child that never stops writing is stopped at the cap."""
    result = python("while True: print('x' * 1000)", max_stdout=10_000)
    assert result.ending is Ending.OVERFLOWED
    assert len(result.stdout) <= 10_000 + (1 << 16)


def test_only_the_tail_of_stderr_is_kept() -> None:
    """Megabytes of messages are read but not kept; the last of them are."""
    result = python("import sys; sys.stderr.write('x' * 1_000_000 + 'the end')")
    assert result.ok
    assert result.stderr.endswith("the end")
    assert len(result.stderr) == 4096


def test_watch_stops_a_child() -> None:
    """The watch is asked while the child is silent, and its word ends it."""
    asked: list[int] = []

    def watch() -> bool:
        asked.append(1)
        return len(asked) == 3

    assert python("import time; time.sleep(90)", watch=watch).ending is Ending.STOPPED


def test_consumer_that_raises_ends_the_child(tmp_path: Path) -> None:
    """An error in the caller's own code reaches the caller, and the child does not live on."""
    note = tmp_path / "pid"

    def refuse(chunk: bytes) -> None:
        note.write_bytes(chunk)
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        python("import os, time; print(os.getpid(), flush=True); time.sleep(90)", consume=refuse)
    assert gone(int(note.read_text()))


def test_child_has_no_terminal_to_ask_on() -> None:
    """The child leads a session of its own, so it cannot open the terminal for a prompt."""
    code = "import os; print(os.getsid(0) == os.getpid())"
    assert python(code).stdout == b"True\n"
