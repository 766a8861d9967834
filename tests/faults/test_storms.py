"""Nearly a third of all requests go wrong, in every way there is; the run converges or fails clean, and heals.

Each story runs real processes: a first publication and a change, both in the storm, then a run in calm weather. What
must hold is asked of the store itself, behind the storm's back.
"""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Ended, hubdata
from tests.support.moto_server import shared
from tests.support.repos import Repo
from tests.support.small_world import LISTS_JOB, SmallWorld, checked
from tests.support.storm import Blow, Storm
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront
from tests.support.strict_s3 import S3_BUCKET, StrictS3

SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{store}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"
endpoint_url = "{cdn}"
"""
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "sentinel/secret+key/sentinel",
    "AWS_SESSION_TOKEN": "sentinel/session/token//////////==",
    "MAXMIND_LICENSE_KEY": "sentinel_license_key",
}
ENVIRONMENT = {
    **SECRETS,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
SIGNATURE = re.compile(r"Signature=[0-9a-f]{16}", re.IGNORECASE)
BEFORE = {f"lists/{name}.txt": f"8.8.{number}.0/24\n".encode() for number, name in enumerate("abcdefgh")}
AFTER = {
    **{key: body for key, body in BEFORE.items() if key not in ("lists/g.txt", "lists/h.txt")},
    "lists/a.txt": b"1.1.1.0/24\n",
    "lists/b.txt": b"1.1.2.0/24\n",
    "lists/new.txt": b"1.1.3.0/24\n",
}


@dataclass(frozen=True)
class Sky:
    """A store and a CDN behind storms of one seed. `held` and `told` look behind them."""

    settings: str
    storms: tuple[Storm, ...]
    held: Callable[[], Mapping[str, bytes]]
    told: Callable[[], list[tuple[str, frozenset[str]]]]


@contextmanager
def strict(seed: int) -> Iterator[Sky]:
    """Give stores that are as strict as AWS where moto is not."""
    with (
        StrictS3() as store,
        StrictCloudfront() as edge,
        Storm(store.url, seed) as before_store,
        Storm(edge.url, seed) as before_edge,
    ):
        yield Sky(
            SETTINGS.format(bucket=S3_BUCKET, store=before_store.url, distribution=DISTRIBUTION, cdn=before_edge.url),
            (before_store, before_edge),
            lambda: {key: one.body for key, one in store.objects.items()},
            lambda: [(batch.reference, frozenset(batch.paths)) for batch in edge.batches],
        )


@contextmanager
def moto(seed: int) -> Iterator[Sky]:
    """Give moto's S3 and CloudFront."""
    server = shared()
    bucket = server.bucket()
    distribution = server.distribution(bucket)
    with Storm(server.url, seed, names={bucket: "bucket", distribution: "distribution"}) as storm:
        yield Sky(
            SETTINGS.format(bucket=bucket, store=storm.url, distribution=distribution, cdn=storm.url),
            (storm,),
            lambda: server.objects(bucket),
            lambda: [(one["CallerReference"], frozenset(one["Paths"])) for one in server.invalidations(distribution)],
        )


def world(root: Path, settings: str) -> SmallWorld:
    """Return a world with one job, which prunes, and nothing published yet."""
    repo = Repo.create(root / "upstream")
    made = SmallWorld(root, repo)
    made.write("hubdata.toml", settings)
    made.write("jobs/lists.toml", "prune = true\n" + LISTS_JOB.format(url=repo.url))
    return made


def change(repo: Repo, tree: Mapping[str, bytes]) -> None:
    """Commit `tree` and nothing else."""
    for path in repo.path.glob("lists/*"):
        path.unlink()
    repo.commit(tree)


def sync(small: SmallWorld, *flags: str) -> Ended:
    """Return what one run said; only with `-vv`, when libraries speak, there may be a traceback: theirs."""
    ended = hubdata("sync", "--once", "--format", "json", *flags, cwd=small.root, env=ENVIRONMENT, timeout=300)
    return ended if "-vv" in flags else checked(ended)


def manifest(held: Mapping[str, bytes]) -> Mapping[str, str]:
    """Return the SHA-256 of every file that the manifest names, having asserted that each is there and is that one."""
    if "manifest.json" not in held:
        return {}
    named = {key: entry["sha256"] for key, entry in json.loads(held["manifest.json"])["files"].items()}
    assert named == {key: hashlib.sha256(held.get(key, b"absent")).hexdigest() for key in named}
    return named


def clean(ended: Ended, root: Path, held: Mapping[str, bytes]) -> None:
    """Assert that the run converged, or failed in a line with advice; and that no secret is anywhere."""
    assert ended.code in (0, 6, 7), ended.stdout + ended.stderr[-3000:]
    assert ended.json["exit_code"] == ended.code
    (job,) = ended.json["jobs"]
    problems = [job["problem"], *(target["problem"] for target in job["targets"])]
    for told in filter(None, problems):
        assert told["message"]
        assert told["advice"]
        assert "\n" not in told["message"] + told["advice"]
    spool = {str(path): path.read_bytes() for path in (root / "spool").rglob("*") if path.is_file()}
    said = {"stdout": ended.stdout.encode(), "stderr": ended.stderr.encode()}
    for place, body in {**said, **held, **spool}.items():
        for name, secret in SECRETS.items():
            if name != "AWS_ACCESS_KEY_ID":  # a name, not a secret
                assert secret.encode() not in body, f"{name} is in {place}"
        assert not SIGNATURE.search(body.decode(errors="replace")), place


@pytest.mark.parametrize(
    ("weather", "seed"),
    [*itertools.product([strict], range(7)), *itertools.product([moto], (239, 254, 258))],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_run_in_a_storm_converges_or_fails_clean_and_the_next_one_heals(
    tmp_path: Path, weather: Callable[[int], AbstractContextManager[Sky]], seed: int
) -> None:
    """At every end readers find whole, listed files; nothing is lost; and the CDN was told of all that changed."""
    with weather(seed) as sky:
        small = world(tmp_path, sky.settings)
        allowed = {key: {BEFORE.get(key), AFTER.get(key)} for key in BEFORE.keys() | AFTER.keys()}
        public: list[Mapping[str, bytes]] = [{}]
        for upstream, flags in ((BEFORE, ("-vv",)), (AFTER, ())):
            change(small.repo, upstream)
            ended = sync(small, *flags)
            held = sky.held()
            clean(ended, tmp_path, held)
            named = manifest(held)
            data = {key: body for key, body in held.items() if key.startswith("lists/")}
            assert all(body in allowed[key] for key, body in data.items())
            public.append(data)
            if ended.code in (0, 7):
                assert data == upstream
                assert named.keys() == upstream.keys()
        assert {blow for storm in sky.storms for *_, blow in storm.blows} & {Blow.LOST, Blow.CUT, Blow.RESET}
        for storm in sky.storms:
            storm.calm()
        ended = small.sync(env=ENVIRONMENT)
        held = sky.held()
        assert ended.code == 0, ended.stdout
        public.append({key: body for key, body in held.items() if key.startswith("lists/")})
        assert public[-1] == AFTER
        assert manifest(held).keys() == AFTER.keys()
        told = sky.told()
        changed = {key for old, new in itertools.pairwise(public) for key in allowed if old.get(key) != new.get(key)}
        stale = {f"/{key}" for key in changed}
        assert frozenset[str]().union(*(paths for _, paths in told)) >= stale | {"/manifest.json"}
        assert json.loads(held[".hubdata/receipts.json"])["open"] == []
        assert small.left_over() == []
