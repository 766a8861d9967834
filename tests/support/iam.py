"""Would AWS allow this? An evaluator of the part of IAM's language that `deploy/` uses, and of nothing else.

It follows the user guide's "Policy evaluation logic" within one account: whatever no statement allows is denied, and a
denial beats every permission; of a role's and a bucket's policy either may allow. A statement that uses anything
unknown here raises, so that a policy cannot pass by being misread.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_KNOWN = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


class NotKnown(Exception):
    """A policy says something that this evaluator cannot judge, so it judges none of it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `principal` is (`Service`, its name), (`Federated`, a provider's ARN) or (`AWS`, an ARN)."""

    action: str
    resource: str = ""
    principal: tuple[str, str] = ("AWS", "arn:aws:iam::123456789012:role/somebody")
    context: Mapping[str, str] = field(default_factory=dict)


def allowed(request: Request, *policies: Mapping[str, Any]) -> bool:
    """Tell whether the policies allow the request."""
    effects = {each["Effect"] for policy in policies for each in policy["Statement"] if _applies(each, request)}
    assert effects <= {"Allow", "Deny"}
    return effects == {"Allow"}


def actions(policy: Mapping[str, Any]) -> set[str]:
    """Return every action that a policy allows, as it is written there."""
    return {action for each in policy["Statement"] if each["Effect"] == "Allow" for action in _many(each["Action"])}


def matches(pattern: str, text: str) -> bool:
    """Tell whether `text` is what `pattern` says, in which `*` is any text and `?` any character."""
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    unknown = statement.keys() - _KNOWN
    if unknown:
        raise NotKnown(f"statement {statement.get('Sid')}: {', '.join(sorted(unknown))}")
    return (
        _principal(statement.get("Principal"), request.principal)
        and any(matches(each.lower(), request.action.lower()) for each in _many(statement["Action"]))
        and ("Resource" not in statement or any(matches(e, request.resource) for e in _many(statement["Resource"])))
        and all(_met(*each, request.context) for each in _conditions(statement.get("Condition", {})))
    )


def _principal(stated: Any, asking: tuple[str, str]) -> bool:
    if stated is None or stated == "*":  # a role's own policy names nobody
        return True
    kind, name = asking
    return any(each in ("*", name) for each in _many(stated.get(kind, ())))


def _conditions(stated: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, str, Sequence[str]]]:
    for operator, keys in stated.items():
        for key, values in keys.items():
            yield operator, key, _many(values)


def _met(operator: str, key: str, values: Sequence[str], context: Mapping[str, str]) -> bool:
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if found is None:  # of these operators none is met by a key that is not there
        return False
    if operator == "StringEquals":
        return found in values
    if operator == "StringLike":
        return any(matches(each, found) for each in values)
    if operator == "Bool":
        return found.lower() in [each.lower() for each in values]
    raise NotKnown(f"condition {operator}")


def _many(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
