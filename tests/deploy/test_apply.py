"""The complete example is applied to a double of AWS, published to, read over both families, measured and destroyed.

One story, told in order. The double is moto; what it lacks is named in `GAPS` and nowhere in what people use: it cannot
publish functions, has no cache or response headers policies, and loses budgets. It denies by a bucket policy whose
conditions it does not read, so that policy is judged here and then taken away.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import hubdata
from tests.support.iam import Request, allowed
from tests.support.moto_server import MotoServer
from tests.support.nginx import cdn_before, needs_nginx
from tests.support.terraform import TERRAFORM, Ended, needs_terraform, plugins, terraform

pytestmark = [needs_terraform, pytest.mark.slow]

GAPS = {
    "publish_functions": False,
    "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "response_headers_policy_id": "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "alarm_emails": [],
}
"""What moto cannot do; without addresses there is no budget, which it makes and then never finds."""

CHOICES = {
    "region": "us-east-1",
    "account_id": "123456789012",
    "bucket": "example-hub-data",
    "data_domain": "hub-data.example.net",
    "api_domain": "api.example.net",
    "hub_domain": "hub.example.net",
    "repository": "crowdsecurity/hub",
    "origin_lock": {"current": "0123456789abcdef0123456789abcdef"},
    "routes": {
        "decisions": {"domain": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "stage": "v2"},
        "keys": {"domain": "f6g7h8i9j0.execute-api.us-east-1.amazonaws.com", "stage": "v3", "prefix": "/.well-known"},
    },
    "github_subjects": ["repo:example/sec-lists:environment:hub-data"],
    "worker": {
        "image": "registry.example.net/hubdata@sha256:" + "0" * 64,
        "subnets": ["subnet-1"],
        "security_groups": ["sg-1"],
    },
    "force_destroy": True,
}

PROVIDER = """\
provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = true
}

provider "aws" {
  alias                   = "us_east_1"
  s3_use_path_style       = true
  skip_metadata_api_check = true
}
"""
"""Terraform merges this into the example's providers: moto has no host name for each bucket."""

PATIENCE = 'resource "aws_cloudfront_distribution" "{name}" {{\n  wait_for_deployment = false\n}}\n'
"""So that nobody waits half a minute, twice, for a distribution to be spread over the world."""

JOB = """\
[source]
type = "directory"
path = "../data"

[[files]]
match = "lists/*.txt"
kind = "cidr"
"""
SIGNED = """\
proxy_set_header Authorization \
"AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";"""
"""The edge asks the private bucket with a signature, as CloudFront does; moto wants one and does not check it."""
LIST = b"8.8.8.0/24\n2001:4860::/32\n"


@dataclass(frozen=True, slots=True)
class Cloud:
    """The double of AWS, and the example in it."""

    aws: MotoServer
    root: Path
    zone: str

    def terraform(self, *arguments: str) -> Ended:
        """Return what Terraform said, having asserted that it is content."""
        ended = terraform(*arguments, "-no-color", cwd=self.root, env=self.aws.env, override=False, timeout=540)
        assert ended.code == 0, ended.said
        return ended

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Return the example's outputs."""
        return {name: each["value"] for name, each in json.loads(self.terraform("output", "-json").stdout).items()}

    def records(self) -> set[tuple[str, str]]:
        """Return name and type of every record of the zone."""
        listed = self.aws.client("route53").list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return {(each["Name"].rstrip("."), each["Type"]) for each in listed}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Give the example, applied."""
    home = tmp_path_factory.mktemp("apply")
    shutil.copytree(TERRAFORM, home / "terraform", ignore=shutil.ignore_patterns(".terraform", ".home", "tests"))
    root = home / "terraform" / "examples" / "complete"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_ACM_VALIDATION_WAIT", "1")
        aws = MotoServer().start()
    try:
        zones = aws.client("route53")
        made = (zones.create_hosted_zone(Name="example.net", CallerReference=str(n)) for n in range(2000))
        ids = (each["HostedZone"]["Id"].rpartition("/")[2] for each in made)
        zone = next(each for each in ids if each.startswith("Z"))  # as all of AWS do, and one of 36 of moto's
        (root / "test_override.tf").write_text(PROVIDER, encoding="utf-8")
        for module, name in (("data-bucket", "data"), ("api-front", "api"), ("hub-front", "hub")):
            override = home / "terraform" / "modules" / module / "test_override.tf"
            override.write_text(PATIENCE.format(name=name), encoding="utf-8")
        (root / "test.auto.tfvars.json").write_text(json.dumps(CHOICES | GAPS | {"zone_id": zone}), encoding="utf-8")
        found = Cloud(aws, root, zone)
        found.terraform("init", "-input=false", "-lockfile=readonly", f"-plugin-dir={plugins()}")
        found.terraform("apply", "-input=false", "-auto-approve")
        yield found
    finally:
        aws.stop()


@pytest.fixture(scope="module")
def run_in(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the settings that Terraform has put out, and a job."""
    home = tmp_path_factory.mktemp("run")
    for name, body in {"jobs/lists.toml": JOB.encode(), "data/lists/good.txt": LIST}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(body)
    settings = f'jobs = "jobs"\nspool = "spool"\n\n{cloud.outputs["settings"]}'
    (home / "hubdata.toml").write_text(settings, encoding="utf-8")
    return home


def test_every_host_has_an_address_of_each_family(cloud: Cloud) -> None:
    """The zone holds A and AAAA records of the data, the APIs and the hub."""
    hosts = [CHOICES["data_domain"], CHOICES["api_domain"], CHOICES["hub_domain"]]
    assert {(host, family) for host in hosts for family in ("A", "AAAA")} <= cloud.records()


def test_the_policy_as_it_is_stored_lets_the_distribution_read_and_nothing_private(cloud: Cloud) -> None:
    """What the bucket was really given names the distribution that was really made."""
    bucket, made = CHOICES["bucket"], cloud.outputs["distribution_id"]
    policy = json.loads(cloud.aws.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])

    def reads(key: str, distribution: str, *, tls: bool = True) -> bool:
        arn = f"arn:aws:cloudfront::{CHOICES['account_id']}:distribution/{distribution}"
        context = {"AWS:SourceArn": arn, "aws:SecureTransport": str(tls).lower()}
        asked = Request(
            "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", ("Service", "cloudfront.amazonaws.com"), context
        )
        return allowed(asked, policy)

    assert reads("manifest.json", made)
    assert not reads("manifest.json", "E2SOMEBODYELSE")
    assert not reads("manifest.json", made, tls=False)
    assert not reads(".hubdata/lease.json", made)
    cloud.aws.client("s3").delete_bucket_policy(Bucket=bucket)


@needs_nginx
def test_what_is_published_with_the_outputs_is_read_over_both_families(
    cloud: Cloud, run_in: Path, tmp_path: Path
) -> None:
    """A run with the settings put out publishes, tells the distribution, and readers over IPv4 and IPv6 have it."""
    bucket, made = CHOICES["bucket"], cloud.outputs["distribution_id"]
    (tmp_path / "none").mkdir()
    with cdn_before(tmp_path / "none", tmp_path / "nginx") as cdn:
        for edge in cdn.edges.values():
            edge.extra = f"location / {{ proxy_pass {cloud.aws.url}/{bucket}/; {SIGNED} add_header X-Edge test; }}"
        cdn.reload()
        public = cloud.aws.env | {"HUBDATA_VERIFY__URL": cdn.url, "HUBDATA_VERIFY__WAIT_S": "5"}
        ended = hubdata("sync", "--once", "--format", "json", cwd=run_in, env=public)
        assert ended.code == 0, ended.stdout + ended.stderr
        assert ended.puts("aws") == ["lists/good.txt"]
        assert "/lists/good.txt" in cloud.aws.invalidations(made)[-1]["Paths"]
        stored = cloud.aws.objects(str(bucket))
        assert stored["lists/good.txt"] == LIST
        assert stored["404.txt"] == b"Not found\n", "the page for what is missing is nobody's to delete"
        seen = hubdata("verify", "--all", "--format", "json", cwd=run_in, env=public)
        assert seen.code == 0, seen.stdout + seen.stderr
        assert {each["family"] for each in seen.json["families"]} == {"ipv4", "ipv6"}
        again = hubdata("sync", "--once", "--format", "json", cwd=run_in, env=public)
        assert (again.code, again.puts("aws")) == (0, [])


@needs_nginx
def test_the_scheduled_task_runs_and_tells_its_success(cloud: Cloud, run_in: Path) -> None:
    """The command of the task, as ECS was given it, publishes and puts the age that an alarm watches."""
    ecs = cloud.aws.client("ecs")
    task = ecs.describe_task_definition(taskDefinition=f"{CHOICES['bucket']}-sync")["taskDefinition"]
    (container,) = task["containerDefinitions"]
    assert container["entryPoint"] == ["python"]
    assert container["command"][-3:] == ["hubdata", "sync", "--once"]
    given = {each["name"]: each["value"] for each in container["environment"]}
    assert given["HUBDATA_CDNS__EDGE__DISTRIBUTION_ID"] == cloud.outputs["distribution_id"]
    settings = {name: value for name, value in given.items() if not name.startswith("HUBDATA_VERIFY")}
    environment = cloud.aws.env | settings | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    (run_in / "hubdata.toml").write_text('jobs = "jobs"\nspool = "spool"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *container["command"]],
        cwd=run_in,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in sync" in done.stdout or "unchanged" in done.stdout.lower(), done.stdout
    cloudwatch = cloud.aws.client("cloudwatch")
    at = [{"Name": "Bucket", "Value": CHOICES["bucket"]}]
    told = {each["MetricName"]: each["Dimensions"] for each in cloudwatch.list_metrics(Namespace="hubdata")["Metrics"]}
    assert told == {"LastSuccessAge": at}
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    watched = {each["MetricName"]: each["Dimensions"] for each in alarms if each["Namespace"] == "hubdata"}
    assert watched == {"LastSuccessAge": at, "NewestGeoIPAge": at}


def test_everything_goes_again(cloud: Cloud) -> None:
    """After `destroy` nothing of it is left: no bucket, distribution, record, role, alarm, log or schedule."""
    cloud.terraform("destroy", "-input=false", "-auto-approve")
    aws = cloud.aws.client
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("cloudfront").list_distributions()["DistributionList"].get("Items", []) == []
    assert {kind for _, kind in cloud.records()} == {"NS", "SOA"}
    assert aws("iam").list_roles()["Roles"] == []
    assert aws("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert aws("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert aws("logs").describe_log_groups()["logGroups"] == []
    assert aws("scheduler").list_schedules()["Schedules"] == []
    assert aws("acm").list_certificates()["CertificateSummaryList"] == []
    assert aws("sns").list_topics()["Topics"] == []
