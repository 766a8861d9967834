"""A gate: a program of the operator's that looks at what a target would hold, and says whether it may."""

from dataclasses import dataclass
from datetime import timedelta

TREE = "{tree}"
"""What stands in an argument for the directory to look at."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What is started, never through a shell. `argv[0]` is an absolute path or found on PATH."""

    argv: tuple[str, ...]
    timeout: timedelta = timedelta(seconds=300)

    @property
    def program(self) -> str:
        """Return what messages call it: arguments may be nobody else's business."""
        return self.argv[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate said of one tree of `files`. `rule` is that of the finding where it refused, `why` in words.

    `output` is the end of what it wrote.
    """

    program: str
    files: int
    elapsed_s: float
    output: str = ""
    rule: str = ""
    why: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether the tree may go out."""
        return not self.rule
