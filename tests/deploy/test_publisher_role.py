"""The roles of publisher-role may do what hubdata does with what was chosen for them, and nothing else.

Policies come from a plan of the real provider that asks nobody, and are judged whole (tests/support/iam.py). What
hubdata does comes from its own source, by way of the table in docs/settings.md.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.iam import Request, actions, allowed
from tests.support.terraform import OFFLINE, Mutant, Verdict, judged, module_copy, mutants, needs_terraform, planned
from tests.unit.test_permissions_docs import ACTIONS, CALLERS, calls, granted

Role = Mapping[str, Any]
Choices = Mapping[str, Any]

BUCKET = "arn:aws:s3:::hub-data-test"
DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E2TESTTESTTEST"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
GITHUB = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
CLUSTER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
SUBJECT = "repo:example/sec-lists:ref:refs/heads/main"

ROLES: Mapping[str, Choices] = {
    "plain": {},
    "narrow": {"prefix": "data/public/"},
    "reader": {"read_only": True},
    "looking_back": {"read_only": True, "history": True},
    "pruning": {"prune": True},
    "forgetful": {"retention": True},
    "hasty": {"wait": False},
    "without_cdn": {"distribution_arn": None},
    "everything": {
        "prefix": "data/public/",
        "prune": True,
        "history": True,
        "retention": True,
        "multipart": True,
        "cache_tags": True,
        "kms_key_arn": KEY,
        "metrics_namespace": "hubdata",
    },
    "worker": {
        "github": None,
        "ecs_account_id": "123456789012",
        "kubernetes": {"oidc_provider_arn": CLUSTER, "namespace": "hubdata", "service_account": "worker"},
    },
}
HURT = ("plain", "narrow", "reader", "everything", "worker")
"""The roles that each mutant is judged by."""


def writes(role: Choices) -> bool:
    """Tell whether a role is to publish."""
    return not role.get("read_only", False)


NEEDED: Mapping[str, Callable[[Choices], bool]] = {
    "s3:ListBucket": lambda _: True,
    "s3:GetObject": lambda _: True,
    "s3:PutObject": writes,
    "s3:AbortMultipartUpload": lambda role: bool(role.get("multipart")),
    "s3:DeleteObject": lambda role: bool(role.get("prune")),
    "s3:ListBucketVersions": lambda role: bool(role.get("history") or role.get("retention")),
    "s3:GetObjectVersion": lambda role: bool(role.get("history")),
    "s3:DeleteObjectVersion": lambda role: bool(role.get("retention")),
    "cloudfront:CreateInvalidation": lambda role: writes(role) and "distribution_arn" not in role,
    "cloudfront:GetInvalidation": lambda role: (
        writes(role) and "distribution_arn" not in role and bool(role.get("wait", True))
    ),
    "cloudfront:GetDistributionConfig": lambda role: bool(role.get("cache_tags")),
}
"""Each action of docs/settings.md, and which roles want it."""

MUTANTS = mutants("publisher-role")
BY_TESTS = tuple(each for each in MUTANTS if each.run)
BY_TABLE = tuple(each for each in MUTANTS if not each.run)

pytestmark = needs_terraform


def root_of(home: Path, hurt: tuple[Mutant, ...]) -> Path:
    """Return a root with every role, and with some roles of each mutant."""
    (home / "provider.tf").write_text(OFFLINE, encoding="utf-8")
    calling: dict[str, Any] = {}
    for number, mutant in enumerate((None, *hurt)):
        module = module_copy("publisher-role", home / f"m{number}")
        shutil.rmtree(module / "tests")
        if mutant is not None:
            mutant.apply(module)
        for name in ROLES if mutant is None else HURT:
            calling[f"m{number}_{name}"] = {
                "source": f"./m{number}/publisher-role",
                "name": f"hubdata-{number}-{name}",
                "bucket": "hub-data-test",
                "distribution_arn": DISTRIBUTION,
                "github": {"subjects": [SUBJECT], "oidc_provider_arn": GITHUB},
                **ROLES[name],
            }
    (home / "main.tf.json").write_text(json.dumps({"module": calling}), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Role]]:
    """Return by mutant (none: "") and role the planned policies: `trust`, and `own`."""
    home = root_of(tmp_path_factory.mktemp("roles"), BY_TABLE)
    made = planned(home)["planned_values"]["root_module"]["child_modules"]
    found: dict[str, dict[str, Role]] = {each: {} for each in ("", *(mutant.name for mutant in BY_TABLE))}
    names = ["", *(mutant.name for mutant in BY_TABLE)]
    for module in made:
        number, role = module["address"].removeprefix("module.m").split("_", 1)
        values = {each["type"]: each["values"] for each in module["resources"]}
        found[names[int(number)]][role] = {
            "trust": json.loads(values["aws_iam_role"]["assume_role_policy"]),
            "own": json.loads(values["aws_iam_role_policy"]["policy"]),
        }
    return found


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict]:
    """Return what the module's own tests say of it, and of the mistakes that are theirs to see."""
    return judged("publisher-role", BY_TESTS, tmp_path_factory.mktemp("publisher-role") / "home")


def on(action: str, role: Choices) -> list[Request]:
    """Return requests that hubdata makes with an action, within a role's prefix."""
    prefix = role.get("prefix", "")
    if action in {"s3:ListBucket", "s3:ListBucketVersions"}:
        asked = (prefix, f"{prefix}.hubdata/runs/", f"{prefix}manifest.json")
        return [Request(action, BUCKET, context={"s3:prefix": each} if each else {}) for each in asked]
    if action.startswith("s3:"):
        keys = ("manifest.json", "lists/a.txt", ".hubdata/lease.json", ".hubdata/runs/1.json")
        return [Request(action, f"{BUCKET}/{prefix}{key}") for key in keys]
    return [Request(action, KEY if action.startswith("kms:") else DISTRIBUTION)]


def beside(action: str, role: Choices) -> list[Request]:
    """Return requests with an action that hubdata has no business to make."""
    elsewhere = DISTRIBUTION.replace("E2TEST", "E3TEST")
    if action.startswith("cloudfront:"):
        return [Request(action, elsewhere), Request(action, "*")]
    asked = [Request(action, f"{BUCKET}-of-others{rest}", context={"s3:prefix": ""}) for rest in ("", "/manifest.json")]
    if prefix := role.get("prefix"):
        listed = ("", "data/", "data/private/", "data/publicity/")
        asked += [Request(action, BUCKET, context={"s3:prefix": each}) for each in listed]
        asked += [Request(action, BUCKET)]
        keys = ("manifest.json", "data/private/a", "data/publicity/a", ".hubdata/lease.json")
        asked += [Request(action, f"{BUCKET}/{key}") for key in keys]
        assert not any(each.startswith(prefix) for each in (*listed, *keys))
    return asked


NEVER = (
    "s3:PutObjectAcl", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucket", "s3:PutLifecycleConfiguration",
    "s3:PutBucketVersioning", "s3:GetObjectAcl", "s3:BypassGovernanceRetention", "s3:ListAllMyBuckets",
    "cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution", "cloudfront:ListDistributions",
    "iam:PassRole", "sts:AssumeRole", "kms:Encrypt", "kms:CreateGrant",
)  # fmt: skip


def wrong(name: str, role: Role) -> Iterator[str]:
    """Yield what a role may and should not, or may not and should."""
    choices, own = ROLES[name], role["own"]
    for action, needs in NEEDED.items():
        for request in on(action, choices):
            old_record = action == "s3:DeleteObject" and "/.hubdata/runs/" in request.resource and writes(choices)
            if allowed(request, own) != (needs(choices) or old_record):
                yield f"{name}: {request}: {'denied' if needs(choices) else 'allowed'}"
        yield from (f"{name}: {each}: allowed" for each in beside(action, choices) if allowed(each, own))
    for action in NEVER:
        for resource in (BUCKET, f"{BUCKET}/{choices.get('prefix', '')}manifest.json", DISTRIBUTION, KEY, "*"):
            if allowed(Request(action, resource), own):
                yield f"{name}: {action} on {resource}: allowed"
    signs = "kms_key_arn" in choices
    for key in (KEY, KEY.replace("key/1", "key/2")):
        if allowed(Request("kms:Decrypt", key), own) != (signs and key == KEY):
            yield f"{name}: kms:Decrypt on {key}"
    for namespace in ("hubdata", "AWS/CloudFront"):
        put = Request("cloudwatch:PutMetricData", "*", context={"cloudwatch:namespace": namespace})
        if allowed(put, own) != (choices.get("metrics_namespace") == namespace):
            yield f"{name}: metrics of {namespace}"
    yield from distrusted(name, role["trust"], choices)


def distrusted(name: str, trust: Role, choices: Choices) -> Iterator[str]:
    """Yield whoever may take a role and should not, or may not and should."""
    token, task = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"

    def workflow(sub: str, aud: str = "sts.amazonaws.com", provider: str = GITHUB) -> Request:
        host = "token.actions.githubusercontent.com"
        return Request(token, "", ("Federated", provider), {f"{host}:sub": sub, f"{host}:aud": aud})

    def pod(account: str, aud: str = "sts.amazonaws.com") -> Request:
        host = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
        sub = f"system:serviceaccount:{account}"
        return Request(token, "", ("Federated", CLUSTER), {f"{host}:sub": sub, f"{host}:aud": aud})

    def container(account: str, service: str = "ecs-tasks.amazonaws.com") -> Request:
        return Request(task, "", ("Service", service), {"aws:SourceAccount": account})

    by_workflow, by_worker = choices.get("github", True) is not None, "kubernetes" in choices
    cases = (
        (workflow(SUBJECT), by_workflow),
        (workflow("repo:example/sec-lists:pull_request"), False),
        (workflow("repo:example/sec-lists:ref:refs/heads/main2"), False),
        (workflow("repo:stranger/sec-lists:ref:refs/heads/main"), False),
        (workflow(SUBJECT, "https://github.com/example"), False),
        (workflow(SUBJECT, provider=GITHUB.replace("token", "tokens")), False),
        (pod("hubdata:worker"), by_worker),
        (pod("hubdata:default"), False),
        (pod("default:worker"), False),
        (pod("hubdata:worker", "kubernetes"), False),
        (container("123456789012"), by_worker),
        (container("999999999999"), False),
        (container("123456789012", "ec2.amazonaws.com"), False),
        (Request(task, "", ("AWS", "arn:aws:iam::123456789012:root")), False),
        (Request(task, "", ("AWS", "arn:aws:iam::999999999999:root")), False),
    )
    for request, expected in cases:
        if allowed(request, trust) != expected:
            yield f"{name}: taken by {request}: {not expected}"


def test_the_module_keeps_its_promises(verdicts: Mapping[str, Verdict]) -> None:
    """Every run of its own tests passes."""
    assert verdicts[""].failures == ()


@pytest.mark.parametrize("name", ROLES)
def test_a_role_may_what_was_chosen_for_it_and_nothing_else(name: str, plan: Mapping[str, Mapping[str, Role]]) -> None:
    """Each action of the table in docs/settings.md, where it is needed and elsewhere; and who may take the role."""
    assert list(wrong(name, plan[""][name])) == []
    written = actions(plan[""][name]["own"]) - {"kms:Decrypt", "cloudwatch:PutMetricData"}
    needed = {action for action, needs in NEEDED.items() if needs(ROLES[name])}
    assert written - needed == ({"s3:DeleteObject"} if writes(ROLES[name]) and "prune" not in ROLES[name] else set())


def test_the_table_of_needs_is_that_of_the_documentation() -> None:
    """An action that is new in docs/settings.md needs a choice, or a place among what every role may."""
    assert NEEDED.keys() == granted().keys()


def test_every_request_that_hubdata_makes_is_allowed_where_all_is_chosen(
    plan: Mapping[str, Mapping[str, Role]],
) -> None:
    """What the source calls, it may call, at its own objects, bucket and distribution."""
    denied = []
    for service in CALLERS:
        for operation in calls(service):
            action = ACTIONS.get(operation, f"{service}:{operation}")
            own = plan[""]["everything"]["own"]
            denied += [each for each in on(action, ROLES["everything"]) if not allowed(each, own)]
    assert denied == []


@pytest.mark.parametrize("mutant", BY_TABLE, ids=lambda mutant: mutant.name)
def test_a_mistake_in_a_policy_is_noticed(mutant: Mutant, plan: Mapping[str, Mapping[str, Role]]) -> None:
    """With one mistake in the module, a role may too much or too little."""
    roles = plan[mutant.name]
    assert roles.keys() == set(HURT)
    assert [each for name, role in roles.items() for each in wrong(name, role)]


@pytest.mark.parametrize("mutant", BY_TESTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_module_is_noticed(mutant: Mutant, verdicts: Mapping[str, Verdict]) -> None:
    """With one mistake in the module, its own tests fail."""
    assert verdicts[mutant.name].failures
