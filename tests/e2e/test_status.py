"""`hubdata status` by the real command: what lies at targets, and the exit code."""

from pathlib import Path

import pytest

from hubdata.clock import SystemClock
from hubdata.model.success import Success, key_of
from tests.support.small_world import HTML, OTHER, SmallWorld


@pytest.fixture
def small(tmp_path: Path) -> SmallWorld:
    """Return a world whose jobs say how old they may be."""
    made = SmallWorld.create(tmp_path)
    for job in ("lists", "words"):
        text = (made.root / f"jobs/{job}.toml").read_text()
        made.write(f"jobs/{job}.toml", f'max_age = "3h"\n{text}')
    return made


def freshness(small: SmallWorld, code: int, *flags: str) -> dict[str, str]:
    """Return how each job stands at the mirror, having asserted the exit code."""
    ended = small.run("status", "--format", "json", *flags)
    assert (ended.code, ended.json["exit_code"]) == (code, code), ended.stdout + ended.stderr
    (target,) = ended.json["targets"]
    return {job["job"]: job["freshness"] for job in target["jobs"]}


def test_status_tells_how_each_job_stands(small: SmallWorld) -> None:
    """Nothing known, published, refused, and a target that cannot be read; it never writes."""
    assert freshness(small, 5) == {"lists": "never", "words": "never"}
    assert not (small.root / "mirror").exists()
    small.sync("--job", "lists")
    assert freshness(small, 5) == {"lists": "fresh", "words": "never"}
    assert freshness(small, 0, "--job", "lists") == {"lists": "fresh"}
    small.sync()
    before = small.mirror_files()
    assert freshness(small, 0) == {"lists": "fresh", "words": "fresh"}
    assert small.mirror_files() == before

    text = small.run("status")
    assert text.code == 0
    assert "All 2 jobs are fresh." in text.stdout
    small.write("mirror/manifest.json", HTML)
    broken = small.run("status")
    assert broken.code == 6
    assert "not a hubdata manifest" in " ".join(broken.stdout.split())


def test_a_workers_success_counts_as_a_runs_does(small: SmallWorld) -> None:
    """Whatever pages and records have forgotten: what the worker kept last is the newest."""
    small.sync()
    for path in ((small.root / "mirror/.hubdata/page.json"), *(small.root / "mirror/.hubdata/runs").iterdir()):
        path.unlink()
    assert freshness(small, 5) == {"lists": "never", "words": "never"}
    now = SystemClock().now()
    for job in ("lists", "words"):
        small.write(f"mirror/{key_of(job)}", Success(job, "r", now, now).to_bytes())
    assert freshness(small, 0) == {"lists": "fresh", "words": "fresh"}


def test_what_the_newest_run_refused_is_told_with_its_reason(small: SmallWorld) -> None:
    """As the run itself told it, and with its exit code, for as long as something was published since."""
    small.sync()
    small.repo.commit({OTHER: HTML, "lists/good.txt": b"8.8.8.0/24\n1.1.1.0/24\n9.9.9.0/24\n"})
    assert small.sync().code == 3
    ended = small.run("status")
    assert ended.code == 3
    assert f"refused {OTHER}" in ended.stdout
    assert "advice: " in ended.stdout
