"""docs/settings.md names every permission that the code needs, as its source shows what it calls."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name
from botocore.session import get_session

from hubdata.targets.s3 import bucket

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
CALLERS = {
    "s3": ("hubdata/targets/s3/*.py", "hubdata/transfer/s3*.py"),
    "cloudfront": ("hubdata/cdns/cloudfront.py",),
}
"""Where requests of each service are made."""

ACTIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "HeadObject": "s3:GetObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
}
"""Actions with other names than their operations (service authorization reference, "Actions for Amazon S3")."""

BY_HAND = {
    "LIST": "ListObjectsV2",
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
}
"""What is asked over plain HTTP (`transfer/s3_quick.py`), and the operation that it is."""

OF_VERSIONS = "Version"
"""What a request that names a version adds to its operation here, and to its action at S3."""


def calls(service: str) -> dict[str, set[str]]:
    """Return the operations of `service` that its callers ask for, each with the files that do."""
    methods = {xform_name(name): name for name in get_session().get_service_model(service).operation_names}
    found: dict[str, set[str]] = {}
    for pattern in CALLERS[service]:
        for path in sorted(ROOT.glob(pattern)):
            for operation in operations(ast.parse(path.read_text(encoding="utf-8")), methods):
                found.setdefault(operation, set()).add(path.name)
    return found


def operations(tree: ast.AST, methods: dict[str, str]) -> Iterator[str]:
    """Yield what the functions of one module ask for: by a client's method, by a paginator's name, or by hand."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        nodes = list(ast.walk(function))
        keys = {text(key) for node in nodes if isinstance(node, ast.Dict) for key in node.keys}
        for node in nodes:
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            first = text(node.args[0]) if node.args else ""
            if name in methods:
                past = "VersionId" in {keyword.arg for keyword in node.keywords}
                yield methods[name] + OF_VERSIONS * past
                if not past and "VersionId" in keys:
                    yield methods[name] + OF_VERSIONS
            elif name == "get_paginator":
                yield methods[first]
            elif name == "_ask" and first:
                yield BY_HAND[first]


def text(node: ast.expr | None) -> str:
    """Return the text that `node` is, empty when it is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def granted() -> dict[str, set[str]]:
    """Return the page's table: by action, the operations that it allows."""
    rows = re.findall(r"^\| `((?:s3|cloudfront):\w+)` \|[^|]+\|([^|]+)\|[^|]+\|$", PAGE, re.MULTILINE)
    return {action: set(re.findall(r"`([A-Z]\w+)`", allows)) for action, allows in rows}


def test_every_operation_that_is_called_has_its_permission_in_the_table() -> None:
    """Whoever grants what the page says meets no denial; a call that is new here needs a row there."""
    table = granted()
    wrong = []
    for service in CALLERS:
        for operation, files in sorted(calls(service).items()):
            action = ACTIONS.get(operation, f"{service}:{operation}")
            if operation not in table.get(action, set()):
                wrong.append(f"{operation}, called in {', '.join(sorted(files))}: no row of {action} allows it")
    assert wrong == []


def test_no_permission_is_asked_for_that_nothing_needs() -> None:
    """A row whose call is gone would hand out a right for nothing."""
    needed = {ACTIONS.get(each, f"{service}:{each}"): each for service in CALLERS for each in calls(service)}
    called = {operation for service in CALLERS for operation in calls(service)}
    assert granted().keys() - needed.keys() == set()
    assert set().union(*granted().values()) - called == set()


def test_denials_advise_what_the_table_says() -> None:
    """The message of a denied request names the same actions, and knows every operation that is called."""
    told = {action for text in bucket._PERMISSIONS.values() for action in re.findall(r"s3:\w+", text)}
    assert told <= granted().keys()
    unknown = calls("s3").keys() - bucket._PERMISSIONS.keys()
    assert unknown <= {"GetObject" + OF_VERSIONS}, "a message would have no advice"
