"""The list of items that a repository keeps: read as it stands, every mistake named at once."""

import json
from pathlib import Path

import pytest

from hubdata.errors import ConfigError
from hubdata.sources.http.items_file import items_in
from tests.support.real import SEC_LISTS, needs_real


def written(tmp_path: Path, value: object) -> Path:
    """Return a file that holds `value` as JSON."""
    path = tmp_path / "sources.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@needs_real
def test_the_list_in_the_field_is_read_as_it_stands() -> None:
    """All ten, six of them with their filters."""
    items = items_in(SEC_LISTS / ".github" / "sync-sources.json")
    assert len(items) == 10
    assert sum(item.jq is not None for item in items) == 6
    assert items[0].output == "whitelists/cdn_providers/cloudflare_ips.txt"
    assert items[2].url == "https://www.quic.cloud/ips?ln"
    assert items[4].jq == '[.prefixes[] | select(.service == "CLOUDFRONT") | .ip_prefix] | sort | .[]'


def test_empty_and_null_filters_and_headers_are_none(tmp_path: Path) -> None:
    """As scripts write them."""
    item = {"name": "a", "url": "https://a.example/x", "output": "a", "jq_filter": "", "header": None}
    (found,) = items_in(written(tmp_path, [item]))
    assert (found.jq, found.header) == (None, None)


def test_every_mistake_is_named_with_its_item(tmp_path: Path) -> None:
    """Number, name and key; what might be a secret is not quoted."""
    bad = [
        {"name": "one", "url": "https://a.example/x?token=sentinel", "output": "a"},
        {"name": "two", "url": "https://a.example/x", "output": "b", "jq_filtre": "."},
        {"name": "three", "url": "https://a.example/x"},
        "four",
        {"url": "https://a.example/x", "output": "c", "jq": "."},
    ]
    with pytest.raises(ConfigError) as caught:
        items_in(written(tmp_path, bad))
    said = str(caught.value)
    for words in (
        "item 1 ('one'): `url`: its query holds a credential",
        "item 2 ('two'): `jq_filtre`: unknown key",
        "item 3 ('three'): `output`: it is missing",
        "item 4: expected an object",
        "item 5: unknown key `jq`: here it is called `jq_filter`",
    ):
        assert words in said
    assert "sentinel" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("{}", "expected a list"),
        ("[]", "expected a list of 1 to 500 items"),
        ("[" * 100_000, "not JSON"),
        (" " * (1 << 20) + "[]", "more than 1,048,576 bytes"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """Bounded, and said in words."""
    with pytest.raises(ConfigError, match=words):
        items_in(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    """With what to look at."""
    with pytest.raises(ConfigError) as caught:
        items_in(tmp_path / "none.json")
    assert "No such file" in str(caught.value)
    assert "items_file" in caught.value.advice


def test_two_items_for_one_file_are_a_mistake(tmp_path: Path) -> None:
    """The second would overwrite the first."""
    item = {"name": "a", "url": "https://a.example/x", "output": "a"}
    with pytest.raises(ConfigError, match="two items make a"):
        items_in(written(tmp_path, [item, item]))
