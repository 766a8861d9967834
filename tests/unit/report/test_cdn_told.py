"""CDNs in the reports: what telling them will cost, how far they are, and how long they took."""

import io
import json
import logging
from dataclasses import replace

import pytest

from hubdata.model.event import Event
from hubdata.model.fleet import Fleet
from hubdata.model.receipt import Invalidation
from hubdata.model.run import RunResult
from hubdata.model.tariff import Estimate
from hubdata.planning.fleet import priced
from hubdata.report import wording
from hubdata.report.github import run_summary_markdown
from hubdata.report.json import run_json
from hubdata.report.log import LogReporter, log_to
from hubdata.report.progress import _status
from hubdata.report.terminal import Screen
from hubdata.report.text import plan_text, run_text
from tests.unit.report.samples import PUBLISHED

DEAR = Estimate(1_201, wildcards=2, evicted=31, evicted_bytes=1_200_000, free_paths=1_000, usd=1.005)
SENTENCE = "1,201 paths to forget, 1.005 USD beyond the 1,000 free ones, 2 wildcards evict 31 unchanged files (1.2 MB)"


def planned(estimate: Estimate | None) -> RunResult:
    """Return a dry run whose first target has this estimate."""
    first, second = PUBLISHED.targets
    told = replace(first, invalidation=None, applied=False, invalidation_estimate=estimate)
    return RunResult("run", (replace(PUBLISHED, targets=(told, second)),), 0.1, dry_run=True)


def waited(invalidation: Invalidation) -> RunResult:
    """Return a run whose CDN was told so."""
    first, second = PUBLISHED.targets
    return RunResult("run", (replace(PUBLISHED, targets=(replace(first, invalidation=invalidation), second)),), 0.1)


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (DEAR, SENTENCE),
        (Estimate(2, free_paths=1_000, usd=0.0), "2 paths to forget, free"),
        (Estimate(1), "1 path to forget"),
        (
            Estimate(3, wildcards=1, tags=1, evicted=1, evicted_bytes=5, free_paths=1, usd=0.01),
            "3 paths to forget, 0.010 USD beyond the 1 free one, 1 wildcard and 1 tag evict 1 unchanged file (5 B)",
        ),
        (
            Estimate(2, tags=1, evicted=2, evicted_bytes=5, free_paths=1, usd=0.005),
            "2 paths to forget, 0.005 USD beyond the 1 free one, 1 tag evicts 2 unchanged files (5 B)",
        ),
    ],
)
def test_an_estimate_is_one_sentence(estimate: Estimate, said: str) -> None:
    """Paths, dollars beyond the free ones, and what goes with them; nothing on money where there is no price."""
    assert wording.estimated(estimate) == said


def test_a_plan_says_what_its_cdn_will_cost() -> None:
    """Once for the target, as text, as JSON and in the step's summary."""
    result = planned(DEAR)
    assert f"cdn of aws: {SENTENCE}" in " ".join(plan_text(result, Screen(width=200)).split())
    (aws, mirror) = json.loads(run_json(result))["jobs"][0]["targets"]
    assert aws["cdn_estimate"] == {
        "paths": 1201,
        "wildcards": 2,
        "tags": 0,
        "evicted": 31,
        "evicted_bytes": 1_200_000,
        "free_paths": 1_000,
        "usd": 1.005,
    }
    assert mirror["cdn_estimate"] is None
    assert "- cdn of aws: 1,201 paths to forget, 1.005 USD" in run_summary_markdown(result)
    assert "cdn of" not in plan_text(planned(None), Screen(width=200))


def test_a_run_that_waited_says_how_long() -> None:
    """In the table's note, and in JSON as seconds; where nobody waited, nothing."""
    result = waited(Invalidation(("/a",), "r", "I2,I3,I4", waited_s=12.4))
    assert "cdn I2 +2 in 12 s" in run_text(result, Screen(width=200))
    assert json.loads(run_json(result))["jobs"][0]["targets"][0]["cdn"]["waited_s"] == 12.4
    quick = waited(Invalidation(("/a",), "r", "I2"))
    assert " in " not in next(line for line in run_text(quick, Screen(width=200)).splitlines() if "cdn I2" in line)


def test_the_bar_says_how_far_the_cdn_is() -> None:
    """Percent where the CDN has several invalidations at work, seconds always."""
    assert _status(Event("cdn.waiting", {"cdn": "edge", "percent": 66, "elapsed_s": 9.6})) == (
        "waiting for the CDN: 66 % done, 10 s"
    )
    assert _status(Event("cdn.waiting", {"cdn": "edge", "elapsed_s": 3})) == "waiting for the CDN: 3 s"


def test_a_busy_cdn_is_told_to_everybody_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that stands still for a minute says why, without `-v`; its single pauses are for who asks."""
    stream = io.StringIO()
    root, own = logging.getLogger(), logging.getLogger("hubdata")
    monkeypatch.setattr(root, "handlers", [])
    before = root.level, own.level
    log_to(stream, 0)
    reporter = LogReporter()
    reporter.emit(Event("cdn.busy", {"cdn": "edge", "patience_s": 60.0}))
    reporter.emit(Event("cdn.waiting", {"cdn": "edge", "elapsed_s": 1.0}))
    root.setLevel(before[0])
    own.setLevel(before[1])
    assert stream.getvalue().count("\n") == 1
    assert "cdn.busy cdn=edge patience_s=60.0" in stream.getvalue()


def test_a_priced_plan_says_what_the_fleet_downloads() -> None:
    """In the text beside the plan, in Markdown for a reviewer, and in JSON by the plan's id."""
    result = priced(planned(DEAR), Fleet(100_000, 0.085))
    target = result.jobs[0].targets[0]
    said = wording.downloads(target, target.plan)

    assert said.startswith("100,000 engines download ")
    assert said.endswith(" USD), at most")
    assert said in " ".join(plan_text(result, Screen(200)).split())
    assert said in run_summary_markdown(result)
    (told,) = json.loads(run_json(result))["jobs"][0]["targets"][0]["downloads"].values()
    assert (told["engines"], told["bytes"]) == (100_000, 100_000 * told["bytes_each"])
    assert wording.downloads(planned(DEAR).jobs[0].targets[0], target.plan) == ""


def test_what_a_fleet_downloads_is_told_in_terabytes() -> None:
    """66 MB for each of 100,000 engines is 6.6 TB, and nobody counts that in GB."""
    assert [wording.size(count) for count in (999_940_000_000, 6_600_000_000_000)] == ["999.9 GB", "6.6 TB"]
