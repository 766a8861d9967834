"""Where the MaxMind source finds its credentials and options, and that its server in the tests is one."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, SourceError
from hubdata.ports import SourceContext
from hubdata.report.redaction import Redactor
from hubdata.sources.maxmind.access import find_access, has_credentials
from hubdata.sources.maxmind.options import MaxmindOptions
from hubdata.sources.maxmind.source import MaxmindSource
from tests.support.maxmind_kit import ASN, BODY, CITY, CITY_KEY, LOGIN, SECRET, FakeClock, Kit, assert_no_secret
from tests.support.maxmind_server import MaxmindServer

# --- credentials


def options(**given: object) -> MaxmindOptions:
    """Return options for City with more."""
    return MaxmindOptions.model_validate({"editions": [CITY], **given})


def _conf(tmp_path: Path, server: MaxmindServer) -> Path:
    path = tmp_path / "GeoIP.conf"
    path.write_text(f"# mine\nAccountID {server.account}\nLicenseKey\t {server.key}\nEditionIDs {CITY} {ASN}\n")
    return path


@pytest.mark.parametrize("family", ["MAXMIND", "GEOIPUPDATE"])
@pytest.mark.parametrize("as_file", [False, True])
def test_credentials_are_found_under_each_usual_name(kit: Kit, tmp_path: Path, family: str, as_file: bool) -> None:
    """In the variable or in the file that it names."""
    values = {"ACCOUNT_ID": kit.server.account, "LICENSE_KEY": kit.server.key}
    kit.environment = {}
    for name, value in values.items():
        path = tmp_path / name
        path.write_text(value + "\n")
        kit.environment[f"{family}_{name}" + ("_FILE" if as_file else "")] = str(path) if as_file else value
    assert has_credentials(options(), kit.environment)
    assert len(kit.fetch().files) == 1


def test_a_geoip_conf_gives_the_credentials(kit: Kit, tmp_path: Path) -> None:
    """By option, or by the variable that the vendor's own updater knows; variables go before it."""
    path = _conf(tmp_path, kit.server)
    kit.environment = {}
    assert len(kit.fetch(config_file=str(path)).files) == 1
    kit.environment = {"GEOIPUPDATE_CONF_FILE": str(path)}
    assert len(kit.fetch().files) == 1
    kit.environment["MAXMIND_LICENSE_KEY"] = "wrong"
    with pytest.raises(SourceError) as caught:
        kit.fetch()
    assert "from GeoIP.conf and MAXMIND_LICENSE_KEY" in caught.value.advice


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "no `AccountID`"),
        ({"MAXMIND_ACCOUNT_ID": "1"}, "no `LicenseKey`"),
        ({"MAXMIND_LICENSE_KEY": SECRET}, "no `AccountID`"),
        ({"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY_FILE": "/nonexistent"}, "cannot be read"),
        ({"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY": f"{SECRET} {SECRET}"}, "must be one word"),
        ({"MAXMIND_ACCOUNT_ID": "1:2", "MAXMIND_LICENSE_KEY": SECRET}, "must be one word"),
        ({"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY": "YOUR_LICENSE_KEY_HERE"}, "placeholder"),
        ({"GEOIPUPDATE_CONF_FILE": "/nonexistent/GeoIP.conf"}, "cannot be read"),
    ],
)
def test_credentials_that_cannot_be_used_are_a_config_error(
    kit: Kit, environment: dict[str, str], message: str
) -> None:
    """Exit 2 with advice, nothing asked of anybody, and the key not quoted."""
    kit.environment = environment
    with pytest.raises(ConfigError, match=message) as caught:
        kit.fetch()
    assert caught.value.advice
    assert_no_secret(caught.value)
    assert Redactor()(str(caught.value)) == str(caught.value), "no word of the message is taken for a key"
    assert kit.server.requests == []


def test_a_job_without_any_credentials_can_be_left_out() -> None:
    """None at all is a notice; half of a pair is somebody's mistake, to be reported by the fetch."""
    assert not has_credentials(options(), {"MAXMIND_LICENSE_KEY": "", "HOME": "/"})
    assert has_credentials(options(), {"MAXMIND_LICENSE_KEY": "x"})
    assert has_credentials(options(), {"GEOIPUPDATE_ACCOUNT_ID_FILE": "/run/secrets/id"})
    assert has_credentials(options(config_file="GeoIP.conf"), {})
    assert MaxmindSource.lacks(options(), {"MAXMIND_LICENSE_KEY": "x"}) is None
    assert "MAXMIND_ACCOUNT_ID" in (MaxmindSource.lacks(options(), {}) or "")


# --- options


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"editions": []}, "at least 1"),
        ({"editions": CITY}, "valid tuple"),
        ({"editions": ["../x"]}, "match pattern"),
        ({"editions": ["a/b"]}, "match pattern"),
        ({"editions": [CITY, CITY]}, "named twice"),
        ({"editions": ["GeoLite2-City-CSV"]}, "without -CSV"),
        ({"url": "http://updates.maxmind.com"}, "in the clear"),
        ({"url": "https://a:b@updates.maxmind.com"}, "user or password"),
        ({"prefix": "../"}, "cannot be a key"),
        ({"prefix": "/mmdb/"}, "cannot be a key"),
        ({"prefix": ".hubdata/"}, "cannot be a key"),
        ({"license_key": SECRET}, "do not belong in a job file"),
        ({"account_id": SECRET}, "do not belong in a job file"),
        ({"licence_key": SECRET}, "Extra inputs"),
        ({"timeout_s": 0}, "greater than 0"),
        ({"max_bytes": -1}, "greater than 0"),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, object], message: str) -> None:
    """At the edge, and without quoting what might be a secret."""
    with pytest.raises(ValidationError, match=message) as caught:
        options(**given)
    assert SECRET not in str(caught.value)


def test_options_have_the_contracts_defaults() -> None:
    """The vendor's address, and keys below `mmdb_update/`."""
    given = options(url="https://mirror.example/")
    assert (given.url, given.key(CITY)) == ("https://mirror.example", CITY_KEY)
    assert find_access(options(), LOGIN).url == "https://updates.maxmind.com"
    assert find_access(options(protocol="permalink"), LOGIN).url == "https://download.maxmind.com"


# --- the server of the tests itself


def test_the_test_server_runs_as_a_process(tmp_path: Path, clock: FakeClock) -> None:
    """As the benchmarks and end-to-end tests start it: one JSON line, then it serves."""
    database = tmp_path / "x"
    database.write_bytes(BODY)
    root = Path(__file__).parents[4]
    command = [sys.executable, "-m", "tests.support.maxmind_server", "--database", f"{CITY}={database}", "--port", "0"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            environment = {"MAXMIND_ACCOUNT_ID": told["account"], "MAXMIND_LICENSE_KEY": told["key"]}
            context = SourceContext(tmp_path / "workspace", environment, clock)
            (file,) = MaxmindSource(options(url=told["url"]), context).fetch(dict).files
            assert file.path.read_bytes() == BODY
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
