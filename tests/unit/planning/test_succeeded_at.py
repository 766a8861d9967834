"""A run counts as a success at a target only when it left nothing to be wished for there."""

from dataclasses import replace

import pytest

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.plan import Plan
from hubdata.model.receipt import Invalidation
from hubdata.model.run import JobResult, Outcome, Problem, TargetResult
from hubdata.planning.outcome import succeeded_at

WELL = TargetResult("far", Plan("a", "far"))
NEAR = TargetResult("near", Plan("a", "near"))
LOST = Problem("gone", "bring it back", Exit.TARGET)
RUN = JobResult("a", Outcome.UNCHANGED, {}, targets=(NEAR, WELL))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(replace(WELL, problem=LOST), id="failed"),
        pytest.param(replace(WELL, held=WELL.plan), id="held"),
        pytest.param(replace(WELL, barred=WELL.plan), id="refused by its gate"),
        pytest.param(replace(WELL, failed=frozenset({"a.txt"})), id="not all put"),
        pytest.param(replace(WELL, invalidation=Invalidation((), "r", pending=True)), id="the CDN is not told"),
    ],
)
def test_one_target_that_is_not_well_takes_nothing_from_another(target: TargetResult) -> None:
    """Each target keeps its own last success; the one that fell behind is caught up with at the next start."""
    assert succeeded_at(RUN) == ("near", "far")
    assert succeeded_at(replace(RUN, targets=(NEAR, target))) == ("near",)


def test_a_source_that_failed_or_a_file_that_is_refused_is_no_success_anywhere() -> None:
    """What is public is older than what is upstream, whatever the targets say; a warning takes nothing away."""
    refused = Finding("a.txt", 1, "cidr.host-bits", Severity.ERROR, "no", "mend it")
    assert succeeded_at(replace(RUN, problem=LOST)) == ()
    assert succeeded_at(replace(RUN, findings=(refused,))) == ()
    assert succeeded_at(replace(RUN, findings=(replace(refused, severity=Severity.WARNING),))) == ("near", "far")
