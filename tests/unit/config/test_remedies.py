"""A value of the wrong form is told with what to write instead, in words and not as a regular expression alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.check import check
from hubdata.config.schema import json_schema
from hubdata.tables.remedies import PATTERNS

SCHEMAS = json_schema()  # before the samples of this directory's tests take the adapters' places
TARGET = '[targets.a]\ntype = "s3"\nbucket = "{bucket}"\n{more}\n'
JOB = '[source]\ntype = "directory"\npath = "."\n[[files]]\nmatch = "*"\nkind = "opaque"\n{more}\n'


@pytest.fixture(autouse=True)
def _sample_adapters() -> None:
    """Leave the real adapters where they are."""


def patterns(schema: Any) -> Iterator[str]:
    """Yield every pattern that a schema demands of a value."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for inner in schema.values():
            yield from patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from patterns(inner)


def test_every_pattern_of_the_settings_has_words() -> None:
    """No setting of hubdata's own is refused by a regular expression alone, and no words outlive their pattern."""
    assert set(patterns(SCHEMAS)) == set(PATTERNS)


@pytest.mark.parametrize(
    ("settings", "job", "key", "advice"),
    [
        (TARGET.format(bucket="s3://data", more=""), "", "targets.a.bucket", "no s3://, no ARN"),
        (TARGET.format(bucket="data", more="expected_bucket_owner = 123456789012"), "", "owner", "in quotes"),
        ('[verify]\nurl = "hub.example.net"\n', "", "verify.url", "https:// or http://"),
        ('[hooks]\non_published = "reload"\n', "", "hooks.on_published", "in brackets"),
        ("", 'limits = { min_entries = "25" }', "limits.min_entries", "without quotes"),
        (
            "",
            '[[waivers]]\nkey = "a"\nrule = "cidr.too-wide"\nreason = "it is meant"\nuntil = "2027-01-31"',
            "until",
            "2027-01-31",
        ),
    ],
)
def test_a_value_of_the_wrong_form_is_told_with_what_to_write(
    tmp_path: Path, settings: str, job: str, key: str, advice: str
) -> None:
    """The mistakes that newcomers make (an address for a name, quotes too many or too few) are answered in words."""
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "a.toml").write_text(JOB.format(more=job))
    (tmp_path / "hubdata.toml").write_text(f'jobs = "jobs"\n{settings}')
    problems = check(config=None, environment={}, flags={}, cwd=tmp_path)
    assert [(p.key.endswith(key), advice in p.advice) for p in problems] == [(True, True)], problems


def test_a_text_without_quotes_is_told_so(tmp_path: Path) -> None:
    """The commonest mistake of somebody who comes from another format; other syntax errors point to the format."""
    for text, advice in (
        ("jobs = jobs\n", 'texts stand in quotes, as key = "text"'),
        ("jobs\n", "see https://toml.io"),
    ):
        (tmp_path / "hubdata.toml").write_text(text)
        (problem,) = check(config=None, environment={}, flags={}, cwd=tmp_path)
        assert (problem.line, problem.advice) == (1, advice)
