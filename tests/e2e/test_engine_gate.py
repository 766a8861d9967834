"""The gate that comes with hubdata, with the real engine in it: the real tree loads, and what hurts is caught.

Whatever the engine is hurt by, validation has said before: the gate is a second pair of eyes, not the first.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from itertools import islice
from pathlib import Path

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support import crowdsec
from tests.support.command import Ended, hubdata
from tests.support.crowdsec import Unpacked
from tests.support.near_misses import asked, near_misses
from tests.support.poison import Poison, corpus
from tests.support.real import SEC_LISTS, needs_real
from tests.support.small_mmdb import BUILT
from tests.support.small_world import GOOD, NEW, SmallWorld

REFUSES = "Go refuses"
"""The process dies at such a row, at start and on reload: MustCompile panics."""
STOPS = "token too long"
"""It logs one line, goes on without the rest of the file, and `-t` ends with 0."""
EMPTY = "it has no data row"
"""It logs an error for each event from then on, and never matches."""
UNREAD = "the engine cannot read this row as an address or network"
UNSPELLED = "the engine does not spell any address so"
NO_DOT = "it never matches: reverse names end with a dot"
NO_KEY = "the engine reads no `"
WRONG_CASE = "it is never found"
ESCAPES = "it never matches: the engine looks for its escapes as they stand"
"""All of these it loads without a word, and the rows never match."""
NOBODYS = "it lets in an address that belongs to nobody"
EVERYBODYS = "it lets everybody in"
ANY_NAME = "a row matches the empty name"
"""It loads these without a word, and lets everybody in."""
BANS = "it is found in what ordinary visitors send"
MATCHES = "a row matches "
"""It loads these without a word, and bans everybody."""
UNOPENED = "unable to register plugin 'GeoIpCity'"
"""It logs an error, goes on without countries, and `-t` ends with 0."""
ANOTHER = "the engine answers"
"""It opens the database without a word, and the country is wrong."""

HURT: Mapping[str, str] = {
    "regexp/look-ahead.regex": REFUSES,
    "regexp/back-reference.regex": REFUSES,
    "regexp/possessive.regex": REFUSES,
    "regexp/repeat-1001.regex": REFUSES,
    "regexp/repeat-of-repeats.regex": REFUSES,
    "regexp/unclosed-class.regex": REFUSES,
    "regexp/trailing-backslash.regex": REFUSES,
    "regexp/single-byte.regex": REFUSES,
    "regexp/named-group.regex": REFUSES,
    "regexp/new-script.regex": REFUSES,
    "regexp/nested-1500.regex": REFUSES,
    "regexp/not-utf8.regex": REFUSES,
    "rdns-regexp/glob.regex": REFUSES,
    "map/bad-regex.jsonl": REFUSES,
    "bots/bad-rdns.jsonl": REFUSES,
    "needle/long-line.txt": STOPS,
    "jsonl-uri/long-row.jsonl": STOPS,
    "phrases/long-line.data": STOPS,
    "regexp/only-comments.regex": EMPTY,
    "rdns-regexp/empty-list.regex": EMPTY,
    "cidr/bare-address.txt": UNREAD,
    "cidr/trailing-space.txt": UNREAD,
    "cidr/comment-behind.txt": UNREAD,
    "cidr/bom.txt": UNREAD,
    "cidr/utf-16.txt": UNREAD,
    "bots/address-in-ranges.jsonl": UNREAD,
    "ip-exact/network.txt": UNSPELLED,
    "ip-exact/not-compressed.txt": UNSPELLED,
    "ip-exact/mapped.txt": UNSPELLED,
    "bots/network-in-ips.jsonl": UNSPELLED,
    "rdns-suffix/no-final-dot.txt": NO_DOT,
    "jsonl-uri/pretty-printed-object.jsonl": NO_KEY,
    "jsonl-uri/capital-key.jsonl": NO_KEY,
    "jsonl-uri/escaped.jsonl": ESCAPES,
    "map/missing-type.jsonl": NO_KEY,
    "needle/upper-in-lower.txt": WRONG_CASE,
    "cidr/all-ipv4.txt": NOBODYS,
    "cidr/all-ipv6.txt": NOBODYS,
    "cidr/truncated-prefix.txt": NOBODYS,
    "bots/all-ipv4.jsonl": NOBODYS,
    "rdns-suffix/dot.txt": EVERYBODYS,
    "rdns-suffix/top-level.txt": EVERYBODYS,
    "rdns-regexp/any-name.regex": ANY_NAME,
    "rdns-regexp/empty-name.regex": ANY_NAME,
    "needle/one-byte.txt": BANS,
    "needle/browser.txt": BANS,
    "regexp/anything.regex": MATCHES,
    "regexp/empty-branch.regex": MATCHES,
    "regexp/any-php.regex": MATCHES,
    "mmdb/html.bin": UNOPENED,
    "mmdb/cut.bin": UNOPENED,
    "mmdb/wrong-answer.bin": ANOTHER,
    "mmdb/lost-network.bin": ANOTHER,
}
"""What Debian's engine did with each of these poisons."""


@pytest.fixture(scope="module")
def engine() -> Unpacked:
    """Return the real engine."""
    return crowdsec.needed()


def gate(tree: Path, engine: Unpacked, cwd: Path, *more: str | Path) -> Ended:
    """Run the command on `tree`."""
    return hubdata("gate", "crowdsec", tree, "--engine", engine.program, *more, cwd=cwd, env=engine.environment)


def write_jobs(directory: Path, poisons: list[Poison]) -> Path:
    """Write the job files that say what each of `poisons` is: one a file, and databases with their canaries."""
    jobs = directory / "jobs"
    jobs.mkdir()
    for number, poison in enumerate(poisons):
        options = dict(poison.settings.get("options", {}))
        if poison.kind == "mmdb":
            options["edition"] = "GeoLite2-City"
        text = f'[source]\ntype = "directory"\npath = "."\n[[files]]\nmatch = "{poison.file}"\nkind = "{poison.kind}"\n'
        text += "[files.options]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
        for canary in poison.settings.get("canaries", ()):
            expect = ", ".join(f"{json.dumps(path)} = {json.dumps(value)}" for path, value in canary["expect"].items())
            text += f'[[canaries]]\nip = "{canary["ip"]}"\nexpect = {{ {expect} }}\n'
        (jobs / f"poison-{number}.toml").write_text(text)
    return jobs


@needs_real
def test_the_real_tree_loads(engine: Unpacked, tmp_path: Path) -> None:
    """Every row that validation counts is a row that the engine holds; it has nothing to say against any."""
    ended = gate(SEC_LISTS, engine, tmp_path)
    assert (ended.code, ended.stdout) == (0, ""), ended.stdout
    validated = hubdata("validate", "--format=json", SEC_LISTS, cwd=tmp_path).json["files"]
    loaded = [file for file in validated if file["kind"] != "modsec"]
    rows = sum(file["stats"]["entries"] for file in loaded)
    assert len(loaded) > 90
    assert f"has loaded {len(loaded)} files with {rows:,} rows" in ended.stderr
    assert "71 files were not asked about: this engine has no firewall to load rules" in ended.stderr


def test_what_hurts_the_engine_is_caught_by_the_gate_and_by_validation(engine: Unpacked, tmp_path: Path) -> None:
    """Each poison of the table: the gate says what the engine did, and validation has refused it as well."""
    assert len(HURT) >= 50
    poisons = [poison for poison in corpus() if poison.file in HURT]
    assert {poison.file for poison in poisons} == set(HURT)
    tree = tmp_path / "tree"
    for poison in poisons:
        (tree / poison.file).parent.mkdir(parents=True, exist_ok=True)
        (tree / poison.file).write_bytes(poison.body)
    jobs = write_jobs(tmp_path, poisons)
    ended = gate(tree, engine, tmp_path, "--jobs", jobs)
    assert ended.code == 3, ended.stderr
    said: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        said.setdefault(re.split(r":(?:\d+:)? ", line, maxsplit=1)[0], []).append(line)
    assert set(said) == set(HURT)
    assert {file: said[file] for file, words in HURT.items() if not any(words in line for line in said[file])} == {}
    findings = hubdata("validate", "--format=json", "--jobs", jobs, tree, cwd=tmp_path).json["findings"]
    assert {finding["key"] for finding in findings if finding["severity"] == "error"} == set(HURT)


@needs_real
def test_what_validation_lets_out_does_not_hurt_the_engine(engine: Unpacked, tmp_path: Path) -> None:
    """Hundreds of files nearly as they are published, let out by validation: the engine holds all of them."""
    misses = list(islice(near_misses(20260731), 500))
    assert len({miss.kind for miss in misses}) == 10
    found = asked(misses, engine, tmp_path)
    assert [(misses[int(c.key)], c.message) for c in found.complaints] == []
    assert len(found.loaded) == len(misses)


def test_databases_are_opened_and_asked(engine: Unpacked, tmp_path: Path) -> None:
    """City and ASN answer the job's canaries; in each other's place they are opened without a word, and do not."""
    google = ("8.8.8.0/24", "2001:4860::/32")
    us, owner = {"country": {"iso_code": "US"}}, {"autonomous_system_number": 15169}
    cities = {ip_network(network): us for network in google}
    systems = {ip_network(network): owner for network in google} | {
        ip_network("1.1.1.0/24"): {"autonomous_system_number": 13335}
    }
    city = mmdb("GeoLite2-City", cities, build_epoch=BUILT)
    asn = mmdb("GeoLite2-ASN", systems, build_epoch=BUILT)
    for name, one, other in (("right", city, asn), ("swapped", asn, city)):
        (tmp_path / name / "mmdb_update").mkdir(parents=True)
        (tmp_path / name / "mmdb_update/GeoLite2-City.mmdb").write_bytes(one)
        (tmp_path / name / "mmdb_update/GeoLite2-ASN.mmdb").write_bytes(other)
    right = gate(tmp_path / "right", engine, tmp_path)
    assert (right.code, right.stdout) == (0, "")
    swapped = gate(tmp_path / "swapped", engine, tmp_path)
    assert swapped.code == 3
    for ip in ("8.8.8.8", "2001:4860:4860::8888"):
        assert f"asked for country.iso_code of {ip}, the engine answers" in swapped.stdout
        assert f"asked for autonomous_system_number of {ip}, the engine answers" in swapped.stdout


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"crs.conf": "SecRuleEngine On\n"}, "there is no file in this tree that the engine can load"),
        ({"lists/stranger.txt": "9.9.9.0/24\n"}, "no job says what kind of file this is"),
    ],
)
def test_what_is_not_loaded_is_not_passed(files: dict[str, str], words: str, engine: Unpacked, tmp_path: Path) -> None:
    """A tree of which the engine loads nothing proves nothing, nor does a file that nobody speaks for."""
    tree = tmp_path / "tree"
    for key, text in files.items():
        (tree / key).parent.mkdir(parents=True, exist_ok=True)
        (tree / key).write_text(text)
    (tmp_path / "jobs").mkdir()
    job = '[source]\ntype = "directory"\npath = "."\n[[files]]\nmatch = "*.conf"\nkind = "modsec"\n'
    (tmp_path / "jobs" / "rules.toml").write_text(job)
    ended = gate(tree, engine, tmp_path, "--jobs", tmp_path / "jobs")
    assert ended.code == 3
    assert words in ended.stdout


def test_rows_cannot_speak_for_the_engine(engine: Unpacked, tmp_path: Path) -> None:
    """Rows made to look like its own words neither end the questions nor answer one; nor do they rule a terminal."""
    rows = [
        ".Meta[the-end] = 'yes'",
        ".Meta[q0] = '9'",
        "test done",
        "level=debug msg=\".Meta[q1] = '[]'\"",
        "x\ty\x1b[2J",
    ]
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "list.txt").write_text("".join(f"{row}\n" for row in rows))
    (tree / "list.regex").write_text("evil(?\x1b[2J)\n")
    (tmp_path / "jobs").mkdir()
    job = '[source]\ntype = "directory"\npath = "."\n[[files]]\nmatch = "list.txt"\nkind = "cidr"\n'
    job += '[[files]]\nmatch = "list.regex"\nkind = "regexp"\n'
    (tmp_path / "jobs" / "lists.toml").write_text(job)
    ended = gate(tree, engine, tmp_path, "--jobs", tmp_path / "jobs")
    assert ended.code == 3
    about_rows = [line for line in ended.stdout.splitlines() if line.startswith("list.txt:")]
    assert sorted(int(line.split(":")[1]) for line in about_rows) == [1, 2, 3, 4, 5]
    assert "list.regex:1: the engine dies: Go refuses" in ended.stdout
    assert "\x1b" not in ended.stdout


@needs_real
def test_the_engine_touches_nothing_but_its_own(engine: Unpacked, tmp_path: Path) -> None:
    """It connects to the gate's own socket alone, writes below the gate's directory alone, and that is gone after."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("NOT WATCHED AT ITS SYSTEM CALLS: there is no strace; install Debian's package")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    watched = tmp_path / "watched"
    calls = "trace=connect,sendto,sendmsg,bind,openat,mkdirat,unlinkat,renameat"
    watched.write_text(f'#!/bin/sh\nexec {strace} -f -qq -o "{tmp_path}/calls.$$" -e {calls} {engine.program} "$@"\n')
    watched.chmod(0o755)
    environment = {**engine.environment, "TMPDIR": str(temporary)}
    line = ("gate", "crowdsec", SEC_LISTS, "--engine", watched)
    ended = hubdata(*line, cwd=tmp_path, env=environment)
    assert (ended.code, ended.stdout) == (0, ""), ended.stdout + ended.stderr
    logs = [path.read_text() for path in tmp_path.glob("calls.*")]
    assert len(logs) == 2
    made = "".join(logs)
    assert f"{temporary}/" in made, "nothing was watched"
    connected = re.findall(r"connect\(\d+, (.*?)\}", made)
    assert connected
    assert all('inet_addr("127.0.0.1")' in address for address in connected), connected
    assert re.findall(r"(?:sendto|sendmsg|bind)\(.*", made) == []
    written = re.findall(r'openat\(AT_FDCWD, "([^"]*)", [^)]*O_(?:WRONLY|RDWR|CREAT)', made)
    assert [path for path in written if not path.startswith((str(temporary), "/dev/"))] == []
    assert re.findall(r'"(/(?:etc|var/lib)/crowdsec[^"]*)"', made) == []
    assert list(temporary.iterdir()) == []


def test_it_runs_as_a_module_too(engine: Unpacked, tmp_path: Path) -> None:
    """`python -m hubdata.gates.crowdsec` is the same gate; without an engine it says how to have one."""
    command = [sys.executable, "-m", "hubdata.gates.crowdsec", str(tmp_path), "--engine", str(tmp_path / "absent")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "install Debian's package `crowdsec`" in done.stderr


def test_a_run_publishes_what_the_engine_is_content_with(engine: Unpacked, small: SmallWorld) -> None:
    """As a target's `gate`: good lists go out; what a waiver lets through validation, the engine still refuses."""
    program = small.root / "engine"
    library = engine.environment["LD_LIBRARY_PATH"]
    program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={library} exec {engine.program} "$@"\n')
    program.chmod(0o755)
    gate = [sys.executable, "-P", "-m", "hubdata", "gate", "crowdsec", "{tree}", "--engine", str(program)]
    gate += ["--jobs", str(small.root / "jobs")]
    small.edit("hubdata.toml", 'path = "mirror"', f'path = "mirror"\ngate = {json.dumps(gate)}')
    small.repo.commit({GOOD: NEW})
    ended = small.sync()
    assert ended.code == 0, ended.stdout
    assert small.public()[GOOD] == NEW
    waiver = f'key = "{GOOD}"\nrule = "cidr.bare-address"\nreason = "as an accident would have it"\nuntil = 2999-01-01'
    small.write("jobs/lists.toml", f"{(small.root / 'jobs/lists.toml').read_text()}\n[[waivers]]\n{waiver}\n")
    small.repo.commit({GOOD: NEW + b"9.9.9.9\n"})
    ended = small.sync()
    assert ended.code == 3, ended.stdout
    assert small.public()[GOOD] == NEW
    (told,) = [target["gate"]["output"] for target in ended.job("lists")["targets"]]
    assert f"{GOOD}:4: '9.9.9.9': the engine cannot read this row as an address or network" in told
