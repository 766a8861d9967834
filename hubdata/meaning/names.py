"""Names for statements: each its own, so that no statement of a file hides behind another of the same name."""

from collections import Counter


class Numbered:
    """Gives every name once; a second time it carries its number: `name`, `name (2)`, `name (3)`."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()
        self._given: set[str] = set()

    def __call__(self, name: str) -> str:
        """Return `name`, or the next form of it that was not given yet."""
        unique = name
        while unique in self._given:
            self._times[name] += 1
            unique = f"{name} ({self._times[name] + 1})"
        self._given.add(unique)
        return unique


def unreadable(row: str) -> str:
    """Return the name of a row of which its kind can make nothing: it must not disappear from a review."""
    return f"not readable: {row}"
