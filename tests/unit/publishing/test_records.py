"""Records of runs: one for each run that wrote, so many and no more, and never a reason for a run to fail."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import TargetError
from hubdata.model.plan import Plan
from hubdata.model.receipt import Invalidation
from hubdata.model.run import JobResult, Outcome, Retained, RunResult, TargetResult
from hubdata.planning.outcome import wrote
from hubdata.publishing import records
from hubdata.publishing.survey import survey
from tests.unit.publishing.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench with an empty store."""
    return Bench(tmp_path)


def test_records_are_told_the_newest_first(bench: Bench) -> None:
    """By the run's id; nothing else that lies there is one, and only so many are read."""
    for number in range(1, 4):
        body = b'{"n": %d}' % number
        records.keep(bench.store, f"2026-{number}", body, survey(bench.store).records, bench.events)
    bench.store.seed(".hubdata/runs/notes.txt", b"not ours")
    bench.store.seed("runs/2026-4.json", b"a data file")
    assert list(records.newest(bench.store, 10).items()) == [
        ("2026-3", b'{"n": 3}'),
        ("2026-2", b'{"n": 2}'),
        ("2026-1", b'{"n": 1}'),
    ]
    assert list(records.newest(bench.store, 1)) == ["2026-3"]
    assert survey(bench.store).records == tuple(f".hubdata/runs/2026-{number}.json" for number in (1, 2, 3))


def test_only_so_many_are_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go; of very many, some at a time."""
    monkeypatch.setattr(records, "KEPT", 5)
    for number in range(12):
        bench.store.seed(f".hubdata/runs/{number:03}.json", b"{}")
    records.keep(bench.store, "900", b"{}", survey(bench.store).records, bench.events)
    assert list(records.newest(bench.store, 99)) == ["900", "011", "010", "009", "008"]
    assert len(survey(bench.store).records) == records.KEPT
    monkeypatch.setattr(records, "_MOST_REMOVED", 1)
    monkeypatch.setattr(records, "KEPT", 1)
    records.keep(bench.store, "901", b"{}", survey(bench.store).records, bench.events)
    assert list(records.newest(bench.store, 99)) == ["901", "900", "011", "010", "009"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_trouble_with_a_record_is_only_told(bench: Bench, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """All that counts is public by then."""
    monkeypatch.setattr(records, "KEPT", 1)
    bench.store.seed(".hubdata/runs/1.json", b"{}")
    before = survey(bench.store).records

    def fail() -> None:
        raise TargetError("the store is down", advice="")

    bench.wire.on(method, ".hubdata/runs/2.json" if method == "PUT" else ".hubdata/runs/1.json", do=fail)
    records.keep(bench.store, "2", b"{}", before, bench.events)
    assert bench.events.names() == ["record.failed"]


NOTHING = TargetResult("out", Plan("job", "out"))


@pytest.mark.parametrize(
    ("target", "left"),
    [
        (NOTHING, False),
        (replace(NOTHING, applied=True), True),
        (replace(NOTHING, invalidation=Invalidation((), "resumed")), True),
        (replace(NOTHING, retention=Retained(30)), False),
        (replace(NOTHING, held=Plan("job", "out")), False),
        (replace(NOTHING, target="other", applied=True), False),
    ],
)
def test_a_run_that_wrote_nothing_leaves_no_record(target: TargetResult, *, left: bool) -> None:
    """Nor does a dry run, whatever it would do."""
    result = RunResult("1", (JobResult("job", Outcome.PUBLISHED, {}, targets=(target,)),), 0.1)
    assert wrote(result, "out") is left
    assert not wrote(replace(result, dry_run=True), "out")
