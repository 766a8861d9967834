"""Remember what was heeded, so that the same delivery sent again does nothing.

GitHub signs the body alone: its delivery id stands in a header that whoever recorded a delivery may change. So a
delivery is known by its id and by its signature, which no two pushes share. The memory is bounded, oldest out, and only
what was signed gets into it: a stranger cannot push anything out. It ends with the process. What is then sent once more
runs a job once more, which publishes nothing unless there is something new.
"""

from collections import OrderedDict

MOST = 10_000
"""Deliveries remembered: some 3 MB, and years of pushes to one branch."""


class Repeats:
    """The deliveries that were heeded. For one thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[str | bytes, None] = OrderedDict()

    def __contains__(self, marks: object) -> bool:
        """Tell whether any of `marks`, a delivery's id and its signature, was seen."""
        return isinstance(marks, tuple) and any(mark in self._seen for mark in marks)

    def __len__(self) -> int:
        return len(self._seen)

    def remember(self, marks: tuple[str, bytes]) -> None:
        """Take note of a delivery."""
        for mark in marks:
            self._seen[mark] = None
        while len(self._seen) > 2 * self._most:
            self._seen.popitem(last=False)

    def forget(self, marks: tuple[str, bytes]) -> None:
        """Take a note back: the delivery was not heeded after all, and may be sent again."""
        for mark in marks:
            self._seen.pop(mark, None)
