"""A hook: a program of the operator's that is started when something was published."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Hook:
    """What is started, never through a shell. `argv[0]` is an absolute path or found on PATH.

    Of the environment it is given little, and besides that the variables named in `pass_environment`.
    """

    argv: tuple[str, ...]
    timeout: timedelta = timedelta(seconds=60)
    pass_environment: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """Return what messages call it: arguments may be nobody else's business."""
        return self.argv[0]
