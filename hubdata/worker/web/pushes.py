"""Decide what a delivery of GitHub's asks for. It is signed by now, and trusted with one thing only: that it happened.

Repository and ref are compared with the settings' own; which jobs are run is theirs too, and what a run fetches is what
its job file says. Nothing of a payload is ever used as a name, a path or a ref.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from hubdata.config.http_table import GithubSpec


class Sense(StrEnum):
    """What a delivery comes to."""

    PUSH = "push"
    PING = "ping"
    OTHER_EVENT = "another event"
    OTHER_REPOSITORY = "another repository"
    OTHER_REF = "another ref"
    DELETED = "the ref was deleted"


class Unreadable(Exception):
    """The body is no JSON object, or not what GitHub sends with such an event."""


def sense(event: str, body: bytes, spec: GithubSpec) -> Sense:
    """Return what a delivery of `event` comes to. Raises Unreadable.

    The payloads: docs.github.com, "Webhook events and payloads".
    """
    payload = _payload(body)
    if event == "ping":
        return Sense.PING
    if event != "push":
        return Sense.OTHER_EVENT
    repository = payload.get("repository")
    name = repository.get("full_name") if isinstance(repository, dict) else None
    ref = payload.get("ref")
    if not isinstance(name, str) or not isinstance(ref, str):
        raise Unreadable("expected `repository.full_name` and `ref`")
    if name.lower() != spec.repository.lower():  # GitHub does not tell names apart by case
        return Sense.OTHER_REPOSITORY
    if ref != spec.ref:
        return Sense.OTHER_REF
    return Sense.DELETED if payload.get("deleted") is True else Sense.PUSH


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("expected JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("expected a JSON object")
    return found
