"""Helpers that judge beside a run, each a process of its own, from the back of its files to where the run is by then.

What a helper says is believed only under the name that the verdict on these very bytes has, under these very demands,
judged by this very code (`verdict_memory.py`): of a file that changed meanwhile, or was judged by other code, it tells
something that nobody asks for. The run waits for no helper, and judges whatever it has not been told of. So a helper
may die, hang or talk nonsense, and nothing comes of it.

A helper is a new interpreter, not a fork: a run has threads, and what they hold would stay held in a fork for ever. It
gets no credentials, sees nothing of the terminal, and ends with the run, however that ends.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING

import hubdata
from hubdata.running.dividing import Post, Work, file_lines, posts_line, useful, verdict_in

if TYPE_CHECKING:
    from hubdata.running.proving import KindOf

_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")
_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20
_LINES = 256
_READS = 8
_MOST_HELD_BYTES = 64 << 20
_PATIENCE_S = 1.0
_START = """\
import os, sys
os.nice(max(0, 10 - os.nice(0)))
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("hubdata", sys.argv[1])
sys.modules["hubdata"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
from hubdata.running.helping import main
main(int(sys.argv[2]))
"""
"""The very package that runs, wherever it was found: an isolated interpreter looks for another one.

A helper gives way to others: where no processor is free it would only keep the run from its own time."""


class Crew:
    """Up to `most` helpers, for one piece of work at a time. Threads may share it; `close` it in the end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = Lock()
        self._lock = Lock()
        self._ready: list[_Member] = []
        self._members: list[_Member] = []
        self._told: dict[str, bytes] = {}
        self._held = 0

    def begin(self, count: int = 1) -> None:
        """Have so many helpers load what they need, for there is soon work to be expected."""
        while len(self._ready) < min(count, self._most):
            try:
                self._ready.append(_Member())
            except OSError:  # no process, no pipe, no memory to be had: then nobody helps
                return

    @contextmanager
    def helping(self, work: Work, kind_of: "KindOf") -> Iterator[None]:
        """Have helpers judge the `work` beside this process while the context lasts, if that pays.

        Nobody helps with a second work meanwhile, nor with what a plug-in judges.
        """
        count = useful(work)
        posts = _posts(work, kind_of) if count else {}
        head = posts_line(post for _, post in posts.values()) if posts else None
        if head is None or not self._taken.acquire(blocking=False):
            yield
            return
        try:
            self.begin(count)
            numbers = {rule: number for rule, (number, _) in posts.items()}
            members = self._ready  # they stay there until all are asked: whatever happens, `close` ends them
            for helper, member in enumerate(members):
                member.ask(head, file_lines(work, numbers, helper, len(members)))
            self._ready, self._members = [], members
            yield
        finally:
            self.close()
            self._taken.release()

    def close(self) -> None:
        """End all helpers, whatever they are at."""
        with self._lock:
            members = [*self._ready, *self._members]
            self._ready, self._members = [], []
            self._told, self._held = {}, 0
        for member in members:
            member.end()

    def told(self, name: str) -> bytes | None:
        """Return the verdict of this name as JSON, if a helper has told it; waits for nobody."""
        if not self._members:
            return None
        with self._lock:
            for member in self._members:
                for found, text in member.heard() if self._held < _MOST_HELD_BYTES else ():
                    self._held += len(text) - len(self._told.get(found, b""))
                    self._told[found] = text
            if name not in self._told:
                return None
            self._held -= len(self._told[name])
            return self._told.pop(name)


def _posts(work: Work, kind_of: "KindOf") -> dict[int, tuple[int, Post]]:
    """Return by rule (its id) what helpers can judge: a number for it, and what they need to know."""
    from hubdata.running.verdict_memory import Remembering  # by then it is loaded

    posts: dict[int, tuple[int, Post]] = {}
    for job, claims in work:
        for rule in {id(claim.rule): claim.rule for claim in claims}.values():
            kind = kind_of(rule)
            if isinstance(kind, Remembering) and kind.own and id(rule) not in posts:
                posts[id(rule)] = (len(posts), Post(rule, job.canaries))
    return posts


def _like_this() -> Iterator[str]:
    """Yield the flags by which an interpreter treats compiled files as this one does, whose variables it does not see.

    Else it would write them where nothing is to be written, and read older ones than this process has read.
    """
    if sys.dont_write_bytecode:
        yield "-B"
    if sys.pycache_prefix is not None:
        yield from ("-X", f"pycache_prefix={sys.pycache_prefix}")


class _Member:
    """One helper. Raises OSError when it cannot be started; later on nothing."""

    def __init__(self) -> None:
        self._lines: Iterator[bytes] = iter(())
        self._unsaid = b""
        self._unheard = b""
        self._answers = False
        if not sys.executable or hasattr(sys, "frozen"):
            raise OSError("there is no interpreter")
        package = str(Path(hubdata.__file__))
        theirs, self._life = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", *_like_this(), "-c", _START, package, str(theirs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                pass_fds=(theirs,),
                bufsize=0,
            )
        except BaseException:
            os.close(self._life)
            raise
        finally:
            os.close(theirs)
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        os.set_blocking(self._to.fileno(), False)
        os.set_blocking(self._from.fileno(), False)

    def ask(self, head: bytes, lines: Iterator[bytes]) -> None:
        """Have it judge the files of `lines`, by what `head` says of them."""
        self._unsaid, self._lines = head, lines
        self._say()

    def heard(self) -> Iterator[tuple[str, bytes]]:
        """Yield what it has told since, verdicts by name; and tell it of more files if it goes on."""
        if not self._answers:  # its pipe may not have had room for all that goes first
            self._say()
        for _ in range(_READS):  # whoever talks without end is not listened to for ever
            piece = b"" if self._from.closed else self._read()
            if not piece:
                return
            self._answers = True
            self._say()
            *lines, self._unheard = (self._unheard + piece).split(b"\n")
            if len(self._unheard) > _LONGEST_LINE:
                self._from.close()
            for line in lines:
                if found := verdict_in(line):
                    yield found

    def end(self) -> None:
        """End it, and see that it is no more."""
        self._process.kill()
        for end in (self._to, self._from):
            with suppress(OSError):
                end.close()
        os.close(self._life)
        with suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, and ends when that lets go
            self._process.wait(_PATIENCE_S)

    def _read(self) -> bytes:
        try:
            return os.read(self._from.fileno(), _CHUNK)
        except OSError:  # there is nothing now, or nobody any more
            return b""

    def _say(self) -> None:
        """Tell it of as many files as its pipe has room for, and in the end that there are no more."""
        with suppress(BlockingIOError):
            while not self._to.closed:
                self._unsaid = self._unsaid or b"".join(islice(self._lines, _LINES))
                if not self._unsaid:
                    self._to.close()
                    return
                try:
                    self._unsaid = self._unsaid[os.write(self._to.fileno(), self._unsaid) :]
                except BrokenPipeError:
                    self._to.close()
