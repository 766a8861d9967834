"""The commits that are replayed are the ones that history has, the same every time, and they go out."""

from pathlib import Path

import pytest

from bench.commits import COUNT, REVERT, Commit, Master, history
from bench.many import HEADS, lines
from bench.world import lay
from tests.support.real import SEC_LISTS, needs_real


def test_a_revert_takes_back_the_commit_before_and_nothing_else(tmp_path: Path) -> None:
    """Files come back byte by byte, new ones go, and what was older stays."""
    (tmp_path / "old").write_text("old")
    (tmp_path / "list").write_text("1")
    master = Master(tmp_path)

    def change(tree: Path) -> None:
        (tree / "list").write_text("2")
        (tree / "new").write_text("new")

    assert master.commit(Commit("a change", change)) == 2
    assert master.commit(Commit(REVERT, lambda _: None)) == 2
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "old", "list": "1"}


@needs_real
def test_the_replay_is_as_the_repositorys_history(tmp_path: Path) -> None:
    """Most commits change one small file; one changes 49; some none that engines read. Each applies, in its order."""
    commits = history()
    assert [one.told for one in commits] == [one.told for one in history()]
    tree = tmp_path / "tree"
    lay(SEC_LISTS, tree)
    master = Master(tree)
    sizes = [master.commit(one) for one in commits]
    assert len(sizes) == COUNT >= 50
    assert (sorted(sizes)[COUNT // 2], max(sizes), min(sizes)) == (1, 49, 1)
    assert sum(one.told == REVERT for one in commits) == 3
    assert sum(one.told.startswith("no data") for one in commits) == 6


@pytest.mark.parametrize("edition", [0, 1, 49])
def test_small_lists_differ_from_each_other_and_between_editions(edition: int) -> None:
    """A hundred thousand files are a hundred thousand contents, and a changed one is another."""
    some = {lines(number, edition) for number in range(0, 100_000, 97)}
    assert len(some) == len(range(0, 100_000, 97))
    assert lines(97, edition) != lines(97, edition + 1)
    assert {int(text.split(".")[0]) for text in some} <= set(HEADS)
