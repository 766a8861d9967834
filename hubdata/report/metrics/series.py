"""Put what a run tells upon what was told before: counters add up, gauges are replaced, what is gone goes.

Pure: a `Series` names one line of the exposition, and everything told is a mapping from series to their values.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from hubdata.model.run import Outcome
from hubdata.report.metrics.catalogue import (
    BUCKETS,
    BYTES,
    DELETES,
    DURATION,
    JOB,
    PUTS,
    RUNS,
    TARGET,
    Kind,
    Metric,
)


@dataclass(frozen=True, slots=True)
class Spread:
    """How often something took how long: a count for each of `BUCKETS` and one beyond, not cumulative; and the sum."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total: float = 0.0

    @classmethod
    def of(cls, value: float) -> "Spread":
        """Return the spread of one observation."""
        at = bisect_left(BUCKETS, value)
        return cls(tuple(int(index == at) for index in range(len(BUCKETS) + 1)), value)

    def __add__(self, other: "Spread") -> "Spread":
        return Spread(tuple(map(int.__add__, self.counts, other.counts)), self.total + other.total)


class Series(NamedTuple):
    """One metric with one set of label values, in the order of the metric's labels."""

    metric: Metric
    values: tuple[str, ...] = ()

    def label(self, name: str) -> str:
        """Return the value of a label; empty when the metric has none of that name."""
        return dict(zip(self.metric.labels, self.values, strict=True)).get(name, "")


Value = float | Spread
Told = Mapping[Series, Value]


@dataclass(frozen=True, slots=True)
class News:
    """What is told anew. `renewed` are the jobs, and jobs at targets (empty: the job itself), that it tells all of."""

    told: Told
    renewed: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def upon(before: Told, news: News) -> Told:
    """Return what is told once `news` have come."""
    after = {
        series: value
        for series, value in before.items()
        if not (series.metric.renewed and (series.label(JOB), series.label(TARGET)) in news.renewed)
    }
    for series, value in news.told.items():
        old = after.get(series)
        after[series] = value if series.metric.kind is Kind.GAUGE or old is None else _sum(old, value)
    return after


def _sum(old: Value, value: Value) -> Value:
    if isinstance(old, Spread) or isinstance(value, Spread):
        return old + value if isinstance(old, Spread) and isinstance(value, Spread) else value
    return old + value


def only(told: Told, jobs: Iterable[str], targets: Iterable[str]) -> Told:
    """Return the same without jobs and targets that are configured no more: they would be stale for ever."""
    known = {JOB: frozenset(jobs), TARGET: frozenset(targets)}
    return {
        series: value
        for series, value in told.items()
        if all(series.label(name) in names for name, names in known.items() if name in series.metric.labels)
    }


def zeros(jobs: Iterable[str], targets: Iterable[str]) -> Told:
    """Return the counters of jobs and targets before anything has happened, so that the first event is a change."""
    jobs, targets = tuple(jobs), tuple(targets)
    found: dict[Series, Value] = {Series(RUNS, (job, each.value)): 0.0 for job, each in product(jobs, Outcome)}
    found |= {Series(DURATION, (job,)): Spread() for job in jobs}
    found |= {Series(metric, at): 0.0 for metric in (PUTS, DELETES, BYTES) for at in product(jobs, targets)}
    return found
