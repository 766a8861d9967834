"""Cores: no more than this process may run on, nor than its container gives it time for."""

import os
from pathlib import Path

import pytest

from hubdata.transfer.cores import cores


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000\n", 8),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("150000 100000\n", 1),
        ("200000 100000\n", 2),
        ("6400000 100000\n", 8),
        ("100000\n", 8),
        ("", 8),
        ("100000 0\n", 8),
        ("0 100000\n", 1),
    ],
)
def test_container_s_share_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, expected: int) -> None:
    """A limit of processor time counts in whole processors, one at least; one that is not understood is none."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu.max").write_text(quota)
    assert cores(tmp_path / "cpu.max") == expected


def test_without_a_limit_all_that_it_may_run_on_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of containers there is no such file; where nobody can tell the processors, one is sure."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert cores(tmp_path / "cpu.max") == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores(tmp_path / "cpu.max") == 1
