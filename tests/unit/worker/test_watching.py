"""A broken file takes nothing away: what was in force stays so until there is something better."""

from pathlib import Path

import pytest

from hubdata.app import Choices
from hubdata.errors import ConfigError
from hubdata.worker.watching import Watch, fingerprint, read

JOB = '[source]\ntype = "directory"\npath = "data"\n\n[[files]]\nmatch = "*.txt"\nkind = "cidr"\n'
SETTINGS = 'jobs = "jobs"\nspool = "spool"\n[targets.mirror]\ntype = "directory"\npath = "mirror"\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory with the jobs `a` and `b`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "hubdata.toml").write_text(SETTINGS)
    for name in "ab":
        (tmp_path / f"jobs/{name}.toml").write_text('schedule = "1 * * * *"\n' + JOB)
    return tmp_path


@pytest.mark.parametrize("line", ["bogus = 1", 'schedule = "61 * * * *"', 'schedule = "0 0 1 * 1"', "= ="])
def test_a_broken_file_keeps_its_last_good_version(root: Path, line: str) -> None:
    """Whether TOML, a key or a moment is wrong, the job goes on as it was, and the others hear nothing of it."""
    before = read(Choices(), None)
    (root / "jobs/a.toml").write_text(f"{line}\n{JOB}")
    (root / "jobs/b.toml").write_text('schedule = "2 * * * *"\n' + JOB)
    after = read(Choices(), before)
    assert after.jobs["a"] == before.jobs["a"]
    assert after.jobs["b"].schedule == "2 * * * *"
    assert set(after.problems) == {"a"}
    (root / "jobs/a.toml").write_text(JOB)
    mended = read(Choices(), after)
    assert mended.problems == {}
    assert mended.jobs["a"].schedule is None


def test_a_file_that_is_broken_from_the_start_is_no_job(root: Path) -> None:
    """Nothing is known of it that could be run; it is told, and the other job is in force."""
    (root / "jobs/a.toml").write_text("bogus = 1\n" + JOB)
    roster = read(Choices(), None)
    assert (set(roster.jobs), set(roster.problems), set(roster.names)) == ({"b"}, {"a"}, {"a", "b"})


def test_a_file_that_is_gone_takes_its_job_with_it(root: Path) -> None:
    """Only its own; one that was broken before it went leaves nothing behind either."""
    before = read(Choices(), None)
    (root / "jobs/a.toml").write_text("bogus = 1\n")
    broken = read(Choices(), before)
    (root / "jobs/a.toml").unlink()
    assert set(read(Choices(), broken).jobs) == {"b"}
    assert read(Choices(), broken).problems == {}


def test_a_directory_that_is_missing_or_empty_ends_no_job(root: Path) -> None:
    """A mount that has gone looks like that: everything stays in force, and the trouble is told."""
    before = read(Choices(), None)
    for path in (root / "jobs").iterdir():
        path.unlink()
    empty = read(Choices(), before)
    assert empty.jobs == before.jobs
    assert "no job file" in empty.problem
    (root / "jobs").rmdir()
    assert read(Choices(), empty).jobs == before.jobs


def test_broken_settings_leave_the_old_ones_in_force(root: Path) -> None:
    """Before there are any, they end the worker; job files are read again all the same."""
    before = read(Choices(), None)
    (root / "hubdata.toml").write_text("bogus = 1\n")
    (root / "jobs/b.toml").unlink()
    after = read(Choices(), before)
    assert after.settings == before.settings
    assert "bogus" in after.problem
    assert set(after.jobs) == {"a"}
    with pytest.raises(ConfigError):
        read(Choices(), None)


def test_files_are_read_when_a_change_is_over(root: Path) -> None:
    """A file that differs from look to look is still being written; one that was read is not read again."""
    settings = read(Choices(), None).settings

    def now() -> tuple[tuple[str, int, int, int], ...]:
        return fingerprint(Choices(), settings)

    watch = Watch(now())
    assert not watch.changed(now())
    with (root / "jobs/a.toml").open("a") as file:
        for piece in ("# one\n", "# two\n"):
            file.write(piece)
            file.flush()
            assert not watch.changed(now())
    assert watch.changed(now())
    watch.read(now())
    assert not watch.changed(now())
    (root / "jobs/a.toml").unlink()
    assert [watch.changed(now()), watch.changed(now())] == [False, True]
