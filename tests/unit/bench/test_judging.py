"""What judging the real tree costs is taken from runs that really judged it."""

import pytest

from bench import judging, targets
from tests.support.real import needs_real


@needs_real
def test_a_run_that_judges_the_tree_is_a_row_and_a_figure() -> None:
    """One run: the tree passes, its CPU is told, and the page has an aim to hold it to."""
    part = judging.measure(1, quick=True)
    assert part.figures["tree_cpu_s"] > 0.01
    (row,) = part.tables[0].rows
    assert row[0].startswith("173 files")
    said = {name: wanted for name, wanted, *_ in targets.rows({"judging": part})}
    assert said["the whole real tree judged: CPU after imports"] == "<= 0.50 s"


def test_a_tree_that_is_refused_is_no_measurement(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """A quick refusal must not pass for a quick judgement."""
    monkeypatch.setattr(judging, "SEC_LISTS", tmp_path)
    with pytest.raises(RuntimeError, match="not judged, or refused"):
        judging.seconds(1)
