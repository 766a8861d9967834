"""Settings: four layers become one value, and every mistake in them is told at once with its place."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.settings import CdnSpec, Settings, TargetSpec, load_settings
from hubdata.errors import ConfigError
from hubdata.model.verification import Family, Pin, VerifySpec
from tests.unit.config.conftest import Write

FULL = """\
jobs = "my-jobs"
spool = "/var/tmp/hubdata"

[targets.aws]
type = "s3"
bucket = "hub-data"
region = "eu-west-1"
cdn = "edge"

[targets.mirror-2]
type = "directory"
path = "mirror"

[cdns.edge]
type = "cloudfront"
distribution_id = "E2EXAMPLE"

[checkouts]
"https://example.net/lists.git" = "lists"

[verify]
url = "https://hub-data.example.net/"
families = ["ipv4"]
"""


def load(
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    config: Path | None = None,
) -> Settings:
    """Return the settings as a command started in `cwd` would see them."""
    return load_settings(config=config, environment=environment or {}, flags=flags or {}, cwd=cwd)


def refusal(cwd: Path, environment: Mapping[str, str] | None = None, config: Path | None = None) -> list[str]:
    """Return the lines of the error with which the settings are refused."""
    with pytest.raises(ConfigError) as caught:
        load(cwd, environment, config=config)
    assert caught.value.advice
    return str(caught.value).splitlines()


def test_without_any_file_the_defaults_publish_builtin_jobs_into_a_directory(tmp_path: Path) -> None:
    """The embedded default needs nothing: its own jobs, `./hub-data`, no CDN, and it says that it is embedded."""
    settings = load(tmp_path)
    assert settings.embedded
    assert settings.jobs == builtin_jobs_dir()
    assert settings.targets == {"local": TargetSpec("directory", {"path": str(tmp_path / "hub-data")})}
    assert settings.cdns == {}
    assert settings.verify is None


def test_every_key_of_the_contract_is_read(tmp_path: Path, write: Write) -> None:
    """A whole hubdata.toml arrives as plain values."""
    write("hubdata.toml", FULL)
    assert load(tmp_path) == Settings(
        jobs=tmp_path / "my-jobs",
        spool=Path("/var/tmp/hubdata"),
        targets={
            "aws": TargetSpec("s3", {"bucket": "hub-data", "region": "eu-west-1"}, cdn="edge"),
            "mirror-2": TargetSpec("directory", {"path": str(tmp_path / "mirror")}),
        },
        cdns={"edge": CdnSpec("cloudfront", {"distribution_id": "E2EXAMPLE"})},
        checkouts={"https://example.net/lists.git": tmp_path / "lists"},
        verify=VerifySpec("https://hub-data.example.net", (Family.IPV4,)),
    )


def test_relative_paths_are_relative_to_the_file_that_holds_them(tmp_path: Path, write: Write) -> None:
    """A settings file works the same wherever the command is started; variables and flags are relative to there."""
    file = write("etc/hubdata.toml", 'jobs = "jobs"\n[targets.out]\ntype = "directory"\npath = "out"\n')
    settings = load(tmp_path, {"HUBDATA_SPOOL": "spool"}, {"checkout": ["lists"]}, config=file)
    assert settings.jobs == tmp_path / "etc" / "jobs"
    assert settings.targets["out"].options == {"path": str(tmp_path / "etc" / "out")}
    assert settings.spool == tmp_path / "spool"
    assert settings.checkout("https://example.net/any") == tmp_path / "lists"


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path, write: Write) -> None:
    """Each layer is laid over the one below it, key by key."""
    write("hubdata.toml", 'jobs = "from-file"\nspool = "from-file"\n')
    environment = {"HUBDATA_JOBS": "from-environment", "HUBDATA_SPOOL": "from-environment"}
    settings = load(tmp_path, environment, {"jobs": "from-flag"})
    assert settings.jobs == tmp_path / "from-flag"
    assert settings.spool == tmp_path / "from-environment"


def test_variables_reach_into_tables_by_double_underscore(tmp_path: Path, write: Write) -> None:
    """One key of one target is replaced; names in capitals and underscores find `mirror-2`; numbers are numbers."""
    write("hubdata.toml", FULL)
    environment = {
        "HUBDATA_TARGETS__AWS__BUCKET": "other",
        "HUBDATA_TARGETS__AWS__ATTEMPTS": "5",
        "HUBDATA_TARGETS__MIRROR_2__PATH": "/srv/mirror",
        "HUBDATA_VERIFY__FAMILIES": '["ipv6"]',
        "HUBDATA_CDNS__EDGE__DISTRIBUTION_ID": "",
    }
    settings = load(tmp_path, environment)
    assert settings.targets["aws"].options == {"bucket": "other", "region": "eu-west-1", "attempts": "5"}
    assert settings.targets["mirror-2"].options == {"path": "/srv/mirror"}
    assert settings.verify == VerifySpec("https://hub-data.example.net", (Family.IPV6,))
    assert settings.cdns["edge"].options == {"distribution_id": "E2EXAMPLE"}


def test_how_patiently_the_public_copy_is_looked_at(tmp_path: Path, write: Write) -> None:
    """Every key of `[verify]`, and one of them from the environment."""
    write(
        "hubdata.toml",
        '[verify]\nurl = "https://a.b/c/"\nfamilies = ["ipv6", "ipv6"]\ntarget = "local"\nsample = 0\nsilence_s = 2.5\n'
        'timeout_s = 60\nresolve = ["A.b:443:203.0.113.7", "a.b:443:[2001:db8::7]"]\n',
    )
    settings = load(tmp_path, {"HUBDATA_VERIFY__WAIT_S": "7"})
    assert settings.verify == VerifySpec(
        url="https://a.b/c",
        families=(Family.IPV6,),
        target="local",
        pins=(Pin("a.b", 443, "203.0.113.7"), Pin("a.b", 443, "2001:db8::7")),
        sample=0,
        wait=timedelta(seconds=7),
        silence=timedelta(seconds=2.5),
        timeout=timedelta(seconds=60),
    )


def test_a_target_from_the_environment_alone_replaces_the_default_one(tmp_path: Path) -> None:
    """A container without any file publishes where its variables say, and nowhere else."""
    settings = load(tmp_path, {"HUBDATA_TARGETS__AWS__TYPE": "s3", "HUBDATA_TARGETS__AWS__BUCKET": "b"})
    assert settings.targets == {"aws": TargetSpec("s3", {"bucket": "b"})}
    assert not settings.embedded


def test_the_default_target_can_be_moved_by_one_variable(tmp_path: Path) -> None:
    """A container says where its volume is, and nothing else; that is a configured target, not the embedded one."""
    settings = load(tmp_path, {"HUBDATA_TARGETS__LOCAL__PATH": "/data"})
    assert settings.targets == {"local": TargetSpec("directory", {"path": "/data"})}
    assert not settings.embedded


def test_a_target_that_only_shares_the_default_ones_name_inherits_nothing(tmp_path: Path, write: Write) -> None:
    """`local` with a type of its own is a new target: the default's path is no key of a bucket."""
    write("hubdata.toml", '[targets.local]\ntype = "s3"\nbucket = "b"\n')
    assert load(tmp_path).targets == {"local": TargetSpec("s3", {"bucket": "b"})}


@pytest.mark.parametrize("text", ["", "[targets]\n", 'spool = "/s"\n'])
def test_a_file_that_names_no_target_keeps_the_default_one(tmp_path: Path, write: Write, text: str) -> None:
    """Nothing is published anywhere unexpected: the embedded target stays, and the run says so."""
    write("hubdata.toml", text)
    settings = load(tmp_path)
    assert settings.embedded
    assert set(settings.targets) == {"local"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('targets = "aws"\n', "1: targets: expected a table, found 'aws'"),
        ("[targets]\naws = 1\n", "2: targets.aws: expected a table, found 1"),
        ("[targets.aws]\n", "1: targets.aws.type: a required key is missing"),
        (
            '[verify]\nurl = "https://a.b"\nfamilies = []\n',
            "3: verify.families: it should have at least 1 item, found a list",
        ),
        (
            '[verify]\nurl = "https://a.b"\nwait_s = 3601\n',
            "3: verify.wait_s: expected less than or equal to 3600, found 3601",
        ),
        (
            '[verify]\nurl = "https://a.b"\nresolve = ["a.b:443"]\n',
            "3: verify.resolve: expected HOST:PORT:ADDRESS, found 'a.b:443'",
        ),
        (
            '[verify]\nurl = "https://a.b"\ntarget = "locla"\n',
            "3: verify.target: there is no [targets.locla] (did you mean `local`?)",
        ),
        ('jobs = ""\n', "1: jobs: it should have at least 1 character, found ''"),
    ],
)
def test_a_value_of_the_wrong_shape_is_told_in_the_words_of_toml(
    tmp_path: Path, write: Write, text: str, told: str
) -> None:
    """A scalar for a table, and a table, list or text without anything in it, are one line each."""
    write("hubdata.toml", text)
    assert refusal(tmp_path) == [f"hubdata.toml:{told}"]


def test_a_tilde_is_the_users_home_and_an_unknown_user_is_just_a_name(tmp_path: Path, write: Write) -> None:
    """Neither ends in a traceback."""
    write("hubdata.toml", 'jobs = "~/jobs"\nspool = "~no-such-user/spool"\n')
    settings = load(tmp_path)
    assert settings.jobs == Path.home() / "jobs"
    assert settings.spool == tmp_path / "~no-such-user" / "spool"


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    """`-c` with a wrong path stops; it never falls back to defaults that publish somewhere else."""
    assert refusal(tmp_path, config=Path("nowhere.toml")) == [
        "nowhere.toml: there is no such file (name an existing file after -c/--config)"
    ]
    assert refusal(tmp_path, {"HUBDATA_CONFIG": "gone.toml"}) == [
        "gone.toml: there is no such file (name an existing file after -c/--config)"
    ]


def test_every_mistake_is_told_at_once_with_its_line_and_the_nearest_word(tmp_path: Path, write: Write) -> None:
    """One run of the command is enough to see all that must be mended."""
    write(
        "hubdata.toml",
        'job = "jobs"\nspool = 5\n\n[targets.aws]\ntype = "s3"\nbuket = "b"\ncdn = "egde"\n\n'
        '[targets.two]\ntype = "s4"\n\n[cdns.edge]\ntype = "cloudfrnt"\n\n[verify]\nurl = "ftp://x"\n',
    )
    lines = refusal(tmp_path)
    for expected in (
        "hubdata.toml:1: job: unknown key (did you mean `jobs`?)",
        "hubdata.toml:2: spool: expected a text, found 5 (write it in quotes)",
        "hubdata.toml:6: targets.aws.buket: unknown key (did you mean `bucket`?)",
        "hubdata.toml:4: targets.aws.bucket: a required key is missing",
        "hubdata.toml:7: targets.aws.cdn: there is no [cdns.egde] (did you mean `edge`?)",
        "hubdata.toml:10: targets.two.type: unknown target `s4` (did you mean `s3`?)",
        "hubdata.toml:13: cdns.edge.type: unknown cdn `cloudfrnt` (did you mean `cloudfront`?)",
    ):
        assert expected in lines
    assert any(line.startswith("hubdata.toml:16: verify.url: ") for line in lines)
    assert len(lines) == 8


def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path, write: Write) -> None:
    """A value from the environment is not blamed on the file."""
    write("hubdata.toml", FULL)
    assert refusal(tmp_path, {"HUBDATA_TARGETS__AWS__ATTEMPTS": "none"}) == [
        (
            "HUBDATA_TARGETS__AWS__ATTEMPTS: targets.aws.attempts: "
            "expected a valid integer, unable to parse string as an integer, found 'none'"
        )
    ]


def test_a_key_missing_from_a_target_made_of_variables_is_not_blamed_on_the_file(tmp_path: Path, write: Write) -> None:
    """The file's `[targets.aws]` says nothing of the target `two`, which exists in the environment alone."""
    write("hubdata.toml", FULL)
    assert refusal(tmp_path, {"HUBDATA_TARGETS__TWO__TYPE": "s3"}) == [
        "HUBDATA_TARGETS__TWO__TYPE: targets.two.bucket: a required key is missing"
    ]


def test_a_variable_that_nothing_reads_is_a_notice_not_an_error(tmp_path: Path) -> None:
    """A mistyped HUBDATA_ variable is seen, but another tool's variable stops nobody."""
    assert load(tmp_path, {"HUBDATA_SPOOOL": "/x"}).notices == (
        "environment: HUBDATA_SPOOOL: nothing reads it (did you mean `HUBDATA_SPOOL`?)",
    )


def test_a_syntax_error_carries_its_line(tmp_path: Path, write: Write) -> None:
    """What the TOML parser says is passed on with file and line, and nothing else is guessed."""
    write("hubdata.toml", 'jobs = "jobs"\nspool = \n')
    (line,) = refusal(tmp_path)
    assert line.startswith("hubdata.toml:2: is not valid TOML: Invalid value")


@pytest.mark.parametrize(
    "body", [b'jobs = "\xff"\n', b"x = " + b"[" * 100_000, b"#" * (2 << 20), b"x = " + b"9" * 9_999]
)
def test_a_file_that_is_no_toml_at_all_is_one_line(tmp_path: Path, body: bytes) -> None:
    """Wrong encoding, absurd nesting, absurd size and absurd numbers are told in one line each."""
    (tmp_path / "hubdata.toml").write_bytes(body)
    assert len(refusal(tmp_path)) == 1


@pytest.mark.parametrize(
    "text",
    [
        '[targets.aws]\ntype = "s3"\nbucket = "b"\nsecret_access_key = "hunter2hunter2"\n',
        '[targets.aws]\ntype = "s3"\nbucket = "b"\naws_session_token = "hunter2hunter2"\n',
        'license_key = "hunter2hunter2"\n',
        '[verify]\nurl = "https://me:hunter2hunter2@example.net"\n',
    ],
)
def test_secrets_in_the_file_are_refused_and_not_repeated(tmp_path: Path, write: Write, text: str) -> None:
    """A secret belongs in the environment or a file named there; the error that says so does not print it."""
    write("hubdata.toml", text)
    lines = refusal(tmp_path)
    assert any("environment" in line for line in lines)
    assert "hunter2" not in "\n".join(lines)


def test_a_checkout_stands_in_for_its_repository(tmp_path: Path) -> None:
    """`URL=DIR` is for one repository, whatever the end of its URL; a bare DIR is for every other one."""
    url = "https://example.net/lists"
    flags = {"checkout": [f"{url}=one", "rest"]}
    settings = load(tmp_path, {"HUBDATA_CHECKOUT": f"{url}=overridden"}, flags)
    assert settings.checkout(f"{url}.git") == tmp_path / "one"
    assert settings.checkout(f"{url}/") == tmp_path / "one"
    assert settings.checkout("https://example.net/other") == tmp_path / "rest"
    assert load(tmp_path).checkout(url) is None


def test_the_default_spool_is_the_users_own(tmp_path: Path) -> None:
    """Downloads are staged where no other user can plant files."""
    home = {"HOME": str(tmp_path)}
    assert load(tmp_path, home).spool == tmp_path / ".cache" / "hubdata"
    assert load(tmp_path, home | {"XDG_CACHE_HOME": "/c"}).spool == Path("/c/hubdata")
    assert load(tmp_path, {"HOME": "/"}).spool == load(tmp_path, {}).spool != Path("/.cache/hubdata")
