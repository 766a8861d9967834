"""Measuring instruments run as processes of their own, so that their CPU is nobody else's.

A child prints its URL, then answers each line of JSON on its standard input with another, until that ends.
"""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[1]


class Child:
    """A module of ours that listens on a port of loopback, as a process. `url` is where."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._argv = [sys.executable, "-m", module, *arguments]
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"{' '.join(self._argv)} did not start")
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self, **wish: Any) -> dict[str, Any]:
        """Return the child's answer to one line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(self._argv)} ended")
        return dict(json.loads(answer))


def serve(protocol: Callable[[], asyncio.Protocol], told: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Be the child: listen, say where, and answer lines until there are no more."""
    asyncio.run(_serve(protocol, told))


async def _serve(protocol: Callable[[], asyncio.Protocol], told: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=1024)
    ended = asyncio.Event()

    def answer(line: str) -> None:
        print(json.dumps(told(json.loads(line))), flush=True)

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(answer, line)
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    server.close()
