"""The dashboard of deploy/grafana: whole, importable, and each of its queries finds what the code tells."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from hubdata.report.metrics.catalogue import CATALOGUE, DURATION
from hubdata.report.metrics.exposition import exposed
from hubdata.report.metrics.series import Series, Spread
from tests.support.prometheus import named_metrics, promtool

FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "hubdata.json"
BOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = BOARD["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
KNOWN = {"stat", "table", "timeseries", "heatmap", "state-timeline"}
"""Panels that come with every Grafana since version 10."""

GRAFANAS = {"$__rate_interval": "5m", "$__all": ".*"}


def variables() -> dict[str, dict[str, Any]]:
    """Return the dashboard's variables by name."""
    return {each["name"]: each for each in BOARD["templating"]["list"]}


def queries() -> Iterator[tuple[str, str]]:
    """Yield every query with where it stands, annotations' too."""
    for panel in DRAWN:
        for target in panel["targets"]:
            yield f"{panel['title']}, {target['refId']}", target["expr"]
    for each in BOARD["annotations"]["list"]:
        yield each["name"], each["expr"]


def filled(expression: str) -> str:
    """Return a query as Grafana sends it, with everything chosen."""
    for name, value in GRAFANAS.items():
        expression = expression.replace(name, value)
    return re.sub(r"\$\w+", ".*", expression)


def test_it_is_what_grafana_imports() -> None:
    """A new dashboard has no number of its own, a schema of Grafana 10, and names the panels that it needs."""
    assert BOARD["id"] is None
    assert (BOARD["uid"], BOARD["title"]) == ("hubdata", "hubdata")
    assert 38 <= BOARD["schemaVersion"] <= 41
    assert BOARD["timezone"] == "utc"
    assert {panel["type"] for panel in DRAWN} <= KNOWN
    needed = {each["id"] for each in BOARD["__requires"] if each["type"] == "panel"}
    assert needed == {panel["type"] for panel in DRAWN}


def test_every_panel_is_whole_and_lies_by_itself() -> None:
    """Each has a number, a title, a line that explains it, a place of its own, and queries in order."""
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))
    for panel in DRAWN:
        assert panel["title"]
        assert len(panel["description"]) > 10
        assert [target["refId"] for target in panel["targets"]] == [chr(65 + at) for at in range(len(panel["targets"]))]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None
    for panel in PANELS:
        at = panel["gridPos"]
        assert 0 <= at["x"] < at["x"] + at["w"] <= 24
    for one, other in combinations(PANELS, 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (one["title"], other["title"])


def test_the_data_source_is_chosen_by_whoever_imports_it() -> None:
    """No panel, query or variable names a data source of somebody else's."""
    assert variables()["datasource"]["query"] == "prometheus"
    text = FILE.read_text(encoding="utf-8")
    named = re.findall(r'"datasource": \{\s*"type": "prometheus",\s*"uid": "([^"]*)"', text)
    assert len(named) == text.count('"datasource": ') > 2 * len(DRAWN)
    assert set(named) == {"${datasource}"}


def test_every_variable_is_defined_and_used() -> None:
    """Whatever a query leaves open is a variable of the dashboard or one of Grafana's own; none is there in vain."""
    used = {name for _, query in queries() for name in re.findall(r"\$(\w+)", query)}
    assert used - {"__rate_interval"} == variables().keys() - {"datasource"}
    for name in used - {"__rate_interval"}:
        definition = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables()[name]["query"]["query"])
        assert definition is not None
        assert definition[2] in next(metric.labels for metric in CATALOGUE if metric.name == definition[1])


def test_it_shows_every_metric_and_no_other() -> None:
    """A metric that was renamed would leave an empty panel; one that nobody shows would be told for nothing."""
    used = {name for _, query in queries() for name in named_metrics(query)}
    assert used == {metric.name for metric in CATALOGUE}


def test_labels_in_legends_are_labels_of_their_queries() -> None:
    """A legend with a label that its query does not have is an empty word."""
    for panel in DRAWN:
        for target in panel["targets"]:
            wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - {"instance", "le"}
            having = {label for m in CATALOGUE if m.name in named_metrics(target["expr"]) for label in m.labels}
            kept = {name for by in re.findall(r"by \(([^)]*)\)", target["expr"]) for name in by.split(", ")}
            assert kept <= having | {"instance", "le"}, panel["title"]
            assert wanted <= (kept or having), panel["title"]


def test_every_query_finds_what_the_code_tells(tmp_path: Path) -> None:
    """Prometheus itself answers each of them, from the series that are exposed, with something."""
    everything = {
        Series(metric, tuple(f"a-{name}" for name in metric.labels)): Spread.of(1.0) if metric is DURATION else 1.0
        for metric in CATALOGUE
    }
    lines = [line for line in exposed(everything).decode().splitlines() if not line.startswith("#")]
    series = [{"series": line.rpartition(" ")[0], "values": "1+1x20"} for line in lines]
    tests = [
        {"expr": f"count({filled(query)}) > bool 0", "eval_time": "15m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for _, query in queries()
    ]
    assert len(tests) > 40
    file = tmp_path / "queries.yml"
    file.write_text(
        yaml.safe_dump(
            {
                "evaluation_interval": "5m",
                "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": tests}],
            }
        )
    )
    said = subprocess.run(
        [promtool(), "test", "rules", file.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
