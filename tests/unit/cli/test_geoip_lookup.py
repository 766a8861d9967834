"""`hubdata geoip lookup`: its flags, its codes, and what it needs none of."""

import json
from ipaddress import ip_network
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubdata.cli.root import root
from hubdata.demo.mmdb_writer import mmdb


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a database that knows 9.9.9.0/24."""
    path = tmp_path / "GeoLite2-ASN.mmdb"
    record = {"autonomous_system_number": 19281, "autonomous_system_organization": "QUAD9"}
    path.write_bytes(mmdb("GeoLite2-ASN", {ip_network("9.9.9.0/24"): record}, build_epoch=1_780_000_000))
    return path


def test_addresses_are_looked_up_in_named_files(runner: CliRunner, database: Path) -> None:
    """Found or not, it ends with 0: no record is an answer."""
    done = runner.invoke(root, ["geoip", "lookup", "9.9.9.9", "10.0.0.1", "--database", str(database)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "GeoLite2-ASN  9.9.9.0/24  AS19281 QUAD9" in done.stdout
    assert "no record in GeoLite2-ASN" in done.stdout


def test_a_program_is_told_what_was_found(runner: CliRunner, database: Path) -> None:
    """One JSON object."""
    line = ["geoip", "lookup", "9.9.9.9", "10.0.0.1", "--database", str(database), "--format", "json"]
    said = json.loads(runner.invoke(root, line).stdout)
    assert [(address["ip"], address["found"], address["asn"]) for address in said["addresses"]] == [
        ("9.9.9.9", True, 19281),
        ("10.0.0.1", False, None),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'IP...'"),
        (["example.net"], "'example.net' is no IP address"),
        (["9.9.9.9/24"], "'9.9.9.9/24' is no IP address"),
        (["9.9.9.9", "--database", "absent.mmdb"], "does not exist"),
        (["9.9.9.9", "--database", ".", "--target", "aws"], "leave one of them out"),
    ],
)
def test_a_question_that_has_no_answer_is_a_usage_error(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """Nothing was read; the code is 2."""
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(root, ["geoip", "lookup", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr
