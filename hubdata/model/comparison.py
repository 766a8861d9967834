"""What two sets of files differ in: a checkout and what is published, two generations, two files."""

from dataclasses import dataclass
from enum import StrEnum

from hubdata.model.meaning import Difference


class State(StrEnum):
    """What became of one file. `equal`: other bytes, but the same to every engine."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class FileDifference:
    """One file whose bytes differ. `kind` is empty where no job claims it: then only its bytes are compared."""

    key: str
    kind: str
    state: State
    difference: Difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """All files that differ, by key, and how many have the same bytes. `old` and `new` name the two sides."""

    old: str
    new: str
    files: tuple[FileDifference, ...]
    same: int = 0
    elapsed_s: float = 0.0
    notices: tuple[str, ...] = ()

    def count(self, state: State) -> int:
        """Return how many files are in `state`."""
        return sum(file.state is state for file in self.files)
