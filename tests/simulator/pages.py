"""Status pages in the simulator: as short as may be, and what must be so of them."""

import json
from collections.abc import Mapping

from hubdata.model.manifest import Manifest
from hubdata.publishing.pages import KEYS
from hubdata.publishing.paging import MEMORY, Told
from tests.simulator.store import MemoryTarget, Version

THEIRS = b"<h1>Ours, not hubdata's</h1>\n"


class LinePager:
    """Implements `hubdata.publishing.paging.Pager`: both files name generation and run, and count the pages."""

    def warm(self) -> None:
        """Do nothing."""

    def drawn(self, told: Told) -> Mapping[str, bytes]:
        """Return both files, alike, and the memory."""
        count = int(told.memory or b"0") + 1
        line = {"hubdata": count, "generation": told.manifest.generation, "run": told.run.run_id}
        return {**dict.fromkeys(KEYS, json.dumps(line).encode()), MEMORY: b"%d" % count}

    def drew(self, key: str, body: bytes) -> bool:
        """Tell whether this is a page of ours."""
        return body.startswith(b'{"hubdata": ')


def generation_of(body: bytes | None) -> int | None:
    """Return the generation that a page names, None where it is none of ours."""
    return int(json.loads(body)["generation"]) if body is not None and LinePager().drew("", body) else None


def wrong_with(versions: list[Version], manifest: Manifest) -> str:
    """Return what is wrong with the newest of the `versions` of a page, written while `manifest` is in force."""
    new, old = versions[-1], versions[-2] if len(versions) > 1 else Version(None)
    if generation_of(new.body) != manifest.generation:
        return f"a page of generation {generation_of(new.body)} while {manifest.generation} is in force"
    ever_ours = any(generation_of(version.body) is not None for version in versions[:-1])
    if old.body is not None and generation_of(old.body) is None and not ever_ours:
        return "a page of somebody else was written over"
    return ""


def unpaged(store: MemoryTarget, manifest: Manifest) -> str:
    """Return which file at rest is no page of the manifest in force, nor somebody else's; nothing where all is well."""
    for key in KEYS if manifest.generation else ():
        body = store.body(key)
        if generation_of(body) != manifest.generation and (body is None or generation_of(body) is not None):
            return f"{key} is {body!r} while generation {manifest.generation} is in force"
    return ""
