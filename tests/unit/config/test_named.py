"""Named networks and rows in job files: a guard with a typing error, or on a kind without it, is a mistake."""

from pathlib import Path

import pytest

from hubdata.config.jobs import load_jobs
from hubdata.config.named import country_faults, named_faults
from hubdata.errors import ConfigError
from hubdata.model.job import Limits
from tests.unit.config.conftest import Write

JOB = """\
[source]
type = "git"
url = "https://example.net/lists"

[[files]]
match = "*.txt"
kind = "cidr"

[files.limits]
must_contain = ["8.8.8.0/24", "2001:4860:4860::8888"]
must_not_contain = [
  "3.208.0.0/12",
  "9.9.9.9",
]
"""


def test_named_networks_become_part_of_the_limits(tmp_path: Path, write: Write) -> None:
    """Networks and single addresses of both families arrive as written."""
    write("a.toml", JOB)
    (job,) = load_jobs(tmp_path)
    assert job.files[0].limits == Limits(
        must_contain=("8.8.8.0/24", "2001:4860:4860::8888"), must_not_contain=("3.208.0.0/12", "9.9.9.9")
    )


def test_a_job_says_how_much_may_be_deleted_and_how_little_space_needs_no_look(tmp_path: Path, write: Write) -> None:
    """`max_deletes` and the floors of address space arrive as written; without them half, and nothing."""
    write(
        "a.toml", JOB.replace("[files.limits]", "[files.limits]\nfloor_ipv4_addresses = 256\nfloor_ipv6_64s = 65_536")
    )
    write("b.toml", "max_deletes = 0.25\n" + JOB)
    first, second = load_jobs(tmp_path)
    assert (first.max_deletes, second.max_deletes) == (0.5, 0.25)
    assert (first.files[0].limits.floor_ipv4_addresses, first.files[0].limits.floor_ipv6_64s) == (256, 65_536)
    assert second.files[0].limits.floor_ipv4_addresses is None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"3.208.0.0/12"', '"3.210.0.0/12"', 12, "must_not_contain[1]: expected a network in its canonical spelling"),
        ('"3.208.0.0/12"', '"3.210.0.0/12"', 12, "(write 3.208.0.0/12)"),
        ('"9.9.9.9"', '"9.9.9.9 "', 13, "(write 9.9.9.9/32)"),
        ('"9.9.9.9"', '"dns.quad9.net"', 13, "(write it as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1)"),
        ('"9.9.9.9"', "9", 13, "must_not_contain[2]: expected a text, found 9"),
        ('"2001:4860:4860::8888"', '"2001:4860:4860:0::8888"', 10, "must_contain[2]: expected a network"),
        ('"8.8.8.0/24"', '"9.9.9.9"', 10, "must_contain: 9.9.9.9 also stands in `must_not_contain`"),
        ('"*.txt"', '"[z-a].txt"', 6, "files[1].match: the glob '[z-a].txt' is not one: bad character range z-a"),
        (
            '"cidr"',
            '"cidr"\n[[waivers]]\nkey = "a"\nrule = "limits.max-change"',
            10,
            "waivers[1].rule: limits.max-change",
        ),
        (
            '"cidr"',
            '"cidr"\n[[waivers]]\nkey = "a"\nrule = "file.too-large"',
            10,
            "waivers[1].rule: a file that is too large is not read",
        ),
        (
            '"cidr"',
            '"cidr"\n[[waivers]]\nkey = "a"\nrule = "source.item-failed"',
            10,
            "waivers[1].rule: what could not be fetched is not there to be let out",
        ),
    ],
)
def test_each_mistake_names_its_line(tmp_path: Path, write: Write, old: str, new: str, line: int, words: str) -> None:
    """File, line and key, what was expected, and the spelling that was probably meant."""
    assert JOB.count(old) == 1
    write("jobs/a.toml", JOB.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_jobs(tmp_path / "jobs")
    assert any(text.startswith(f"jobs/a.toml:{line}: ") and words in text for text in str(caught.value).splitlines())


@pytest.mark.parametrize("kind", ["mmdb", "json", "opaque", "map", "modsec"])
def test_a_guard_that_a_kind_does_not_have_is_a_mistake(kind: str) -> None:
    """Nobody must believe that a database is held to a row."""
    faults = list(named_faults(kind, _Table(["x"], ["9.9.9.9"]), ("files", 0, "limits")))
    assert [fault.path[-1] for fault in faults] == ["must_contain", "must_not_contain"]
    assert all("would guard nothing" in fault.advice for fault in faults)


def test_a_limit_on_countries_is_for_databases_alone(tmp_path: Path, write: Write) -> None:
    """It arrives as written where a file has countries; on a list of networks it would guard nothing."""
    assert list(country_faults("cidr", None, ())) == []
    (fault,) = country_faults("cidr", 0.05, ("files", 0, "limits"))
    assert (fault.path[-1], "would guard nothing" in fault.advice) == ("max_country_change", True)
    database = JOB.partition("[files.limits]")[0].replace('"*.txt"', '"*.mmdb"').replace('"cidr"', '"mmdb"')
    write("jobs/a.toml", database + "limits = { max_country_change = 0.05 }\n")
    (job,) = load_jobs(tmp_path / "jobs")
    assert job.files[0].limits.max_country_change == 0.05
    write("jobs/b.toml", JOB.replace("[files.limits]", "[files.limits]\nmax_country_change = 0.05"))
    with pytest.raises(ConfigError, match="the kind cidr does not judge by `max_country_change`"):
        load_jobs(tmp_path / "jobs")


def test_rows_are_taken_as_they_stand() -> None:
    """A row need not be a network where rows are text, but it must be one that an engine reads as a row."""
    assert list(named_faults("rdns-suffix", _Table([".googlebot.com."], []), ())) == []
    faults = list(named_faults("needle", _Table(["", "# comment", "/x"], []), ()))
    assert [fault.path for fault in faults] == [("must_contain", 0), ("must_contain", 1)]
    (fault,) = named_faults("needle", _Table([], ["9.9.9.9"]), ())
    assert "does not judge by `must_not_contain`" in fault.message


class _Table:
    """Implements the two lists of a `limits` table."""

    def __init__(self, must_contain: list[str], must_not_contain: list[str]) -> None:
        self.must_contain = must_contain
        self.must_not_contain = must_not_contain
