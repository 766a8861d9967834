"""A CDN in memory: idempotent by reference, as CloudFront is, and obstinate when told to be."""

from collections.abc import Callable
from datetime import timedelta

from hubdata.errors import CdnError
from hubdata.model.receipt import Invalidation
from hubdata.model.tariff import Tariff
from tests.simulator.wire import Call, Wire

TARIFF = Tariff(free_paths=4, usd_per_path=0.005, usd_per_evicted_gb=1.2, max_plain=3_000, max_wildcards=15)


class MemoryCdn:
    """Implements `hubdata.ports.Cdn`; `accepted` holds each invalidation by reference, in order of arrival."""

    def __init__(self, wire: Wire, name: str = "edge", *, silent: bool = False) -> None:
        self.accepted: dict[str, Invalidation] = {}
        self.refusing = False
        self.finishes = True
        self.takes: Callable[[], None] = lambda: None
        self._wire = wire
        self._name = name
        self._silent = silent

    def warm(self) -> None:
        """Do nothing: memory is always ready."""

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return a path for each key; none at all from a silent CDN, which is how `none` answers."""
        return () if self._silent else tuple(f"/{key}" for key in keys)

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:
        """Forget `paths`. The same reference is the same request; with other paths it is an error."""
        call = Call(self._name, "INVALIDATE", reference)
        with self._wire.crossing(call):
            if self.refusing:
                raise CdnError(f"{self._name}: too many invalidations in progress", retryable=True)
            known = self.accepted.get(reference)
            if known is None:
                known = Invalidation(paths, reference, f"I{len(self.accepted) + 1}")
                self.accepted[reference] = known
                self._wire.record(call, paths)
            elif known.paths != paths:
                raise CdnError(f"{self._name}: reference {reference} was used for other paths")
            return known

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return if this CDN finishes at all, after what it `takes`."""
        self.takes()
        if not self.finishes:
            raise CdnError(f"{self._name}: {invalidation.id} is not finished after {timeout}")


class PricedCdn(MemoryCdn):
    """Implements `hubdata.ports.Priced` besides: it charges by the path and, if told so, reads tags."""

    def __init__(self, wire: Wire, tariff: Tariff = TARIFF, *, name: str = "edge", reads_tags: bool = False) -> None:
        super().__init__(wire, name)
        self.tariff = tariff
        self.reads_tags = reads_tags
        self.asked = 0

    def wildcards(self, directories: tuple[str, ...]) -> tuple[str, ...]:
        """Return `/directory/*`."""
        return tuple(f"/{directory}*" for directory in directories)

    def tag(self, job: str) -> str:
        """Return `tag-job`, and count that somebody asked."""
        self.asked += 1
        return f"tag-{job}" if self.reads_tags else ""

    def tagged(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return `#tag`."""
        return tuple(f"#{tag}" for tag in tags)
