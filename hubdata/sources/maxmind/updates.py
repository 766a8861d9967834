"""MaxMind's update service: free metadata with date and MD5, then a download by that date.

The date pins the bytes to the metadata, and the MD5 is of the bare database. Protocol: facts on MaxMind's updater.
"""

import json
import re
from datetime import date
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.sources.maxmind.access import Access
from hubdata.sources.maxmind.release import PORTAL_ADVICE, Release, explained, in_its_place, refuse_page
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Response
from hubdata.transfer.http_date import http_moment
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.tar_member import Extracted, extract_member

_MAX_METADATA_BYTES = 64 * 1024
_MD5 = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Updates:
    """The requests of the protocol, each made once."""

    def __init__(self, client: HttpClient, access: Access, max_bytes: int) -> None:
        self._client = client
        self._url = access.url
        self._origin = access.origin
        self._auth = BasicAuth(access.account_id, access.license_key)
        self._max_bytes = max_bytes

    def release(self, edition: str, deadline: Deadline) -> Release:
        """Return what is current."""
        try:
            with self._client.get(
                f"{self._url}/geoip/updates/metadata",
                params={"edition_id": edition},
                deadline=deadline,
                max_bytes=_MAX_METADATA_BYTES,
                auth=self._auth,
            ) as response:
                return parse_metadata(response.read(), edition)
        except RequestFailed as err:
            raise explained(err, edition, self._origin, self._url) from None

    def download(self, release: Release, path: Path, deadline: Deadline) -> tuple[Release, Extracted]:
        """Return the release, the size and digests of its database, written to `path`."""
        limit = self._max_bytes
        try:
            with self._client.get(
                f"{self._url}/geoip/databases/{release.edition}/download",
                params={"date": release.date.replace("-", ""), "suffix": "tar.gz"},
                deadline=deadline,
                max_bytes=limit,
                auth=self._auth,
            ) as response:
                _check_headers(response)
                found = extract_member(response.pieces(), ".mmdb", path, max_packed_bytes=limit, max_bytes=limit)
        except RequestFailed as err:
            raise explained(err, release.edition, self._origin, self._url) from None
        if found.md5 != release.digest:
            path.unlink(missing_ok=True)
            raise SourceError(
                f"expected a database with MD5 {release.digest}, as announced for {release.date}, found {found.md5}",
                advice="the published copy stays; the next run asks anew. If it lasts, tell the vendor",
            )
        return release, found


def parse_metadata(body: bytes, edition: str) -> Release:
    """Return the release that a metadata response names. Raises SourceError when it is anything else."""
    try:
        data = json.loads(body)
        entries = data["databases"]
        (entry,) = entries
        found, day, md5 = entry["edition_id"], entry["date"], entry["md5"].lower()
        if found == edition and _DATE.fullmatch(day) and date.fromisoformat(day) and _MD5.fullmatch(md5):
            return Release(edition, day, md5)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise SourceError(
        f"expected metadata with exactly one entry for {edition}, its date and MD5, found {in_its_place(body)}",
        advice=f"check `url`; {PORTAL_ADVICE}",
    )


def _check_headers(response: Response) -> None:
    refuse_page(response)
    if http_moment(response.headers.get("Last-Modified", "")) is None:
        raise SourceError(
            f"{response.url}: expected a Last-Modified header, which the protocol demands, found none that is a date",
            advice="check `url`: this is not the update service, or something between rewrites responses",
        )
