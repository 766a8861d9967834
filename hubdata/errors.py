"""Every way hubdata stops, as one tree; each branch knows its exit code.

    HubdataError                 1  a bug, if nothing below fits
    |-- ConfigError              2  wrong flags, settings or job files; nothing was attempted
    |-- SourceError              5  an upstream could not be read
    |-- TargetError              6  a store could not be read or written
    |   `-- Conflict             6  somebody else wrote first; read again and plan anew
    `-- CdnError                 7  published, but the CDN does not know yet (a failed hook ends so too)

Bad data is not an error here but a `Finding`; an exception means that we could not find out.
"""

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """What the process says when it ends (CONTRACT.md, "Exit codes")."""

    FINE = 0
    BUG = 1
    CONFIG = 2
    REFUSED = 3
    HELD = 4
    SOURCE = 5
    TARGET = 6
    CDN_PENDING = 7


_WORST_FIRST = (
    Exit.BUG,
    Exit.CONFIG,
    Exit.TARGET,
    Exit.SOURCE,
    Exit.HELD,
    Exit.REFUSED,
    Exit.CDN_PENDING,
    Exit.FINE,
)


def worst(codes: list[Exit]) -> Exit:
    """Return the code that a run with all of `codes` ends with; FINE when there are none."""
    return min(codes, key=_WORST_FIRST.index, default=Exit.FINE)


class HubdataError(Exception):
    """Something stopped a run. `str()` says what was expected and found; `advice` what to do about it.

    `retryable` tells that the same call may succeed later, without a person changing anything.
    """

    exit_code: ClassVar[Exit] = Exit.BUG

    def __init__(self, message: str, *, advice: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        self.retryable = retryable


class ConfigError(HubdataError):
    """Settings, job files or flags cannot be used as they are; nothing was attempted."""

    exit_code = Exit.CONFIG


class SourceError(HubdataError):
    """An upstream did not give what the job asked for."""

    exit_code = Exit.SOURCE


class TargetError(HubdataError):
    """A store could not be read or written."""

    exit_code = Exit.TARGET


class Conflict(TargetError):
    """An object is not what the plan was made against: somebody else wrote meanwhile."""


class CdnError(HubdataError):
    """The CDN did not accept an invalidation; what is published stays published."""

    exit_code = Exit.CDN_PENDING
