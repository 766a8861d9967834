"""Plugins: every word in the tables is a real adapter, and every mistake in its options is told in plain words."""

import subprocess
import sys
from typing import Any

import pytest

from hubdata import plugins
from hubdata.errors import ConfigError
from hubdata.plugins import TABLES, OptionsError, Seam, load, options_model, parse_options
from tests.unit.config import sample_adapters

WORDS = [(seam, word) for seam, table in TABLES.items() for word in table]


@pytest.mark.parametrize(("seam", "word"), WORDS)
def test_every_word_is_an_adapter_whose_options_refuse_unknown_keys(seam: Seam, word: str) -> None:
    """The import path is right, the class has `Options`, and a mistyped key never passes silently."""
    assert load(seam, word).__module__ == TABLES[seam][word].partition(":")[0]
    assert options_model(seam, word).model_config["extra"] == "forbid"
    with pytest.raises(OptionsError) as caught:
        parse_options(seam, word, {"no_such_key": 1})
    assert ("no_such_key",) in [fault.path for fault in caught.value.faults]


def test_an_unknown_word_is_told_with_the_nearest_one() -> None:
    """`gti` is `git` mistyped; a word like no other gets the whole list."""
    with pytest.raises(ConfigError, match="unknown source `gti`") as near:
        load(Seam.SOURCE, "gti")
    assert near.value.advice == "did you mean `git`?"
    with pytest.raises(ConfigError) as far:
        load(Seam.CDN, "xyzzy-plugh")
    assert far.value.advice == "known are: cloudflare, cloudfront, none"


def test_asking_for_the_tables_imports_no_adapter_and_no_heavy_library() -> None:
    """Start-up pays for what a run uses: `hubdata.plugins` alone brings in pydantic and nothing else of weight."""
    code = (
        "import sys, hubdata.plugins, hubdata.config.settings, hubdata.config.jobs, hubdata.config.check;"
        "heavy = {'boto3', 'botocore', 'requests', 'numpy', 'geoip2', 'maxminddb', 're2', 'rich', 'apscheduler'};"
        "adapters = [m for m in sys.modules if m.startswith('hubdata.') and m.count('.') > 1"
        " and m.split('.')[1] in ('sources', 'kinds', 'targets', 'cdns')];"
        "print(sorted(heavy & set(sys.modules)), adapters)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[] []"


def test_checking_the_options_of_every_adapter_imports_no_heavy_client() -> None:
    """A configuration with S3, CloudFront and GeoIP is read without their libraries; a run that needs them pays."""
    code = (
        "import sys; from hubdata.plugins import TABLES, options_model;"
        "[options_model(seam, word) for seam, table in TABLES.items() for word in table];"
        "print(sorted({'boto3', 'botocore', 'requests', 'numpy', 'geoip2', 'rich'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[]"


@pytest.fixture
def _samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins.SOURCES, "list", f"{sample_adapters.__name__}:ListSource")
    monkeypatch.setitem(plugins.TARGETS, "s3", f"{sample_adapters.__name__}:S3Target")


@pytest.mark.usefixtures("_samples")
@pytest.mark.parametrize(
    ("seam", "word", "options", "expected"),
    [
        (Seam.TARGET, "s3", {}, [(("bucket",), "a required key is missing", "")]),
        (
            Seam.TARGET,
            "s3",
            {"bucket": 5, "atempts": 1},
            [
                (("bucket",), "expected a text, found 5", "write it in quotes"),
                (("atempts",), "unknown key", "did you mean `attempts`?"),
            ],
        ),
        (
            Seam.TARGET,
            "s3",
            {"bucket": ["b"], "attempts": 0},
            [
                (("bucket",), "expected a text, found a list", ""),
                (("attempts",), "expected greater than or equal to 1, found 0", ""),
            ],
        ),
        (
            Seam.SOURCE,
            "list",
            {
                "items": [{"url": "u"}, {"ulr": "u", "url": "u"}],
                "named": {"a": {"url": "u", "uri": 1}},
                "best": {"x": 1},
            },
            [
                (("items", 1, "ulr"), "unknown key", "did you mean `url`?"),
                (("named", "a", "uri"), "unknown key", "did you mean `url`?"),
                (("best", "url"), "a required key is missing", ""),
                (("best", "x"), "unknown key", "known are: url"),
            ],
        ),
    ],
)
def test_every_fault_of_a_table_comes_at_once_in_our_words(
    seam: Seam, word: str, options: dict[str, Any], expected: list[tuple[tuple[str | int, ...], str, str]]
) -> None:
    """Each has its path in the table, says what was expected and found, and suggests the nearest known key."""
    with pytest.raises(OptionsError) as caught:
        parse_options(seam, word, options)
    assert [(fault.path, fault.message, fault.advice) for fault in caught.value.faults] == expected


@pytest.mark.usefixtures("_samples")
def test_a_fault_never_repeats_a_secret() -> None:
    """A password in a URL, or a value under a secret's name, is not quoted by the error that refuses it."""
    with pytest.raises(OptionsError) as caught:
        parse_options(
            Seam.TARGET, "s3", {"bucket": "b", "attempts": "https://me:hunter2@example.net", "token": "hunter2"}
        )
    with pytest.raises(OptionsError) as named:
        parse_options(Seam.SOURCE, "list", {"items": [], "token": "hunter2"})
    assert named.value.faults[0].message.endswith(", found a text")
    told = str(named.value) + str(caught.value) + caught.value.advice + "".join(map(str, caught.value.faults))
    assert "hunter2" not in told
    assert "attempts" in told


@pytest.mark.usefixtures("_samples")
def test_options_that_fit_come_back_as_the_adapters_own_model() -> None:
    """Defaults are filled in and types are the adapter's."""
    options = parse_options(Seam.TARGET, "s3", {"bucket": "b", "attempts": "4"})
    assert options == sample_adapters.S3Target.Options(bucket="b", attempts=4)
