"""Settings, job files and flags that cannot be used: one error with file and line, exit 2, and nothing attempted."""

import pytest

from tests.support.moto_server import CREDENTIALS
from tests.support.small_world import LISTS_JOB, SETTINGS, SmallWorld, complaint

SECRET = "sentinel-secret-in-a-file"  # the word that no output may hold

BUCKET = '\n[targets.aws]\ntype = "s3"\nbucket = "hub-data"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            SETTINGS + '[verfy]\nurl = "https://a.example"\n', ("hubdata.toml:7", "verify"), id="unknown table"
        ),
        pytest.param(SETTINGS.replace("spool", "spol"), ("hubdata.toml:2", "spool"), id="unknown key"),
        pytest.param(SETTINGS + BUCKET + 'regoin = "eu"\n', ("hubdata.toml:11", "region"), id="unknown key of a store"),
        pytest.param(SETTINGS.replace('"jobs"', "3"), ("hubdata.toml:1",), id="wrong type"),
        pytest.param(SETTINGS.replace('path = "mirror"', "path = []"), ("hubdata.toml:6",), id="wrong type in a table"),
        pytest.param(SETTINGS.replace('type = "directory"', ""), ("hubdata.toml:4", "type"), id="no type"),
        pytest.param(SETTINGS.replace("directory", "directroy"), ("hubdata.toml:5", "directory"), id="unknown store"),
        pytest.param(SETTINGS + 'cdn = "egde"\n', ("hubdata.toml:7", "egde"), id="a CDN that is not there"),
        pytest.param(SETTINGS + "[targets\n", ("hubdata.toml:7",), id="not TOML"),
        pytest.param(SETTINGS + "jobs = \x00\n", ("hubdata.toml",), id="a NUL byte"),
        pytest.param(b"\xff\xfe\x00j", ("hubdata.toml",), id="not text"),
        pytest.param(SETTINGS + BUCKET + f'secret_key = "{SECRET}"\n', ("hubdata.toml:11",), id="a secret"),
        pytest.param(
            SETTINGS + f'{BUCKET}endpoint_url = "http://u:{SECRET}@h"\n', ("hubdata.toml:11",), id="a URL with one"
        ),
        pytest.param(SETTINGS.replace('"jobs"', '"gone"'), ("gone", "job"), id="no directory of jobs"),
        pytest.param(SETTINGS.replace('"jobs"', '"spool"'), ("spool", "job"), id="a directory without jobs"),
        pytest.param(SETTINGS.replace('"jobs"', '"hubdata.toml"'), ("hubdata.toml", "job"), id="jobs that are a file"),
    ],
)
def test_settings_that_cannot_be_used(small: SmallWorld, text: str | bytes, words: tuple[str, ...]) -> None:
    """The complaint names file, line and what was probably meant; no value of a key is repeated if it may be secret."""
    before = small.untouched()
    small.write("hubdata.toml", text)
    ended = small.sync()
    complaint(ended, 2, *words)
    assert ended.json["error"]["advice"] or "(" in ended.stderr or "expected" in ended.stderr, ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
    assert small.untouched() == before
    assert small.left_over() == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("timeout", "timeuot", ("lists.toml:5", "timeout"), id="unknown key of a source"),
        pytest.param('kind = "cidr"', 'knid = "cidr"', ("lists.toml:9", "kind"), id="unknown key of a file"),
        pytest.param("20", '"soon"', ("lists.toml:5",), id="wrong type"),
        pytest.param('"cidr"', '"cdir"', ("lists.toml:9", "cidr"), id="unknown kind"),
        pytest.param('type = "git"', 'type = "gti"', ("lists.toml:2", "git"), id="unknown source"),
        pytest.param("[source]", 'unit = "jbo"\n[source]', ("lists.toml:1",), id="unknown unit"),
        pytest.param("[source]", 'schedule = "often"\n[source]', ("lists.toml:1",), id="no schedule"),
        pytest.param("[source]", "[source", ("lists.toml:1",), id="not TOML"),
        pytest.param("[source]", "[sauce]", ("lists.toml", "source"), id="no source"),
        pytest.param("lists/*.txt", "../*.txt", ("lists.toml:8",), id="a match that leads out"),
        pytest.param("lists/*.txt", "/etc/*", ("lists.toml:8",), id="an absolute match"),
        pytest.param("file://", "http://example.net/", ("lists.toml:3",), id="a repository over plain http"),
        pytest.param("file://", f"https://u:{SECRET}@h", ("lists.toml:3",), id="a URL with a password"),
        pytest.param('"master"', '"--upload-pack=x"', ("lists.toml:4",), id="a ref that is an option"),
    ],
)
def test_a_job_file_that_cannot_be_used(small: SmallWorld, old: str, new: str, words: tuple[str, ...]) -> None:
    """One bad job file stops the run before it starts, with file and line: nothing of it is guessed."""
    before = small.untouched()
    small.edit("jobs/lists.toml", old, new)
    ended = small.sync()
    complaint(ended, 2, *words)
    assert SECRET not in ended.stdout + ended.stderr
    assert small.untouched() == before
    assert small.left_over() == []


def test_all_mistakes_are_told_at_once(small: SmallWorld) -> None:
    """Two job files with two mistakes each are one complaint of four lines."""
    small.edit("jobs/lists.toml", "timeout", "timeuot")
    small.edit("jobs/lists.toml", '"cidr"', '"cdir"')
    small.edit("jobs/words.toml", "path", "paht")
    small.edit("jobs/words.toml", '"needle"', '"nedle"')
    complaint(small.sync(), 2, "lists.toml:5", "lists.toml:9", "words.toml:3", "words.toml:7")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        pytest.param(("--job", "list"), ("list", "lists"), id="a job that is not there"),
        pytest.param(("--target", "miror"), ("miror", "mirror"), id="a target that is not there"),
        pytest.param(("-c", "huddata.toml"), ("huddata.toml",), id="settings that are not there"),
        pytest.param(("--jobs", "gone"), ("gone",), id="jobs that are not there"),
    ],
)
def test_flags_that_name_what_is_not_there(small: SmallWorld, flags: tuple[str, ...], words: tuple[str, ...]) -> None:
    """A wrong name ends the run before it starts, and says what was probably meant."""
    before = small.untouched()
    ended = small.sync(*flags)
    complaint(ended, 2, *words)
    assert small.untouched() == before


@pytest.mark.parametrize("flags", [("--bogus",), ("--format", "xml"), ("extra",), ("--job",)])
def test_a_command_line_that_cannot_be_read(small: SmallWorld, flags: tuple[str, ...]) -> None:
    """Usage errors end with 2 and one line that names the word, on stderr."""
    ended = small.run("sync", "--once", *flags)
    assert (ended.code, ended.stdout) == (2, "")
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
    assert flags[0] in line


def test_two_jobs_that_claim_one_file(small: SmallWorld) -> None:
    """Both jobs stop with a settings error that names them and the key; other jobs go on."""
    small.write("jobs/again.toml", LISTS_JOB.format(url=small.repo.url).replace("*.txt", "good.txt"))
    small.write("data/words/new.txt", "/new-probe\n")
    before = small.untouched()
    ended = small.sync()
    assert ended.code == 2
    for name in ("again", "lists"):
        told = ended.job(name)["problem"]
        assert "lists/good.txt" in told["message"]
        assert "again and lists" in told["message"]
        assert told["advice"]
    assert ended.job("words")["outcome"] == "published"
    assert {k: v for k, v in small.untouched().items() if k.startswith("lists/")} == {
        k: v for k, v in before.items() if k.startswith("lists/")
    }


@pytest.mark.parametrize(
    "damage",
    ["spool = '/proc/hubdata'", "spool = 'hubdata.toml'", "spool = 'hubdata.toml/below'"],
    ids=["read-only", "a file", "below a file"],
)
def test_a_spool_that_cannot_be_written(small: SmallWorld, damage: str) -> None:
    """A spool that is no directory to write in ends the run before it starts, naming the setting."""
    before = small.untouched()
    small.edit("hubdata.toml", 'spool = "spool"', damage)
    complaint(small.sync(), 2, "spool", "HUBDATA_SPOOL")
    assert small.untouched() == before


@pytest.mark.parametrize(
    ("env", "words"),
    [
        pytest.param({}, ("MAXMIND_ACCOUNT_ID", "MAXMIND_LICENSE_KEY"), id="none"),
        pytest.param({"MAXMIND_ACCOUNT_ID": "1"}, ("MAXMIND_LICENSE_KEY",), id="half of them"),
        pytest.param(
            {"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY_FILE": "/nonexistent/key"},
            ("/nonexistent/key", "MAXMIND_LICENSE_KEY_FILE"),
            id="in a file that is not there",
        ),
    ],
)
def test_geoip_without_credentials(small: SmallWorld, env: dict[str, str], words: tuple[str, ...]) -> None:
    """With a target configured, a GeoIP job without credentials is an error that names the variables; others go on."""
    small.write("jobs/geoip.toml", GEOIP_JOB)
    ended = small.sync(env=env)
    assert ended.code == 2
    told = ended.job("geoip")["problem"]
    for word in words:
        assert word in told["message"] + told["advice"]
    assert ended.job("lists")["outcome"] == ended.job("words")["outcome"] == "unchanged"


GEOIP_JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-ASN"]
url = "https://127.0.0.1:1"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""


def test_geoip_without_credentials_in_the_default(small: SmallWorld) -> None:
    """With no hubdata.toml, GeoIP is left out with a notice, and all else is published into ./hub-data."""
    (small.root / "hubdata.toml").unlink()
    small.write("jobs/geoip.toml", GEOIP_JOB)
    ended = small.sync("--jobs", "jobs")
    assert ended.code == 0, ended.stdout
    assert {job["job"] for job in ended.json["jobs"]} == {"lists", "words"}
    assert any("geoip is left out" in notice and "MAXMIND_LICENSE_KEY" in notice for notice in ended.json["notices"])
    assert (small.root / "hub-data/lists/good.txt").exists()


def test_no_credentials_for_the_bucket(small: SmallWorld) -> None:
    """Without AWS credentials that target fails with the variables' names; the mirror gets its files."""
    small.write("hubdata.toml", SETTINGS + BUCKET + 'region = "us-east-1"\nendpoint_url = "http://127.0.0.1:1"\n')
    small.write("data/words/new.txt", "/new-probe\n")
    nothing = {name: value for name, value in CREDENTIALS.items() if "KEY" not in name}
    ended = small.sync(env=nothing)
    assert ended.code == 6
    for job in ended.json["jobs"]:
        told = next(t for t in job["targets"] if t["target"] == "aws")["problem"]
        assert "credentials" in told["message"]
        assert "AWS_ACCESS_KEY_ID" in told["advice"]
    assert "words/new.txt" in small.public()


def test_a_directory_that_is_gone(small: SmallWorld) -> None:
    """Started where there is nothing any more, hubdata says just that."""
    (small.root / "gone").mkdir()
    ended = small.sync(within=["sh", "-c", 'cd gone && rmdir ../gone && exec "$@"', "sh"])
    complaint(ended, 2, "directory", "gone")
