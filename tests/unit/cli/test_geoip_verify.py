"""`hubdata geoip verify`: what it says of sound and broken databases, and what it needs none of."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubdata.cli.root import root
from tests.support import small_mmdb
from tests.support.real import BAD_MMDB, MMDB, needs_real


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory whose settings cannot be read: whoever reads them fails."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hubdata.toml").write_text("this is no TOML")
    return tmp_path


def test_a_sound_database_is_told_in_a_few_lines(runner: CliRunner, nowhere: Path) -> None:
    """Type, build date, size, networks and coverage; it ends with 0, and no settings are read."""
    (nowhere / "GeoLite2-City.mmdb").write_bytes(small_mmdb.database())
    done = runner.invoke(root, ["geoip", "verify", "GeoLite2-City.mmdb"])
    assert (done.exit_code, done.stderr) == (0, "")
    for line in (
        "GeoLite2-City.mmdb: sound",
        "  type      GeoLite2-City (IPv6, with IPv4 in it)",
        "  built     2026-05-29 12:00 UTC",
        "  size      987 B, 120 nodes of 24-bit records",
        "  networks  1 with a record",
        "  IPv4      256 addresses, 0.00% of all",
    ):
        assert f"{line}\n" in done.stdout
    assert runner.invoke(root, ["geoip", "verify", "-q", "GeoLite2-City.mmdb"]).stdout == ""


def test_a_refusal_names_the_byte_and_the_specification(runner: CliRunner, nowhere: Path) -> None:
    """What it says of itself is shown all the same; it ends with 3."""
    (nowhere / "GeoLite2-City.mmdb").write_bytes(small_mmdb.broken_text())
    done = runner.invoke(root, ["geoip", "verify", "GeoLite2-City.mmdb"])
    assert done.exit_code == 3
    assert "GeoLite2-City.mmdb: refused\n  type      GeoLite2-City" in done.stdout
    said = " ".join(done.stdout.split())
    assert re.search(r"error \[mmdb\.data\] at byte [\d,]+: .+ the specification says: .+", said)
    assert "networks " not in done.stdout


def test_a_program_gets_the_offset_and_what_the_database_says_of_itself(runner: CliRunner, nowhere: Path) -> None:
    """One object: a validation's, with a `database` for each file; the byte is a number too."""
    sound, broken = small_mmdb.database(), small_mmdb.circular_data()
    (nowhere / "GeoLite2-City.mmdb").write_bytes(sound)
    (nowhere / "broken.mmdb").write_bytes(broken)
    (nowhere / "page.mmdb").write_bytes(b"<html>502</html>")
    line = ["geoip", "verify", "--format", "json", "GeoLite2-City.mmdb", "broken.mmdb", "page.mmdb"]
    done = runner.invoke(root, line)
    said = json.loads(done.stdout)
    assert (done.exit_code, said["exit_code"]) == (3, 3)
    first, second, third = said["files"]
    assert first["stats"] == {
        "entries": 1,
        "ipv4_addresses": 256,
        "ipv6_64s": 0,
        "build_epoch": small_mmdb.BUILT,
    }
    assert first["database"]["database_type"] == "GeoLite2-City"
    assert (first["database"]["networks"], first["database"]["ipv6_share"]) == (1, 0)
    assert (second["database"]["node_count"], second["database"]["networks"]) == (120, None)
    assert third["database"] is None
    errors = {f["key"]: f for f in said["findings"] if f["severity"] == "error"}
    assert errors.keys() == {"broken.mmdb", "page.mmdb"}
    assert errors["broken.mmdb"]["rule"] == "mmdb.pointer"
    offset = errors["broken.mmdb"]["offset"]
    assert broken[offset : offset + 5] == b"\xe1Aa" + small_mmdb.pointer(0)


def test_the_edition_that_is_asked_for_is_held_against_the_type(runner: CliRunner, nowhere: Path) -> None:
    """Whatever the file is called."""
    (nowhere / "download").write_bytes(small_mmdb.database())
    assert runner.invoke(root, ["geoip", "verify", "download", "--edition", "GeoLite2-City"]).exit_code == 0
    done = runner.invoke(root, ["geoip", "verify", "download", "--edition", "GeoLite2-ASN"])
    assert done.exit_code == 3
    assert "expected `GeoLite2-ASN`" in done.stdout


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_any_number_of_threads_finds_the_same(runner: CliRunner, nowhere: Path, threads: str) -> None:
    """Only the time differs."""
    (nowhere / "bomb.mmdb").write_bytes(small_mmdb.heavy())
    done = runner.invoke(root, ["geoip", "verify", "bomb.mmdb", "--threads", threads, "--format", "json"])
    assert [f["rule"] for f in json.loads(done.stdout)["findings"] if f["severity"] == "error"] == ["mmdb.heavy"]


@pytest.mark.parametrize(
    ("format_", "said"), [("github", "::error file=x.mmdb"), ("sarif", '"ruleId": "mmdb.no-metadata"')]
)
def test_code_scanning_and_workflows_read_it_as_any_validation(
    runner: CliRunner, nowhere: Path, format_: str, said: str
) -> None:
    """The same reports as `hubdata validate`."""
    (nowhere / "x.mmdb").write_bytes(b"")
    done = runner.invoke(root, ["geoip", "verify", "x.mmdb", "--format", format_])
    assert done.exit_code == 3
    assert said in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'FILE...'"),
        (["absent.mmdb"], "does not exist"),
        (["."], "is a directory"),
        (["hubdata.toml", "--threads", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_verified_is_a_usage_error(
    runner: CliRunner, nowhere: Path, arguments: list[str], said: str
) -> None:
    """Nothing was read; the code is 2."""
    done = runner.invoke(root, ["geoip", "verify", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr


@needs_real
def test_all_good_databases_of_the_real_data_pass_and_each_bad_one_is_refused(runner: CliRunner) -> None:
    """Under the names they have; each refusal has its place and what the specification says there."""
    good, bad = sorted((MMDB / "good").glob("*.mmdb")), sorted(BAD_MMDB.glob("*.mmdb"))
    assert runner.invoke(root, ["geoip", "verify", *map(str, good)]).exit_code == 0
    done = runner.invoke(root, ["geoip", "verify", "--format", "json", *map(str, bad)])
    assert done.exit_code == 3
    errors = [f for f in json.loads(done.stdout)["findings"] if f["severity"] == "error"]
    assert {f["key"] for f in errors} == set(map(str, bad))
    assert all("the specification says: " in f["message"] and f["offset"] >= 0 for f in errors)
