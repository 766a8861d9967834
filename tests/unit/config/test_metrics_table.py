"""`[metrics]`: where runs leave what they measured, and what is refused there."""

from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.config.settings import load_settings
from hubdata.config.show import show
from hubdata.errors import ConfigError
from hubdata.model.monitoring import Gateway, Monitoring
from tests.unit.config.conftest import Write

VARIABLE = "HUBDATA_METRICS__PUSHGATEWAY"


def read(cwd: Path, environment: dict[str, str] | None = None) -> Monitoring | None:
    """Return what the settings say of metrics."""
    return load_settings(config=None, environment=environment or {}, flags={}, cwd=cwd).metrics


def test_both_ways_of_telling_are_read(tmp_path: Path, write: Write) -> None:
    """A relative path is relative to the file, as everywhere."""
    write(
        "hubdata.toml",
        '[metrics]\ntextfile = "node/hubdata.prom"\npushgateway = "http://push:9091/base/"\n'
        'instance = "ci"\ntimeout_s = 2\n',
    )
    gateway = Gateway("http://push:9091/base/", "ci", timedelta(seconds=2))
    assert read(tmp_path) == Monitoring(tmp_path / "node" / "hubdata.prom", gateway)


def test_without_a_place_nothing_is_told(tmp_path: Path, write: Write) -> None:
    """A table that names neither is as none, and so is none."""
    assert read(tmp_path) is None
    write("hubdata.toml", '[metrics]\ninstance = "ci"\n')
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    "line",
    [
        'textfile = "hubdata.txt"',
        'textfile = "d/.prom"',
        'textfile = ""',
        'pushgateway = "push:9091"',
        'pushgateway = "ftp://push"',
        'pushgateway = "http://"',
        'pushgateway = "http://push:port"',
        'pushgateway = "http://push/?a=b"',
        'pushgateway = "http://pu sh/"',
        'instance = "a/b"',
        "timeout_s = 0",
        "timeout_s = 61",
        'gateway = "http://push"',
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, write: Write, line: str) -> None:
    """The message names the file, its line and the key."""
    write("hubdata.toml", f"[metrics]\n{line}\n")
    with pytest.raises(ConfigError, match=rf"hubdata\.toml:2: metrics\.{line.partition(' ')[0]}"):
        read(tmp_path)


def test_a_password_stands_in_the_environment_and_is_never_shown(tmp_path: Path, write: Write) -> None:
    """In the file it is refused; from the variable it is used, and `config show` hides it, as errors do."""
    write("hubdata.toml", '[metrics]\npushgateway = "https://me:pa55word@push"\n')
    with pytest.raises(ConfigError, match="the URL holds a password") as refused:
        read(tmp_path)
    assert "pa55word" not in str(refused.value)
    write("hubdata.toml", "")
    url = "https://me:pa55word@push"
    assert read(tmp_path, {VARIABLE: url}) == Monitoring(gateway=Gateway(url))
    rows = show(config=None, environment={VARIABLE: url}, flags={}, cwd=tmp_path)
    told = {row.key: row for row in rows if row.key.startswith("metrics.")}
    assert told["metrics.pushgateway"].value == "https://***@push"
    assert told["metrics.pushgateway"].origin == VARIABLE
    assert told["metrics.timeout_s"].value == "10"
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, {VARIABLE: "https://me:pa55word@push:port"})
    assert "pa55word" not in str(wrong.value)
