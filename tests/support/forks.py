"""Runs of the real command that cost a fork each, not a start of Python: for tests that need hundreds of them.

A driver process imports hubdata once and forks for every run: each is a process of its own, with its own threads,
sockets, locks and number, that may be killed like any other; what it is spared is the third of a second that imports
take, the models that pydantic builds at their first use, and the opening of botocore's session. `Forks()` gives the
driver; `python -m tests.support.forks` is one.
"""

import atexit
import contextlib
import dataclasses
import functools
import gc
import importlib
import itertools
import json
import math
import os
import pkgutil
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import hubdata
from tests.support.command import Ended

_ROOT = Path(__file__).parents[2]
_HELD = (
    "_strptime",
    "encodings.ascii",
    "hubdata.app",
    "hubdata.conducting",
    "hubdata.cli.root",
    "hubdata.cli.sync",
    "hubdata.report.json",
    "hubdata.report.text",
    "hubdata.report.log",
    "hubdata.kinds.cidr",
    "hubdata.kinds.needle",
    "hubdata.sources.git",
    "hubdata.sources.directory",
    "hubdata.targets.directory",
    "hubdata.targets.s3",
    "hubdata.cdns.cloudfront",
    "hubdata.cdns.none",
    "botocore.session",
    "botocore.client",
    "botocore.httpsession",
    "botocore.signers",
    "botocore.awsrequest",
    "botocore.parsers",
    "botocore.retries.standard",
    "urllib3.connectionpool",
)


@dataclass
class Running:
    """One run that may still be going on. `done` holds what it came to."""

    pid: int
    done: "Future[Ended]" = field(repr=False)
    stderr: int = field(repr=False, default=-1)

    def kill(self) -> None:
        """End it as if the machine had lost its power, and return when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def says(self, word: str) -> None:
        """Return once it has said `word` on stderr."""
        deadline = time.monotonic() + 60
        while not self.done.done() and word.encode() not in os.pread(self.stderr, 1 << 20, 0):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not self.done.done() or word in self.ended().stderr, self.ended()

    def ended(self, timeout: float = 60) -> Ended:
        """Return what it said and did, once it has ended."""
        return self.done.result(timeout)


class Forks:
    """The driver. `with Forks() as forks: forks.run("sync", "--once", cwd=...)`."""

    def __enter__(self) -> Self:
        self._driver = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.support.forks"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._started: dict[int, Future[int]] = {}
        self._ending: dict[int, tuple[Future[Ended], Any, Any]] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.close()
        self._driver.wait(60)
        self._listener.join(60)
        self._driver.stdout.close()

    def start(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        trip: tuple[int, str] | None = None,
        poll_s: float | None = None,
        stdin: str = "",
        session: bool = True,
    ) -> Running:
        """Return a run that has just begun.

        `trip` is the number of the call to the file system at which it kills itself, and on which side ("before" or
        "after"). `poll_s` is how often it looks whether another run's lease is over; None leaves that as it is.
        With `session`, AWS's session is opened beforehand, once for runs with one and the same environment.
        """
        number = next(self._numbers)
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads them
        err_fd = err.fileno()  # while it is open for sure
        started: Future[int] = Future()
        ending: Future[Ended] = Future()
        with self._lock:
            self._started[number], self._ending[number] = started, (ending, out, err)
            environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **(env or {})}
            order = {"number": number, "argv": arguments, "cwd": str(cwd), "env": environment, "trip": trip}
            order |= {"poll_s": poll_s, "files": [f"/proc/{os.getpid()}/fd/{f.fileno()}" for f in (out, err)]}
            order |= {"stdin": stdin, "session": session}
            assert self._driver.stdin is not None
            self._driver.stdin.write(json.dumps(order) + "\n")
            self._driver.stdin.flush()
        return Running(started.result(60), ending, err_fd)

    def run(
        self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, trip: tuple[int, str] | None = None
    ) -> Ended:
        """Return what one run said and did."""
        return self.start(*arguments, cwd=cwd, env=env, trip=trip).ended()

    def _listen(self) -> None:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            told = json.loads(line)
            if "pid" in told:
                self._started.pop(told["number"]).set_result(told["pid"])
                continue
            ending, *files = self._ending.pop(told["number"])
            texts = []
            for file in files:
                with file:
                    file.seek(0)
                    texts.append(file.read().decode())
            ending.set_result(Ended(told["code"], texts[0], texts[1], told["peak_mb"]))


@functools.cache
def _shared() -> Forks:
    """Return the one driver of this process, which ends with it."""
    forks = Forks()
    forks.__enter__()
    atexit.register(forks.__exit__, None, None, None)
    return forks


def forked(*arguments: str, cwd: Path, env: Mapping[str, str] | None, timeout: float, stdin: str) -> Ended:
    """Return what one run said and did; one that takes longer than `timeout` seconds is ended, with the code 124."""
    running = _shared().start(*arguments, cwd=cwd, env=env, stdin=stdin, session=False)
    try:
        ended = running.ended(timeout)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)
        try:
            ended = running.ended(5)
        except TimeoutError:
            running.kill()
            ended = running.ended(60)
        ended = dataclasses.replace(ended, code=124)
    return dataclasses.replace(ended, peak_mb=math.nan)


def main() -> None:
    """Fork for every order on stdin; say on stdout who began and how it ended; end when stdin does and all are gone."""
    for name in (*_HELD, *_ours()):
        with contextlib.suppress(ImportError):  # what an extra brings, where it is not installed
            importlib.import_module(name)
    _rehearse()
    gc.collect()
    gc.freeze()  # what a run collects is its own: it need not copy what it has inherited in order to look at it
    at_home: dict[str, str] = {}
    read, write = os.pipe()
    os.set_blocking(write, False)
    os.set_blocking(read, False)
    signal.set_wakeup_fd(write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting, numbers, orders = selectors.DefaultSelector(), dict[int, int](), b""
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(read, selectors.EVENT_READ)
    reading = True
    while reading or numbers:
        ready = {key.fd for key, _ in waiting.select()}
        if 0 in ready:
            chunk = os.read(0, 1 << 16)
            if not chunk:
                waiting.unregister(0)
                reading = False
            *whole, orders = (orders + chunk).split(b"\n")
            for line in whole:
                order = json.loads(line)
                if order["session"] and "AWS_ACCESS_KEY_ID" in order["env"] and order["env"] != at_home:
                    at_home = order["env"]
                    _open_session(at_home)
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _become(order)
                numbers[pid] = order["number"]
                print(json.dumps({"number": order["number"], "pid": pid}), flush=True)
        if read in ready:
            os.read(read, 1 << 10)
        _bury(numbers)


def _ours() -> Iterator[str]:
    """Give the name of every module of hubdata: runs differ in what they want, and importing one does nothing else."""
    for module in pkgutil.walk_packages(hubdata.__path__, "hubdata."):
        if not module.name.endswith("__main__"):
            yield module.name


def _rehearse() -> None:
    """Make one run here, so that whatever is built at its first use is there."""
    from hubdata import app
    from hubdata.report import redaction
    from tests.support import shared_target as there

    class Silent:
        def emit(self, event: object) -> None:
            """Say nothing."""

    with tempfile.TemporaryDirectory() as root:
        world = there.SharedWorld.create(Path(root), there.directory())
        world.offer("job0/list.txt", there.lines(1))
        result = app.sync(app.Choices(config=world.root / "hubdata.toml"), Silent())
        assert result.exit_code == 0, result
    redaction._shared = None  # every run has an environment of its own, and so secrets of its own


def _open_session(env: dict[str, str]) -> None:
    """Have AWS's session for `env` open, as a second run in one process finds it; clients stay each run's own."""
    from hubdata.transfer.aws import AwsClient, Settings

    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(env)
        for service in ("s3", "cloudfront"):
            AwsClient(Settings(service, "us-east-1")).build()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _bury(numbers: dict[int, int]) -> None:
    while numbers:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        told = {"number": numbers.pop(pid), "code": code, "peak_mb": usage.ru_maxrss / 1024}
        print(json.dumps(told), flush=True)


def _become(order: dict[str, Any]) -> None:
    """Be `hubdata ARGV`, and never return."""
    code = 70
    try:
        files = [_given(order["stdin"]), *(os.open(path, os.O_RDWR) for path in order["files"])]
        for number, fd in enumerate(files):
            os.dup2(fd, number)
            os.close(fd)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        time.tzset()
        tempfile.tempdir = None  # found anew, by the environment
        sys.argv = ["hubdata", *order["argv"]]
        if order["poll_s"] is not None:
            _look_often(order["poll_s"])
        if order["trip"]:
            from tests.support.tripwire import lay

            lay(*order["trip"])
        from hubdata.cli import main

        try:
            main()
            code = 0
        except SystemExit as err:
            code = err.code if isinstance(err.code, int) else 1
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does at its end
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _given(text: str) -> int:
    """Return a file that is open for reading, with `text` in it."""
    if not text:
        return os.open(os.devnull, os.O_RDONLY)
    fd = os.memfd_create("stdin")
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _look_often(poll_s: float) -> None:
    from datetime import timedelta

    from hubdata.publishing import lease

    lease._POLL = lease._SLOWEST_POLL = timedelta(seconds=poll_s)


if __name__ == "__main__":
    main()
