"""What is known of a target's past: its generations, each against the one before, and the runs that wrote there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hubdata.model.manifest import Manifest
from hubdata.model.run import Problem


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation and what it changed, by key. `known` is False where the one before is not kept any more.

    `published_at` is UTC, `YYYY-MM-DDTHH:MM:SSZ`; `files` is how many it holds, `withdrawn` of how many a rollback had
    taken something back. `jobs` are those of which something changed.
    """

    number: int
    published_at: str
    run_id: str
    files: int
    known: bool = True
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One run that wrote to the target: its record as it was kept, decoded. Empty when it cannot be read."""

    run_id: str
    record: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetHistory:
    """The past of one target, the newest first. `archived` tells whether its store can keep older generations at all.

    With a `problem` nothing of it is known.
    """

    target: str
    generations: tuple[Generation, ...] = ()
    runs: tuple[Run, ...] = ()
    archived: bool = True
    problem: Problem | None = None


def chronicle(manifests: tuple[Manifest, ...], most: int) -> tuple[Generation, ...]:
    """Return what each of the newest `most` of `manifests`, the newest first, changed against the one before it."""
    befores = (*manifests[1:], Manifest() if manifests and manifests[-1].generation == 1 else None)
    return tuple(_against(before, manifest) for manifest, before in zip(manifests, befores, strict=False))[:most]


def _against(before: Manifest | None, now: Manifest) -> Generation:
    row = (now.generation, now.published_at, now.run_id, len(now.files))
    if before is None:
        return Generation(*row, known=False, withdrawn=len(now.withdrawn))
    old, new = before.files, now.files
    added = tuple(sorted(new.keys() - old.keys()))
    removed = tuple(sorted(old.keys() - new.keys()))
    changed = tuple(sorted(key for key in new.keys() & old.keys() if new[key].sha256 != old[key].sha256))
    jobs = {new[key].job for key in (*added, *changed)} | {old[key].job for key in removed}
    return Generation(
        *row, added=added, changed=changed, removed=removed, jobs=tuple(sorted(jobs)), withdrawn=len(now.withdrawn)
    )
