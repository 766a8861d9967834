"""Who does what nobody waits for: whoever is asked to, at once, unless the caller has something to do beside it."""

from collections.abc import Callable

Later = Callable[[Callable[[], None]], object]
"""Does something that nobody waits for, but before the run has ended."""


def at_once(work: Callable[[], None]) -> None:
    """Do it now: for whoever has nothing to do beside it."""
    work()
