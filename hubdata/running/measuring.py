"""Measure what a changed GeoIP database would move: read the published one, once a run, and compare.

The published bytes are needed only where a job limits how far countries may move, or where a person will look at the
plan. They come from the keepsakes beside the spool, else from the target. A target that cannot give them, or published
bytes that cannot be compared, are no reason to hold a release that is proven and whose canaries answer: that is said,
as a warning, and the release goes out. A new database that nothing can be compared with is another matter: no vendor
makes one, and it would get past the limit by being so.
"""

import hashlib
import mmap
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from hubdata.errors import HubdataError
from hubdata.model.inventory import Held
from hubdata.model.snapshot import Artifact
from hubdata.ports import Body, Target

if TYPE_CHECKING:
    from hubdata.model.geo import Measured
    from hubdata.model.meaning import Difference
    from hubdata.transfer.keepsakes import Keepsakes

KIND = "mmdb"

MAX_BYTES = 512 << 20
"""As large as the kind `mmdb` lets a database be."""


class Measurer:
    """Compares databases with what is published of them; the same two only once, for however many targets."""

    def __init__(self, keepsakes: "Keepsakes | None" = None) -> None:
        """Keep published bytes in `keepsakes`; without them, read them from the target every time."""
        self._keepsakes = keepsakes
        self._known: dict[tuple[str, str], Measured] = {}
        self._lock = Lock()

    def measure(self, target: Target, held: Held, artifact: Artifact) -> "Measured":
        """Return how `artifact` differs from what `target` holds under its key. Raises nothing."""
        pair = (held.sha256 or f"{target.name} {held.stored.etag}", artifact.sha256)
        with self._lock:  # one at a time: each takes a few hundred megabytes
            if pair not in self._known:
                self._known[pair] = self._measured(target, held, artifact)
            return self._known[pair]

    def moved(
        self, target: Target, keys: Iterable[str], artifacts: Mapping[str, Artifact], held: Mapping[str, Held]
    ) -> "Mapping[str, Measured]":
        """Return by key how databases differ from what is published; of `keys` those that have two sides."""
        found: dict[str, Measured] = {}
        for key in keys:
            artifact, there = artifacts.get(key), held.get(key)
            if artifact is None or there is None or artifact.kind != KIND or there.sha256 == artifact.sha256:
                continue
            found[key] = self.measure(target, there, artifact)
        return found

    def told(
        self, target: Target, keys: Iterable[str], artifacts: Mapping[str, Artifact], held: Mapping[str, Held]
    ) -> "Mapping[str, Difference]":
        """Return the same as a plan tells it to a person; what cannot be told is left out."""
        from hubdata.model.geo import GeoDifference
        from hubdata.model.meaning import Difference

        return {
            key: Difference(False, held[key].stored.size, artifacts[key].size, geo=moved)
            for key, moved in self.moved(target, keys, artifacts, held).items()
            if isinstance(moved, GeoDifference)
        }

    def published(self, artifact: Artifact) -> None:
        """Take note that `artifact` is public now: the next run need not download it, nor will it want the old one."""
        if self._keepsakes is None or artifact.kind != KIND:
            return
        self._keepsakes.keep_file(artifact.path, artifact.sha256)
        for old, new in tuple(self._known):
            if new == artifact.sha256:
                self._keepsakes.forget(old)

    def _measured(self, target: Target, held: Held, artifact: Artifact) -> "Measured":
        from hubdata.mmdb.difference import cores, difference
        from hubdata.mmdb.layout import read_layout
        from hubdata.mmdb.malformed import Malformed
        from hubdata.model.geo import Incomparable

        try:
            old = read_layout(self._published_body(target, held, artifact.key))
            new = read_layout(_mapped(artifact.path))
            try:
                return difference(old, new, threads=cores())
            except Malformed as err:
                difference(old, old, threads=cores())  # raises too, if it is the published one
                return Incomparable(str(err))
        except Malformed as err:
            return f"one of the two cannot be compared: {err}"
        except HubdataError as err:
            return f"the published one cannot be read: {err}"
        except (OSError, ValueError) as err:
            return f"the new one cannot be read any more: {err}"

    def _published_body(self, target: Target, held: Held, key: str) -> Body:
        kept = self._keepsakes.find(held.sha256) if self._keepsakes and held.sha256 else None
        if kept is not None:
            return kept
        blob = target.read(key, max_bytes=MAX_BYTES)
        if blob is None or blob.stored.etag != held.stored.etag:
            raise HubdataError("somebody else changed it meanwhile")
        if self._keepsakes is not None and held.sha256 == hashlib.sha256(blob.body).hexdigest():
            self._keepsakes.keep(blob.body, held.sha256)
        return blob.body


def _mapped(path: Path) -> Body:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
