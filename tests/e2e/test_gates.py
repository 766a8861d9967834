"""`gate`: a program of the operator's sees what a target would hold before anything is written, and may refuse it."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, hubdata
from tests.support.moto_server import shared
from tests.support.shared_target import KEYS, SYNC, Bucket, SharedWorld, lines, public, s3, sound
from tests.support.small_world import GOOD, HTML, NEW, OTHER, WORDS, SmallWorld

GATE = """\
#!/usr/bin/env python3
import hashlib, json, os, pathlib, sys, time
tree = pathlib.Path(sys.argv[1].removeprefix("--tree="))
files = {p.relative_to(tree).as_posix(): p for p in sorted(tree.rglob("*")) if p.is_file()}
seen = {
    "argv": sys.argv[1:],
    "env": dict(os.environ),
    "cwd": os.getcwd(),
    "links": [key for key, path in files.items() if path.is_symlink() or path.stat().st_nlink != 1],
    "modes": sorted({path.stat().st_mode & 0o777 for path in files.values()}),
    "files": {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in files.items()},
}
with open(os.path.join(os.environ["HOME"], "asked.jsonl"), "a") as log:
    print(json.dumps(seen), file=log)
for path in files.values():  # whatever it does to the tree, nobody else sees it
    path.chmod(0o666)
    path.write_text("0.0.0.0/0\\n")
exec(pathlib.Path(os.environ["HOME"], "gate.body").read_text())
"""
SECRETS = {"AWS_SECRET_ACCESS_KEY": "sentinel-secret", "MAXMIND_LICENSE_KEY": "sentinel-license"}
SECOND = '\n[targets.second]\ntype = "directory"\npath = "second"\n'


def sha256(body: bytes | str) -> str:
    """Return the SHA-256 of `body`."""
    return hashlib.sha256(body.encode() if isinstance(body, str) else body).hexdigest()


@pytest.fixture
def gated(small: SmallWorld) -> SmallWorld:
    """Give a published world whose mirror has got a gate, that writes down what it sees and is content."""
    small.write("gate", GATE)
    (small.root / "gate").chmod(0o755)
    small.write("gate.body", "")
    put_gate(small, [str(small.root / "gate"), "--tree={tree}", "two words", "$(touch oops)", "*"])
    return small


def put_gate(small: SmallWorld, argv: list[str], **more: object) -> None:
    """Give the mirror a gate."""
    kept = [line for line in (small.root / "hubdata.toml").read_text().splitlines() if not line.startswith("gate")]
    at = kept.index('path = "mirror"')
    keys = {"gate": argv, **more}
    kept[at + 1 : at + 1] = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    small.write("hubdata.toml", "\n".join(kept) + "\n")


def asked(small: SmallWorld) -> list[Any]:
    """Return what the gate saw, call by call."""
    log = small.root / "asked.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def refused(ended: Ended, rule: str) -> Any:
    """Return what the result says of the gate, having asserted that the run ended as refused, by that rule alone."""
    assert ended.code == 3, ended.stdout + ended.stderr
    errors = {(f["key"], f["rule"]) for job in ended.json["jobs"] for f in job["findings"] if f["severity"] == "error"}
    assert errors == {("", rule)}
    (target,) = (t for t in ended.job("lists")["targets"] if t["target"] == "mirror")
    assert (target["applied"], target["puts"], target["gate"]["passed"]) == (False, [], False)
    assert ended.job("lists")["outcome"] == "refused"
    return target["gate"]


def test_the_gate_sees_what_the_target_would_hold_before_anything_is_written(gated: SmallWorld) -> None:
    """New files, unchanged ones, those of all jobs: as they were checked, as copies, and nothing else."""
    before = gated.mirror_files()
    gated.write("gate.body", f"assert pathlib.Path({str(gated.root)!r}, 'mirror', {GOOD!r}).read_bytes() != {NEW!r}")
    gated.repo.commit({GOOD: NEW})
    ended = gated.sync(env=SECRETS)
    assert ended.code == 0, ended.stdout + ended.stderr
    (seen,) = asked(gated)
    assert seen["files"] == {key: sha256(body) for key, body in gated.public().items()}
    assert set(seen["files"]) == {GOOD, OTHER, WORDS}
    assert (seen["links"], seen["modes"]) == ([], [0o444])
    assert seen["argv"] == [f"--tree={seen['cwd']}", "two words", "$(touch oops)", "*"]
    assert not (gated.root / "oops").exists()
    told = {name: value for name, value in seen["env"].items() if name.startswith("HUBDATA_")}
    assert told == {
        "HUBDATA_TREE": seen["cwd"],
        "HUBDATA_TARGET": "mirror",
        "HUBDATA_JOB": "lists words",
        "HUBDATA_RUN_ID": ended.json["run_id"],
    }
    assert not [value for value in seen["env"].values() if "sentinel" in value]
    assert not Path(seen["cwd"]).exists()
    assert gated.left_over() == []
    assert gated.public()[GOOD] == NEW  # the gate has written rubbish into its tree
    assert gated.mirror_files() != before
    gate = ended.job("lists")["targets"][0]["gate"]
    assert (gate["passed"], gate["files"], gate["refused"]) == (True, 3, None)


def test_nobody_is_asked_when_nothing_would_change_or_nothing_is_meant_to(gated: SmallWorld) -> None:
    """An unchanged run, a plan and a dry run start no program of the operator's; the latter two say so."""
    assert gated.sync().code == 0
    gated.repo.commit({GOOD: NEW})
    planned = gated.run("plan", "--format", "json")
    assert planned.json["notices"] == [
        f"target mirror: its gate {gated.root}/gate is asked before anything is written, and not by a dry run"
    ]
    assert gated.sync("--dry-run").json["notices"] == planned.json["notices"]
    assert asked(gated) == []


def test_a_gate_that_refuses_keeps_everything_out_and_other_targets_go_on(gated: SmallWorld) -> None:
    """Exit 3, nothing is written there, the plan is told; the other target has it; the next run asks again."""
    gated.write("hubdata.toml", (gated.root / "hubdata.toml").read_text() + SECOND)
    gated.write("gate.body", "print('rule 7 does not load'); sys.exit(1)")
    gated.repo.commit({GOOD: NEW})
    before, private = gated.untouched(), gated.mirror_files()
    ended = gated.sync()
    gate = refused(ended, "gate.failed")
    assert (gate["output"], gate["reason"]) == ("rule 7 does not load", "ended with exit code 1")
    assert [change["key"] for change in gate["refused"]["changes"]] == [GOOD]
    assert ended.job("words")["outcome"] == "published"  # at the second target, which had nothing
    assert gated.untouched() == before
    assert gated.mirror_files() == private
    assert (gated.root / "second" / GOOD).read_bytes() == NEW

    assert gated.sync().code == 3
    gated.write("gate.body", "")
    assert gated.sync().code == 0
    assert gated.public()[GOOD] == NEW
    assert len(asked(gated)) == 3


def test_an_approval_does_not_open_a_gate(gated: SmallWorld) -> None:
    """Neither of what is held nor of what the gate refused: limits and gates are different guards."""
    gated.edit("jobs/lists.toml", 'kind = "cidr"', 'kind = "cidr"\nlimits = { max_change = 0.1, floor_entries = 0 }')
    gated.repo.commit({GOOD: "9.9.8.0/24\n1.1.1.0/24\n8.8.8.0/24\n"})
    held = gated.sync()
    assert held.code == 4
    assert asked(gated) == []  # all that would change is held: nothing goes out
    gated.write("gate.body", "sys.exit(9)")
    gate = refused(gated.sync("--approve", held.job("lists")["targets"][0]["plan_id"]), "gate.failed")
    assert gate["refused"]["puts"] == [GOOD]
    gated.write("gate.body", "")
    assert gated.sync("--approve", held.job("lists")["targets"][0]["plan_id"]).code == 0


def test_what_is_held_or_refused_is_shown_as_it_stays(gated: SmallWorld) -> None:
    """The tree is what readers would get: of a refused file its last good version, fetched from the target."""
    good = gated.public()[GOOD]
    gated.repo.commit({GOOD: HTML, OTHER: "9.9.9.0/24\n1.0.0.0/24\n"})
    assert gated.sync().code == 3
    (seen,) = asked(gated)
    assert seen["files"][GOOD] == sha256(good)
    assert seen["files"][OTHER] == sha256("9.9.9.0/24\n1.0.0.0/24\n")
    assert gated.public() == {**gated.public(), GOOD: good, OTHER: b"9.9.9.0/24\n1.0.0.0/24\n"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("time.sleep(60)", id="itself"),
        pytest.param("import subprocess; subprocess.Popen(['sleep', '55'])", id="a child that holds its output"),
        pytest.param(
            "import subprocess; subprocess.Popen(['sleep', '55'], start_new_session=True)",
            id="a child in a session of its own",
        ),
        pytest.param(
            "import subprocess, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
            id="deaf to polite signals",
        ),
    ],
)
def test_a_gate_that_hangs_has_refused_when_its_time_is_up(gated: SmallWorld, body: str) -> None:
    """Whoever holds its output has not ended; the run ends all the same, and soon."""
    put_gate(gated, [str(gated.root / "gate"), "{tree}"], gate_timeout_s=1.5)
    gated.write("gate.body", body)
    gated.repo.commit({GOOD: NEW})
    before = gated.untouched()
    began = time.monotonic()
    gate = refused(gated.sync(), "gate.timeout")
    assert time.monotonic() - began < 40
    assert gate["elapsed_s"] >= 1.5
    assert gated.untouched() == before
    assert gated.left_over() == []


def test_a_gate_may_write_as_much_as_it_likes(gated: SmallWorld) -> None:
    """What it says is kept from its end, and takes no memory worth speaking of; that it talks refuses nothing."""
    gated.write(
        "gate.body",
        "for _ in range(6000): sys.stdout.write('x' * 9999 + '\\n'); sys.stderr.write('y' * 999 + '\\n')\n"
        "print('the last line')",
    )
    gated.repo.commit({GOOD: NEW})
    ended = gated.sync(alone=True)
    assert ended.code == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    output = ended.job("lists")["targets"][0]["gate"]["output"]
    assert len(output) <= 2 * 4096 + 1
    assert "the last line" in output
    assert ended.peak_mb < 200


@pytest.mark.parametrize(
    ("argv", "rule"),
    [
        pytest.param(["no-such-program-here"], "gate.not-started", id="missing"),
        pytest.param(["/etc/passwd"], "gate.not-started", id="not executable"),
        pytest.param(["sh", "-c", "kill -9 $$"], "gate.failed", id="killed"),
    ],
)
def test_only_an_end_with_zero_passes(gated: SmallWorld, argv: list[str], rule: str) -> None:
    """A gate that is not there, or died, has looked at nothing."""
    put_gate(gated, argv)
    gated.repo.commit({GOOD: NEW})
    before = gated.untouched()
    assert argv[0] in refused(gated.sync(), rule)["program"]
    assert gated.untouched() == before


def test_a_person_reads_why_and_no_secret(gated: SmallWorld) -> None:
    """The text has the gate's last lines, once; a credential that the gate has dug out itself is masked everywhere."""
    secrets = {"AWS_SECRET_ACCESS_KEY": "sentinel/secret+key-0123456789abcdefghij"}
    gated.write("gate.body", f"print('bad token', {secrets['AWS_SECRET_ACCESS_KEY']!r}); sys.exit(1)")
    gated.repo.commit({GOOD: NEW})
    ended = hubdata("sync", "--once", "-v", cwd=gated.root, env=secrets)
    assert ended.code == 3
    assert ended.stdout.count("bad token") == 1, ended.stdout
    assert "gate.failed" in ended.stdout
    assert "the gate of mirror refused" in ended.stdout.lower()
    assert "sentinel" not in ended.stdout + ended.stderr
    assert "sentinel" not in gated.sync(env=secrets).stdout


def test_a_run_that_was_killed_while_its_gate_looked_leaves_nothing_for_good(gated: SmallWorld) -> None:
    """The tree lies in the run's spool, which the next run removes; nothing was written at the target."""
    gated.write("gate.body", "os.kill(os.getppid(), 9)")
    gated.repo.commit({GOOD: NEW})
    before = gated.untouched()
    hubdata("sync", "--once", cwd=gated.root)
    assert gated.untouched() == before
    (dead,) = gated.left_over()
    os.utime(gated.root / "spool" / dead, (0, 0))
    gated.write("gate.body", "")
    assert gated.sync().code == 0
    assert gated.left_over() == []


def test_a_rollback_goes_through_the_gate_too(gated: SmallWorld) -> None:
    """What was public once may be what no engine of today loads: the gate sees the tree that it would leave."""
    gated.repo.commit({GOOD: NEW})
    assert gated.sync().code == 0
    old = gated.public() | {GOOD: b"8.8.8.0/24\n1.1.1.0/24\n"}
    gated.write("gate.body", "print('bad: ' + os.environ['HUBDATA_TREE'] + '/' + 'x.txt'); sys.exit(1)")
    back = ("rollback", "--to", "1", "--yes", "--format", "json")
    ended = gated.run(*back)
    gate = refused(ended, "gate.failed")
    assert gate["output"] == "bad: x.txt"  # keys, not where they lay for a while
    assert gated.public()[GOOD] == NEW
    gated.write("gate.body", "")
    assert gated.run(*back).code == 0
    assert gated.public() == old
    assert asked(gated)[-1]["files"] == {key: sha256(body) for key, body in old.items()}


def test_before_a_bucket_what_stays_comes_from_the_bucket(tmp_path: Path) -> None:
    """Of a refused file the tree has its last good version, as the store has it; and nothing is put when it refuses."""
    bucket = Bucket(shared())
    gate = tmp_path / "gate"
    gate.write_text(
        '#!/bin/sh\ncd "$1" && find . -type f -exec sha256sum {} + | sort > "$HOME/seen"\n! grep -rq 9.9.8 .\n'
    )
    gate.chmod(0o755)
    settings = f'{s3(bucket.name, bucket.cloud.url)}gate = ["{gate}", "{{tree}}"]\n'
    world = SharedWorld.create(tmp_path, settings, jobs=2)
    first = {"job0/a.txt": lines(1), "job0/deep/b.txt": lines(2), "job1/c.txt": lines(3)}
    for key, body in first.items():
        world.offer(key, body)
    sound(hubdata(*SYNC, cwd=tmp_path, env=KEYS))
    world.offer("job0/a.txt", b"nonsense\n")
    world.offer("job1/c.txt", lines(4))
    sound(hubdata(*SYNC, cwd=tmp_path, env=KEYS), 3)
    assert public(bucket.files()) == {**first, "job1/c.txt": lines(4)}
    rows = (line.split("  ./") for line in (tmp_path / "seen").read_text().splitlines())
    assert {key: digest for digest, key in rows} == {key: sha256(body) for key, body in public(bucket.files()).items()}

    counted = bucket.count()
    world.offer("job1/c.txt", lines(4) + b"9.9.8.0/24\n")
    ended = sound(hubdata(*SYNC, cwd=tmp_path, env=KEYS), 3)
    assert {f["rule"] for f in ended.job("job1")["findings"]} == {"gate.failed"}
    assert bucket.count() == counted
