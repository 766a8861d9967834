"""`config show`: each value with its origin, and no secret."""

from pathlib import Path

import pytest

from hubdata.config.schema import json_schema
from hubdata.config.show import Row, show
from hubdata.errors import ConfigError
from tests.unit.config.conftest import Write


def test_every_value_tells_where_it_came_from(tmp_path: Path, write: Write) -> None:
    """File and line, the variable, the flag, or `default`; adapters' own defaults are part of it."""
    settings = '\n[targets.aws]\ntype = "s3"\nbucket = "b"\n\n[verify]\nurl = "https://example.net"\n'
    write("hubdata.toml", settings + "[lease]\nwaits_s = 30\n")
    environment = {"HUBDATA_SPOOL": "/s", "HUBDATA_TARGETS__AWS__REGION": "eu-west-1"}
    rows = show(config=None, environment=environment, flags={"jobs": "j", "checkout": ["c"]}, cwd=tmp_path)
    assert rows == (
        Row("jobs", str(tmp_path / "j"), "--jobs"),
        Row("spool", "/s", "HUBDATA_SPOOL"),
        Row("sha256sums", "false", "default"),
        Row("page.publish", "true", "default"),
        Row("validation.remember", "true", "default"),
        Row("validation.processes", "by cores, max 4", "default"),
        Row("targets.aws.type", "s3", "hubdata.toml:3"),
        Row("targets.aws.bucket", "b", "hubdata.toml:4"),
        Row("targets.aws.prefix", "", "default"),
        Row("targets.aws.region", "eu-west-1", "HUBDATA_TARGETS__AWS__REGION"),
        Row("targets.aws.attempts", "3", "default"),
        Row("targets.aws.cdn", "none", "default"),
        Row("checkouts.*", str(tmp_path / "c"), "--checkout"),
        Row("verify.url", "https://example.net", "hubdata.toml:7"),
        Row("verify.families", "ipv4, ipv6", "default"),
        Row("verify.target", "aws", "default"),
        Row("verify.resolve", "", "default"),
        Row("verify.sample", "20", "default"),
        Row("verify.wait_s", "120", "default"),
        Row("verify.silence_s", "15", "default"),
        Row("verify.timeout_s", "300", "default"),
        Row("lease.holds_s", "60", "default"),
        Row("lease.waits_s", "30", "hubdata.toml:9"),
    )


def test_every_key_of_every_table_is_shown(tmp_path: Path, write: Write) -> None:
    """With each table written down, no key that hubdata.toml may hold is left out, told by the schema."""
    write(
        "hubdata.toml",
        '[targets.aws]\ntype = "s3"\nbucket = "b"\n[verify]\nurl = "https://example.net"\n[fleet]\nengines = 5\n'
        '[sign]\npublic_key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"\nkms_key = "alias/a"\n'
        'key_file = "k"\n[http]\nlisten = [":8080"]\n[http.github]\nrepository = "a/b"\nref = "main"\njobs = ["a"]\n'
        '[hooks]\non_published = ["true"]\n[metrics]\npushgateway = "https://p.example.net"\n'
        '[notify]\ncommand = ["true"]\n',
    )
    rows = show(config=None, environment={}, flags={}, cwd=tmp_path)
    shown = {row.key for row in rows}
    schema = json_schema()["hubdata.toml"]
    wanted = set()
    for table, value in schema["properties"].items():
        if table in ("targets", "cdns", "checkouts"):  # their names are the user's own
            continue
        text = str(value)
        model = schema["$defs"][text.partition("#/$defs/")[2].partition("'")[0]] if "$ref" in text else {}
        wanted |= {f"{table}.{key}" for key in model.get("properties", ())} or {table}
    wanted.remove("http.github")
    assert wanted - shown == set()
    assert {"fleet.engines", "http.listen", "notify.on", "spool"} <= wanted, "the schema is read as it is"


def test_credentials_are_named_and_never_shown(tmp_path: Path) -> None:
    """Whether a key is set is worth knowing; what it is, is nobody's business."""
    environment = {
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "MAXMIND_LICENSE_KEY_FILE": "/run/secrets/maxmind",
        "OTHER": "hunter2",
    }
    rows = show(config=None, environment=environment, flags={}, cwd=tmp_path)
    assert rows[-2:] == (
        Row("AWS_SECRET_ACCESS_KEY", "***", "environment"),
        Row("MAXMIND_LICENSE_KEY_FILE", "/run/secrets/maxmind", "environment"),
    )
    assert "hunter2" not in str(rows)


def test_a_password_that_slipped_into_a_variable_is_not_shown(tmp_path: Path) -> None:
    """The file is searched for secrets; a variable may hold one, and still it is not repeated."""
    environment = {
        "HUBDATA_TARGETS__AWS__TYPE": "s3",
        "HUBDATA_TARGETS__AWS__BUCKET": "https://me:hunter2@example.net",
    }
    rows = show(config=None, environment=environment, flags={}, cwd=tmp_path)
    assert Row("targets.aws.bucket", "https://***@example.net", "HUBDATA_TARGETS__AWS__BUCKET") in rows


def test_a_wrong_configuration_is_told_instead_of_shown(tmp_path: Path, write: Write) -> None:
    """Half a configuration would be misleading."""
    write("hubdata.toml", "[targets.aws]\n")
    with pytest.raises(ConfigError, match=r"hubdata.toml:1: targets.aws.type: a required key is missing"):
        show(config=None, environment={}, flags={}, cwd=tmp_path)
