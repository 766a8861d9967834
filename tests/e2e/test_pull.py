"""`hubdata pull` with the real list of sources and the real lists, their publishers on this machine, well and badly."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support.list_server import PAGE, ListServer, aws, gcore, path_of
from tests.support.list_world import (
    AWS4,
    AWS6,
    CLOUDFLARE,
    GCORE4,
    GCORE6,
    PLAIN,
    ListWorld,
    real,
)
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.small_world import complaint, findings

pytestmark = needs_real
FAILED = "source.item-failed"


@pytest.fixture(scope="module")
def running() -> Iterator[ListServer]:
    """One server for all tests."""
    with ListServer() as server:
        yield server


@pytest.fixture
def lists(running: ListServer, tmp_path: Path) -> ListWorld:
    """A world of the test's own, in which everything is as upstream has it."""
    running.mend()
    running.plain.clear()
    return ListWorld.create(tmp_path / "world", running)


def more_for_cloudflare(lists: ListWorld) -> bytes:
    """Have Cloudflare add a network; return its list."""
    body = (SEC_LISTS / CLOUDFLARE).read_bytes() + b"\n198.41.0.0/24"
    lists.server.set("cloudflare4", body)
    return body


def rules(result: Any) -> set[tuple[str, str]]:
    """Return key and rule of every error."""
    return {(each["key"], each["rule"]) for each in result["findings"] if each["severity"] == "error"}


def test_what_is_as_upstream_has_it_is_not_touched(lists: ListWorld) -> None:
    """Ten items, seven addresses, not a byte written: the lists in the repository come out of the real filters."""
    before = lists.states()
    ended = lists.pull()
    assert (ended.code, ended.json["written"], ended.json["same"]) == (0, [], 10), ended.stdout
    assert (ended.json["title"], len(lists.server.requests)) == ("Nothing to update", 7)
    assert lists.states() == before


def test_only_what_changed_is_written_and_the_summary_says_what_it_means(lists: ListWorld) -> None:
    """One list, whole; title and body fit a commit message; no other file has another inode, time or byte."""
    before, body = lists.states(), more_for_cloudflare(lists)
    ended = lists.pull("--summary", "summary.md")
    assert (ended.code, ended.json["written"], ended.json["same"]) == (0, [CLOUDFLARE], 9), ended.stdout
    after = lists.states()
    assert after[CLOUDFLARE][2] == body
    assert {key: state for key, state in after.items() if key != CLOUDFLARE} == {
        key: state for key, state in before.items() if key != CLOUDFLARE
    }
    (file,) = ended.json["files"]
    assert (file["key"], file["state"]) == (CLOUDFLARE, "changed")
    assert "198.41.0.0/24" in json.dumps(file["meaning"])
    title, blank, first, *_ = (summary := (lists.world.root / "summary.md").read_text()).splitlines()
    assert (title, blank) == ("Update cloudflare_ips.txt", "")
    assert first == "sources: 1 file updated, 9 as before."
    assert "1 network gained (256 IPv4 addresses)" in summary
    assert summary == f"{ended.json['title']}\n\n{ended.json['body']}"


def test_a_second_pull_asks_and_downloads_nothing(lists: ListWorld) -> None:
    """The spool remembers which answers came to what lies in the checkout; they cost a conditional request each."""
    more_for_cloudflare(lists)
    assert lists.pull().code == 0
    lists.server.mend()
    again = lists.pull()
    assert (again.code, again.json["written"], again.json["same"]) == (0, [], 10)
    assert len(lists.server.requests) == 7
    assert all("If-None-Match" in request.headers for request in lists.server.requests)


def test_a_page_with_status_200_leaves_its_list_and_no_other(lists: ListWorld) -> None:
    """AWS's address answers with a page: two files of one answer stay, the change of another is written; exit 5."""
    before, body = lists.states(), more_for_cloudflare(lists)
    lists.server.fail(path_of("aws"), body=PAGE, headers={"Content-Type": "application/json"})
    ended = lists.pull()
    assert (ended.code, ended.json["written"]) == (5, [CLOUDFLARE])
    assert rules(ended.json) == {(AWS4, FAILED), (AWS6, FAILED)}
    assert "found an HTML page" in ended.stdout
    after = lists.states()
    assert (after[AWS4], after[AWS6]) == (before[AWS4], before[AWS6])
    assert after[CLOUDFLARE][2] == body
    assert "aws-cloudfront-ipv4: " in ended.json["findings"][0]["message"]  # the item's own name


@pytest.mark.parametrize("nothing", [b"", b"\n", b'{"prefixes": [], "ipv6_prefixes": []}'])
def test_a_list_that_shrinks_to_nothing_empties_no_file(lists: ListWorld, nothing: bytes) -> None:
    """Whether the answer is blank or the filter finds nothing in it."""
    before = lists.states()
    lists.server.set("aws", nothing)
    ended = lists.pull()
    assert (ended.code, ended.json["written"], rules(ended.json)) == (5, [], {(AWS4, FAILED), (AWS6, FAILED)})
    assert lists.states() == before


def test_a_list_that_shrinks_to_a_fraction_is_held_until_it_is_approved(lists: ListWorld) -> None:
    """Against what lies in the checkout; with the plan's id, and only with it, it is written."""
    before, few = lists.states(), real(GCORE4)[:700]
    lists.server.set("gcore", gcore(few, real(GCORE6)))
    ended = lists.pull()
    assert (ended.code, ended.json["written"], rules(ended.json)) == (4, [], {(GCORE4, "limits.max-change")})
    assert lists.states() == before
    wrong = lists.pull("--approve", "0" * 64)
    assert (wrong.code, wrong.json["unknown_plans"]) == (4, ["0" * 64])
    approved = lists.pull("--approve", ended.json["held"]["plan_id"])
    assert (approved.code, approved.json["written"]) == (0, [GCORE4]), approved.stdout
    assert (lists.checkout / GCORE4).read_text().split() == sorted(few)


def test_a_list_that_is_far_too_short_is_refused(lists: ListWorld) -> None:
    """Below `min_entries` no approval helps."""
    before = lists.states()
    lists.server.set("gcore", gcore(real(GCORE4)[:2], real(GCORE6)))
    ended = lists.pull()
    assert (ended.code, ended.json["written"]) == (3, [])
    assert {key for key, _ in rules(ended.json)} == {GCORE4}
    assert lists.states() == before


@pytest.mark.parametrize(
    "poison", [b"0.0.0.0/0\n", b"::/0\n", b"104.16.0.0/13\nexample.com\n", b"\x00\x01\x02", b"10.0.0.0/8 # ours\n"]
)
def test_poison_stays_out(lists: ListWorld, poison: bytes) -> None:
    """What a publisher adds to its list that would open up or break an engine refuses the list, and that alone."""
    lists.server.set("cloudflare4", (SEC_LISTS / CLOUDFLARE).read_bytes() + b"\n" + poison)
    lists.server.set("aws", aws([*real(AWS4), "198.41.0.0/24"], real(AWS6)))
    before = lists.states()
    ended = lists.pull()
    assert (ended.code, ended.json["written"]) == (3, [AWS4])
    assert {key for key, _ in rules(ended.json)} == {CLOUDFLARE}
    assert lists.states()[CLOUDFLARE] == before[CLOUDFLARE]


def test_no_upstream_at_all_is_one_problem_that_names_every_item(lists: ListWorld) -> None:
    """The network is down: exit 5, nothing touched, and a summary all the same."""
    before = lists.states()
    items = json.loads((lists.checkout / ".github/sync-sources.json").read_text())
    for item in items:
        item["url"] = item["url"].replace(lists.server.origin, "http://127.0.0.1:9")
    lists.world.write("checkout/.github/sync-sources.json", json.dumps(items))
    ended = lists.pull("--summary", "summary.md")
    assert (ended.code, ended.json["written"]) == (5, [])
    assert all(item["output"] in ended.json["problem"]["message"] for item in items)
    assert "Nothing to update" in (lists.world.root / "summary.md").read_text()
    assert {k: v for k, v in lists.states().items() if "sync-sources" not in k} == {
        k: v for k, v in before.items() if "sync-sources" not in k
    }


@pytest.mark.parametrize("where", ["file", "directory"])
def test_nothing_is_written_through_a_link(lists: ListWorld, where: str) -> None:
    """Whoever may write to the repository may put a link there; it leads nobody out of it, and nothing is written."""
    outside = lists.world.root / "outside"
    outside.mkdir()
    path = lists.checkout / CLOUDFLARE
    if where == "file":
        shutil.copyfile(path, outside / "victim")
        path.unlink()
        path.symlink_to(outside / "victim")
    else:
        shutil.copytree(path.parent, outside / "victims")
        shutil.rmtree(path.parent)
        path.parent.symlink_to(outside / "victims")
    more_for_cloudflare(lists)
    lists.server.set("aws", aws([*real(AWS4), "198.41.0.0/24"], real(AWS6)))
    before = {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()}, lists.states()
    ended = lists.pull()
    complaint(ended, 6, "expected a plain file, found a link")
    assert ({each: each.read_bytes() for each in outside.rglob("*") if each.is_file()}, lists.states()) == before


def test_a_file_keeps_its_permissions_and_a_new_one_gets_its_directories(lists: ListWorld) -> None:
    """And nothing half-written stays beside it."""
    (lists.checkout / CLOUDFLARE).chmod(0o755)
    shutil.rmtree((lists.checkout / CLOUDFLARE).parents[1] / "benign_bots")
    more_for_cloudflare(lists)
    ended = lists.pull()
    assert ended.code == 0, ended.stdout
    assert (lists.checkout / CLOUDFLARE).stat().st_mode & 0o777 == 0o755
    assert {file["state"] for file in ended.json["files"]} == {"changed", "added"}
    assert [path for path in lists.checkout.rglob(".*") if path.name != ".github"] == []


def test_for_github_findings_are_annotations_and_the_summary_is_the_steps(lists: ListWorld) -> None:
    """What a workflow shows without anybody reading its log."""
    more_for_cloudflare(lists)
    lists.server.fail(path_of("gcore"), status=404)
    env = {"GITHUB_STEP_SUMMARY": str(lists.world.root / "step.md")}
    ended = lists.world.run("pull", "sources", "--into", "checkout", "--format", "github", env=env)
    assert ended.code == 5
    assert f"::error file={GCORE4},title={FAILED}::gcore-ipv4: " in ended.stdout
    assert "Left as it was" in (lists.world.root / "step.md").read_text()


def test_whose_the_networks_are_is_said_where_databases_tell(lists: ListWorld) -> None:
    """In the body of the pull request, beside each network."""
    record = {"autonomous_system_number": 13335, "autonomous_system_organization": "CLOUDFLARENET"}
    lists.world.write(
        "asn.mmdb", mmdb("GeoLite2-ASN", {ip_network("198.41.0.0/24"): record}, build_epoch=1_780_000_000)
    )
    more_for_cloudflare(lists)
    ended = lists.pull("--geoip", "asn.mmdb")
    assert ended.code == 0, ended.stdout
    assert "| + | 198.41.0.0/24 | AS13335 CLOUDFLARENET |" in ended.json["body"]


def test_for_a_person_it_says_what_changed_and_what_did_not(lists: ListWorld) -> None:
    """Sentences first; `-q` says nothing when all is well."""
    more_for_cloudflare(lists)
    ended = lists.world.run("pull", "sources", "--into", "checkout")
    assert ended.code == 0
    assert "1 network gained (256 IPv4 addresses)" in ended.stdout
    assert "sources: 1 file updated, 9 as before" in ended.stdout
    quiet = lists.world.run("pull", "sources", "--into", "checkout", "-q")
    assert (quiet.code, quiet.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "--into", "checkout"), "nobody: there is no such job"),
        (("sources", "--into", "checkout", "--approve", "x"), "expected the id of a plan"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything(
    lists: ListWorld, arguments: tuple[str, ...], words: str
) -> None:
    """Exit 2, and no publisher is asked."""
    ended = lists.world.run("pull", *arguments, "--format", "json")
    complaint(ended, 2, words)
    assert lists.server.requests == []


def test_the_lists_can_be_published_as_well(lists: ListWorld) -> None:
    """`sync --once`: ten files go out; then a page, a loop and poison at once keep theirs, and a good one goes out."""
    first = lists.world.sync()
    assert (first.code, len(first.puts("mirror"))) == (0, 10), first.stdout
    public = lists.world.public()
    assert public[AWS4] == (SEC_LISTS / AWS4).read_bytes()
    lists.server.mend()
    untouched = lists.world.untouched()
    again = lists.world.sync()
    assert (again.code, again.puts("mirror"), len(lists.server.requests)) == (0, [], 7)
    assert lists.world.untouched() == untouched

    body = more_for_cloudflare(lists)
    lists.server.set("aws", PAGE)
    lists.server.set("arvan", b"0.0.0.0/0\n")
    lists.server.set("gcore", gcore((), ()))
    ended = lists.world.sync()
    assert (ended.code, ended.puts("mirror")) == (5, [CLOUDFLARE]), ended.stdout
    errors = findings(ended, "sources")
    assert {key for key, _, rule in errors if rule == FAILED} == {AWS4, AWS6, GCORE4, GCORE6}
    assert {key for key, _, rule in errors if rule != FAILED} == {PLAIN["arvan"]}
    assert lists.world.public() == {**public, CLOUDFLARE: body}
    lists.server.mend()
    lists.serve_all()
    lists.server.set("cloudflare4", body)
    assert (lists.world.sync().code, lists.world.public()) == (0, {**public, CLOUDFLARE: body})


def test_the_pages_say_what_is_so(lists: ListWorld) -> None:
    """The job files and commands of docs/http-source.md and docs/pull.md work as they stand, in this order."""
    docs = Path(__file__).parents[2] / "docs"
    http, pull = ((docs / name).read_text() for name in ("http-source.md", "pull.md"))
    examples = re.findall(r"```toml\n(.+?)```", http, re.DOTALL) + re.findall(r"```toml\n(.+?)```", pull, re.DOTALL)
    assert len(examples) == 3
    repo = Repo.of_tree(lists.world.root / "repo", lists.checkout)
    (repo.path / "hubdata.toml").write_text('jobs = ".github/pull"\nspool = "../spool"\n')
    job = repo.path / ".github" / "pull" / "sources.toml"
    job.parent.mkdir(parents=True)
    hosts = r"https://(?=www\.cloudflare\.com/ips|ip-ranges\.amazonaws)"
    for example in examples:
        text = re.sub(hosts, f"{lists.server.origin}/", example)
        job.write_text(text.replace("../.github/sync-sources.json", "../sync-sources.json"))
        commands = re.findall(r"^\$ (.+)$", http, re.MULTILINE)
        for command in commands:
            assert command == "hubdata plan --job sources"
            assert shell(lists, repo, command) == 0, example
    repo.commit()
    more_for_cloudflare(lists)
    commands = re.findall(r"^\$ (.+)$", pull, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert shell(lists, repo, command) == 0
    assert repo.git("log", "-1", "--format=%s") == "Update cloudflare_ips.txt"
    assert repo.git("diff", "--stat", "HEAD") == ""


def shell(lists: ListWorld, repo: Repo, command: str) -> int:
    """Return how a command of a page ended, in the repository."""
    words = command.split()
    if words[0] == "hubdata":
        from tests.support.command import hubdata

        ended = hubdata(*words[1:], cwd=repo.path)
        print(ended.stdout, ended.stderr)
        return ended.code
    env = {"PATH": "/usr/bin:/bin", "HOME": str(lists.world.root)}
    who = ("-c", "user.name=A", "-c", "user.email=a@example.net")
    return subprocess.run(
        ["git", *who, *words[1:]], cwd=repo.path, env=env, capture_output=True, check=False
    ).returncode
