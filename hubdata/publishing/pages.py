"""What a survey shows of the status page: whether it is whole, and where readers find it. Asks nothing."""

from hubdata.model.key import PAGE, STATUS
from hubdata.publishing.survey import Survey

KEYS = (PAGE, STATUS)

ROOT = ""
"""The key of what a reader gets who names none."""


def is_whole(found: Survey) -> bool:
    """Tell whether what `found` holds has its page, as the ledger remembers it, or cannot have one. Asks nothing."""
    manifest, page = found.inventory.manifest_etag, found.ledger.page
    if manifest is None:
        return True
    if page is None or any(found.own.get(key) != etag for key, etag in page.foreign.items()):
        return False
    mine = [key for key in KEYS if key not in page.foreign]
    as_left = all(key in page.files and found.own.get(key) == page.files[key] for key in mine)
    return as_left and (page.manifest == manifest or not mine)


def seen_at(found: Survey) -> tuple[str, ...]:
    """Return the keys at which readers find the page that a run is about to write; none where another's page stands."""
    page = found.ledger.page
    theirs = page is not None and PAGE in page.foreign and page.foreign[PAGE] == found.own.get(PAGE)
    return () if theirs else (PAGE, ROOT)
