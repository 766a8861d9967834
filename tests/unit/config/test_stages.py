"""Stages and gates in hubdata.toml: durations, who follows whom, and every way to contradict oneself."""

from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.config.check import check
from hubdata.config.settings import Settings, load_settings
from hubdata.config.show import show
from hubdata.config.stages import stage_faults
from hubdata.errors import ConfigError
from hubdata.model.gate import Gate
from hubdata.model.stage import Stage
from tests.unit.config.conftest import Write

CANARY = '[targets.canary]\ntype = "directory"\npath = "canary"\n'
PRODUCTION = '[targets.production]\ntype = "directory"\npath = "production"\n'


def load(cwd: Path, **environment: str) -> Settings:
    """Return the settings as a command started in `cwd` would see them."""
    return load_settings(config=None, environment=environment, flags={}, cwd=cwd)


def test_a_stage_and_a_gate_are_read(tmp_path: Path, write: Write) -> None:
    """As plain values; the store's own options do not see them; a target without them has none."""
    gate = 'gate = ["check", "{tree}"]\n'
    write("hubdata.toml", f'{CANARY}{gate}\n{PRODUCTION}after = "canary"\nsoak = "30m"\n{gate}gate_timeout_s = 5\n')
    settings = load(tmp_path)
    canary, production = settings.targets["canary"], settings.targets["production"]
    assert (canary.stage, canary.gate) == (None, Gate(("check", "{tree}"), timedelta(minutes=5)))
    assert production.stage == Stage("canary", timedelta(minutes=30))
    assert production.gate == Gate(("check", "{tree}"), timedelta(seconds=5))
    assert set(production.options) == {"path"}


def test_they_have_variables_as_every_key(tmp_path: Path, write: Write) -> None:
    """A container changes how long something soaks without another file."""
    write("hubdata.toml", f'{CANARY}{PRODUCTION}after = "canary"\nsoak = "30m"\n')
    target = load(tmp_path, HUBDATA_TARGETS__PRODUCTION__SOAK="2h", HUBDATA_TARGETS__PRODUCTION__GATE='["/x"]')
    assert target.targets["production"].stage == Stage("canary", timedelta(hours=2))
    assert target.targets["production"].gate == Gate(("/x",))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("45s", 45), ("30m", 1800), ("90m", 5400), ("2h", 7200), ("7d", 604_800), ("1d2h3m4s", 93_784)],
)
def test_a_duration_is_numbers_with_units(tmp_path: Path, write: Write, text: str, seconds: int) -> None:
    """The largest unit first, each once."""
    write("hubdata.toml", f'{CANARY}{PRODUCTION}after = "canary"\nsoak = "{text}"\n')
    stage = load(tmp_path).targets["production"].stage
    assert stage is not None
    assert stage.soak == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ['""', '"30"', '"m"', '"1.5h"', '"-5m"', '"5 m"', '"4s3m"', '"1w"', '"366d"', "1800"])
def test_any_other_duration_is_an_error(tmp_path: Path, write: Write, text: str) -> None:
    """It names the key; a number alone would leave the unit to be guessed."""
    write("hubdata.toml", f'{CANARY}{PRODUCTION}after = "canary"\nsoak = {text}\n')
    with pytest.raises(ConfigError, match=r"hubdata.toml:8: targets.production.soak"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('after = "canray"\nsoak = "1m"', r"hubdata.toml:7: targets.production.after: there is no \[targets.canray\]"),
        ('after = "production"\nsoak = "1m"', "these targets wait for each other: production after production"),
        ('soak = "1m"', "hubdata.toml:7: targets.production.soak: .* no `after` names one"),
        ('after = "canary"', "hubdata.toml:7: targets.production.after: it does not say for how long"),
        ("gate = []", "hubdata.toml:7: targets.production.gate: "),
        ('gate = [""]', "the first is the program"),
        ('gate = ["./check"]', "the first is the program"),
        ('gate = "check"', "hubdata.toml:7: targets.production.gate: "),
        ("gate_timeout_s = 5", "gate_timeout_s: there is no `gate` to end"),
        ('gate = ["x"]\ngate_timeout_s = 0', "gate_timeout_s: "),
        ('gate = ["x"]\ngate_timeout_s = 3601', "gate_timeout_s: "),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path: Path, write: Write, lines: str, message: str) -> None:
    """Before anything is attempted, with file, line and key."""
    write("hubdata.toml", f"{CANARY}{PRODUCTION}{lines}\n")
    with pytest.raises(ConfigError, match=message):
        load(tmp_path)


def test_a_misspelt_target_is_suggested(tmp_path: Path, write: Write) -> None:
    """The advice names the one that was meant."""
    write("hubdata.toml", f'{CANARY}{PRODUCTION}after = "canray"\nsoak = "1m"\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert "did you mean `canary`" in str(caught.value)


def test_a_cdn_has_no_stage(tmp_path: Path, write: Write) -> None:
    """Keys of targets are unknown to a CDN: none is passed over in silence."""
    cdn = '[cdns.edge]\ntype = "cloudfront"\ndistribution_id = "E2"\ngate = ["x"]\ncdn = "none"\n'
    write("hubdata.toml", f"{CANARY}{cdn}")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert "cdns.edge.gate" in str(caught.value)
    assert "cdns.edge.cdn" in str(caught.value)


def test_targets_that_wait_for_each_other_are_all_told() -> None:
    """Each member of a ring, and nobody who only leads into it; a long chain is fine."""
    chain = {"a": {}, **{b: {"after": a, "soak": "1m"} for a, b in ("ab", "bc", "cd")}}
    assert list(stage_faults(chain)) == []
    ring = {"a": {"after": "c", "soak": "1m"}, **{k: v for k, v in chain.items() if k != "a"}}
    found = {fault.path[1]: fault.message for fault in stage_faults(ring)}
    assert set(found) == {"a", "b", "c"}
    assert found["a"] == "these targets wait for each other: a after c after b after a"


def test_a_gate_that_cannot_be_started_is_told_by_config_check(tmp_path: Path, write: Write) -> None:
    """Where it is looked for is where a run would find it."""
    write("hubdata.toml", f'{CANARY}gate = ["no-such-gate"]\n\n{PRODUCTION}gate = ["sh"]\n')
    problems = check(config=None, environment={"PATH": "/usr/bin:/bin"}, flags={}, cwd=tmp_path)
    (told,) = [problem for problem in problems if "started" in problem.message]
    assert (told.line, told.key) == (4, "targets.canary.gate")
    assert "nothing is published there" in told.advice


def test_config_show_tells_stages_and_gates(tmp_path: Path, write: Write) -> None:
    """With their origin, as every setting."""
    write("hubdata.toml", f'{CANARY}{PRODUCTION}after = "canary"\nsoak = "30m"\ngate = ["check", "{{tree}}"]\n')
    rows = {row.key: (row.value, row.origin) for row in show(config=None, environment={}, flags={}, cwd=tmp_path)}
    told = {key.rpartition(".")[2]: row for key, row in rows.items() if key.startswith("targets.production.")}
    assert (told["after"], told["soak"]) == (("canary", "hubdata.toml:7"), ("1800s", "hubdata.toml:8"))
    assert (told["gate"], told["gate_timeout_s"]) == (("check, {tree}", "hubdata.toml:9"), ("300", "default"))
    assert not [key for key in rows if key.startswith("targets.canary.") and key.endswith(("after", "gate"))]
