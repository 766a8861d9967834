"""`hubdata diff` and `hubdata plan` on real lists, real git, a published directory and a versioned bucket."""

import json
import random
import shutil
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.demo.mmdb_writer import mmdb
from tests.support.command import Ended, hubdata
from tests.support.moto_server import MotoServer, shared
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.small_world import GOOD, NEW, OTHER, WORDS, SmallWorld

CLOUDFLARE = "whitelists/cdn_providers/cloudflare_ips.txt"
GCORE = "whitelists/cdn_providers/gcore_ipv4.txt"
SEO = "whitelists/benign_bots/search_engine_crawlers/rnds_seo_bots.regex"
PROBING = "web/technology_probing.json"


def _told(ended: Ended) -> dict[str, Any]:
    """Return the files of a comparison by key, having asserted that it could be made."""
    assert ended.code == 0, ended.stdout + ended.stderr
    return {file["key"]: file for file in ended.json["files"]}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory with the real tree twice, `old` and `new`, and the second one edited as people do."""
    root = tmp_path_factory.mktemp("trees")
    for name in ("old", "new"):
        shutil.copytree(SEC_LISTS, root / name, copy_function=shutil.copyfile)

    def edit(key: str, change: Callable[[list[str]], list[str]]) -> None:
        path = root / "new" / key
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    edit(CLOUDFLARE, lambda lines: random.Random(1).sample(lines, len(lines)))
    edit(GCORE, lambda lines: [*lines, "81.2.0.0/16"])
    edit(SEO, lambda lines: lines[1:])
    edit(PROBING, lambda lines: [line.replace('": "', '":"') for line in reversed(lines)])
    return root


@needs_real
def test_real_lists_are_compared_by_what_they_mean(trees: Path) -> None:
    """Sorted: equal. A network more: gained, with the space before and after. A pattern less: lost."""
    told = _told(hubdata("diff", "old", "new", "--jobs", builtin_jobs_dir(), "--format", "json", cwd=trees))
    states = {key: file["state"] for key, file in told.items()}
    assert states == {CLOUDFLARE: "equal", GCORE: "changed", SEO: "changed", PROBING: states[PROBING]}
    networks = told[GCORE]["meaning"]["networks"]
    assert networks["gained"] == [{"network": "81.2.0.0/16"}]
    assert networks["after"]["ipv4_addresses"] - networks["before"]["ipv4_addresses"] == 65536
    first = (SEC_LISTS / SEO).read_text().splitlines()[0]
    assert told[SEO]["meaning"]["names"]["lost"] == [first]
    probing = told[PROBING]["meaning"]["names"]
    assert (probing["gained"], probing["lost"], probing["changed"]) == ([], [], [])
    assert (states[PROBING] == "changed") is probing["reordered"], "order decides among patterns that overlap"


@needs_real
def test_a_real_list_cut_differently_is_equal(trees: Path, tmp_path: Path) -> None:
    """Every network of the list as two halves, and back: the same visitors get in."""
    networks = (SEC_LISTS / CLOUDFLARE).read_text().split()
    halves = tmp_path / "halves.txt"
    halves.write_text("".join(f"{half}\n" for network in networks for half in ip_network(network).subnets()))
    for pair in ((trees / "old" / CLOUDFLARE, halves), (halves, trees / "old" / CLOUDFLARE)):
        ended = hubdata("diff", *pair, "--kind", "cidr", cwd=tmp_path)
        assert ended.code == 0, ended.stderr
        assert "equal to every engine: only lines moved" in ended.stdout


@needs_real
def test_markdown_of_the_real_tree_against_nothing_can_be_posted(trees: Path, tmp_path: Path) -> None:
    """All 169 files as new ones: still one comment, with what has no room counted."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "README.md").write_text("nothing yet\n")
    ended = hubdata(
        "diff", tmp_path / "empty", trees / "old", "--jobs", builtin_jobs_dir(), "--format", "markdown", cwd=tmp_path
    )
    assert ended.code == 0, ended.stderr
    assert len(ended.stdout) <= 65_536
    assert "169 files added" in ended.stdout


def _commit(small: SmallWorld) -> Repo:
    small.repo.commit({GOOD: NEW, OTHER: b"9.9.9.128/25\n9.9.9.0/25\n"}, message="change")
    return small.repo


def test_a_checkout_is_compared_with_what_is_published(small: SmallWorld) -> None:
    """The words `published` and a path: what a merge would mean. Files of no checkout's job do not count as missing."""
    repo = _commit(small)
    told = _told(small.run("diff", "published", str(repo.path), "--job", "lists", "--format", "json"))
    assert {key: file["state"] for key, file in told.items()} == {GOOD: "changed", OTHER: "equal"}
    assert told[GOOD]["meaning"]["networks"]["gained"] == [{"network": "208.67.222.0/24"}]


GEOIP_JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-ASN"]
prefix = "mmdb_update/"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""


def test_what_other_sources_publish_is_not_missing_from_a_checkout(small: SmallWorld) -> None:
    """Databases come from their vendor, and hubdata's own records from hubdata: no checkout holds them."""
    small.write("jobs/geoip.toml", GEOIP_JOB)
    small.write("mirror/mmdb_update/GeoLite2-ASN.mmdb", mmdb("GeoLite2-ASN", {}, build_epoch=1))
    small.write("both/lists/good.txt", (small.root / "mirror" / GOOD).read_bytes())
    for held in ("published", "mirror"):
        told = _told(small.run("diff", held, "both", "--format", "json"))
        assert {key: file["state"] for key, file in told.items()} == {OTHER: "removed", WORDS: "removed"}


def test_one_file_of_a_checkout_is_compared_with_what_is_published(small: SmallWorld) -> None:
    """Naming one file compares it with the one of its key, and nothing else."""
    repo = _commit(small)
    assert list(_told(small.run("diff", "published", str(repo.path / GOOD), "--format", "json"))) == [GOOD]


def test_a_checkout_is_compared_with_an_earlier_commit(small: SmallWorld) -> None:
    """`git:REV` is a commit of the checkout that the other side names, whatever its work tree looks like."""
    repo = _commit(small)
    before = small.run("diff", "git:HEAD~1", str(repo.path), "--format", "json")
    assert before.json["old"].startswith("HEAD~1 (")
    assert {key: file["state"] for key, file in _told(before).items()} == {GOOD: "changed", OTHER: "equal"}
    assert _told(small.run("diff", "git:HEAD", str(repo.path), "--format", "json")) == {}
    assert _told(small.run("diff", "git:HEAD~1", str(repo.path / OTHER), "--format", "json"))[OTHER]["state"] == "equal"


def test_what_others_did_meanwhile_is_no_change_of_a_checkout(small: SmallWorld) -> None:
    """`git:REV...` is where the checkout left REV; `git:REV` is REV as it stands, undone by the checkout."""
    small.repo.git("checkout", "--quiet", "-b", "mine")
    small.repo.commit({GOOD: NEW})
    small.repo.git("checkout", "--quiet", "master")
    small.repo.commit({OTHER: b"9.9.9.0/25\n"})
    small.repo.git("checkout", "--quiet", "mine")
    path = str(small.repo.path)
    assert list(_told(small.run("diff", "git:master...", path, "--format", "json"))) == [GOOD]
    assert list(_told(small.run("diff", "git:master", path, "--format", "json"))) == [GOOD, OTHER]


def test_links_are_not_compared_and_that_is_said(small: SmallWorld) -> None:
    """Neither side follows one: what it leads to is not what would be published."""
    (small.repo.path / "lists" / "link.txt").symlink_to("/etc/hostname")
    small.repo.commit(message="a link")
    ended = small.run("diff", "git:HEAD", "upstream", "--format", "json")
    assert _told(ended) == {}
    first, second = ended.json["notices"]
    assert first == "lists/link.txt: no plain file in HEAD, so it is not compared"
    assert second.startswith("lists/link.txt: ")


@pytest.mark.parametrize("revision", ["absent", "--output=x", "", "HEAD:lists", "absent..."])
def test_a_revision_that_is_none_is_told(small: SmallWorld, revision: str) -> None:
    """Nothing is compared with a guess, and an option is no revision."""
    ended = small.run("diff", f"git:{revision}", str(small.repo.path), "--format", "json")
    assert ended.code == 2, ended.stdout
    assert "there is no such commit" in ended.json["error"]["message"]


def test_the_plan_says_what_changes_mean(small: SmallWorld) -> None:
    """In text and JSON, with the owners of new networks from the databases that the mirror holds."""
    _commit(small)
    database = mmdb(
        "GeoLite2-ASN",
        {
            ip_network("208.67.222.0/24"): {
                "autonomous_system_number": 36692,
                "autonomous_system_organization": "OPENDNS",
            }
        },
        build_epoch=1,
    )
    small.write("mirror/mmdb_update/GeoLite2-ASN.mmdb", database)
    text = small.run("plan").stdout
    assert "1 network gained (256 IPv4 addresses); 512 -> 768 IPv4 addresses" in text
    assert "+ 208.67.222.0/24  AS36692 OPENDNS" in text
    assert "equal to every engine: only lines moved" in text
    planned = small.run("plan", "--format", "json")
    changes = {c["key"]: c for job in planned.json["jobs"] for t in job["targets"] for c in t["changes"]}
    assert changes[GOOD]["meaning"]["networks"]["gained"][0]["asn"] == 36692
    assert changes[OTHER]["meaning"]["equal"]


def test_a_database_that_is_none_stops_a_plan_only_when_it_was_named(small: SmallWorld) -> None:
    """A named one that cannot be used is a wrong flag; a published one is a note beside the plan."""
    _commit(small)
    small.write("mirror/mmdb_update/GeoLite2-ASN.mmdb", b"not a database\n")
    noted = small.run("plan")
    assert noted.code == 0
    assert "networks are not looked up in what target mirror holds" in " ".join(noted.stdout.split())
    assert small.run("plan", "--geoip", "mirror/mmdb_update").code == 2
    assert small.run("diff", "published", "upstream", "--geoip", "mirror/mmdb_update").code == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("published", "absent.txt"), 2, "no such file or directory"),
        (("published", "published", "--kind", "nothing"), 2, "no such kind"),
        (("generation:x", "published"), 2, "a generation is a whole number"),
        (("generation:7", "published"), 6, "expected generation 7, found 1"),
        (("generation:0", "published"), 6, "expected generation 0, found 1"),
        (("published", "upstream", "--target", "nowhere"), 2, "no such target"),
        (("published", "upstream", "--job", "nowhere"), 2, "no such job"),
    ],
)
def test_what_cannot_be_compared_is_told_with_advice(
    small: SmallWorld, words: tuple[str, ...], code: int, message: str
) -> None:
    """A wrong word is a wrong flag; a store that keeps no past says so."""
    ended = small.run("diff", *words, "--format", "json")
    assert ended.code == code, ended.stdout + ended.stderr
    assert message in ended.json["error"]["message"]
    assert ended.json["error"]["advice"]


def test_the_present_generation_is_what_is_published(small: SmallWorld) -> None:
    """It needs no versions; and nothing differs from itself, without one file being read."""
    ended = small.run("diff", "generation:1", "published", "--format", "json")
    assert (_told(ended), ended.json["same"]) == ({}, 3)


def test_what_somebody_overwrote_is_compared_as_it_is(small: SmallWorld) -> None:
    """`published` is what engines get, not what the manifest remembers; and a note says that they differ."""
    small.write(f"mirror/{GOOD}", b"8.8.8.0/24\n")
    ended = small.run("diff", "published", "upstream", "--format", "json", "--job", "lists")
    assert _told(ended)[GOOD]["meaning"]["networks"]["gained"] == [{"network": "1.1.1.0/24"}]
    assert any(f"{GOOD} is not what the manifest says" in note for note in ended.json["notices"])


def test_files_without_a_job_are_compared_by_bytes_with_a_note(small: SmallWorld) -> None:
    """Nobody knows what they mean, and the note says how to tell."""
    for name, text in (("a.txt", "8.8.8.0/24\n"), ("b.txt", "8.8.8.0/25\n8.8.8.128/25\n")):
        small.write(name, text)
    ended = small.run("diff", "a.txt", "b.txt", "--format", "json")
    assert _told(ended)["b.txt"]["meaning"]["networks"] is None
    assert any("--kind KIND" in note for note in ended.json["notices"])
    assert _told(small.run("diff", "a.txt", "b.txt", "--kind", "cidr", "--format", "json"))["b.txt"]["state"] == "equal"


def test_two_files_with_a_kind_need_no_settings(tmp_path: Path) -> None:
    """Even a broken hubdata.toml is not in the way of comparing two lists."""
    (tmp_path / "hubdata.toml").write_text("oops")
    (tmp_path / "a").write_text("a+\n")
    (tmp_path / "b").write_text("b+\n")
    ended = hubdata("diff", "a", "b", "--kind", "regexp", cwd=tmp_path)
    assert ended.code == 0, ended.stderr
    assert "+ b+" in ended.stdout


def test_a_checkout_of_hostile_names_and_rows_commands_nothing(small: SmallWorld) -> None:
    """What a stranger's pull request holds reaches the comment and the log as text."""
    evil = "lists/](http:evil) <img src=x> @all.txt"
    small.repo.commit({evil: "1.1.1.0/24\n::error::boom\n\x1b[31m | x\n"}, message="evil")
    for form in ("text", "markdown"):
        out = small.run("diff", "published", "upstream", "--format", form).stdout
        assert "\x1b" not in out
        assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]
    assert "<img" not in out
    assert "](" not in out


SETTINGS = """\
jobs = "jobs"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""


@pytest.fixture(scope="module")
def cloud() -> MotoServer:
    """Give the moto server that this process shares."""
    return shared()


@pytest.mark.parametrize("versioned", [True, False])
def test_generations_are_compared_where_the_bucket_keeps_versions(
    tmp_path: Path, cloud: MotoServer, versioned: bool
) -> None:
    """Any two generations of a versioned bucket; where nothing is kept, the error says so."""
    small = SmallWorld.create(tmp_path)
    small.write("hubdata.toml", SETTINGS.format(bucket=cloud.bucket(versioned=versioned), url=cloud.url))
    for number in range(1, 6):
        small.repo.commit({GOOD: "".join(f"8.8.{n}.0/24\n" for n in range(number))})
        assert small.sync(env=cloud.env).code == 0
    two = small.run("diff", "generation:2", "generation:4", "--format", "json", env=cloud.env)
    if not versioned:
        assert two.code == 6, two.stdout
        assert "its store no longer has it" in two.json["error"]["message"]
        return
    told = _told(two)
    assert [each["network"] for each in told[GOOD]["meaning"]["networks"]["gained"]] == ["8.8.2.0/23"]
    assert two.json["same"] == 2
    now = _told(small.run("diff", "generation:1", "published", "--format", "json", env=cloud.env))
    assert now[GOOD]["meaning"]["networks"]["after"]["ipv4_addresses"] == 5 * 256
    assert WORDS not in now


def test_the_json_is_one_object(small: SmallWorld) -> None:
    """Nothing else is on stdout, and the exit code in it is the process's."""
    ended = small.run("diff", "published", "upstream", "--format", "json", "-v")
    assert json.loads(ended.stdout)["exit_code"] == ended.code == 0
