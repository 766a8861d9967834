"""The alerts of deploy/prometheus speak of metrics that exist, and each fires when it should and not otherwise."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubdata.report.metrics.catalogue import CATALOGUE, By, Kind
from tests.support.prometheus import named_metrics, promtool

HOME = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES = sorted(HOME.glob("*.rules.yml"))
TESTS = sorted(HOME.glob("*.test.yml"))
PAGE = (HOME.parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")
SERIES = re.compile(r"(\w+?)(?:\{(.*)\})?$")


def told(path: Path) -> Any:
    """Return what a file says."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def alerts(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the alerts of one file."""
    for group in told(path)["groups"]:
        yield from group["rules"]


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Return what promtool says."""
    return subprocess.run([promtool(), *argv], cwd=HOME, capture_output=True, text=True, timeout=120, check=False)


def test_the_rules_are_sound() -> None:
    """Prometheus' own tool reads them, and finds nothing that is there twice."""
    said = run("check", "rules", "--lint=all", "--lint-fatal", *(path.name for path in RULES))
    assert said.returncode == 0, said.stdout + said.stderr


def test_each_alert_fires_when_it_should_and_not_otherwise() -> None:
    """Prometheus itself evaluates them over hours and days of made-up metrics, with labels and texts word for word."""
    said = run("test", "rules", *(path.name for path in TESTS))
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("SUCCESS") == len(TESTS) == 2


def test_no_alert_goes_without_both() -> None:
    """Every alert has a moment at which it fires, and one at which it does not."""
    fires: set[str] = set()
    silent: set[str] = set()
    for path in TESTS:
        for test in told(path)["tests"]:
            for moment in test["alert_rule_test"]:
                (fires if moment["exp_alerts"] else silent).add(moment["alertname"])
    names = {alert["alert"] for path in RULES for alert in alerts(path)}
    assert names == fires == silent
    assert len(names) == sum(1 for path in RULES for _ in alerts(path)) >= 15


def test_alerts_use_only_metrics_that_exist() -> None:
    """A metric that was renamed would silence its alert for ever."""
    known = {metric.name: metric for metric in CATALOGUE}
    for path in RULES:
        for alert in alerts(path):
            used = named_metrics(alert["expr"])
            assert used, alert["alert"]
            assert used <= known.keys(), alert["alert"]
            of_the_worker = any(known[name].by is By.WORKER for name in used)
            assert of_the_worker == ("worker" in path.name), (
                f"{alert['alert']}: textfiles and gateways do not tell these"
            )


def test_alerts_are_tested_with_series_as_they_are_told() -> None:
    """Made-up metrics have the very labels that the code gives them, so that an alert which fires there fires here."""
    labels = {metric.name: set(metric.labels) for metric in CATALOGUE}
    labels |= {
        f"{m.name}{end}": set(m.labels) for m in CATALOGUE if m.kind is Kind.HISTOGRAM for end in ("_sum", "_count")
    }
    seen = set()
    for path in TESTS:
        for test in told(path)["tests"]:
            for each in test["input_series"]:
                found = SERIES.fullmatch(each["series"])
                assert found is not None
                given = set(re.findall(r'(\w+)="', found[2] or "")) - {"instance"}
                assert given == labels[found[1]], each["series"]
                seen.add(found[1])
    used = {name for path in RULES for alert in alerts(path) for name in named_metrics(alert["expr"])}
    assert {re.sub("_(sum|count)$", "", name) for name in seen} == used


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    """Somebody is woken by it: a summary in one line, advice, and how urgent it is."""
    for path in RULES:
        for alert in alerts(path):
            assert alert["labels"]["severity"] in {"warning", "critical"}
            summary, description = alert["annotations"]["summary"], alert["annotations"]["description"]
            assert "\n" not in summary
            assert len(summary) < 120
            assert len(description) > 40


def test_the_documentation_has_every_alert_and_no_other() -> None:
    """docs/metrics.md says of each when it fires, as the rule has it."""
    rows = dict(re.findall(r"^\| `(Hubdata\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    known = {alert["alert"]: alert for path in RULES for alert in alerts(path)}
    assert rows.keys() == known.keys()
    for name, alert in known.items():
        assert rows[name].strip() == alert["labels"]["severity"]


@pytest.mark.parametrize("what", ["name", "kind", "labels", "by", "help"])
def test_the_documentation_has_every_metric_as_it_is(what: str) -> None:
    """The table of docs/metrics.md is the catalogue, row by row."""
    rows = re.findall(r"^\| `(hubdata_\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    index = ["name", "kind", "labels", "by", "help"].index(what)
    told = [row[index] for row in rows]
    if what == "labels":
        assert told == [", ".join(f"`{name}`" for name in metric.labels) or "-" for metric in CATALOGUE]
    else:
        assert told == [getattr(metric, what) for metric in CATALOGUE]
