"""No CDN: readers reach the store itself, so there is nothing to forget and nothing to wait for."""

from datetime import timedelta

from hubdata.model.receipt import Invalidation
from hubdata.ports import Reporter
from hubdata.tables import BaseModel, ConfigDict


class NoCdn:
    """Accepts every request and does nothing. Its paths are none, so that no report claims an invalidation."""

    class Options(BaseModel):
        """What `[cdns.NAME]` may hold for `type = "none"`: nothing."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(
        self,
        name: str = "none",
        options: Options | None = None,  # noqa: ARG002 - built as every CDN is
        key_prefix: str = "",  # noqa: ARG002
        *,
        reporter: Reporter | None = None,  # noqa: ARG002
        patience: timedelta | None = None,  # noqa: ARG002
    ) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """Return the name the settings give this CDN."""
        return self._name

    def warm(self) -> None:
        """Do nothing."""

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Return no path, whatever the keys."""
        return ()

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:  # noqa: ARG002
        """Return a finished invalidation that no CDN knows."""
        return Invalidation(paths=(), reference=reference)

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return at once."""
