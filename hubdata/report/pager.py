"""Who draws the published status page: imported by every run, so what draws is imported by the runs that do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubdata.publishing.paging import Told


class StatusPager:
    """Implements `hubdata.publishing.paging.Pager`."""

    def warm(self) -> None:
        """Import what draws."""
        import hubdata.report.page.published  # noqa: F401

    def drawn(self, told: "Told") -> Mapping[str, bytes]:
        """Return the bodies of the page, `status.json` and the memory, by key."""
        from hubdata.report.page.published import drawn

        return drawn(told)

    def drew(self, key: str, body: bytes) -> bool:
        """Tell whether `body`, which lies at `key`, was drawn by hubdata."""
        from hubdata.report.page.published import drew

        return drew(key, body)
