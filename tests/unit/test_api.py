"""What Python programs get: verdicts without settings, proofs with a byte and a reason, plans without effects."""

import os
from pathlib import Path

import pytest

from hubdata import (
    Action,
    ConfigError,
    Exit,
    HubdataError,
    Limits,
    Outcome,
    SourceError,
    plan,
    validate_file,
    verify_mmdb,
)
from tests.support import small_mmdb
from tests.support.small_world import GOOD, SmallWorld


def test_a_file_is_judged_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken settings in the working directory change nothing; findings have the file's name, line and advice."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hubdata.toml").write_text("this is no TOML")
    (tmp_path / "list.txt").write_text("8.8.8.0/24\n8.8.8.8/24\n")
    checked = validate_file("list.txt", kind="cidr")
    assert checked.refused
    assert ("list.txt", 2, "cidr.host-bits") in [(f.key, f.line, f.rule) for f in checked.findings]
    assert all(finding.advice for finding in checked.findings)
    assert not validate_file(tmp_path / "list.txt", kind="opaque").refused


def test_options_limits_and_a_key_count(tmp_path: Path) -> None:
    """As they do in a job file."""
    path = tmp_path / "needles"
    path.write_text("/Probe.php\n")
    assert not validate_file(path, kind="needle").refused
    assert validate_file(path, kind="needle", options={"case": "lower"}).refused
    few = validate_file(path, kind="needle", limits=Limits(min_entries=2), key="lists/n.txt")
    assert [(f.key, f.rule) for f in few.findings] == [("lists/n.txt", "limits.min-entries")]
    large = validate_file(path, kind="needle", limits=Limits(max_bytes=3))
    assert [f.rule for f in large.findings] == ["file.too-large"]
    assert validate_file(path, kind="needle").stats.entries == 1


@pytest.mark.parametrize(
    ("kind", "limits", "told"),
    [
        ("cidr", Limits(must_not_contain=("8.8.8.8/24",)), "write 8.8.8.0/24"),
        ("cidr", Limits(must_contain=("banana",)), "192.0.2.0/24"),
        ("cidr", Limits(max_prefix4=33), "less than or equal to 32"),
        ("cidr", Limits(min_entries=-1), "greater than or equal to 0"),
        ("opaque", Limits(must_contain=("8.8.8.0/24",)), "it would guard nothing"),
        ("cidr", Limits(max_country_change=0.1), "it would guard nothing"),
    ],
)
def test_a_limit_that_would_guard_nothing_is_an_error(tmp_path: Path, kind: str, limits: Limits, told: str) -> None:
    """What a job file may not demand, a program may not either: it would be told that the file is fine."""
    path = tmp_path / "a.txt"
    path.write_text("8.8.8.0/24\n")
    with pytest.raises(ConfigError) as err:
        validate_file(path, kind=kind, limits=limits)
    assert told in f"{err.value} {err.value.advice}"


def test_what_cannot_be_found_out_is_an_error(tmp_path: Path) -> None:
    """An unknown kind or option is the caller's; a file that is not there is nobody's data."""
    path = tmp_path / "a.txt"
    path.write_text("x\n")
    with pytest.raises(ConfigError) as near:
        validate_file(path, kind="cidrs")
    assert near.value.advice == "did you mean `cidr`?"
    with pytest.raises(ConfigError, match="cas"):
        validate_file(path, kind="needle", options={"cas": "lower"})
    with pytest.raises(SourceError):
        validate_file(tmp_path / "gone.txt", kind="needle")
    with pytest.raises(HubdataError):
        validate_file(tmp_path, kind="needle")


def test_a_whole_database_is_told_as_such(tmp_path: Path) -> None:
    """With its type, when it was built and how much it holds."""
    path = tmp_path / "GeoLite2-City.mmdb"
    path.write_bytes(small_mmdb.database())
    proof = verify_mmdb(path)
    assert (proof.ok, proof.reason, proof.offset) == (True, "", None)
    assert proof.database_type == "GeoLite2-City"
    assert proof.built_at is not None
    assert proof.networks
    assert proof.size == path.stat().st_size


@pytest.mark.parametrize(
    "body", [b"", b"\x00", small_mmdb.circular_tree(), small_mmdb.broken_text(), small_mmdb.database()[:-40]]
)
def test_a_broken_database_is_told_with_byte_and_reason(tmp_path: Path, body: bytes) -> None:
    """The first reason is the result's; all of them have what the format demands."""
    path = tmp_path / "x.mmdb"
    path.write_bytes(body)
    proof = verify_mmdb(str(path))
    assert not proof.ok
    assert proof.reason == proof.defects[0].reason != ""
    assert proof.offset == proof.defects[0].offset
    assert all(0 <= each.offset <= len(body) and each.says and each.problem for each in proof.defects)
    assert proof.networks is None


@pytest.mark.parametrize("name", ["gone.mmdb", ".", "pipe", "nul\x00"])
def test_a_database_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    """Neither a missing file nor a directory is a verdict, and a pipe is not waited for."""
    if name == "pipe":
        os.mkfifo(tmp_path / name)
    with pytest.raises(SourceError, match="cannot be read"):
        verify_mmdb(tmp_path / name)
    with pytest.raises(SourceError, match="cannot be read"):
        validate_file(tmp_path / name, kind="mmdb")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give two jobs whose target holds nothing."""
    return SmallWorld.create(tmp_path_factory.mktemp("world"))


def test_a_plan_says_what_a_run_would_do_and_writes_nothing(
    world: SmallWorld, capfd: pytest.CaptureFixture[str]
) -> None:
    """Jobs, targets, changes and ids as values; no word on stdout or stderr, and no target made."""
    run = plan(world.root / "hubdata.toml", jobs=["lists"])
    assert [(job.job, job.outcome) for job in run.jobs] == [("lists", Outcome.PLANNED)]
    (target,) = run.jobs[0].targets
    assert {change.key for change in target.plan.changes if change.action is Action.PUT} > {GOOD}
    assert len(target.plan.id) == 64
    assert run.exit_code is Exit.FINE
    assert not (world.root / "mirror").exists()
    assert [path.name for path in (world.root / "spool").iterdir() if path.name.startswith("run-")] == []
    assert capfd.readouterr() == ("", "")


def test_a_plan_that_cannot_be_made_is_an_error_and_an_upstream_that_fails_is_not(world: SmallWorld) -> None:
    """Settings and names are the caller's; what fails later is in the result, with what to do."""
    with pytest.raises(ConfigError):
        plan(world.root / "gone.toml")
    with pytest.raises(ConfigError) as near:
        plan(world.root / "hubdata.toml", jobs=["list"])
    assert near.value.advice == "did you mean `lists`?"
    with pytest.raises(ConfigError, match="expected a list of names"):
        plan(world.root / "hubdata.toml", jobs="lists")
    with pytest.raises(ConfigError):
        plan(world.root / "hubdata.toml", targets=["mirrors"])
    run = plan(world.root / "hubdata.toml", jobs=["words"], checkouts={"*": world.root / "upstream"})
    assert run.exit_code is Exit.FINE
    (world.root / "data").rename(world.root / "moved")
    lost = plan(world.root / "hubdata.toml", jobs=["words"])
    assert lost.exit_code is Exit.SOURCE
    assert lost.jobs[0].problem is not None
    assert lost.jobs[0].problem.advice
