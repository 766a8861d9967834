"""A comparison as a program reads it."""

import json
from dataclasses import replace
from typing import Any

from hubdata.model.comparison import Comparison
from hubdata.model.run import RunResult
from hubdata.report.diff_json import comparison_json
from hubdata.report.json import run_json
from hubdata.report.meaning_json import meaning_json
from tests.unit.report import comparisons, samples


def test_a_comparison_is_one_object_with_all_files() -> None:
    """Each file with its state and meaning; lists whole, counts and space beside them."""
    told: dict[str, Any] = json.loads(comparison_json(comparisons.EVERYTHING))
    assert (told["exit_code"], told["old"], told["new"], told["same"]) == (0, "master", "the checkout", 167)
    assert [(file["key"], file["kind"], file["state"]) for file in told["files"]] == [
        ("db/old.mmdb", "mmdb", "removed"),
        ("whitelists/a.txt", "cidr", "changed"),
        ("web/b.txt", "needle", "equal"),
        ("web/new.txt", "regexp", "added"),
        ("web/probing.json", "map", "changed"),
    ]
    networks = told["files"][1]["meaning"]["networks"]
    assert networks["gained"] == [
        {
            "network": "104.16.0.0/16",
            "country": "US",
            "asn": 13335,
            "organisation": "CLOUDFLARENET",
            "whole": True,
        },
        {"network": "2001:db8::/48"},
    ]
    assert networks["lost"][0]["country"] is None
    assert (networks["gained_count"], networks["lost_count"]) == (2, 1)
    assert networks["gained_space"] == {"ipv4_addresses": 65536, "ipv6_64s": 65536}
    assert networks["after"] == {"ipv4_addresses": 1_590_016, "ipv6_64s": 65543}


def test_names_are_lists_with_their_counts() -> None:
    """Changed names have both of what they stood for."""
    names = meaning_json(comparisons.MAPPED.difference)["names"]
    assert names == {
        "gained_count": 1,
        "lost_count": 1,
        "changed_count": 1,
        "reordered": False,
        "before": 2,
        "after": 2,
        "gained": ["equals /b"],
        "lost": ["equals /z"],
        "changed": [{"name": "equals /a", "old": "1", "new": "2"}],
    }


def test_files_without_a_meaning_have_their_sizes() -> None:
    """What is null is not known."""
    assert meaning_json(comparisons.REMOVED.difference) == {
        "equal": False,
        "bytes": {"before": 2000, "after": None},
        "networks": None,
        "names": None,
        "geo": None,
    }


def test_a_plan_has_the_same_object_beside_the_change_it_explains() -> None:
    """Additive: changes that nobody explained look as before; lists are cut, counts are not."""
    target = samples.PUBLISHED.targets[0]
    many = comparisons.compared("needle", "# none\n", "".join(f"/probe-{n}\n" for n in range(1500)))
    explained = replace(target, meanings={"whitelists/e.txt": many})
    result = RunResult("r", (replace(samples.PUBLISHED, targets=(explained, samples.HELD.targets[0])),), 0.1)
    first, second = json.loads(run_json(result))["jobs"][0]["targets"]
    names = first["changes"][0]["meaning"]["names"]
    assert (len(names["gained"]), names["gained_count"]) == (1000, 1500)
    assert all("meaning" not in change for change in second["held"]["changes"])


def test_foreign_text_is_ascii_in_json() -> None:
    """Any locale can print it."""
    text = comparison_json(comparisons.HOSTILE)
    assert text.isascii()
    assert json.loads(text)["files"][0]["key"] == comparisons.EVIL
    assert json.loads(comparison_json(Comparison("a", "b", ())))["files"] == []
