"""Decide which generation of one target may go on to the next: the newest one that has soaked there.

A generation soaks while it is in force. One that another took the place of too early has never soaked, and never goes
on, whatever was wrong with it. Neither does one that its own target has gone back on since, by a rollback or because
its source did: then the newer one is waited for, rather than publish what somebody has just taken out.

The order only ever goes forwards: what is older than what went on last stays behind, and what went on whole is done.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hubdata.errors import TargetError
from hubdata.model.manifest import ABSENT, Manifest
from hubdata.model.stage import Coming, Promoted
from hubdata.planning.withdrawal import is_withdrawn

_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Standing:
    """Which generation is `due`, and which is `coming`; None where there is none such.

    `again` tells that the due one has gone on before, whole: then it is only looked at whether it is still in place.
    """

    due: Manifest | None = None
    coming: Coming | None = None
    again: bool = False


def standing(
    history: Iterable[Manifest], soak: timedelta, now: datetime, *, after: str, here: Manifest, target: str
) -> Standing:
    """Return what is due at `target`, which holds `here`, of the `history` of the target called `after`.

    `history` has the newest generation first and is read only as far as need be; `now` is that target's own time.
    Raises TargetError when it holds an older generation than it must have held: then it was set up anew.
    """
    last = here.promoted if here.promoted is not None and here.promoted.source == after else None
    newest: Manifest | None = None
    successor: Manifest | None = None
    coming: Coming | None = None
    for manifest in history:
        if newest is None:
            newest = manifest
            _not_anew(manifest, last, after, target)
        if not manifest.generation or (last is not None and manifest.generation < last.generation):
            break
        if successor is not None and successor.generation != manifest.generation + 1:
            break  # nobody knows how long it was in force
        until = now if successor is None else published_at(successor, after)
        remaining = soak - (until - published_at(manifest, after))
        if remaining <= timedelta() and not _gone_back_on(manifest, newest, here):
            done = last is not None and manifest.generation == last.generation and not last.partial
            return Standing(manifest, coming, again=done)
        if successor is None and remaining > timedelta():
            coming = Coming(manifest.generation, now + remaining, remaining)
        successor = manifest
    return Standing(None, coming)


def published_at(manifest: Manifest, target: str) -> datetime:
    """Return since when a generation of `target` is, or was, in force. Raises TargetError when it does not say."""
    try:
        return datetime.strptime(manifest.published_at, _STAMP).replace(tzinfo=UTC)
    except ValueError as err:
        raise TargetError(
            f"target {target}: generation {manifest.generation} does not say when it was published",
            advice="publish there once more: the next generation does",
        ) from err


def _not_anew(newest: Manifest, last: Promoted | None, after: str, target: str) -> None:
    if last is not None and newest.generation < last.generation:
        raise TargetError(
            f"target {target} has generation {last.generation} of {after}, which is only at generation"
            f" {newest.generation} now: it was set up anew, and nobody can tell what of it is newer",
            advice=f"give {after} another name in the settings: then {target} follows it from its first generation",
        )


def _gone_back_on(manifest: Manifest, newest: Manifest, here: Manifest) -> bool:
    """Tell whether `manifest` has anything of which `newest` is rid again.

    That is what a rollback took back; or what `newest` has as it still is `here`, so that it would only come and go.
    """
    if manifest is newest:
        return False
    keys = manifest.files.keys() | newest.files.keys() | here.files.keys()
    states = ((key, _state(manifest, key), _state(newest, key), _state(here, key)) for key in keys)
    return any(is_withdrawn(newest, key, was) or was != have == now for key, was, now, have in states)


def _state(manifest: Manifest, key: str) -> str:
    return manifest.files[key].sha256 if key in manifest.files else ABSENT
