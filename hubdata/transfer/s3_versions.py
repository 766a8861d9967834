"""Read the pages in which S3 lists the past of a bucket.

botocore tells versions and delete markers apart and so loses their order; it is put together again here, as far as
times in seconds allow: a marker and a version of the same second may stand either way, but what is current is first.
Format: Amazon S3 API reference, ListObjectVersions.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hubdata.errors import TargetError
from hubdata.model.inventory import Past

MOST = 100_000
"""States that are looked at: a hundred pages. A bucket with more needs a rule of its own, not a program."""


def gathered(pages: Iterable[Mapping[str, Any]], prefix: str, place: str) -> tuple[Past, ...]:
    """Return every state in `pages`, by key without `prefix`, the newest first.

    Raises TargetError when there are more than `MOST`.
    """
    found: list[Past] = []
    for page in pages:
        found += _states(page, prefix)
        if len(found) > MOST:
            raise TargetError(
                f"{place}: it keeps more than {MOST:,} versions",
                advice="let a lifecycle rule of the bucket remove noncurrent versions, and take [retention] out",
            )
    # What is current comes first, then by time; sorting keeps the store's order where times are equal.
    found.sort(key=lambda state: (state.key, not state.current, -state.written_at.timestamp()))
    return tuple(found)


def _states(page: Mapping[str, Any], prefix: str) -> Iterator[Past]:
    for name, deleted in (("Versions", False), ("DeleteMarkers", True)):
        for item in page.get(name, ()):
            written_at: datetime = item["LastModified"]
            yield Past(
                key=str(item["Key"]).removeprefix(prefix),
                version_id=str(item["VersionId"]),
                written_at=written_at.astimezone(UTC),
                current=bool(item["IsLatest"]),
                size=int(item.get("Size", 0)),
                deleted=deleted,
            )
