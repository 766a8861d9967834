"""Divide judging among processes: who goes which way, what is said between them, and where it pays. Pure.

The run goes through its files from the front, as ever. Helpers go from the back, each taking every so-many-th file,
and tell each verdict as they have it. Nobody gives out work, nobody waits for anybody: where they meet, all is judged.
A helper that dies, hangs or is slow is thereby a helper that has helped less.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from hubdata.model.job import Canary, FileRule, Job, Limits, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import Claim
from hubdata.values import frozen

MOST = 4
"""Processes that a run judges with, itself among them, where nobody says how many."""

PAYS_FROM_BYTES = 2 << 20
"""Less is judged in about the time that a helper takes to begin, and twice as much is worth two helpers."""

FILE_BYTES = 2 << 10
"""What a file counts besides its size: as many bytes are judged while it is opened, digested and named."""

LARGEST_BYTES = 8 << 20
"""A larger file is judged by the run alone: helpers are not to need as much memory once more, each."""

Work = Sequence[tuple[Job, tuple[Claim, ...]]]
"""Jobs and what they claim, in the order in which the run judges."""

_NAME = 44
"""Characters of a verdict's name: 32 bytes in base64."""


@frozen
class Post:
    """What files of one rule are judged by: all that a verdict depends on besides the file."""

    rule: FileRule
    canaries: tuple[Canary, ...] = ()

    @property
    def job(self) -> Job:
        """Return a job that asks of its files what this one does."""
        return Job("", SourceSpec("", {}), (self.rule,), canaries=self.canaries)


def helpers(wanted: int | None, cores: int) -> int:
    """Return how many helpers a run may have: processes that are `wanted`, or one for each core, but for the run's."""
    return (min(cores, MOST) if wanted is None else wanted) - 1


def useful(work: Work) -> int:
    """Return how many helpers would each have more to judge than they take to begin."""
    sizes = (claim.file.size for _, claims in work for claim in claims)
    return sum(size + FILE_BYTES for size in sizes if size < LARGEST_BYTES) // PAYS_FROM_BYTES


def posts_line(posts: Iterable[Post]) -> bytes | None:
    """Return what a helper is told first, a line; None where an option is nothing that JSON has."""
    rows = ((p.rule.kind, p.rule.options, asdict(p.rule.limits), [asdict(c) for c in p.canaries]) for p in posts)
    try:
        return _line(list(rows))
    except (TypeError, ValueError):
        return None


def posts_in(line: bytes) -> tuple[Post, ...]:
    """Return what `posts_line` tells of."""
    return tuple(
        Post(FileRule("**", kind, options, _limits(limits)), tuple(Canary(**canary) for canary in canaries))
        for kind, options, limits, canaries in json.loads(line)
    )


def _limits(told: Mapping[str, Any]) -> Limits:
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Limits(**plain)


def file_lines(work: Work, posts: Mapping[int, int], helper: int, of: int) -> Iterator[bytes]:
    """Yield a line for each file that one `helper` of so many judges, from the back.

    `posts` tells by a rule's id which of the posts judges its files; those of other rules are the run's alone.
    """
    from_the_back = (claim for _, claims in reversed(work) for claim in reversed(claims))
    fit = (claim for claim in from_the_back if id(claim.rule) in posts and claim.file.size < LARGEST_BYTES)
    for claim in islice(fit, helper, None, of):
        yield _line([posts[id(claim.rule)], claim.file.key, str(claim.file.path), claim.file.size])


def file_in(line: bytes) -> tuple[int, SourceFile]:
    """Return the number of a post, and the file that `file_lines` tells of."""
    post, key, path, size = json.loads(line)
    return post, SourceFile(key, Path(path), size, {})


def verdict_line(name: str, text: Any) -> bytes:
    """Return a line that tells the verdict called `name`."""
    return name.encode() + _line(text)


def verdict_in(line: bytes) -> tuple[str, bytes] | None:
    """Return a verdict's name and the JSON text of it, not yet understood; None for a line that is none."""
    name, text = line[:_NAME], line[_NAME:]
    return (name.decode(), text) if len(name) == _NAME and name.isascii() and text[:1] == b"[" else None


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
