"""What is told as Prometheus' text, and such a text as what it tells: the only module that knows the library.

The registry is made for one exposition and holds nothing else: no other library's metrics get in, and each series is
there exactly when it is told. What stands in a text that the catalogue does not know is left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from math import isfinite
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.utils import floatToGoString

from hubdata.report.metrics.catalogue import BUCKETS, CATALOGUE, Kind, Metric
from hubdata.report.metrics.series import Series, Spread, Told, Value

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""The text format that every reader of metrics has understood since 2014, node_exporter and Pushgateway included."""


def _bound(number: float) -> str:
    """Return a bucket's bound as Go writes it."""
    return str(floatToGoString(number))  # type: ignore[no-untyped-call]


_BOUNDS = tuple(map(_bound, (*BUCKETS, float("inf"))))


def exposed(told: Told) -> bytes:
    """Return everything told, metric by metric in the catalogue's order, and series in that of their labels."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(told))
    return generate_latest(registry)


def read_back(text: str, having: Mapping[str, str] | None = None) -> Told:
    """Return what `text` tells, of series that have the labels `having`, which then are no more among them.

    Raises ValueError when it is no exposition.
    """
    wanted = {} if having is None else having
    by_name = {_family_name(metric): metric for metric in CATALOGUE}
    found: dict[Series, Value] = {}
    try:
        for family in text_string_to_metric_families(text):
            metric = by_name.get(family.name)
            if metric is not None and family.type == metric.kind:
                found |= _series(metric, family, wanted)
    except Exception as err:  # the parser stumbles over some texts in ways of its own
        raise ValueError(str(err) or "it is no exposition") from err
    return found


class _Collector:
    """Gives the library what is told."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def collect(self) -> Iterator[Family]:
        """Yield each metric that has a series."""
        by_metric: dict[Metric, list[tuple[Series, Value]]] = {metric: [] for metric in CATALOGUE}
        for series, value in sorted(self._told.items(), key=lambda item: item[0].values):
            by_metric[series.metric].append((series, value))
        for metric, lines in by_metric.items():
            if lines:
                yield _family(metric, lines)


def _family(metric: Metric, lines: Iterable[tuple[Series, Value]]) -> Family:
    name = _family_name(metric)
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind is Kind.HISTOGRAM:
        spread = HistogramMetricFamily(name, metric.help, labels=metric.labels)
        for series, value in lines:
            if isinstance(value, Spread):
                buckets = list(zip(_BOUNDS, map(float, accumulate(value.counts)), strict=True))
                spread.add_metric(series.values, buckets, value.total)
        return spread
    if metric.kind is Kind.COUNTER:
        family = CounterMetricFamily(name, metric.help, labels=metric.labels)
    else:
        family = GaugeMetricFamily(name, metric.help, labels=metric.labels)
    for series, value in lines:
        if not isinstance(value, Spread):
            family.add_metric(series.values, value)
    return family


def _family_name(metric: Metric) -> str:
    """Return what the library calls a metric: counters without the ending that it gives them."""
    return metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name


def _series(metric: Metric, family: Family, having: Mapping[str, str]) -> dict[Series, Value]:
    """Return the series of one metric. One with other labels than the catalogue's is none of ours."""
    plain: dict[Series, Value] = {}
    spreads: dict[Series, dict[str, float]] = {}
    sums: dict[Series, float] = {}
    for sample in family.samples:
        labels: dict[str, Any] = dict(sample.labels)
        if any(labels.pop(name, "") != value for name, value in having.items()):
            continue
        bound = labels.pop("le", None)
        if labels.keys() != set(metric.labels) or not isfinite(sample.value):
            continue
        series = Series(metric, tuple(labels[name] for name in metric.labels))
        if metric.kind is not Kind.HISTOGRAM:
            plain[series] = sample.value
        elif bound is not None:
            spreads.setdefault(series, {})[_bound(float(bound))] = sample.value
        elif sample.name.endswith("_sum"):
            sums[series] = sample.value
    for series, counts in spreads.items():
        if tuple(counts) == _BOUNDS and series in sums:  # other buckets are those of another version: begin anew
            single = (int(after - before) for before, after in pairwise((0.0, *counts.values())))
            plain[series] = Spread(tuple(single), sums[series])
    return plain
