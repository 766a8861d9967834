"""What both protocols share: a release, and what this vendor's statuses and odd answers mean."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hubdata.errors import SourceError
from hubdata.model.snapshot import Provenance
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import Response
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.tar_member import Extracted

PORTAL_ADVICE = "a captive portal or a proxy may be answering in the service's place"


@dataclass(frozen=True, slots=True)
class Release:
    """What the service says is current: `date` is `YYYY-MM-DD`, `digest` lower-case hex.

    `digest_name` is the field of the provenance that holds it: `md5` of the bare `.mmdb`, or `archive_sha256`.
    """

    edition: str
    date: str
    digest: str
    digest_name: str = "md5"

    def is_that_of(self, source: Provenance) -> bool:
        """Tell whether a published file with this provenance is this release."""
        return source.get(self.digest_name) == self.digest

    def provenance(self, url: str, md5: str) -> Provenance:
        """Return where a file comes from that is this release and has this MD5."""
        own = {"type": "maxmind", "url": url, "edition": self.edition, "date": self.date, "md5": md5}
        return {**own, self.digest_name: self.digest}


class Service(Protocol):
    """One way to ask MaxMind; each method makes one request, redirects aside. Both raise SourceError."""

    def release(self, edition: str, deadline: Deadline) -> Release:
        """Return what is current; costs no download."""
        ...

    def download(self, release: Release, path: Path, deadline: Deadline) -> tuple[Release, Extracted]:
        """Write a release's database to `path`; costs a download.

        Return which release it is (a newer one where the protocol cannot pin it), its size and digests.
        """
        ...


_FINAL = frozenset((400, 401, 403, 404))
_STORE_ADVICE = (
    "this host keeps the files that the service sends clients to, and did not take its link: the next run asks for"
    " another; if it lasts, look for a proxy between, then tell the vendor"
)


def explained(err: RequestFailed, edition: str, origin: str, service: str) -> RequestFailed:
    """Return `err` with the advice that its status has at this vendor; `origin` is where the credentials came from.

    What another host than the `service` says is said of the link that the service gave, not of account or edition.
    """
    if err.status in _FINAL and not str(err).startswith(service):
        return RequestFailed(str(err), advice=_STORE_ADVICE)
    advice = {
        400: f"check the edition's name; {edition} is not one the service knows",
        401: f"check the account id and license key (from {origin}), and that the key has not been revoked",
        403: f"the account has no right to {edition}: accept the licence or subscribe at the vendor's site",
        404: f"the service has no such database: check the edition's name, {edition}, and `url`",
        429: "too many requests or downloads today: wait for the next run; do not restart in a loop",
    }.get(err.status or 0, err.advice)
    return RequestFailed(
        str(err), advice=advice, retryable=err.retryable, status=err.status, retry_after=err.retry_after
    )


def refuse_page(response: Response) -> None:
    """Raise SourceError when a page came in an archive's place."""
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in ("text/html", "application/xhtml+xml"):
        raise SourceError(f"{response.url}: expected an archive, found an HTML page", advice=PORTAL_ADVICE)


def in_its_place(body: bytes) -> str:
    """Return a word for what came where something else was expected."""
    return "an HTML page" if body.lstrip()[:1] == b"<" else "something else"
