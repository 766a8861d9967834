"""The pages tell the truth: what they have people type works, in its order, and prints what they show.

Each page has a world of its own, with public names made local in one place. What cannot be typed here says why.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from hubdata.demo.mmdb_writer import mmdb
from hubdata.reference.manifest import schema as manifest_schema
from tests.support.maxmind_server import MaxmindServer
from tests.support.moto_server import CREDENTIALS, MotoServer
from tests.support.pages import ROOT, Reader, blocks, pages, parsed
from tests.support.ports import own_port
from tests.support.repos import Repo
from tests.support.strict_cloudflare import TOKEN, StrictCloudflare

JOB = """\
[source]
type = "git"
url = "{url}"
ref = "master"

[[files]]
match = "lists/*.txt"
kind = "cidr"
limits = {{ max_change = 0.5, floor_entries = 25, floor_ipv4_addresses = 4096 }}

[[ignore]]
match = "jobs/*"

[[ignore]]
match = "hubdata.toml"
"""
GEOIP_JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-ASN"]
url = "{url}"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""
SETTINGS = 'jobs = "jobs"\n\n[targets.public]\ntype = "directory"\npath = "public"\n'
LISTS = {"lists/good.txt": b"8.8.8.0/24\n", "lists/other.txt": b"9.9.9.0/24\n"}
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Reader"), ("EMAIL", "reader@example.net"))
}
RUN_BY = {
    "docs/deploy.md": "tests/deploy/test_deploy_docs.py",
    "docs/diff.md": "tests/e2e/test_diff_docs.py",
    "docs/runbook.md": "tests/deploy/test_deploy_docs.py",
    "docs/tutorial.md": "tests/e2e/test_personas.py",
    "docs/geoip.md": "tests/e2e/test_geoip_docs.py",
    "docs/http-source.md": "tests/e2e/test_pull.py",
    "docs/plugins.md": "tests/e2e/test_personas.py",
    "docs/pull.md": "tests/e2e/test_personas.py",
    "docs/pull-requests.md": "tests/e2e/test_personas.py",
    "docs/mirror.md": "tests/e2e/test_personas.py",
    "README.md": "tests/e2e/test_readme.py",
}
"""Pages whose commands another test runs, in a world that takes more than what is built here."""
NOT_RUN = {
    "docs/serving.md": "it listens on addresses of the reader's own; tests/e2e/test_serve.py starts it on others",
    "docs/worker-http.md": "it goes on until it is ended; tests/e2e/test_worker_http.py starts it and asks",
    "deploy/systemd/README.md": "it takes a machine's root; tests/deploy/test_systemd.py runs the units' commands",
}
"""Whole pages that cannot be typed here."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[MotoServer]:
    """Give a store whose buckets may have the names that pages show."""
    with MotoServer() as server:
        yield server


def reader(home: Path, cloud: MotoServer) -> Reader:
    """Return somebody in a directory with a data repository, a job, and settings that publish into a directory."""
    upstream = Repo.create(home / "data")
    upstream.commit(LISTS)
    (home / "jobs").mkdir()
    (home / "jobs" / "lists.toml").write_text(JOB.format(url=upstream.url))
    (home / "hubdata.toml").write_text(SETTINGS)
    port = str(own_port())
    names = {
        "8080": port,
        "https://ACCOUNT_ID.r2.cloudflarestorage.com": cloud.url,
        "CLOUDFLARE_API_TOKEN=TOKEN": f"CLOUDFLARE_API_TOKEN={TOKEN}",
    }
    env = {**IDENTITY, **CREDENTIALS, "AWS_ENDPOINT_URL": cloud.url, "HUBDATA_SPOOL": str(home / "spool")}
    return Reader(home, names, env)


def fine(who: Reader, line: str) -> str:
    """Return what a line printed that a test runs beside a page."""
    ended = who.run(line)
    assert ended.code == 0, f"{line}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


def minisign() -> None:
    """Skip, loudly, where a page needs another program that makes keys."""
    try:
        subprocess.run(["minisign", "-v"], capture_output=True, check=False, timeout=10)
    except FileNotFoundError:
        pytest.skip("A PAGE WAS NOT FOLLOWED: minisign is not installed (Debian's package minisign)")


def test_publish_from_ci(tmp_path: Path, cloud: MotoServer) -> None:
    """From a checkout that holds its job files, twice; the bucket has what was judged."""
    bucket = cloud.bucket(name="ci-hub-data")
    who = reader(tmp_path / "home", cloud)
    fine(who, "mv jobs data/ && cd data")
    assert who.follow("docs/how-to/publish-from-ci.md") == 2
    held = {one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    assert held > LISTS.keys()


def test_replace_s3_sync(tmp_path: Path, cloud: MotoServer) -> None:
    """No data object is written when the tool changes: each has the age that it had."""
    bucket, s3 = cloud.bucket(name="adopted-hub-data"), cloud.client("s3")
    for key, body in LISTS.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    before = {key: s3.head_object(Bucket=bucket, Key=key) for key in LISTS}
    who = reader(tmp_path / "home", cloud)
    assert who.follow("docs/how-to/replace-s3-sync.md") == 2
    s3.head_object(Bucket=bucket, Key="manifest.json")
    for key, was in before.items():
        assert s3.head_object(Bucket=bucket, Key=key)["LastModified"] == was["LastModified"]
    said = fine(who, "hubdata sync --once --format json --force --dry-run")
    assert '"generation"' in said


def test_r2(tmp_path: Path, cloud: MotoServer) -> None:
    """The settings of the page publish to a store that is reached by an address of its own."""
    bucket = cloud.bucket(name="r2-hub-data")
    who = reader(tmp_path / "home", cloud)
    who.env.pop("AWS_ENDPOINT_URL")
    assert who.follow("docs/how-to/r2.md") == 5
    assert cloud.client("s3").head_object(Bucket=bucket, Key="lists/good.txt")


def test_cloudflare(tmp_path: Path, cloud: MotoServer) -> None:
    """The zone is told the URLs of what was published."""
    who = reader(tmp_path / "home", cloud)
    with StrictCloudflare() as zone:
        who.env["HUBDATA_CDNS__EDGE__ENDPOINT_URL"] = zone.url
        assert who.follow("docs/how-to/cloudflare.md") == 3
        assert "https://hub-data.example.net/lists/good.txt" in zone.purged


def test_a_closed_network(tmp_path: Path, cloud: MotoServer) -> None:
    """Signed outside, carried, checked and served inside."""
    minisign()
    who = reader(tmp_path / "home", cloud)
    assert who.follow("docs/how-to/air-gap.md") == 9


def test_approve(tmp_path: Path, cloud: MotoServer) -> None:
    """What is held is let out by the plan that was read, and by nothing else."""
    who = reader(tmp_path / "home", cloud)
    fine(who, "hubdata sync --once")
    assert who.follow("docs/how-to/approve.md") == 4
    assert (who.home / "public/lists/good.txt").read_text().count("\n") == 4


def test_roll_back(tmp_path: Path, cloud: MotoServer) -> None:
    """What was taken back stays back."""
    who = reader(tmp_path / "home", cloud)
    fine(who, "hubdata sync --once")
    fine(who, "echo 1.1.1.0/24 >> data/lists/good.txt; git -C data commit -qam more; hubdata sync --once")
    before = who.home / "before"
    shutil.copytree(who.home / "public", before)
    assert who.follow("docs/how-to/roll-back.md") == 5
    for changed in (who.home / "public", who.home / "spool"):
        shutil.rmtree(changed)
    before.rename(who.home / "public")
    who.names |= {"generation:12": "generation:1", "--to 12": "--to 1", "--target aws": "--target public"}
    assert who.follow("docs/rollback.md") == 4
    assert (who.home / "public/lists/good.txt").read_bytes() == LISTS["lists/good.txt"]


def test_rotate_keys(tmp_path: Path, cloud: MotoServer) -> None:
    """The manifest is signed anew by the new key, and nothing is published for it."""
    minisign()
    who = reader(tmp_path / "home", cloud)
    fine(who, "minisign -G -W -p old.pub -s old.key")
    key = (who.home / "old.pub").read_text().splitlines()[1]
    (who.home / "hubdata.toml").write_text(f'{SETTINGS}\n[sign]\npublic_key = "{key}"\nkey_file = "old.key"\n')
    fine(who, "hubdata sync --once")
    before = (who.home / "public/manifest.json").read_bytes()
    assert who.follow("docs/how-to/rotate-keys.md") == 5
    assert (who.home / "public/manifest.json").read_bytes() == before


def test_check_a_mirror(tmp_path: Path, cloud: MotoServer) -> None:
    """In a mirror's directory, with hubdata and without it; the public copy, as it is served."""
    minisign()
    who = reader(tmp_path / "home", cloud)
    fine(who, "minisign -G -W -p hubdata.pub -s hubdata.key")
    key = (who.home / "hubdata.pub").read_text().splitlines()[1]
    (who.home / "hubdata.toml").write_text(f'{SETTINGS}\n[sign]\npublic_key = "{key}"\nkey_file = "hubdata.key"\n')
    fine(who, "hubdata sync --once && cp hubdata.pub public/ && cd public")
    url = who.here("http://[::1]:8080")
    who.env |= {"HUBDATA_CONFIG": str(who.home / "hubdata.toml"), "HUBDATA_VERIFY__URL": url}
    who.env["HUBDATA_VERIFY__FAMILIES"] = '["ipv6"]'
    who.names |= {"117": "1", "RWQ...": key}
    who.start(who.here("hubdata serve . --host ::1 --port 8080"), f"{url}/manifest.json")
    assert who.follow("docs/signing.md") == 4


def test_what_config_check_says(tmp_path: Path, cloud: MotoServer) -> None:
    """Two slips of the pen, told as the page shows them."""
    who = reader(tmp_path / "home", cloud)
    (who.home / "hubdata.toml").write_text(
        'jobs = "jobs"\n[targets.aws]\nbuket = "hub-data"\ntype = "s3"\nbucket = "b"\n'
    )
    files = [f'[[files]]\nmatch = "lists/{number}.txt"\nkind = "cidr"\n' for number in (1, 2)]
    job = '[source]\ntype = "directory"\npath = "../data"\n' + "".join(files)
    slip = '[[files]]\nmatch = "lists/3.txt"\nkind = "cdir"\n'
    blank = "\n" * (31 - job.count("\n") - slip.count("\n"))
    (who.home / "jobs" / "lists.toml").rename(who.home / "jobs" / "allowlists.toml")
    (who.home / "jobs" / "allowlists.toml").write_text(job + blank + slip)
    assert who.follow("docs/configuration.md") == 1


def test_what_a_doctor_looks_at(tmp_path: Path, cloud: MotoServer) -> None:
    """Each line of the page, at a store and a directory that are well."""
    bucket = cloud.bucket(versioned=True)
    who = reader(tmp_path / "home", cloud)
    aws = f'[targets.aws]\ntype = "s3"\nbucket = "{bucket}"\nregion = "us-east-1"\n'
    (who.home / "hubdata.toml").write_text(f"{SETTINGS}\n{aws}")
    assert who.follow("docs/doctor.md") == 4


def test_the_readme_with_its_settings(tmp_path: Path, cloud: MotoServer) -> None:
    """What is below `A real configuration`, in its order, with lists and a GeoIP vendor."""
    bucket = cloud.bucket(name="hub-data", versioned=True)
    who = reader(tmp_path / "home", cloud)
    (settings,) = (block.text for block in blocks("README.md") if block.language == "toml")
    distribution = cloud.distribution(bucket)
    (who.home / "hubdata.toml").write_text(settings.replace("E2EXAMPLE", distribution))
    record = {ip_network("8.8.8.0/24"): {"autonomous_system_number": 15169}}
    path = who.home / "asn.mmdb"
    path.write_bytes(mmdb("GeoLite2-ASN", record, build_epoch=int(time.time()) - 86400))
    with MaxmindServer({"GeoLite2-ASN": path}) as vendor:
        (who.home / "jobs" / "geoip.toml").write_text(GEOIP_JOB.format(url=vendor.url))
        who.names["--to 12"] = "--to 1"
        who.env |= {"MAXMIND_ACCOUNT_ID": vendor.account, "MAXMIND_LICENSE_KEY": vendor.key}
        begin, elsewhere = ("hubdata config check", "hubdata verify"), ("hubdata serve", "hubdata verify")
        typed = [block for block in blocks("README.md") if block.text.startswith(begin)]
        lines = [line for block in typed for line, _ in block.commands if not line.startswith(elsewhere)]
        assert len(lines) == 7
        for line in lines:
            fine(who, who.here(line))
    held = cloud.client("s3").get_object(Bucket=bucket, Key="manifest.json")["Body"].read()
    Draft202012Validator(manifest_schema()).validate(json.loads(held))
    told = cloud.client("cloudfront").list_invalidations(DistributionId=distribution)["InvalidationList"]
    assert told["Quantity"] >= 1


def _followed() -> set[str]:
    """Return the pages that tests of this file follow."""
    return set(re.findall(r'follow\("([^"]+)"', Path(__file__).read_text()))


@pytest.mark.parametrize("page", list(pages()))
def test_everything_to_be_typed_is_run_or_says_why_not(page: str) -> None:
    """A block that nobody runs would be wrong for years before somebody noticed."""
    typed = [block for block in blocks(page) if block.typed]
    for block in typed:
        by = None if "not run" in block.notes else block.notes.get("run by") or RUN_BY.get(page)
        if by:
            assert Path(page).name in (ROOT / by).read_text(), f"{by} does not speak of {page}"
        else:
            reason = block.notes.get("not run") or NOT_RUN.get(page)
            assert reason or page in _followed(), f"{page}:{block.line}: nobody runs this"
            assert all((ROOT / test).is_file() for test in re.findall(r"tests/[\w/]+\.py", reason or ""))
    assert typed or page not in (RUN_BY.keys() - {"docs/mirror.md"}) | NOT_RUN.keys(), (
        f"{page} has nothing to type any more"
    )


def test_most_of_it_is_run() -> None:
    """What takes an account, a cluster, an engine of containers or somebody's own machine is little, and counted."""
    typed = [(page, block) for page in pages() for block in blocks(page) if block.typed]
    left = [f"{page}:{block.line}" for page, block in typed if page in NOT_RUN or "not run" in block.notes]
    assert len(typed) > 90
    assert len(left) <= 15, left


def test_a_block_that_nobody_runs_is_noticed(tmp_path: Path) -> None:
    """The check above can fail, and so can what a page shows."""
    (tmp_path / "page.md").write_text(
        "x\n\n```sh\nfalse\n```\n\n<!-- exits: 1 -->\n```console\n$ echo a; false\nb\n```\n"
    )
    first, second = blocks(str(tmp_path / "page.md"))
    assert first.typed
    assert first.notes == {}
    assert second.commands == [("echo a; false", ["b"])]
    with pytest.raises(AssertionError, match="ended with 1"):
        Reader(tmp_path / "one")._do(first)
    with pytest.raises(AssertionError, match="not printed"):
        Reader(tmp_path / "two")._do(second)


def _lines() -> list[str]:
    """Return every command of hubdata on any page: typed in a block, or shown in an indented one."""
    found: set[str] = set()
    for page in pages():
        text = (ROOT / page).read_text(encoding="utf-8")
        typed = (line for block in blocks(page) if block.typed for line, _ in block.commands if "\n" not in line)
        for line in (*typed, *re.findall(r"^    (?:\$ )?(hubdata .+)$", text, re.MULTILINE)):
            found |= {
                part.strip() for part in re.split(r"[|;&<>]+ ?", line.partition(" #")[0]) if part.startswith("hubdata ")
            }
    return sorted(found)


def test_every_command_on_every_page_exists_with_its_options() -> None:
    """Run or not: a flag that was renamed is noticed on the page that names it."""
    lines = _lines()
    assert len(lines) > 60
    for line in lines:
        parsed(line)
