"""Decide what a rollback has taken back, and when that is over.

The source still has what was rolled back, and the next run would publish it again. So the manifest lists by key which
bytes were taken back; limits hold exactly these until somebody approves them. As soon as anything else is published
under the key, by whatever run, the source has moved on and the list goes. Further rollbacks only add to it. A file that
a rollback has brought back was, so to speak, taken back as `ABSENT`: then it is its deletion that is held.
"""

from collections.abc import Collection, Mapping

from hubdata.model.manifest import ABSENT, Entry, Manifest

MOST = 16
"""States that are listed for one key: more rollbacks in a row, with nothing published between, nobody makes."""


def withdrawn_after(
    newest: Manifest, entries: Mapping[str, Entry], removed: Collection[str], taken_back: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return by key what is withdrawn once `entries` are published upon `newest`, and `removed` keys are not any more.

    The keys `taken_back` are those that a rollback changes. Lists are of SHA-256 (hex) and ABSENT, the latest last.
    """
    lists = dict(newest.withdrawn)
    states = {**{key: entry.sha256 for key, entry in entries.items()}, **dict.fromkeys(removed, ABSENT)}
    for key, now in states.items():
        before = newest.files.get(key)
        was = ABSENT if before is None else before.sha256
        if was == now:
            continue
        known = lists.pop(key, ())
        if key in taken_back:
            states_left = [state for state in known if state not in (was, now)]
            lists[key] = (*states_left, was)[-MOST:]
    return lists


def is_withdrawn(manifest: Manifest, key: str, state: str) -> bool:
    """Tell whether a rollback has taken these bytes (a SHA-256, or ABSENT) under this key back."""
    return state in manifest.withdrawn.get(key, ())
