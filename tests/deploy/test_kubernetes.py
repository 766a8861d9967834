"""deploy/kubernetes: what the overlays are built to; and their containers run, confined as a cluster confines them."""

import json
import re
import signal
import time
import tomllib
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.errors import Exit
from tests.support.kustomize import OVERLAYS, built, needs_kustomize, of_kind, pods
from tests.support.maxmind_server import MaxmindServer
from tests.support.moto_server import CREDENTIALS
from tests.support.nginx import needs_nginx
from tests.support.ports import own_port
from tests.support.real import SEC_LISTS, lasting, needs_real
from tests.support.sandbox import AT, Container, container, needs_mounts
from tests.support.stack import BUCKET, Stack, stack

pytestmark = [needs_kustomize, pytest.mark.cluster]

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
JOBS = {path.stem: path for path in (ROOT / "jobs").glob("*.toml")}
IMAGE_ENV = {"HOME": "/var/lib/hubdata", "HUBDATA_SPOOL": "/var/lib/hubdata/spool", "PYTHONUNBUFFERED": "1"}
GEOIP = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City", "GeoLite2-ASN"]
url = "{url}"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_may_do_no_more_than_they_must(overlay: str) -> None:
    """Nobody is root, nothing may be gained, nothing is written but to volumes of a bounded size."""
    for name, pod in pods(overlay).items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert re.search(rf"^USER {spec['securityContext']['runAsUser']}:", DOCKERFILE, re.MULTILINE)
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        (one,) = spec["containers"]
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert re.fullmatch(r"[\w./-]+@sha256:[0-9a-f]{64}", one["image"])
        assert one["resources"]["limits"].keys() >= {"memory", "ephemeral-storage"}
        assert all("sizeLimit" in volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume)
        assert not any("hostPath" in volume for volume in spec["volumes"])


@pytest.mark.parametrize("overlay", ["hourly", "per-job"])
def test_runs_are_alone_in_utc_and_end(overlay: str) -> None:
    """One run of a job at a time, in the time zone of the job files, each with a deadline; ends that stay are final."""
    for name, cron in of_kind(overlay, "CronJob").items():
        spec = cron["spec"]
        assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Etc/UTC"), name
        assert 200 <= spec["startingDeadlineSeconds"] <= 3600
        job = spec["jobTemplate"]["spec"]
        assert job["activeDeadlineSeconds"] <= 3600
        assert job["backoffLimit"] <= 2
        final = set(job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"])
        assert final == {Exit.CONFIG, Exit.REFUSED, Exit.HELD, Exit.CDN_PENDING}
        assert job["template"]["spec"]["containers"][0]["args"][:2] == ["sync", "--once"]


def test_there_is_one_cron_job_for_each_job_file() -> None:
    """Same name, same schedule; whoever adds a job file adds its CronJob."""
    crons = of_kind("per-job", "CronJob")
    schedules = {f"hubdata-{name}": tomllib.loads(path.read_text())["schedule"] for name, path in JOBS.items()}
    assert {name: cron["spec"]["schedule"] for name, cron in crons.items()} == schedules
    for name, pod in pods("per-job").items():
        (job,) = (a for a in pod["spec"]["containers"][0]["args"] if a.startswith("--job"))
        assert f"hubdata-{job.removeprefix('--job=')}" == name


def test_the_worker_is_one_and_is_asked_where_it_answers() -> None:
    """One replica that ends before the next begins; probes, service and monitor name one port and known paths."""
    (deployment,) = of_kind("worker", "Deployment").values()
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    (one,) = deployment["spec"]["template"]["spec"]["containers"]
    (port,) = one["ports"]
    told = {each["name"]: each["value"] for each in one["env"]}
    assert told["HUBDATA_HTTP_LISTEN"] == f":{port['containerPort']}"
    asked = {each: one[each]["httpGet"] for each in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {get["port"] for get in asked.values()} == {port["name"]}
    (service,) = of_kind("worker", "Service").values()
    (monitor,) = of_kind("worker", "ServiceMonitor").values()
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_network_is_open_to_upstreams_over_both_families_and_to_nothing_inside(overlay: str) -> None:
    """TLS to the world over IPv4 and IPv6, DNS, and neither instance metadata nor neighbours."""
    policies = of_kind(overlay, "NetworkPolicy")
    policy = policies["hubdata"]["spec"]
    assert policy["ingress"] == [] or "ingress" not in policy
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    blocks = [to["ipBlock"] for rule in policy["egress"] for to in rule["to"] if "ipBlock" in to]
    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    kept = [ip_network(network) for block in blocks for network in block["except"]]
    for inside in ("169.254.169.254/32", "10.1.2.3/32", "192.168.1.1/32", "fd00:ec2::254/128", "fe80::1/128"):
        address = ip_network(inside)
        assert any(address.version == net.version and address.subnet_of(net) for net in kept), inside  # type: ignore[arg-type]
    for pod in pods(overlay).values():
        assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_lies_in_one_namespace_that_is_restricted(overlay: str) -> None:
    """What is admitted there is what Kubernetes calls restricted."""
    (namespace,) = of_kind(overlay, "Namespace")
    assert (
        of_kind(overlay, "Namespace")[namespace]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        == "restricted"
    )
    assert {each["metadata"].get("namespace", namespace) for each in built(overlay)} == {namespace}
    (account,) = of_kind(overlay, "ServiceAccount")
    assert {pod["spec"]["serviceAccountName"] for pod in pods(overlay).values()} == {account}


def test_the_mount_is_the_images_home() -> None:
    """The volume takes the place of the directory that the image's user has, with the spool in it."""
    (home,) = re.findall(r"--home-dir (\S+)", DOCKERFILE)
    (spool,) = re.findall(r"HUBDATA_SPOOL=(\S+)", DOCKERFILE)
    assert (home, spool) == (IMAGE_ENV["HOME"], IMAGE_ENV["HUBDATA_SPOOL"])
    for overlay in OVERLAYS:
        for pod in pods(overlay).values():
            (one,) = pod["spec"]["containers"]
            assert home in {mount["mountPath"] for mount in one["volumeMounts"]}


@dataclass(frozen=True, slots=True)
class Cluster:
    """What takes the place of a cloud for the containers of all overlays."""

    root: Path
    stack: Stack
    files: Mapping[str, str]
    env: Mapping[str, str]

    def container(self, overlay: str, name: str, **more: str) -> Container:
        """Return the container of a pod, with the settings of the overlay's own ConfigMap."""
        (settings,) = (each["data"]["hubdata.toml"] for each in of_kind(overlay, "ConfigMap").values())
        return container(
            pods(overlay)[name],
            self.root / f"{overlay}-{name}-{uuid.uuid4().hex[:8]}",
            settings=settings,
            image_env=IMAGE_ENV,
            more={**self.env, **more},
            files=self.files,
        )

    def manifest(self) -> Any:
        """Return the manifest that is public."""
        return json.loads(self.stack.store.objects(BUCKET)["manifest.json"])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a bucket that nothing is published to yet, the real data, and a vendor."""
    root = tmp_path_factory.mktemp("kubernetes")
    paths = {edition: root / f"{edition}.mmdb" for edition in ("GeoLite2-City", "GeoLite2-ASN")}
    for edition, path in paths.items():
        record: dict[str, object] = {"autonomous_system_number": 15169} if "ASN" in edition else {"country": {}}
        path.write_bytes(mmdb(edition, {ip_network("8.8.8.0/24"): record}, build_epoch=int(time.time()) - 86400))
    with stack(root / "stack") as there, MaxmindServer(paths) as vendor:
        jobs = {f"/etc/jobs/{name}.toml": lasting(path.read_text()) for name, path in JOBS.items()}
        jobs["/etc/jobs/geoip.toml"] = GEOIP.format(url=vendor.url)
        env = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": there.store.url,
            "HUBDATA_JOBS": f"{AT}/etc/jobs",
            "HUBDATA_CHECKOUT": str(SEC_LISTS),
            "HUBDATA_TARGETS__AWS__BUCKET": BUCKET,
            "HUBDATA_TARGETS__AWS__REGION": "us-east-1",
            "HUBDATA_CDNS__EDGE__DISTRIBUTION_ID": there.store.distribution(BUCKET),
            "HUBDATA_VERIFY__URL": there.url,
            "MAXMIND_ACCOUNT_ID_FILE": "",
            "MAXMIND_LICENSE_KEY_FILE": "",
            "MAXMIND_ACCOUNT_ID": vendor.account,
            "MAXMIND_LICENSE_KEY": vendor.key,
        }
        yield Cluster(root, there, jobs, env)


@needs_mounts
@needs_nginx
@needs_real
def test_the_walls_of_the_tests_below_hold(cluster: Cluster) -> None:
    """Within, nothing can be written but the volumes, and nothing is gained: what passes there needs no more."""
    walls = replace(cluster.container("hourly", "hubdata"), program=())

    def run(*program: str) -> bool:
        return replace(walls, program=program).run().returncode == 0

    for volume in ("/var/lib/hubdata", "/tmp"):
        assert run("touch", f"{AT}{volume}/written")
    for elsewhere in ("/", "/tmp", "/var/tmp", "/usr", str(ROOT), str(cluster.root), AT, f"{AT}/etc/hubdata"):
        assert not run("touch", f"{elsewhere}/written"), elsewhere
    assert run("grep", "-qx", "NoNewPrivs:\t1", "/proc/self/status")
    assert run("grep", "-qx", "CapEff:\t0000000000000000", "/proc/self/status")


@needs_mounts
@needs_nginx
@needs_real
def test_all_jobs_at_once_each_in_its_container_land_in_one_manifest(cluster: Cluster) -> None:
    """The CronJobs of the per-job overlay start together, confined; each waits where it must, and nothing is lost."""
    containers = [cluster.container("per-job", name) for name in pods("per-job")]
    with ThreadPoolExecutor(len(containers)) as pool:
        ends = list(pool.map(Container.run, containers))
    assert [ended.returncode for ended in ends] == [0] * len(JOBS), [ended.stdout + ended.stderr for ended in ends]
    assert {file["job"] for file in cluster.manifest()["files"].values()} == JOBS.keys()
    assert cluster.manifest()["generation"] == len(JOBS)


@needs_mounts
@needs_nginx
@needs_real
def test_without_the_secret_only_the_databases_fail(cluster: Cluster) -> None:
    """The hourly run as it stands, its optional Secret absent: it names the file that is missing, and does the rest."""
    pod = cluster.container("hourly", "hubdata", MAXMIND_ACCOUNT_ID="", MAXMIND_LICENSE_KEY="")
    told = {name: value for name, value in pod.env.items() if value or not name.startswith("MAXMIND_")}
    told |= {
        f"MAXMIND_{name}_FILE": f"{AT}/run/secrets/maxmind/{name.lower()}" for name in ("ACCOUNT_ID", "LICENSE_KEY")
    }
    ended = replace(pod, program=[*pod.program, "--format", "json"], env=told).run()
    outcomes = {job["job"]: job["outcome"] for job in json.loads(ended.stdout)["jobs"]}
    assert outcomes.pop("geoip") == "failed", ended.stdout
    assert "/run/secrets/maxmind/" in ended.stdout
    assert outcomes.keys() == JOBS.keys() - {"geoip"}
    assert set(outcomes.values()) <= {"published", "unchanged"}
    assert ended.returncode == Exit.CONFIG


@needs_mounts
@needs_nginx
@needs_real
def test_the_worker_answers_its_probes_over_both_families_and_ends_in_time(cluster: Cluster) -> None:
    """Confined as in the cluster: healthy, ready once its jobs are fresh, scraped; SIGTERM ends it within its grace."""
    port = own_port()
    pod = pods("worker")["hubdata"]
    (one,) = pod["spec"]["containers"]
    (monitor,) = of_kind("worker", "ServiceMonitor").values()
    paths = [one[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    with cluster.container("worker", "hubdata", HUBDATA_HTTP_LISTEN=f":{port}").start() as process:
        try:
            for path in (*paths, monitor["spec"]["endpoints"][0]["path"]):
                for host in ("127.0.0.1", "[::1]"):
                    _answers(f"http://{host}:{port}{path}")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=pod["spec"]["terminationGracePeriodSeconds"])
            assert process.returncode == 0, out + err
        finally:
            process.kill()


def _answers(url: str) -> None:
    until, said = time.monotonic() + 60, ""
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.status == 200
                return
        except HTTPError as err:
            with err:
                said = f"{err.code} {err.read()[:300]!r}"
        except URLError as err:
            said = str(err)
        time.sleep(0.1)
    raise AssertionError(f"{url}: {said}")
