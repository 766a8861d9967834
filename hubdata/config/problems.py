"""What is wrong with the configuration, gathered in one pass: file, line, key, and how to mend it.

A person with three typing errors wants to read of all three at once, each with the line to look at.
"""

from collections.abc import Iterable
from enum import StrEnum

from hubdata.errors import ConfigError
from hubdata.values import frozen


class Level(StrEnum):
    """How bad a problem is. An error keeps a run from starting; a warning is worth a person's time."""

    ERROR = "error"
    WARNING = "warning"


@frozen
class Problem:
    """One thing wrong with one key. `line` counts from 1; None where there is no line (a flag, a missing file)."""

    file: str
    line: int | None
    key: str
    message: str
    advice: str = ""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [where, self.key, self.message] if self.key else [where, self.message]
        return ": ".join(parts) + (f" ({self.advice})" if self.advice else "")


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return each problem once, by file, line and key."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line or 0, p.key, p.message)))


def stop_on_errors(problems: Iterable[Problem]) -> None:
    """Return when `problems` are warnings at most. Raises ConfigError that lists every error, one a line."""
    errors = [p for p in in_order(problems) if p.level is Level.ERROR]
    if errors:
        raise ConfigError("\n".join(map(str, errors)), advice="`hubdata config check` lists every problem at once")
