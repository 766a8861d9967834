"""`[hooks] on_published`: a program of the operator's learns of every publication, and of nothing else."""

import json
from pathlib import Path

import pytest

from tests.support.command import hubdata
from tests.support.moto_server import shared
from tests.support.small_world import GOOD, LISTS, NEW, SmallWorld

RECORDER = """\
#!/usr/bin/env python3
import json, os, pathlib, sys
told = {"argv": sys.argv[1:], "env": dict(os.environ)}
told["file"] = pathlib.Path(os.environ["HUBDATA_CHANGED_KEYS_FILE"]).read_text()
told["public"] = json.loads(pathlib.Path("mirror/manifest.json").read_text())["generation"]
with open("told.jsonl", "a") as log:
    print(json.dumps(told), file=log)
print("token", os.environ.get("CHAT_TOKEN"))
sys.exit(int(os.environ.get("HOOK_EXIT", "0")))
"""
SECRETS = {
    "AWS_ACCESS_KEY_ID": "sentinel-access",
    "AWS_SECRET_ACCESS_KEY": "sentinel-secret",
    "MAXMIND_LICENSE_KEY": "sentinel-license",
    "CHAT_TOKEN": "sentinel-chat-token",
    "HUBDATA_SPOOL": "spool",
}


@pytest.fixture
def hooked(small: SmallWorld) -> SmallWorld:
    """Give a world with a hook that writes down what it is told."""
    script = small.root / "hook"
    script.write_text(RECORDER)
    script.chmod(0o755)
    set_hook(small, [str(script), "two words", "$(touch oops)", "*"], pass_environment=["CHAT_TOKEN", "HOOK_EXIT"])
    return small


def set_hook(small: SmallWorld, argv: list[str], **more: object) -> None:
    """Write the table `[hooks]`."""
    settings = (small.root / "hubdata.toml").read_text().partition("[hooks]")[0]
    keys = {"on_published": argv, **more}
    small.write("hubdata.toml", settings + "[hooks]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in keys.items()))


def told(small: SmallWorld) -> list[dict[str, object]]:
    """Return what the hook wrote down, call by call."""
    log = small.root / "told.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_publication_is_told_once_after_it_is_public(hooked: SmallWorld) -> None:
    """Run, job, target, generation and keys; the manifest it reads is the new one; a no-op run tells nothing."""
    hooked.repo.commit({GOOD: NEW})
    ended = hooked.sync(env=SECRETS)
    assert ended.code == 0, ended.stdout + ended.stderr
    (call,) = told(hooked)
    assert call["argv"] == ["two words", "$(touch oops)", "*"]
    assert not (hooked.root / "oops").exists()
    env = call["env"]
    assert isinstance(env, dict)
    given = {name: value for name, value in env.items() if name.startswith("HUBDATA_")}
    keys_file = Path(given.pop("HUBDATA_CHANGED_KEYS_FILE"))
    assert given == {
        "HUBDATA_RUN_ID": ended.json["run_id"],
        "HUBDATA_JOB": "lists",
        "HUBDATA_TARGET": "mirror",
        "HUBDATA_GENERATION": "2",
        "HUBDATA_OUTCOME": "published",
        "HUBDATA_EXIT_CODE": "0",
        "HUBDATA_CHANGED_COUNT": "1",
        "HUBDATA_CHANGED_KEYS": GOOD,
    }
    assert call["file"] == f"{GOOD}\n"
    assert call["public"] == 2
    assert not keys_file.exists()
    assert hooked.left_over() == []
    (hook,) = ended.json["hooks"]
    assert (hook["hook"], hook["target"], hook["generation"], hook["problem"]) == ("on_published", "mirror", 2, None)
    assert hooked.sync(env=SECRETS).json["hooks"] == []
    assert len(told(hooked)) == 1


def test_credentials_reach_no_hook_that_was_not_given_them(hooked: SmallWorld) -> None:
    """Of all secrets only the one named in the settings; what the hook prints of it is masked wherever it is shown."""
    hooked.repo.commit({GOOD: NEW})
    arguments = ("sync", "--once", "--format", "json", "-v")
    ended = hubdata(*arguments, cwd=hooked.root, env=SECRETS)
    env = told(hooked)[0]["env"]
    assert isinstance(env, dict)
    assert env["CHAT_TOKEN"] == "sentinel-chat-token"
    assert {name for name, value in env.items() if "sentinel" in value} == {"CHAT_TOKEN"}
    assert "sentinel" not in ended.stdout + ended.stderr
    assert ended.json["hooks"][0]["output"] == "token ***"
    assert 'hook.said target=mirror line="token ***"' in ended.stderr


def test_a_dry_run_a_refusal_and_a_held_change_tell_nothing(hooked: SmallWorld) -> None:
    """Nothing was published, so there is nothing to tell."""
    hooked.repo.commit({GOOD: NEW})
    assert hooked.run("plan").code == 0
    assert hooked.sync("--dry-run").json["jobs"][0]["outcome"] == "planned"
    hooked.repo.commit({GOOD: b"8.8.8.0/24\nnonsense\n"})
    assert hooked.sync().code == 3
    hooked.repo.commit({GOOD: b""})
    assert hooked.sync().code in (3, 4)
    assert told(hooked) == []


def test_what_is_published_beside_a_refused_file_is_told(hooked: SmallWorld) -> None:
    """The outcome says that not everything went out."""
    hooked.repo.commit({GOOD: NEW, "lists/other.txt": "nonsense\n"})
    assert hooked.sync().code == 3
    (call,) = told(hooked)
    env = call["env"]
    assert isinstance(env, dict)
    assert (env["HUBDATA_CHANGED_KEYS"], env["HUBDATA_OUTCOME"], env["HUBDATA_EXIT_CODE"]) == (GOOD, "refused", "3")


def test_each_target_is_told_of_for_itself(hooked: SmallWorld) -> None:
    """A hook that reloads one mirror must know which one changed; the other way is a run with one target failing."""
    settings = (hooked.root / "hubdata.toml").read_text()
    second = '[targets.second]\ntype = "directory"\npath = "second"\n\n[hooks]'
    hooked.write("hubdata.toml", settings.replace("[hooks]", second))
    assert hooked.sync().code == 0
    first = [call["env"] for call in told(hooked)]
    assert [(env["HUBDATA_TARGET"], env["HUBDATA_GENERATION"]) for env in first if isinstance(env, dict)] == [
        ("second", "1")
    ]
    hooked.repo.commit({GOOD: NEW})
    assert hooked.sync().code == 0
    targets = [env["HUBDATA_TARGET"] for call in told(hooked)[1:] if isinstance(env := call["env"], dict)]
    assert targets == ["mirror", "second"]


def test_a_hook_that_fails_leaves_the_publication_and_ends_with_7(hooked: SmallWorld) -> None:
    """Public is public; JSON says why, and the next run has nothing to tell and ends with 0."""
    hooked.repo.commit({GOOD: NEW})
    ended = hooked.sync(env={"HOOK_EXIT": "4"})
    assert ended.code == 7
    assert ended.job("lists")["outcome"] == "published"
    assert ended.job("lists")["exit_code"] == 0
    assert hooked.public()[GOOD] == NEW
    problem = ended.json["hooks"][0]["problem"]
    assert problem["message"].endswith("/hook ended with exit code 4")
    assert problem["exit_code"] == 7
    again = hooked.sync(env={"HOOK_EXIT": "4"})
    assert (again.code, again.json["hooks"]) == (0, [])


def test_a_person_reads_of_a_failed_hook(hooked: SmallWorld) -> None:
    """A warning with its last words and what to do, at the terminal and as an annotation."""
    hooked.repo.commit({GOOD: NEW})
    ended = hooked.run("sync", "--once", env={"HOOK_EXIT": "4"})
    assert ended.code == 7
    said = " ".join(ended.stdout.split())
    assert "warning: hook on_published for mirror: " in said
    assert "ended with exit code 4 token None advice: what was published is public" in said
    assert "(exit 7: published, but a hook failed)" in said
    hooked.repo.commit({GOOD: LISTS[GOOD]})
    ended = hooked.run("sync", "--once", "--format", "github", "-q", env={"HOOK_EXIT": "4"})
    assert "::warning title=hook on_published for mirror::" in ended.stdout


def test_a_hook_that_hangs_is_ended(hooked: SmallWorld) -> None:
    """At its deadline, with its children; the run then ends as for any failed hook."""
    set_hook(hooked, ["sh", "-c", "sleep 300 & sleep 300"], timeout_s=1)
    hooked.repo.commit({GOOD: NEW})
    ended = hooked.sync(timeout=60)
    assert ended.code == 7
    assert "had not ended after 1 s" in ended.json["hooks"][0]["problem"]["message"]


def test_what_a_crashed_run_had_put_is_told_by_the_one_that_publishes_it(hooked: SmallWorld) -> None:
    """The objects are in place and only enter the manifest; for whoever waits for them that is the publication."""
    hooked.repo.commit({GOOD: NEW, "lists/new.txt": "9.9.9.0/24\n"})
    assert hooked.sync().code == 0
    manifest = hooked.root / "mirror/manifest.json"
    before = json.loads(manifest.read_text())  # as before the swap
    before["files"][GOOD] |= {"sha256": "0" * 64, "etag": "0" * 32}
    del before["files"]["lists/new.txt"]
    manifest.write_text(json.dumps(before))
    ended = hooked.sync()
    assert ended.job("lists")["targets"][0]["puts"] == []
    assert len(told(hooked)) == 2
    env = told(hooked)[-1]["env"]
    assert isinstance(env, dict)
    assert env["HUBDATA_CHANGED_KEYS"].split("\n") == [GOOD, "lists/new.txt"]


def test_a_bucket_is_told_of_like_a_directory(hooked: SmallWorld) -> None:
    """The hook has none of the run's AWS variables, and hubdata itself started by it says nothing of ours."""
    cloud = shared()
    settings = (hooked.root / "hubdata.toml").read_text()
    bucket = f'[targets.aws]\ntype = "s3"\nbucket = "{cloud.bucket()}"\nregion = "us-east-1"\n'
    hooked.write("hubdata.toml", settings.replace("[hooks]", f'{bucket}endpoint_url = "{cloud.url}"\n\n[hooks]'))
    ended = hooked.sync(env=cloud.env)
    assert ended.code == 0, ended.stdout + ended.stderr
    (call,) = told(hooked)
    env = call["env"]
    assert isinstance(env, dict)
    assert env["HUBDATA_TARGET"] == "aws"
    assert not [name for name in env if name.startswith("AWS_")]
    nested = hooked.run("config", "check", env={name: v for name, v in env.items() if name.startswith("HUBDATA_")})
    assert nested.code == 0, nested.stdout
    assert "HUBDATA" not in nested.stdout


@pytest.mark.parametrize(
    ("table", "words"),
    [
        pytest.param("on_published = []", "at least 1 item", id="empty"),
        pytest.param('on_published = [""]', "the first is the program", id="no program"),
        pytest.param('on_published = ["./notify"]', "expected an absolute path, or a name", id="relative"),
        pytest.param('on_published = ["no-such-program-here"]', "it is nowhere on PATH", id="not on PATH"),
        pytest.param('on_published = ["/etc/passwd"]', "it is no executable file", id="not executable"),
        pytest.param('on_published = "notify all"', "list", id="one text"),
        pytest.param('on_published = ["true"]\ntimeout_s = 0', "greater than 0", id="no time"),
        pytest.param('on_published = ["true"]\npass_environment = ["A=B"]', "pattern", id="no name"),
        pytest.param('on_publish = ["true"]', "did you mean `on_published`?", id="mistyped"),
    ],
)
def test_a_hook_that_cannot_work_is_told_beforehand(small: SmallWorld, table: str, words: str) -> None:
    """`config check` finds it, with file and line, before a publication does."""
    small.write("hubdata.toml", (small.root / "hubdata.toml").read_text() + f"[hooks]\n{table}\n")
    ended = small.run("config", "check")
    assert ended.code == 2, ended.stdout
    assert words in " ".join(ended.stdout.split())
    assert "hubdata.toml:" in ended.stdout


def test_a_hook_is_shown_with_its_origin(small: SmallWorld) -> None:
    """`config show` names the program and where it was set; the environment can set it too."""
    env = {"HUBDATA_HOOKS__ON_PUBLISHED": '["true", "x"]', "HUBDATA_HOOKS__TIMEOUT_S": "5"}
    shown = small.run("config", "show", env=env).stdout
    assert "HUBDATA_HOOKS__ON_PUBLISHED" in shown
    small.repo.commit({GOOD: NEW})
    assert small.sync(env=env).json["hooks"][0]["problem"] is None
