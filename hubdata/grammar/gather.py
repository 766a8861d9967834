"""Collects the findings of one file, and keeps a bad file from burying the report under its own lines.

A list with CRLF line ends has the same fault on every line. The first hundred lines of one rule are shown; one
more finding then tells how many there are besides, as severe as they are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

from hubdata.model.finding import Finding, Severity
from hubdata.values import frozen

MAX_PER_RULE = 100
MAX_SHOWN = 80

MAX_LABOUR = 10_000
"""What one file may cost its judge, in refusals: about half a second. No list that was ever meant comes near it."""

T = TypeVar("T")


@frozen
class Some(Generic[T]):
    """How many there are, and the first of them: as many as a report shows, and one more."""

    total: int
    first: tuple[T, ...]


def some(ordered: Iterable[T]) -> Some[T]:
    """Return all of `ordered` as a report needs it."""
    tally = Tally[T]()
    tally.take(ordered)
    return tally.some()


class Tally(Generic[T]):
    """Becomes a `Some` bit by bit, for what is read in pieces."""

    __slots__ = ("_first", "_total")

    def __init__(self) -> None:
        self._first: list[T] = []
        self._total = 0

    def take(self, ordered: Iterable[T]) -> None:
        """Take more of what there is, all behind what was taken before."""
        each = iter(ordered)
        shown = tuple(islice(each, MAX_PER_RULE + 1 - len(self._first)))
        self._first += shown
        self._total += len(shown) + sum(1 for _ in each)

    @property
    def full(self) -> bool:
        """Tell whether the rest need only be counted."""
        return len(self._first) > MAX_PER_RULE

    def more(self, unseen: int) -> None:
        """Take note of `unseen` more, when it is full."""
        self._total += unseen

    def some(self) -> Some[T]:
        """Return all that was taken as a report needs it."""
        return Some(self._total, tuple(self._first))


class Gather:
    """Takes findings about `key` one by one and gives them back ordered by line, capped by rule.

    Rules are named `<prefix>.<problem>`; `add` takes the problem alone.
    """

    __slots__ = ("_count", "_found", "_labour", "_more", "_paid", "_prefix", "gave_up", "key")

    def __init__(self, key: str, prefix: str) -> None:
        self.key = key
        self._prefix = prefix
        self._found: list[Finding] = []
        self._count: Counter[str] = Counter()
        self._more: dict[str, Finding] = {}
        self._labour = 0
        self._paid: set[str] = set()
        self.gave_up = False

    def add(
        self,
        line: int | None,
        problem: str,
        severity: Severity,
        message: str,
        advice: str,
        *,
        column: int | None = None,
        offset: int | None = None,
    ) -> None:
        """Take one finding; beyond the cap it is only counted."""
        rule = f"{self._prefix}.{problem}"
        self._count[rule] += 1
        if severity is Severity.ERROR:
            self._labour += 1
        if self._count[rule] <= MAX_PER_RULE:
            self._found.append(Finding(self.key, line, rule, severity, message, advice, column, offset=offset))
            return
        kept = self._more.get(rule)
        if kept is None or (severity is Severity.ERROR and kept.severity is not Severity.ERROR):
            self._more[rule] = Finding(self.key, line, rule, severity, message, advice, column)

    def error(self, line: int | None, problem: str, message: str, advice: str, *, column: int | None = None) -> None:
        """Take a finding that refuses the file."""
        self.add(line, problem, Severity.ERROR, message, advice, column=column)

    def warning(self, line: int | None, problem: str, message: str, advice: str, *, column: int | None = None) -> None:
        """Take a finding that a person should see, and no engine stumbles over."""
        self.add(line, problem, Severity.WARNING, message, advice, column=column)

    def count(self, problem: str, unseen: int) -> None:
        """Take `unseen` more findings of a rule that is over its cap already: they are only counted."""
        self._count[f"{self._prefix}.{problem}"] += unseen

    def told(self, problem: str) -> bool:
        """Tell whether there is a finding of this problem."""
        return self._count[f"{self._prefix}.{problem}"] > 0

    @property
    def tired(self) -> bool:
        """Tell whether what was judged so far has cost too much already."""
        return self._labour >= MAX_LABOUR

    def patient(self, rows: Iterable[T]) -> Iterator[T]:
        """Yield `rows` until they have cost too much; one finding then tells that the rest is not judged."""
        for row in rows:
            if self._labour >= MAX_LABOUR:
                self.gave_up = True
                return
            yield row

    def spend(self, labour: int, on: str) -> None:
        """Take note of work on a text that cost as much as `labour` refusals; the same text again costs nothing."""
        if on not in self._paid:
            self._paid.add(on)
            self._labour += labour

    def findings(self, before: Iterable[Finding] = ()) -> tuple[Finding, ...]:
        """Return all findings with those of `before`: whole-file ones first, then by line."""
        rest = [self._overflow(rule, hidden) for rule, hidden in self._more.items()]
        if self.gave_up:
            rest.append(self._given_up())
        return tuple(sorted([*before, *self._found, *rest], key=lambda f: (f.line is not None, f.line or 0)))

    def _given_up(self) -> Finding:
        message = "too many rows are refused, or take too long to judge: the rest of the file is not judged"
        advice = "mend what is told here and look again; is this the right file, and the right kind?"
        return Finding(self.key, None, "text.given-up", Severity.ERROR, message, advice)

    def _overflow(self, rule: str, hidden: Finding) -> Finding:
        more = self._count[rule] - MAX_PER_RULE
        message = f"{more} more like this; the first {MAX_PER_RULE} are shown"
        return Finding(self.key, hidden.line, rule, hidden.severity, message, hidden.advice)


def shown(text: str) -> str:
    """Return `text` fit for a one-line message: quoted, without control characters, at most 80 characters of it."""
    if len(text) <= MAX_SHOWN:
        return ascii(text) if not text.isprintable() else f"`{text}`"
    cut = text[:MAX_SHOWN]
    return f"{ascii(cut) if not cut.isprintable() else f'`{cut}`'}... ({len(text)} characters)"
