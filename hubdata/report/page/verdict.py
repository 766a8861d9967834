"""The first sentences of a status page: what matters most, in words, before any table."""

from collections.abc import Iterator

from hubdata.report import wording
from hubdata.report.page.records import Sort
from hubdata.report.page.status import Freshness, Status

GOOD, DOUBTFUL, BAD = "good", "doubtful", "bad"

MOST_NAMED = 5


def verdict(status: Status) -> tuple[tuple[str, str], ...]:
    """Return what matters most, the worst first: each sentence with its tone, GOOD, DOUBTFUL or BAD. Never empty."""
    if not status.manifest.generation:
        return (*_worries(status), (DOUBTFUL, "Nothing has been published yet"))
    said = (*_worries(status), *_comforts(status))
    return said or ((DOUBTFUL, "No job is known"),)


def tone(status: Status) -> str:
    """Return the worst tone of the verdict."""
    return min((each for each, _ in verdict(status)), key=(BAD, DOUBTFUL, GOOD).index)


def _worries(status: Status) -> Iterator[tuple[str, str]]:
    if stale := status.of(Freshness.STALE):
        yield BAD, f"{_jobs(stale)} stale"
    if failed := tuple(dict.fromkeys(each.job for each in status.sorted_out(Sort.FAILED))):
        yield BAD, f"{_jobs(failed, 'has', 'have')} failed"
    if refused := {each.key for each in status.sorted_out(Sort.REFUSED)}:
        stay = "its last good version stays" if len(refused) == 1 else "their last good versions stay"
        yield BAD, f"{wording.counted(len(refused), 'file')} refused: {stay} public"
    if held := {each.key for each in status.sorted_out(Sort.HELD)}:
        yield DOUBTFUL, f"{wording.counted(len(held), 'file')} held until somebody approves the change"
    if never := status.of(Freshness.NEVER):
        yield DOUBTFUL, f"No success is known of {_named(never)}"
    if unlimited := status.of(Freshness.UNLIMITED):
        yield DOUBTFUL, f"Nobody has said how old {_named(unlimited)} may be"


def _comforts(status: Status) -> Iterator[tuple[str, str]]:
    fresh = status.of(Freshness.FRESH)
    if fresh and len(fresh) == len(status.jobs) > 1:
        yield GOOD, f"All {len(fresh):,} jobs are fresh"
    elif fresh:
        yield GOOD, f"{_jobs(fresh)} fresh"


def _jobs(names: tuple[str, ...], one: str = "is", many: str = "are") -> str:
    return f"{'Job' if len(names) == 1 else 'Jobs'} {_named(names)} {one if len(names) == 1 else many}"


def _named(names: tuple[str, ...]) -> str:
    if len(names) > MOST_NAMED:
        return f"{', '.join(map(clipped, names[:MOST_NAMED]))} and {len(names) - MOST_NAMED:,} more"
    *first, last = map(clipped, names)
    return f"{', '.join(first)} and {last}" if first else last


def clipped(text: str, most: int = 60) -> str:
    """Return `text`, or both its ends where it is longer than `most` characters."""
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"
