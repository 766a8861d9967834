"""The module data-bucket keeps what it promises, and its own tests notice when it no longer would."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.iam import Request, allowed
from tests.support.terraform import Mutant, Verdict, judged, mutants, needs_terraform

pytestmark = needs_terraform

BUCKET = "arn:aws:s3:::hub-data-test"
OURS = "arn:aws:cloudfront::123456789012:distribution/E2TESTTESTTEST"
THEIRS = "arn:aws:cloudfront::999999999999:distribution/E2SOMEBODYELSE"
CLOUDFRONT = ("Service", "cloudfront.amazonaws.com")
STRANGER = ("AWS", "arn:aws:iam::999999999999:user/stranger")
ROLE: Mapping[str, Any] = {
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BUCKET}/*"}]
}
"""What a role of the account has of its own."""


def by_distribution(action: str, key: str, arn: str = OURS, *, tls: bool = True) -> Request:
    """Return what a distribution asks of the bucket."""
    context = {"AWS:SourceArn": arn, "aws:SecureTransport": str(tls).lower()}
    return Request(action, f"{BUCKET}/{key}" if key else BUCKET, CLOUDFRONT, context)


def by_stranger(action: str, key: str) -> Request:
    """Return what somebody else asks of the bucket."""
    return Request(action, f"{BUCKET}/{key}", STRANGER, {"aws:SecureTransport": "true"})


def by_role(action: str, key: str, *, tls: bool = True) -> Request:
    """Return what a role of the account asks of the bucket."""
    return Request(action, f"{BUCKET}/{key}", context={"aws:SecureTransport": str(tls).lower()})


MAY = (
    by_distribution("s3:GetObject", "manifest.json"),
    by_distribution("s3:GetObject", "lists/a.txt"),
    by_distribution("s3:GetObject", "404.txt"),
)
MAY_NOT = (
    by_distribution("s3:GetObject", ".hubdata/lease.json"),
    by_distribution("s3:GetObject", "data/public/.hubdata/runs/1.json"),
    by_distribution("s3:GetObject", "manifest.json", THEIRS),
    by_distribution("s3:GetObject", "manifest.json", tls=False),
    by_distribution("s3:GetObjectVersion", "manifest.json"),
    by_distribution("s3:PutObject", "manifest.json"),
    by_distribution("s3:DeleteObject", "manifest.json"),
    by_distribution("s3:ListBucket", ""),
    by_stranger("s3:GetObject", "manifest.json"),
    Request("s3:GetObject", f"{BUCKET}/a", ("Service", "sns.amazonaws.com"), {"AWS:SourceArn": OURS}),
    by_stranger("s3:PutObject", "manifest.json"),
)

MUTANTS = mutants("data-bucket")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict]:
    """Return what the module's tests found, of it and of each mutant."""
    home = tmp_path_factory.mktemp("data-bucket") / "home"
    return judged("data-bucket", MUTANTS, home, tell="aws_s3_bucket_policy.data.policy")


def policy_of(verdict: Verdict) -> Mapping[str, Any]:
    """Return the bucket's policy as it is planned."""
    policy: Mapping[str, Any] = json.loads(verdict.told)
    return policy


def wrong(policy: Mapping[str, Any]) -> list[str]:
    """Return what the policy decides otherwise than it must."""
    denied = [f"denied: {each}" for each in MAY if not allowed(each, policy)]
    denied += [f"denied: {e}" for e in [by_role("s3:PutObject", ".hubdata/lease.json")] if not allowed(e, policy, ROLE)]
    granted = [f"allowed: {each}" for each in MAY_NOT if allowed(each, policy)]
    granted += [f"allowed: {e}" for e in [by_role("s3:PutObject", "a", tls=False)] if allowed(e, policy, ROLE)]
    return denied + granted


def test_the_module_keeps_its_promises(results: Mapping[str, Verdict]) -> None:
    """Every run of its own tests passes."""
    assert results[""].failures == ()


def test_the_bucket_is_read_by_its_distribution_and_by_nobody_else(results: Mapping[str, Verdict]) -> None:
    """Its policy lets the one distribution read, never what is private, and nobody do anything without TLS."""
    assert wrong(policy_of(results[""])) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_noticed(mutant: Mutant, results: Mapping[str, Verdict]) -> None:
    """With one mistake in it, the module's own tests fail, or its policy decides otherwise than it must."""
    result = results[mutant.name]
    assert result.failures or wrong(policy_of(result))
