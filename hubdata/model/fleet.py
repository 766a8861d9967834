"""What a publication costs the fleet: the engines that download what changed, and what the CDN charges for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many engines download from here, and what the CDN charges for a GB (10^9 bytes) that leaves it."""

    engines: int
    usd_per_gb: float


@dataclass(frozen=True, slots=True)
class Downloads:
    """What engines download because of one plan, at most: if each of them uses every file that changes."""

    engines: int
    bytes_each: int
    usd: float

    @property
    def bytes(self) -> int:
        """Return what leaves the CDN in all."""
        return self.engines * self.bytes_each
