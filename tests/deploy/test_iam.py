"""The evaluator of policies decides as AWS's guide says, and refuses what it does not know."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.iam import NotKnown, Request, allowed, matches

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/data/*"}
GET = Request("s3:GetObject", "arn:aws:s3:::b/data/x")


def policy(*statements: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_what_nothing_allows_is_denied() -> None:
    """Another action, another resource, or no statement at all."""
    assert allowed(GET, policy(READ))
    assert not allowed(GET, policy())
    assert not allowed(Request("s3:PutObject", GET.resource), policy(READ))
    assert not allowed(Request("s3:GetObject", "arn:aws:s3:::b/x"), policy(READ))


def test_a_denial_beats_every_permission() -> None:
    """Whichever policy it stands in, and in whatever order."""
    deny = {**READ, "Effect": "Deny"}
    assert not allowed(GET, policy(READ, deny))
    assert not allowed(GET, policy(deny), policy(READ))
    assert allowed(GET, policy(), policy(READ))


@pytest.mark.parametrize(
    ("condition", "context", "met"),
    [
        ({"StringEquals": {"a:b": "x"}}, {"A:B": "x"}, True),
        ({"StringEquals": {"a:b": ["x", "y"]}}, {"a:b": "y"}, True),
        ({"StringEquals": {"a:b": "x*"}}, {"a:b": "xy"}, False),
        ({"StringLike": {"a:b": "x*"}}, {"a:b": "xy"}, True),
        ({"StringLike": {"a:b": "*"}}, {}, False),
        ({"StringEquals": {"a:b": "x", "c:d": "y"}}, {"a:b": "x"}, False),
        ({"StringEquals": {"a:b": "x"}, "Bool": {"c:d": "false"}}, {"a:b": "x", "c:d": "True"}, False),
    ],
)
def test_all_conditions_of_a_statement_must_be_met(
    condition: Mapping[str, Any], context: Mapping[str, str], met: bool
) -> None:
    """Keys whatever their case, one of several values; a key that is not there meets nothing."""
    asked = Request(GET.action, GET.resource, context=context)
    assert allowed(asked, policy({**READ, "Condition": condition})) is met


def test_principals_are_matched_by_kind_and_name() -> None:
    """A service is no account; `*` is everybody."""
    cdn = Request(GET.action, GET.resource, ("Service", "cloudfront.amazonaws.com"))
    assert allowed(cdn, policy({**READ, "Principal": {"Service": "cloudfront.amazonaws.com"}}))
    assert not allowed(cdn, policy({**READ, "Principal": {"AWS": "cloudfront.amazonaws.com"}}))
    assert not allowed(GET, policy({**READ, "Principal": {"Service": "cloudfront.amazonaws.com"}}))
    assert allowed(GET, policy({**READ, "Principal": "*"}))


def test_what_is_not_known_is_refused() -> None:
    """A policy that is misread could seem harmless."""
    with pytest.raises(NotKnown, match="NotResource"):
        allowed(GET, policy({"Effect": "Allow", "Action": "s3:*", "NotResource": "x"}))
    with pytest.raises(NotKnown, match="IpAddress"):
        allowed(
            Request(GET.action, GET.resource, context={"a:b": "x"}),
            policy({**READ, "Condition": {"IpAddress": {"a:b": "x"}}}),
        )


def test_wildcards_span_everything_but_nothing_else_is_special() -> None:
    """As in IAM: `*` crosses slashes and may be empty, `?` is one character, a dot is a dot."""
    assert matches("arn:aws:s3:::b/*.hubdata/*", "arn:aws:s3:::b/.hubdata/x/y")
    assert matches("a?c", "abc")
    assert not matches("a.c", "abc")
    assert not matches("a?c", "ac")
