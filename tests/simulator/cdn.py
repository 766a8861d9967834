"""A CDN in memory: idempotent by reference, as CloudFront is, and obstinate when told to be."""

from datetime import timedelta

from hubdata.errors import CdnError
from hubdata.model.receipt import Invalidation
from tests.simulator.wire import Call, Wire


class MemoryCdn:
    """Implements `hubdata.ports.Cdn`; `accepted` holds each invalidation by reference, in order of arrival."""

    def __init__(self, wire: Wire, name: str = "edge", *, silent: bool = False) -> None:
        self.accepted: dict[str, Invalidation] = {}
        self.refusing = False
        self.finishes = True
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
        """Return at once if this CDN finishes at all."""
        if not self.finishes:
            raise CdnError(f"{self._name}: {invalidation.id} is not finished after {timeout}")
