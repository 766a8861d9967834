"""Readers that never rest: they fetch the manifest and the files it names over plain HTTP, and notice what is wrong.

What they are owed: every body is whole and one that was offered as good; no file is older than the manifest that was
read before it, and nothing ever goes back in time; a file that the manifest named is there, unless a manifest read
afterwards no longer names it.
"""

import hashlib
import http.client
import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from tests.support.shared_target import MANIFEST

_REST_S = 0.01


@dataclass
class Readers:
    """Threads that read what is below `url`. `ages` tells by key how old each good body is: SHA-256 to a number.

    The test adds to `ages` what it is about to offer. `wrong` is what the readers complain about.
    """

    url: str
    ages: Mapping[str, Mapping[str, int]]
    count: int = 8
    wrong: list[str] = field(default_factory=list)
    fetched: int = 0
    vanished: int = 0
    generations: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=_Reader(self).read, daemon=True) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def until(self, generation: int) -> None:
        """Return when somebody has read that generation."""
        deadline = time.monotonic() + 60
        while generation not in self.generations and not self.wrong:
            assert time.monotonic() < deadline, f"nobody has seen generation {generation}"
            time.sleep(0.01)

    def until_fetched(self, count: int) -> None:
        """Return when so many files have been read."""
        deadline = time.monotonic() + 60
        while self.fetched < count and not self.wrong:
            assert time.monotonic() < deadline, f"only {self.fetched} files were read"
            time.sleep(0.01)

    def complain(self, what: str) -> None:
        """Note what a reader must never see."""
        with self._lock:
            self.wrong.append(what)

    @property
    def resting(self) -> bool:
        """Tell whether it is over."""
        return self._stop.wait(_REST_S)


class _Reader:
    """One reader, with what it has seen so far."""

    def __init__(self, readers: Readers) -> None:
        self._all = readers
        self._generation = 0
        self._seen: dict[str, int] = {}

    def read(self) -> None:
        try:
            while not self._all.resting:
                self._round()
        except Exception as err:  # noqa: BLE001 - it would be lost in its thread
            self._all.complain(f"{type(err).__name__}: {err}")

    def _round(self) -> None:
        manifest = self._manifest()
        for key, entry in manifest["files"].items():
            body = self._get(key)
            if body is None:
                self._missing(key, manifest["generation"])
                continue
            named, age = self._age(key, entry["sha256"]), self._age(key, hashlib.sha256(body).hexdigest())
            if age < max(named, self._seen.get(key, 0)):
                self._all.complain(f"{key}: state {age} after a manifest with {named} and a read of {self._seen}")
            self._seen[key] = max(age, self._seen.get(key, 0))
            self._all.fetched += 1
            if self._all.resting:
                return

    def _manifest(self) -> Any:
        body = self._get(MANIFEST)
        if body is None:
            self._all.complain("there was no manifest")
            return {"generation": 0, "files": {}}
        manifest = json.loads(body)
        if manifest["generation"] < self._generation:
            self._all.complain(f"generation {manifest['generation']} after {self._generation}")
        self._generation = max(self._generation, manifest["generation"])
        self._all.generations.add(self._generation)
        return manifest

    def _missing(self, key: str, generation: int) -> None:
        """Complain unless a newer manifest tells that the file is gone. No name is ever used again."""
        now = self._manifest()
        if key in now["files"]:
            self._all.complain(f"{key}: missing, though manifests {generation} and {now['generation']} name it")
        self._all.vanished += 1

    def _age(self, key: str, sha256: str) -> int:
        age = self._all.ages.get(key, {}).get(sha256)
        if age is None:
            self._all.complain(f"{key}: {sha256} is nothing that any run has proved")
            return 1 << 30
        return age

    def _get(self, key: str) -> bytes | None:
        """Return a body whose length is as promised; None for 404."""
        url = urlsplit(self._all.url)
        for _ in range(5):
            connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
            with suppress(ConnectionResetError, http.client.RemoteDisconnected):  # a full backlog is no wrong answer
                connection.request("GET", f"{url.path}/{quote(key)}")
                answer = connection.getresponse()
                body = answer.read()  # raises IncompleteRead when it is cut
                connection.close()
                if answer.status == 404:
                    return None
                if answer.status != 200 or answer.getheader("Content-Length") != str(len(body)):
                    self._all.complain(f"{key}: {answer.status} with {len(body)} bytes")
                return body
            connection.close()
        raise ConnectionError(f"{key}: hung up five times")
