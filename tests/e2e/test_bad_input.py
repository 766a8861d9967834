"""Lists and entries that are bad: each is told with advice and not published, and the rest goes out as ever.

The last good version of a bad file stays public, whatever became of it upstream.
"""

import random
from pathlib import Path

import pytest

from tests.support.small_world import GOOD, HTML, LISTS, NEW, OTHER, WORDS, SmallWorld, findings

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("mode", "name", "rule"),
    [
        pytest.param("100644", b"..", "source.unsafe-name", id="dot dot"),
        pytest.param("100644", b".", "source.unsafe-name", id="dot"),
        pytest.param("100644", b"list\xff.txt", "source.unsafe-name", id="not UTF-8"),
        pytest.param("100644", b"two\nlines.txt", "source.unsafe-name", id="line feed"),
        pytest.param("100644", b"\x1b[2J.txt", "source.unsafe-name", id="terminal codes"),
        pytest.param("100644", b"back\\slash.txt", "source.unsafe-name", id="backslash"),
        pytest.param("100644", b"n" * 1100, "source.unsafe-name", id="too long"),
        pytest.param("100644", b"manifest.json", "source.unsafe-name", id="the manifest"),
        pytest.param("100644", b"index.html", "source.unsafe-name", id="the page"),
        pytest.param("120000", b"link.txt", "source.link", id="link"),
        pytest.param("160000", b"module", "source.submodule", id="submodule"),
        pytest.param("100644", b"nobody.txt", "job.unclaimed", id="unclaimed"),
    ],
)
@pytest.mark.parametrize("within", [False, True], ids=["at the root", "in a folder"])
def test_an_entry_that_cannot_be_published(small: SmallWorld, mode: str, name: bytes, rule: str, within: bool) -> None:
    """It is one finding with advice and exit 3; every other file of the same commit goes out, and nothing else does."""
    files = [("100644", b"good.txt", small.repo.blob(NEW)), ("100644", b"other.txt", small.repo.blob(LISTS[OTHER]))]
    odd = (mode, name, small.repo.head if mode == "160000" else small.repo.blob(b"/etc/passwd"))
    if name in (b"manifest.json", b"index.html") and within:
        rule = "job.unclaimed"  # an ordinary name there
    if rule == "job.unclaimed":
        small.edit("jobs/lists.toml", '"lists/*.txt"', '"lists/[go]*.txt"')
    lists = small.repo.raw_tree(*sorted([*files, odd] if within else files, key=lambda entry: entry[1]))
    root = [("40000", b"lists", lists), *(() if within else (odd,))]
    small.repo.commit_tree(*sorted(root, key=lambda entry: entry[1]), parent=small.repo.head)

    ended = small.sync()
    assert ended.code == 3, ended.stdout + ended.stderr
    ((key, line, found),) = findings(ended, "lists")
    assert (line, found) == (None, rule)
    assert key.isprintable()
    assert small.public() == {**LISTS, GOOD: NEW, WORDS: small.public()[WORDS]}
    assert {path.name for path in small.root.iterdir()} <= {
        "mirror",
        "spool",
        "jobs",
        "data",
        "upstream",
        "hubdata.toml",
    }


def test_what_hubdata_writes_itself_is_never_taken_from_upstream(small: SmallWorld) -> None:
    """A repository with `.hubdata/` in it changes nothing of hubdata's own records, whatever the job's rules match."""
    before = records(small)
    small.repo.commit({".hubdata/receipts.json": "{}", ".hubdata/lock": "x", ".github/x.yml": ""})
    assert small.sync().code == 0, "names that begin with a dot are nobody's"
    small.edit("jobs/lists.toml", '"lists/*.txt"', '"**"')
    ended = small.sync()
    assert ended.code == 3
    assert {(key, rule) for key, _, rule in findings(ended, "lists")} >= {
        (".hubdata/receipts.json", "source.unsafe-name"),
        (".hubdata/lock", "source.unsafe-name"),
    }
    assert records(small) == before


def records(small: SmallWorld) -> dict[str, bytes]:
    """Return hubdata's private records at the mirror."""
    return {key: body for key, body in small.mirror_files().items() if key.startswith(".hubdata/")}


@pytest.mark.parametrize(
    ("body", "line", "rule"),
    [
        pytest.param(HTML, 1, "text.html", id="HTML"),
        pytest.param(b"", None, "text.empty", id="emptied"),
        pytest.param(b"# only a comment\n", None, "text.empty", id="nothing but comments"),
        pytest.param(b"8.8.8.0/24\n1.1.1.\0/24\n", 2, "text.nul", id="NUL"),
        pytest.param(b"8.8.8.0/24\n\xff\xfe\n", 2, "text.not-utf8", id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf8.8.8.0/24\n", 1, "text.bom", id="BOM"),
        pytest.param("8.8.8.0/24\n".encode("utf-16"), 1, "text.nul", id="UTF-16"),
        pytest.param(b"8.8.8.0/24\r\n1.1.1.0/24\r\n", 1, "text.cr", id="CRLF"),
        pytest.param(b"8.8.8.0/24\n" + b"1" * (1 << 20) + b"\n", 2, "text.line-too-long", id="a line of 1 MB"),
        pytest.param(b"0.0.0.0/0\n", 1, "cidr.too-wide", id="everybody"),
        pytest.param(b"8.8.8.8/33\n", 1, None, id="no network"),
        pytest.param(b"<<<<<<< HEAD\n8.8.8.0/24\n=======\n", 1, None, id="merge conflict"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", 1, None, id="LFS pointer"),
        pytest.param(b"\x1f\x8b\x08\x00" + random.Random(1).randbytes(400) + b"\0\n", 1, None, id="gzip"),
    ],
)
def test_a_list_that_is_none(small: SmallWorld, body: bytes, line: int | None, rule: str | None) -> None:
    """It is refused at its line, exit 3, and its last good version stays; the other file of the commit goes out."""
    small.repo.commit({GOOD: body, OTHER: NEW})
    ended = small.sync()
    assert ended.code == 3, ended.stdout + ended.stderr
    found = findings(ended, "lists")
    assert {key for key, _, _ in found} == {GOOD}
    assert (line, rule) in {(n, r if rule else None) for _, n, r in found}
    assert ended.puts("mirror") == [OTHER]
    assert small.public() == {GOOD: LISTS[GOOD], OTHER: NEW, WORDS: small.public()[WORDS]}


def test_a_file_of_200_mb(small: SmallWorld) -> None:
    """It is refused by its size, unread: the run needs no more memory and hardly more time than any other."""
    usual = small.sync(alone=True).peak_mb
    small.repo.git("config", "core.bigFileThreshold", "1m")  # the host's own git is measured along with ours
    small.write("data/words/huge.txt", "")
    with (small.root / "data/words/huge.txt").open("r+b") as file:
        file.truncate(200 << 20)
    small.repo.commit({"lists/huge.txt": bytes(200 << 20), GOOD: NEW})
    ended = small.sync(alone=True)
    assert ended.code == 3, ended.stdout + ended.stderr
    assert findings(ended, "lists") == {("lists/huge.txt", None, "file.too-large")}
    assert findings(ended, "words") == {("words/huge.txt", None, "file.too-large")}
    assert ended.puts("mirror") == [GOOD]
    print(f"\npeak {ended.peak_mb:.0f} MB with two files of 200 MB, {usual:.0f} MB without")
    assert ended.peak_mb < usual + 40


def test_a_folder_that_is_gone(small: SmallWorld) -> None:
    """When upstream loses a whole folder, the job is refused and all that it published stays, even with `prune`."""
    before = small.untouched()
    small.repo.git("rm", "-rq", "lists")
    small.repo.commit()
    for edit in (None, ("[source]", "prune = true\n[source]")):
        if edit:
            small.edit("jobs/lists.toml", *edit)
        ended = small.sync()
        assert ended.code == 3, ended.stdout
        assert findings(ended, "lists") == {("", None, "job.empty")}
        assert small.untouched() == before


def test_a_history_that_was_rewritten(small: SmallWorld) -> None:
    """A branch that no longer holds the published commit is held, exit 4, until somebody lets it go back."""
    small.repo.git("checkout", "-q", "--orphan", "anew")
    small.repo.commit({GOOD: NEW})
    small.repo.git("branch", "-f", "master")
    ended = small.sync()
    assert ended.code == 4
    assert (GOOD, None, "limits.rewound") in findings(ended, "lists")
    assert small.public()[GOOD] == LISTS[GOOD]
    assert small.sync("--allow-rollback").code == 0
    assert small.public()[GOOD] == NEW


@pytest.mark.parametrize("year", [1970, 2106])
def test_a_clock_that_is_far_off(small: SmallWorld, year: int) -> None:
    """Lists are published all the same: no decision on them rests on the machine's clock."""
    small.write("clock/sitecustomize.py", CLOCK.format(year=year))
    small.repo.commit({GOOD: NEW})
    ended = small.sync(env={"PYTHONPATH": f"{REPOSITORY}:{small.root / 'clock'}"})
    assert ended.code == 0
    assert ended.json["run_id"].startswith(str(year))
    assert small.public()[GOOD] == NEW


CLOCK = """\
import datetime
from hubdata.clock import SystemClock
SystemClock.now = lambda self: datetime.datetime({year}, 1, 1, tzinfo=datetime.UTC)
"""
