"""MaxMind's permalinks, for setups and mirrors that know nothing newer: an archive, and its SHA-256 beside it.

`.../geoip/databases/EDITION/download?suffix=tar.gz.sha256` is one line: the digest of the archive and its name, which
holds the release's date. That small request tells whether anything changed, and the archive must have that digest. No
date pins the two requests together: when a release comes out in between, the digests differ, and the digest is asked
for again, not the archive. Protocol: facts on MaxMind's permalinks.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.sources.maxmind.access import Access
from hubdata.sources.maxmind.release import PORTAL_ADVICE, Release, explained, in_its_place, refuse_page
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Response
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.tar_member import Extracted, extract_member

_MAX_DIGEST_BYTES = 4096
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?([A-Za-z0-9._-]+)_(\d{4})(\d{2})(\d{2})\.tar\.gz\s*")


class Permalinks:
    """The requests of the protocol, each made once."""

    def __init__(self, client: HttpClient, access: Access, max_bytes: int) -> None:
        self._client = client
        self._url = access.url
        self._origin = access.origin
        self._auth = BasicAuth(access.account_id, access.license_key)
        self._max_bytes = max_bytes

    def release(self, edition: str, deadline: Deadline) -> Release:
        """Return what is current, by the archive's SHA-256."""
        try:
            with self._client.get(
                self._link(edition),
                params={"suffix": "tar.gz.sha256"},
                deadline=deadline,
                max_bytes=_MAX_DIGEST_BYTES,
                auth=self._auth,
            ) as response:
                return parse_digest_line(response.read(), edition)
        except RequestFailed as err:
            raise explained(err, edition, self._origin, self._url) from None

    def download(self, release: Release, path: Path, deadline: Deadline) -> tuple[Release, Extracted]:
        """Return the release that came, the size and digests of its database, written to `path`."""
        limit, archive = self._max_bytes, hashlib.sha256()

        def pieces(response: Response) -> Iterator[bytes]:
            for piece in response.pieces():
                archive.update(piece)
                yield piece

        try:
            with self._client.get(
                self._link(release.edition),
                params={"suffix": "tar.gz"},
                deadline=deadline,
                max_bytes=limit,
                auth=self._auth,
            ) as response:
                refuse_page(response)
                found = extract_member(pieces(response), ".mmdb", path, max_packed_bytes=limit, max_bytes=limit)
        except RequestFailed as err:
            raise explained(err, release.edition, self._origin, self._url) from None
        if archive.hexdigest() != release.digest:
            try:
                release = self._renewed(release, archive.hexdigest(), deadline)
            except SourceError:
                path.unlink(missing_ok=True)
                raise
        return release, found

    def _renewed(self, before: Release, sha256: str, deadline: Deadline) -> Release:
        """Return the release that came out since `before`, if an archive with this SHA-256 is that one."""
        now = self.release(before.edition, deadline)
        if now.digest == sha256 and now.date >= before.date:
            return now
        raise SourceError(
            f"expected an archive with SHA-256 {before.digest}, as announced for {before.date}, found {sha256}",
            advice="the published copy stays; the next run asks anew. If it lasts, tell the vendor",
        )

    def _link(self, edition: str) -> str:
        return f"{self._url}/geoip/databases/{edition}/download"


def parse_digest_line(body: bytes, edition: str) -> Release:
    """Return the release that a `.sha256` names. Raises SourceError when it is anything else."""
    try:
        match = _LINE.fullmatch(body.decode("ascii"))
        if match is not None and match[2] == edition:
            day = date(int(match[3]), int(match[4]), int(match[5]))
            return Release(edition, day.isoformat(), match[1].lower(), "archive_sha256")
    except ValueError:
        pass
    raise SourceError(
        f"expected the SHA-256 of {edition}'s archive and the archive's name with a date, found {in_its_place(body)}",
        advice=f"check `url`; {PORTAL_ADVICE}",
    )
